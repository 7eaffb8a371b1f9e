"""A position in a row of listener calls that belongs to its owner, not to a stack frame."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Any, NamedTuple, TypeAlias

from qtorch.events import JobEvent
from qtorch.ports import log

Step: TypeAlias = tuple[Callable[..., Any], tuple[Any, ...], bool]
"""A call to make: function, arguments, and whether it is the last one of its listener."""


class Cause(NamedTuple):
    """The event whose listeners are being called."""

    bus: object
    """Whose event it is: ``seq`` means nothing on another bus."""
    seq: int
    depth: int
    """How many events it is away from one that no listener emitted."""

    def seq_on(self, bus: object) -> int | None:
        """Give ``seq`` if the event is one of ``bus``."""
        return self.seq if self.bus is bus else None


BUDGET = 0.008
"""Seconds after which a run returns to the event loop, so that a 16 ms frame keeps half its time."""

_SLOW = 0.050
"""A single listener above this many seconds is named in a warning: the window was frozen meanwhile."""

_log = logging.getLogger("qtorch.bus")


class Cursor:
    """Calls listeners one by one, to completion, even when one of them opens a modal dialog.

    Because the position is kept here, a nested event loop that a listener starts goes on with the listeners after it
    and then with what is queued, in the same order. For that a wake is posted *before* a listener is called while
    anything is left to do after it.

    Parameters
    ----------
    refill
        Called when all steps are made: adds the next ones and gives True, or gives False if there is nothing.
    is_more
        Whether anything waits behind the steps.
    wake
        Makes the event loop call :meth:`run` again.
    report
        Told of what a listener raises: ``report(error, function, args)``.
    """

    __slots__ = ("_cause_of_steps", "_is_more", "_refill", "_report", "_runs", "_steps", "_wake", "cause")

    def __init__(
        self,
        refill: Callable[[deque[Step]], bool],
        is_more: Callable[[], Any],
        wake: Callable[[], object],
        report: Callable[[Exception, Callable[..., Any], tuple[Any, ...]], object],
    ) -> None:
        self._steps: deque[Step] = deque()
        self._refill = refill
        self._is_more = is_more
        self._wake = wake
        self._report = report
        self._runs = 0
        self.cause: Cause | None = None
        """The event whose listeners are being called."""
        self._cause_of_steps: Cause | None = None

    @property
    def is_idle(self) -> bool:
        """Whether every step was made."""
        return not self._steps

    def insert(self, steps: list[Step]) -> None:
        """Have ``steps`` made next. Called from a step."""
        self._steps.extendleft(reversed(steps))

    def clear(self) -> None:
        """Forget the steps that were not made."""
        self._steps.clear()

    def run(self, until: float) -> bool:
        """Make steps until there are none, or ``until`` (of perf_counter) has passed; give whether there are none.

        At least one step is made, so that a chain of slow listeners gets on.
        """
        steps = self._steps
        self._runs += 1
        outer, started = self.cause, perf_counter()
        woken = 0
        try:
            while True:
                if not steps:
                    if not self._refill(steps):
                        self._cause_of_steps = None
                        return True
                    self._cause_of_steps = self.cause
                    if not steps:
                        # Taking something that nobody listens to costs time too.
                        started = perf_counter()
                        if started >= until:
                            return not self._is_more()
                        continue
                function, args, is_last = steps.popleft()
                # Steps that an earlier run had no time for are still those of their event.
                self.cause, run = self._cause_of_steps, self._runs
                # One wake serves this whole run, unless a nested one has answered it.
                if woken != run and (steps or self._is_more()):
                    self._wake()
                    woken = run
                try:
                    function(*args)
                except Exception as error:  # noqa: BLE001 - user code may not silence the listeners after it
                    self._report(error, function, args)
                now = perf_counter()
                # A listener that ran an event loop of its own froze nothing.
                if now - started > _SLOW and run == self._runs:
                    taken = (now - started) * 1000
                    text = "%s took %.0f ms on the GUI thread"
                    log(_log, logging.WARNING, text, describe(function), taken, **log_extra(*args))
                started = now
                if is_last and now >= until:
                    return not steps and not self._is_more()
        finally:
            self.cause = outer


def log_extra(event: object = None, *_: object) -> dict[str, object]:
    """Give what a log record says of a job's event beside its text."""
    if not isinstance(event, JobEvent):
        return {}
    return {"job_id": event.job_id, "job_type": event.job_type.__name__, "attempt": event.attempt}


def describe(function: Callable[..., Any]) -> str:
    """Name a listener for a message: ``UserOrchestrator.on_active_success``."""
    function = getattr(function, "func", function)
    if isinstance(label := getattr(function, "label", None), str):
        return label
    owner = getattr(function, "__self__", None)
    name = getattr(function, "__name__", type(function).__name__)
    if owner is not None and not isinstance(owner, type):
        return f"{type(owner).__name__}.{name}"
    return getattr(function, "__qualname__", name)
