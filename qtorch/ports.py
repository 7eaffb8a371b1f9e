"""What the rooms of qtorch need from outside themselves, as Protocols, with the slot for the default Runtime."""

from __future__ import annotations

import enum
import logging
import sys
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias, TypeVar

from qtorch.errors import NoRuntimeError

if TYPE_CHECKING:
    import threading

    from qtorch.errors import ErrorReport

T_co = TypeVar("T_co", covariant=True)


class Missing(enum.Enum):
    """The type of :data:`MISSING`."""

    MISSING = "MISSING"

    def __repr__(self) -> str:
        return self.name

    def __bool__(self) -> Literal[False]:
        return False


MISSING: Final = Missing.MISSING
"""Marks the absence of a value where ``None`` is a value: a cache miss, a path that leads through None."""

MissingType: TypeAlias = Literal[Missing.MISSING]


OVERDUE = 0.001
"""Seconds after which an unanswered wake, or a timer that is due, means that the GUI thread is overdue."""

STEP_ASIDE = 0.0005
"""Seconds for which a thread leaves the interpreter to it then."""


class Timer(Protocol):
    """A call that a :class:`Clock` will make."""

    def cancel(self) -> None:
        """Forget the call. Any thread; no effect when it was made already."""


class Clock(Protocol):
    """The one port for time. The default is ``QtClock``; tests use ``qtorch.testing.FakeClock``."""

    def now(self) -> float:
        """Seconds on a clock that never goes back. Any thread."""
        ...

    def call_later(self, delay: float, callback: Callable[[], object]) -> Timer:
        """Call ``callback`` on the clock's thread in ``delay`` seconds. Any thread."""
        ...

    def lateness(self) -> float:
        """Seconds by which the next due call is late, 0 if it is not. Any thread."""
        ...

    def wait(self, event: threading.Event, seconds: float | None) -> None:
        """Block this thread until ``event`` is set or ``seconds`` have passed (None: for ever). Not the GUI thread."""
        ...


class Random(Protocol):
    """The port for randomness; ``random.Random`` fits."""

    def uniform(self, a: float, b: float, /) -> float:
        """Give a number between ``a`` and ``b``."""
        ...


class ErrorSink(Protocol):
    """Where exceptions go that may not change any job's outcome. A Runtime is one."""

    def report(self, report: ErrorReport, *, user_code: bool = True) -> None:
        """Tell of ``report`` once. Any thread.

        With ``user_code`` it also reaches ``sys.excepthook``, as Qt does for slots; else the room that reports logs it
        at ERROR, with its own logger.
        """


def log(logger: logging.Logger, level: int, text: str, *args: object, **extra: object) -> None:
    """Log, whatever the handlers do: those are the user's, and one that raises may not change any job's outcome."""
    with suppress(Exception):
        logger.log(level, text, *args, extra=extra)


def call_excepthook(error: BaseException) -> None:
    """Hand ``error`` to ``sys.excepthook``, as Qt does for slots. A crash reporter that crashes silences nobody."""
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except Exception:
        with suppress(Exception):
            logging.getLogger("qtorch").exception("sys.excepthook raised")


class Closable(Protocol):
    """What can be ended, such as a subscription."""

    def close(self) -> None:
        """End it; a second call has no effect."""


class Observable(Protocol[T_co]):
    """A state that can be read at any time and tells of its changes by key. Orchestrators are observable.

    A key is the name of a root field, or any hashable by which the observable tells of something else.
    """

    @property
    def state(self) -> T_co:
        """The current snapshot."""
        ...

    @property
    def is_closed(self) -> bool:
        """Whether it changes no more."""
        ...

    def observe(self, key: Hashable, observer: Observer) -> None:
        """Tell ``observer`` whenever ``key`` changes; it is held until :meth:`unobserve`."""

    def unobserve(self, key: Hashable, observer: Observer) -> None:
        """Stop telling ``observer`` of ``key``."""


class Observer(Protocol):
    """A node between a state and what is done with it."""

    def invalidate(self, effects: dict[Callable[[], object], None]) -> None:
        """Forget the computed value and add to ``effects`` what has to run now, in order."""


class DefaultRuntime(ErrorSink, Protocol):
    """What the lower rooms ask of the default Runtime."""

    bus: Any
    """Its signal bus."""

    dispatcher: Any
    """Its dispatcher."""

    clock: Clock
    """Its clock."""


open_runtimes: list[DefaultRuntime] = []
"""Open Runtimes, oldest first; the first is the default. Runtime itself adds and removes."""


def default_runtime() -> DefaultRuntime:
    """Give the oldest open Runtime.

    Raises
    ------
    NoRuntimeError
        None is open. It is never made here: a Runtime belongs to the GUI thread and has to be closed.
    """
    if not open_runtimes:
        raise NoRuntimeError(
            "no Runtime is open, so there is no default bus, dispatcher or clock.\n"
            "  Make one after the QApplication and keep it: runtime = Runtime(executors=[...]),\n"
            "  or pass runtime=... explicitly."
        )
    return open_runtimes[0]
