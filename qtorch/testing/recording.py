"""All that one orchestrator does, in order, each fact with what caused it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import get_ident
from typing import TYPE_CHECKING, Any, Literal

from qtorch.events import BaseEvent, JobEvent, JobStartedEvent
from qtorch.state.equality import all_changed_fields
from qtorch.testing.facts import OUTSIDE, Cause
from qtorch.testing.writing import written

if TYPE_CHECKING:
    from types import TracebackType

    from qtorch.errors import ErrorReport
    from qtorch.execution.run import JobRun
    from qtorch.orchestrator.base_orchestrator import BaseOrchestrator
    from qtorch.testing.hygiene import TestRuntime

Kind = Literal["state", "job", "event", "effect", "error"]


@dataclass(eq=False)
class Fact:
    """One thing that happened.

    Attributes
    ----------
    kind
        "state" (a change), "job" (one was dispatched), "event", "effect" or "error".
    value
        The new state, the job, the event, the effect or the exception.
    cause
        The event to whose listeners it happened, or the act of the test.
    old
        The state before a change.
    """

    kind: Kind
    value: Any
    cause: Cause
    old: Any = None
    is_claimed: bool = field(default=False)

    @property
    def changed(self) -> dict[str, Any]:
        """The fields of a change with their new values."""
        return {name: getattr(self.value, name) for name in all_changed_fields(self.value, self.old)}


class Recording:
    """Records an orchestrator from when it is made until :meth:`stop`. The GUI thread.

    Uncaught exceptions of hooks and listeners are kept from pytest-qt meanwhile: whoever records, asserts them.
    """

    def __init__(self, orchestrator: BaseOrchestrator[Any], runtime: TestRuntime) -> None:
        self.orchestrator = orchestrator
        self.facts: list[Fact] = []
        self.act = OUTSIDE
        self._core = core = orchestrator._core  # pyright: ignore[reportPrivateUsage]
        self._bus = core.bus
        self._runtime = runtime
        self._known = set(core.jobs)
        self._others: dict[int, BaseEvent] = {}
        core.jobs = _NotedJobs(core.jobs, self._dispatched)
        core.watch(self._changed)
        self._subscription = orchestrator.bus.subscribe(self._event)
        orchestrator.effect.connect(self._effect)
        runtime.bus.emitting.append(self._emitted)
        self._before = sys.excepthook
        sys.excepthook = self._uncaught
        runtime.claims.listeners.append(self._reported)

    def stop(self) -> None:
        """Record no more."""
        if sys.excepthook == self._uncaught:
            sys.excepthook = self._before
        self._runtime.claims.listeners.remove(self._reported)
        self._runtime.bus.emitting.remove(self._emitted)
        self._subscription.close()
        self._core.unwatch(self._changed)
        self._core.jobs = dict(self._core.jobs)

    @property
    def running(self) -> list[str]:
        """The orchestrator's jobs that have not ended."""
        return [f"{written(run.job)} ({run.status})" for run in tuple(self._core.jobs.values())]

    @contextmanager
    def acting(self, name: str) -> Generator[None, None, None]:
        """Have what happens meanwhile, and answers no event, caused by the act ``name``."""
        outer, self.act = self.act, name
        try:
            yield
        finally:
            self.act = outer

    def of(self, kind: Kind) -> list[Any]:
        """Give the values of the facts of one kind."""
        return [fact.value for fact in self.facts if fact.kind == kind]

    # -- what happens -------------------------------------------------------------------------------------------------

    def _cause(self) -> Cause:
        cause = self._core.mailbox.cursor.cause
        seq = None if cause is None else cause.seq_on(self._bus)
        return self.act if seq is None else seq

    def _add(self, kind: Kind, value: Any, old: Any = None, cause: Cause | None = None) -> None:
        cause = self._cause() if cause is None else cause
        # Events that cause nothing are left out if they are always there, or none of the orchestrator's business.
        if isinstance(cause, int) and (event := self._others.pop(cause, None)) is not None:
            self.facts.append(Fact("event", event, self.act))
        self.facts.append(Fact(kind, value, cause, old))

    def _dispatched(self, run: JobRun) -> None:
        self._known.add(run.id)
        self._add("job", run.job)

    def _changed(self, new: Any, old: Any) -> None:
        self._add("state", new, old)

    def _effect(self, value: object) -> None:
        self._add("effect", value)

    def _emitted(self, event: BaseEvent) -> None:
        # It is delivered later, when whatever emits it now is over.
        if get_ident() == self._core.thread and not event.seq:
            self._add("event", event)

    def _event(self, event: BaseEvent) -> None:
        if any(fact.value is event for fact in self.facts):
            return
        is_told = not isinstance(event, JobEvent) or (
            event.job_id in self._known and type(event) is not JobStartedEvent
        )
        if is_told or any(fact.cause == event.seq for fact in self.facts):
            self._add("event", event, cause=self.act if event.causation_id is None else event.causation_id)
        else:
            self._others[event.seq] = event

    def _uncaught(self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        # What a worker thread comes upon is reported here later.
        if get_ident() == self._core.thread:
            self._note_error(error, self._cause())

    def _reported(self, report: ErrorReport) -> None:
        self._note_error(report.error, getattr(report.event, "seq", None) or self._cause())

    def _note_error(self, error: BaseException, cause: Cause) -> None:
        # Those of hooks and listeners come twice, as an uncaught exception first.
        if not any(fact.value is error for fact in self.facts if fact.kind == "error"):
            self._add("error", error, cause=cause)


class _NotedJobs(dict[str, Any]):
    """The jobs of an orchestrator, which tells of each that is added."""

    def __init__(self, jobs: dict[str, Any], noted: Callable[[Any], object]) -> None:
        super().__init__(jobs)
        self._noted = noted

    def __setitem__(self, job_id: str, run: Any) -> None:
        super().__setitem__(job_id, run)
        self._noted(run)


def caused_by(facts: list[Fact], cause: Cause, kind: Kind | None = None) -> list[Fact]:
    """Give the facts with that cause, and of that kind, that nobody has claimed."""
    return [
        fact for fact in facts if fact.cause == cause and not fact.is_claimed and (kind is None or fact.kind == kind)
    ]
