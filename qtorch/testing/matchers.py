"""What an entry of ``expect=``, ``events=`` or ``errors=`` fits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, cast, get_origin

from qtorch.events import BaseEvent
from qtorch.job.results import JobResult
from qtorch.ports import MISSING
from qtorch.state.base_state import BaseState, model_fields_of
from qtorch.state.equality import same
from qtorch.testing.writing import written


def matches(expected: object, actual: object) -> bool:
    """Whether ``actual`` is what ``expected`` describes.

    Parameters
    ----------
    expected
        A matcher: what it says. A class: an instance of it, or of a subclass. A dict, unless ``actual`` is a mapping
        itself: each key names an attribute that fits the value, in turn by these rules. Another callable: what it
        gives for ``actual`` is true; if it raises, that is no match. Anything else: ``==``, where exceptions are equal
        if their class and ``args`` are, also those in the fields of a state or of a job's outcome. An ``==`` that
        raises, or gives no bool, is no match.
    actual
        What there is.

    Examples
    --------
    >>> matches(3, 3), matches(int, 3), matches(lambda n: n > 5, 3), matches({"real": 3, "imag": int}, 3)
    (True, True, False, True)
    >>> matches(OSError("down"), OSError("down"))
    True
    """
    return next(differing(expected, actual), None) is None


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as expected: the attribute ``path`` of an entry, "" for the entry as a whole."""

    path: str
    expected: object
    actual: object
    note: str = ""
    """What is to be said of it besides."""


class Matcher(ABC):
    """Describes what is expected where no value will do; inherit from it for matchers of your own.

    A matcher is also equal (``==``) to whatever it matches, so it can stand inside a tuple, or after ``assert x ==``.
    Give it a ``__repr__`` that is what one writes to make it: that is what a failing test shows.

    Examples
    --------
    >>> class Near(Matcher):
    ...     def __init__(self, value: float) -> None:
    ...         self.value = value
    ...     def matches(self, actual: object) -> bool:
    ...         return isinstance(actual, float) and abs(actual - self.value) < 0.01
    >>> (0.5001, "half") == (Near(0.5), "half")
    True
    """

    @abstractmethod
    def matches(self, actual: Any) -> bool:
        """Whether ``actual`` fits. What it raises is no match, and is told."""
        raise NotImplementedError

    def differing(self, actual: Any, path: str = "") -> Iterator[Difference]:
        """Give what of ``actual`` does not fit; here, all or nothing."""
        yield from _asked(self, self.matches, actual, path)

    def __eq__(self, other: object) -> bool:
        return matches(self, other)

    __hash__ = None  # type: ignore[assignment]  # it is equal to too many things


class _Anything(Matcher):
    def matches(self, actual: Any) -> bool:
        return True

    def __repr__(self) -> str:
        return "anything"


anything = _Anything()
"""Matches everything, ``None`` included."""


class Having(Matcher):
    """See :func:`having`."""

    def __init__(self, cls: type[Any] | None, attributes: Mapping[str, object]) -> None:
        self.cls = cls
        self.attributes = attributes

    def matches(self, actual: Any) -> bool:
        """Whether class and attributes fit."""
        return next(self.differing(actual), None) is None

    def differing(self, actual: Any, path: str = "") -> Iterator[Difference]:
        """Give the attributes that do not fit, or the whole if the class does not."""
        if self.cls is not None and not isinstance(actual, self.cls):
            yield Difference(path, self, actual)
            return
        for name, expected in self.attributes.items():
            whole = f"{path}.{name}" if path else name
            try:
                value = getattr(actual, name)
            except AttributeError:
                yield Difference(whole, expected, MISSING, f"{type(actual).__name__} has no attribute {name!r}")
            except Exception as error:  # noqa: BLE001 - a property that raises is no match
                yield Difference(whole, expected, MISSING, f"reading {name!r} raised {error!r}")
            else:
                yield from differing(expected, value, whole)

    def __repr__(self) -> str:
        cls = [] if self.cls is None else [written(self.cls)]
        return f"having({', '.join([*cls, *_arguments(self.attributes)])})"


