"""Where something bound is at home: an orchestrator, else the default Runtime."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, TypeGuard

from qtorch import ports
from qtorch.errors import ClosedError, ErrorReport, NoRuntimeError, UnknownJobError
from qtorch.events import JobFailureEvent
from qtorch.orchestrator.base_orchestrator import BaseOrchestrator, hears

if TYPE_CHECKING:
    from qtorch.bus.signal_bus import SignalBus
    from qtorch.execution.handle import JobHandle
    from qtorch.job.base_job import BaseJob


class Home:
    """The first orchestrator among ``candidates``, held weakly, else the default Runtime, looked up when needed."""

    __slots__ = ("_orchestrator",)

    def __init__(self, *candidates: object) -> None:
        found = next(filter(_is_orchestrator, candidates), None)
        self._orchestrator = None if found is None else weakref.ref(found)

    @property
    def orchestrator(self) -> BaseOrchestrator[Any] | None:
        """The orchestrator, if it is one's and lives."""
        return None if self._orchestrator is None else self._orchestrator()

    @property
    def runtime(self) -> ports.DefaultRuntime:
        """The Runtime of the orchestrator's bus, else the default one; raises NoRuntimeError if there is none."""
        orchestrator = self.orchestrator
        if orchestrator is not None:
            # Who owns a bus is told what goes wrong on it; a bus without a Runtime has only a stand-in there.
            owner: Any = orchestrator.bus.core.mailbox.sink
            if hasattr(owner, "clock"):
                runtime: ports.DefaultRuntime = owner
                return runtime
        return ports.default_runtime()

    @property
    def is_open(self) -> bool:
        """Whether something can still be begun here; what needs no Runtime can without one."""
        orchestrator = self.orchestrator
        if self._orchestrator is not None and (orchestrator is None or orchestrator.is_closed):
            return False
        try:
            return not self.runtime.dispatcher.is_closed
        except NoRuntimeError:
            return True

    def dispatch(self, job: BaseJob[Any]) -> JobHandle[Any]:
        """Dispatch ``job`` as one of the orchestrator's own, else on the default Runtime."""
        if self._orchestrator is None:
            handle: JobHandle[Any] = self.runtime.dispatcher.dispatch(job)
            return handle
        orchestrator = self._orchestrator()
        if orchestrator is None:
            raise ClosedError(f"{type(job).__name__} cannot be dispatched: the orchestrator whose it would be is gone")
        return orchestrator.dispatch(job)

    def bus_of(self, handle: JobHandle[Any]) -> SignalBus | None:
        """Give the bus that the events of a job go to, if it is the orchestrator's or the default Runtime's."""
        orchestrator = self.orchestrator
        buses = [] if orchestrator is None else [orchestrator.bus]
        try:
            buses.append(self.runtime.bus)
        except NoRuntimeError:
            pass
        for bus in buses:
            try:
                bus.find_handle(handle.id)
            except UnknownJobError:
                continue
            return bus
        return None

    def hears_failure_of(self, handle: JobHandle[Any]) -> bool:
        """Whether a job that runs is one of the orchestrator's own, and a hook of it is called if the job fails."""
        orchestrator = self.orchestrator
        return (
            orchestrator is not None
            and orchestrator.is_job_running(handle)
            and hears(orchestrator, JobFailureEvent, type(handle.job))
        )

    def report(self, error: BaseException, where: str, job: object = None) -> None:
        """Tell the Runtime of an error of user code, or raise it if there is none."""
        try:
            runtime = self.runtime
        except NoRuntimeError:
            raise error from None
        runtime.report(ErrorReport(error, where, job))


def _is_orchestrator(candidate: object) -> TypeGuard[BaseOrchestrator[Any]]:
    return isinstance(candidate, BaseOrchestrator)
