"""Which method hears which event: ``@on`` and the hooks, worked out once per class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast, overload

from qtorch.events import (
    BaseEvent,
    JobCacheHitEvent,
    JobCancelledEvent,
    JobEvent,
    JobFailureEvent,
    JobItemsEvent,
    JobPlaceholderEvent,
    JobProgressEvent,
    JobRetryingEvent,
    JobStartedEvent,
    JobSuccessEvent,
    JobTimeoutEvent,
)
from qtorch.job.base_job import BaseJob

E = TypeVar("E", bound=BaseEvent)
O = TypeVar("O")  # noqa: E741 - the orchestrator
R = TypeVar("R")
T = TypeVar("T")

_MARK = "_qtorch_on"

_Kind = tuple[type[BaseEvent], type[BaseJob[Any]] | None]


class _On:
    """What one ``@on`` says."""

    __slots__ = ("event_type", "is_passive", "job_type")

    def __init__(self, event_type: type[BaseEvent], job_type: type[BaseJob[Any]] | None, is_passive: bool) -> None:
        self.event_type = event_type
        self.job_type = job_type
        # An event that cannot be of a job can only be heard passively; saying so every time would be noise.
        can_be_of_job = issubclass(event_type, JobEvent) or issubclass(JobEvent, event_type)
        self.is_passive = is_passive or not can_be_of_job

    def fits(self, kind: _Kind) -> bool:
        event_type, job_type = kind
        return issubclass(event_type, self.event_type) and (
            self.job_type is None or (job_type is not None and issubclass(job_type, self.job_type))
        )


# The last overload fits what the first four fit too, less exactly: the first that fits counts.
@overload
def on(  # type: ignore[overload-overlap]
    event: type[JobSuccessEvent[Any]], job: type[BaseJob[R]], /, *, passive: bool = False
) -> Callable[[Callable[[O, JobSuccessEvent[R]], T]], Callable[[O, JobSuccessEvent[R]], T]]: ...
@overload
def on(  # type: ignore[overload-overlap]
    event: type[JobCacheHitEvent[Any]], job: type[BaseJob[R]], /, *, passive: bool = False
) -> Callable[[Callable[[O, JobCacheHitEvent[R]], T]], Callable[[O, JobCacheHitEvent[R]], T]]: ...
@overload
def on(  # type: ignore[overload-overlap]
    event: type[JobPlaceholderEvent[Any]], job: type[BaseJob[R]], /, *, passive: bool = False
) -> Callable[[Callable[[O, JobPlaceholderEvent[R]], T]], Callable[[O, JobPlaceholderEvent[R]], T]]: ...
@overload
def on(  # type: ignore[overload-overlap]
    event: type[JobItemsEvent[Any]], job: type[BaseJob[R]], /, *, passive: bool = False
) -> Callable[[Callable[[O, JobItemsEvent[R]], T]], Callable[[O, JobItemsEvent[R]], T]]: ...
@overload
def on(
    event: type[E], job: type[BaseJob[Any]] | None = None, /, *, passive: bool = False
) -> Callable[[Callable[[O, E], T]], Callable[[O, E], T]]: ...
def on(event: Any, job: Any = None, /, *, passive: bool = False) -> Any:
    """Have a method of an orchestrator called for events of a class, subclasses included.

    Several fit: all are called, in the order in which they are defined, before the hooks. A handler of
    JobTimeoutEvent is called instead of those of JobFailureEvent.

    Parameters
    ----------
    event
        The event class. Those of your own domain are heard from anywhere on the bus.
    job
        Only events of such jobs. The handler's event then has the job's data type.
    passive
        Hear what is *not* of this orchestrator's own jobs.

    Examples
    --------
    >>> class Users(BaseOrchestrator[UserState]):  # doctest: +SKIP
    ...     @on(JobSuccessEvent, FetchUserJob)
    ...     def _loaded(self, event: JobSuccessEvent[User]) -> None:
    ...         self.update(user=event.data)
    """
    if not _is_class_of(event, BaseEvent):
        raise TypeError(f"@on takes an event class, not {event!r}; write @on(JobSuccessEvent, FetchUserJob)")
    if job is not None and not _is_class_of(job, BaseJob):
        raise TypeError(f"@on takes a job class as its second argument, not {job!r}")
    mark = _On(event, job, passive)

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        # One method may hear several kinds.
        setattr(method, _MARK, (*getattr(method, _MARK, ()), mark))
        return method

    return decorate


def _is_class_of(value: object, base: type[Any]) -> bool:
    return isinstance(value, type) and issubclass(value, base)


_HOOKS: tuple[tuple[type[JobEvent], str], ...] = (
    (JobStartedEvent, "on_job_started"),
    (JobProgressEvent, "on_progress"),
    (JobItemsEvent, "on_items"),
    (JobRetryingEvent, "on_job_retrying"),
    (JobPlaceholderEvent, "on_placeholder"),
    (JobCacheHitEvent, "on_cache_hit"),
    (JobSuccessEvent, "on_active_success"),
    (JobTimeoutEvent, "on_active_timeout"),
    (JobFailureEvent, "on_active_failure"),
    (JobCancelledEvent, "on_active_cancelled"),
)


class Handlers:
    """The methods of one orchestrator class by what they hear.

    Parameters
    ----------
    cls
        The class.
    base
        BaseOrchestrator, whose own hooks do nothing and need not be called.
    """

    def __init__(self, cls: type[Any], base: type[Any]) -> None:
        self._cls = cls
        self._base = base
        self._marks = _marks_of(cls)
        self._active: dict[_Kind, tuple[str, ...]] = {}
        self._passive: dict[_Kind, tuple[str, ...]] = {}
        self.hears_changes = self._overrides("on_change")
        self.is_passive = self._overrides("on_passive_event") or any(mark.is_passive for _, mark in self._marks)

    def _overrides(self, name: str) -> bool:
        return getattr(self._cls, name) is not getattr(self._base, name)

    def active(self, kind: _Kind) -> tuple[str, ...]:
        """Give the names of the methods for an event of an own job, in the order of their calls."""
        found = self._active.get(kind)
        if found is None:
            found = self._active[kind] = (*self._marked(kind, False), *self._hooks(kind[0]))
        return found

    def passive(self, kind: _Kind) -> tuple[str, ...]:
        """Give the names of the methods for any other event."""
        found = self._passive.get(kind)
        if found is None:
            names = [*self._marked(kind, True)]
            if self._overrides("on_passive_event"):
                names.append("on_passive_event")
            if issubclass(kind[0], JobProgressEvent | JobItemsEvent) and not self._cls.passive_progress:
                names.clear()
            found = self._passive[kind] = tuple(names)
        return found

    def _marked(self, kind: _Kind, is_passive: bool) -> list[str]:
        fitting = [(name, mark) for name, mark in self._marks if mark.is_passive is is_passive and mark.fits(kind)]
        if issubclass(kind[0], JobTimeoutEvent) and any(_is_for_timeouts(mark) for _, mark in fitting):
            fitting = [(name, mark) for name, mark in fitting if mark.event_type is not JobFailureEvent]
        return list(dict.fromkeys(name for name, _ in fitting))

    def _hooks(self, event_type: type[BaseEvent]) -> list[str]:
        names: list[str] = []
        specific = next((name for hook_type, name in _HOOKS if issubclass(event_type, hook_type)), None)
        if specific is not None:
            if specific == "on_active_timeout" and not self._overrides(specific):
                specific = "on_active_failure"
            if self._overrides(specific):
                names.append(specific)
        if issubclass(event_type, JobEvent) and self._overrides("on_active_event"):
            names.append("on_active_event")
        return names


def _is_for_timeouts(mark: _On) -> bool:
    return issubclass(mark.event_type, JobTimeoutEvent)


def _marks_of(cls: type[Any]) -> list[tuple[str, _On]]:
    """Give the marks in the order of definition, base classes first; an override keeps the mark it overrides."""
    marks: dict[str, tuple[_On, ...]] = {}
    for base in reversed(cls.__mro__):
        for name, member in vars(base).items():
            if (own := getattr(member, _MARK, None)) is not None:
                marks[name] = cast("tuple[_On, ...]", own)
    return [(name, mark) for name, several in marks.items() for mark in several]