def having(cls: type[Any] | None = None, /, **attributes: object) -> Matcher:
    """Match whatever is a ``cls``, if one is given, and has these attributes; the others may be what they like.

    For states of which only a part is of interest, for events and outcomes. Each value is an entry again: see
    :func:`matches`.

    Examples
    --------
    >>> (3 + 4j) == having(complex, real=3)
    True
    >>> having(complex, real=having(float, imag=0))
    having(complex, real=having(float, imag=0))
    """
    return Having(cls, attributes)


class _Event(Having):
    def __repr__(self) -> str:
        own = dict(self.attributes)
        job = [written(own.pop("job"))] if "job" in own else []
        return f"event({', '.join([written(self.cls), *job, *_arguments(own)])})"


def event(event_type: type[BaseEvent], job: object = anything, /, **attributes: object) -> Matcher:
    """Match an event of a class, subclasses included, of a job, with these attributes.

    Parameters
    ----------
    event_type
        The class of the event. Remember that a timeout is a failure, too.
    job
        The class of the job; a job, which is equal to those with the same payload; or any other entry.
    **attributes
        Attributes of the event: ``attempt``, ``data``, ``error``, ``progress``, ..; see :func:`matches`.

    Raises
    ------
    TypeError
        ``event_type`` is no class of events.

    Examples
    --------
    >>> from qtorch import JobRetryingEvent
    >>> event(JobRetryingEvent, attempt=1, last_error=OSError)
    event(JobRetryingEvent, attempt=1, last_error=OSError)
    """
    given: Any = event_type
    if not (isinstance(given, type) and issubclass(given, BaseEvent)):
        raise TypeError(
            f"event() takes the class of an event first, not {written(event_type)}.\n"
            f"  Write event(JobSuccessEvent, FetchUserJob, data=...)."
        )
    return _Event(event_type, attributes if job is anything else {"job": job, **attributes})


def differing(expected: Any, actual: Any, path: str = "") -> Iterator[Difference]:
    """Give what of ``actual`` is not as ``expected`` describes; nothing if it matches. The rules of :func:`matches`."""
    if expected is actual:
        return
    kind = cast("type[object]", type(expected))
    generic = get_origin(expected)
    cls = generic if isinstance(generic, type) else expected
    if isinstance(expected, Matcher):
        yield from expected.differing(actual, path)
    elif isinstance(cls, type):
        if not isinstance(actual, cls):
            yield Difference(path, expected, actual)
    elif kind is dict and not issubclass(type(actual), Mapping):
        yield from Having(None, expected).differing(actual, path)
    elif callable(expected) and not same(expected, actual):
        yield from _asked(expected, expected, actual, path)
    else:
        yield from differing_values(expected, actual, path)


def differing_values(expected: Any, actual: Any, path: str) -> Iterator[Difference]:
    """Compare values, in which classes and functions are what they are, and no descriptions."""
    if isinstance(expected, Matcher):
        yield from expected.differing(actual, path)
        return
    if same(expected, actual):
        return
    if type(expected) is type(actual):
        if isinstance(expected, BaseException) and same(expected.args, actual.args):
            return
        # An exception is equal to itself alone: what commonly holds one is compared field by field.
        names = _fields_with_errors(expected)
        if names:
            for name in names:
                whole = f"{path}.{name}" if path else name
                yield from differing_values(getattr(expected, name), getattr(actual, name), whole)
            return
    yield Difference(path, expected, actual, _fault_of_equality(expected, actual))


def _fields_with_errors(value: object) -> tuple[str, ...]:
    if isinstance(value, BaseState):
        return tuple(model_fields_of(type(value)))
    if isinstance(value, JobResult):
        return tuple(one.name for one in fields(cast("Any", value)))
    return ()


def _fault_of_equality(expected: object, actual: object) -> str:
    try:
        equal: Any = expected == actual
    except Exception as error:  # noqa: BLE001 - user code
        return f"their == raised {error!r}"
    return "" if isinstance(equal, bool) else f"their == gave no bool, but a {type(equal).__name__}"


def _asked(expected: object, question: Callable[[Any], object], actual: object, path: str) -> Iterator[Difference]:
    try:
        if question(actual):
            return
    except Exception as error:  # noqa: BLE001 - what cannot answer does not match
        yield Difference(path, expected, actual, f"{written(expected)} raised {error!r}")
    else:
        yield Difference(path, expected, actual)


def _arguments(attributes: Mapping[str, object]) -> list[str]:
    return [f"{name}={written(one)}" for name, one in attributes.items()]
