"""Which executor does which job, and how a job gets to it."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from threading import get_ident
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, cast

from qtorch import ports
from qtorch.errors import ClosedError, DuplicateExecutorError, ExecutorNotFoundError
from qtorch.execution.base_executor import know_running
from qtorch.execution.endings import Endings
from qtorch.execution.gate import Gate
from qtorch.execution.handle import JobHandle
from qtorch.execution.lanes import Lanes
from qtorch.execution.member import Member
from qtorch.execution.run import JobRun
from qtorch.execution.runners.choice import choose_runner
from qtorch.execution.status import JobStatus
from qtorch.execution.streaming import runnable
from qtorch.job.base_job import attached_options, take_for_dispatch
from qtorch.job.options import NO_OPTIONS, DispatchOptions, JobOptions, merge_options

if TYPE_CHECKING:
    from qtorch.bus.core import BusCore
    from qtorch.bus.routes import Owner
    from qtorch.bus.signal_bus import SignalBus
    from qtorch.execution.base_executor import BaseExecutor
    from qtorch.execution.services import Services
    from qtorch.job.base_job import BaseJob

R = TypeVar("R")


class Registration:
    """An executor with what is known of it: where its ``process`` runs, and how much of it at a time."""

    __slots__ = ("executor", "gate", "prepare", "process", "runner")

    gate: Any
    """Limits how many attempts are at work; None for no limit."""

    prepare: Callable[[Any, BaseJob[Any]], Any] | None
    """Gives what of executor and job goes to another process, or raises; None where they stay in this one."""

    def __init__(self, executor: BaseExecutor[Any], services: Services) -> None:
        self.executor = executor
        self.process: Callable[[Any], Any] = runnable(executor.process)
        self.runner, self.prepare = choose_runner(executor, services)
        limit = executor.max_concurrency
        self.gate = None if limit is None else Gate(limit)


class Dispatcher:
    """Finds the executor of a job and starts its run. ``dispatch`` may be called from any thread."""

    def __init__(self, services: Services, bus: BusCore) -> None:
        self.services = services
        services.dispatcher = weakref.ref(self)
        self.endings = Endings(services)
        self.lanes = Lanes()
        self._bus = bus
        self._registered: dict[type[BaseJob[Any]], Registration] = {}
        self._found: dict[type[BaseJob[Any]], Registration] = {}
        self.is_closed = False
        """Whether new work is refused."""
        self.is_finished = False
        """Whether the last offer is about to be taken."""

    @staticmethod
    def instance() -> Dispatcher:
        """Give the dispatcher of the default Runtime, or raise NoRuntimeError."""
        return cast("Dispatcher", ports.default_runtime().dispatcher)

    def register(self, executor: BaseExecutor[Any], *, replace: bool = False) -> None:
        """Let ``executor`` do the jobs of its class, and of subclasses that have no executor of their own.

        Raises
        ------
        DuplicateExecutorError
            The class has one and ``replace`` is not set.
        TypeError
            The executor does not say which jobs it does, or its ``runner`` is nothing that can run them.
        """
        job_type = getattr(executor, "job_type", None)
        if job_type is None or isinstance(executor, type):
            raise TypeError(
                f"{executor!r} does not say which jobs it does.\n"
                f"  Register an object (not the class) of a `class MyExecutor(BaseExecutor[MyJob])`, "
                f"or a function made one by @executes(MyJob)."
            )
        if job_type in self._registered and not replace:
            raise DuplicateExecutorError(
                f"{job_type.__name__} is done by {self._registered[job_type].executor!r} already.\n"
                f"  Register {executor!r} with replace=True, or for another job class."
            )
        before = self._registered.get(job_type)
        self._registered[job_type] = Registration(executor, self.services)
        know_running(executor, self.services.running)
        know_running(executor, self.services.shared)
        self._found = {}
        if before is not None and before.executor is not executor:
            self.endings.end_meanwhile(before)

    def unregister(self, job_type: type[BaseJob[Any]]) -> BaseExecutor[Any]:
        """Let the executor of ``job_type`` do no new jobs, and give it.

        Its running jobs go on; after the last of them its ``close`` or ``aclose`` is called, where it works. The bus's
        thread.
        """
        if job_type not in self._registered:
            raise self._not_found(job_type)
        registration = self._registered.pop(job_type)
        self._found = {}
        self.endings.end_meanwhile(registration)
        return registration.executor

    def end_executors(self) -> None:
        """Have every executor closed, by ``endings.look()``, once its jobs have ended."""
        for registration in self._registered.values():
            self.endings.end(registration)

    @property
    def registered_executors(self) -> dict[type[BaseJob[Any]], BaseExecutor[Any]]:
        """The executors by job class."""
        return {job_type: registration.executor for job_type, registration in self._registered.items()}

    def dispatch(
        self, job: BaseJob[R], *, bus: SignalBus | None = None, **options: Unpack[DispatchOptions]
    ) -> JobHandle[R]:
        """Start ``job``; its events go to ``bus``, else to the Runtime's. Any thread; nobody is told before it returns.

        Parameters
        ----------
        job
            The same object can be dispatched again: it is copied then, with an id of its own.
        **options
            The fields of JobOptions, over those of the job's builder and of its class.

        Raises
        ------
        ExecutorNotFoundError
            No executor does such jobs.
        ClosedError
            The Runtime or the bus is closed.
        QueueFullError
            As many jobs wait in the lane as may.
        ValueError
            The lane has another policy, or belongs to another Runtime.
        NotPicklableError
            The executor's runner is "process", and it or the job does not pickle.
        pydantic.ValidationError
            An option does not fit.
        """
        given = JobOptions.model_validate(options) if options else NO_OPTIONS
        return self.start(job, given, self._bus if bus is None else bus.core, None, self.lanes)

    def start(
        self,
        job: BaseJob[R],
        given: JobOptions,
        bus: BusCore,
        owner: Owner | None,
        lanes: Lanes,
        make: Callable[..., JobRun] | None = None,
    ) -> JobHandle[R]:
        """Start ``job`` for ``owner``. Tracked, by the owner too, before anything of it happens."""
        if self.is_closed or bus.is_refusing:
            raise self._closed(type(job))
        job_type = type(job)
        registration = self._found.get(job_type) or self._find(job_type)
        # First of all: what cannot be dispatched takes no place in a lane.
        payload = None if registration.prepare is None else registration.prepare(registration.executor, job)
        attached = attached_options(job)
        if given is attached is job_type.default_options:  # NO_OPTIONS, as for most jobs
            options, lane = given, None
        else:
            options = merge_options(job_type.default_options, attached, given)
            lane = lanes.choose(job_type, options, self.services.lanes)
            if lane is not None and lane.max_queue is not None and not options.dedupe:  # a Member does so itself
                lane.claim(job_type.__name__, is_paced=options.debounce is not None or options.throttle is not None)
        taken = take_for_dispatch(job)
        while taken.id in self.services.running:  # an id that was given by hand, or unpickled twice
            taken = take_for_dispatch(taken)
        mailbox = bus.mailbox
        is_here = get_ident() == mailbox.thread
        cause = mailbox.cursor.cause.seq_on(bus) if is_here and mailbox.cursor.cause is not None else None
        if registration.prepare is not None and taken is not job:  # it has an id of its own
            payload = registration.prepare(registration.executor, taken)
        make = make or (Member if options.dedupe else JobRun)
        run = make(taken, options, registration, self.services, bus, owner, lane, cause)
        run.payload = payload
        bus.jobs.add(run)
        self.services.running[run.id] = run
        if owner is not None:
            owner.track(run)
        if is_here:
            run.begin()
        else:
            mailbox.post(run.begin, self.services.clock.now())
            if self.is_finished and run.status is JobStatus.QUEUED:
                # The Runtime was closed meanwhile, and nobody takes what was posted.
                self.services.running.pop(run.id, None)
                raise self._closed(job_type)
            self.services.give_way()  # threads that dispatch without a pause made the GUI thread's timers 50 ms late
        return JobHandle(run)

    def _closed(self, job_type: type[BaseJob[Any]]) -> ClosedError:
        return ClosedError(
            f"{job_type.__name__} was dispatched on a closed {'Runtime' if self.is_closed else 'bus'}, where nothing "
            f"can run any more.\n"
            f"  Dispatch before close(); after a window is closed, look at runtime.is_closed first."
        )

    def _find(self, job_type: type[BaseJob[Any]]) -> Registration:
        # register() makes a new dictionary when the executors have changed: what another thread looked up before that
        # goes into the old one.
        found = self._found
        for cls in job_type.__mro__:
            registration = self._registered.get(cls)
            if registration is not None:
                found[job_type] = registration
                return registration
        raise self._not_found(job_type)

    def _not_found(self, job_type: type[BaseJob[Any]]) -> ExecutorNotFoundError:
        import difflib

        names = sorted(cls.__name__ for cls in self._registered)
        near = difflib.get_close_matches(job_type.__name__, names, n=1)
        return ExecutorNotFoundError(
            f"no executor for {job_type.__name__} ({job_type.__module__}).\n"
            f"  Registered: {', '.join(names) or 'none'}.{f' Nearest name: {near[0]}.' if near else ''}\n"
            f"  Write Runtime(executors=[...]) with an executor of {job_type.__name__}, "
            f"or call runtime.register(...) before dispatching."
        )
