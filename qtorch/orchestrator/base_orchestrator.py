"""Turns events into state: the object between the bus and the widgets."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Generator, Hashable, Iterable
from contextlib import contextmanager
from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, Unpack, cast

from PySide6.QtCore import Property, QObject, Signal, SignalInstance

from qtorch import ports
from qtorch.errors import ClosedError, WrongThreadError
from qtorch.job.options import NO_OPTIONS, RESTARTABLE, DispatchOptions, JobOptions
from qtorch.orchestrator.core import OrchestratorCore
from qtorch.orchestrator.handlers import Handlers
from qtorch.orchestrator.properties import add_properties, fields_of, state_type_of
from qtorch.orchestrator.qml import keep_from_engines
from qtorch.state.base_state import BaseState, replace_fields
from qtorch.state.path import path_of
from qtorch.state.selected import Field, Observed, Selected

if TYPE_CHECKING:
    from qtorch.bus.signal_bus import SignalBus
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
    from qtorch.execution.dispatcher import Dispatcher
    from qtorch.execution.handle import JobHandle
    from qtorch.job.base_job import BaseJob
    from qtorch.ports import DefaultRuntime, Observer
    from qtorch.state.source import Source

S = TypeVar("S", bound=BaseState)
R = TypeVar("R")
T = TypeVar("T")


class BaseOrchestrator(QObject, Generic[S]):
    """Holds a state, asks for jobs, and turns what happens into new states.

    Name the state in the brackets: each of its fields and computed fields becomes a Qt property with a notify signal
    (field ``user`` gives ``user`` and ``userChanged``), which QML, Designer and ``waitSignal`` see. Widgets are bound
    to :meth:`select`. Everything here belongs to the thread that made the orchestrator, which is its bus's.

    Parameters
    ----------
    initial_state
        The first state.
    runtime
        Whose jobs, bus and clock are used; None for the default Runtime.
    bus, dispatcher
        To use others than the Runtime's, such as ``SignalBus.scoped()``.
    parent
        The QObject that owns it. When the orchestrator dies its jobs are cancelled, reason "owner gone".

    Attributes
    ----------
    stateChanged
        Qt signal ``(new, old)``, after those of the fields.
    busyChanged
        Qt signal of :attr:`busy`.
    effect
        Qt signal for one-shot messages to the window ("saved"): never stored, never repeated.

    Examples
    --------
    >>> class CounterState(BaseState):
    ...     count: int = 0
    >>> class Counter(BaseOrchestrator[CounterState]):
    ...     def increment(self) -> None:
    ...         self.update(count=self.state.count + 1)
    """

    stateChanged = Signal(object, object)
    busyChanged = Signal(bool)
    effect = Signal(object)

    passive_progress: ClassVar[bool] = False
    """Whether progress and streamed items of foreign jobs are heard passively too."""

    _handlers: ClassVar[Handlers | None] = None
    _state_type: ClassVar[type[BaseState] | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        state_type = state_type_of(cls, BaseOrchestrator)
        if state_type is not None:
            add_properties(cls, BaseOrchestrator, state_type)
            cls._state_type = state_type
        cls._handlers = Handlers(cls, BaseOrchestrator)

    def __init__(
        self,
        initial_state: S,
        *,
        runtime: DefaultRuntime | None = None,
        bus: SignalBus | None = None,
        dispatcher: Dispatcher | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        keep_from_engines(self)
        if self._state_type is None or not isinstance(initial_state, self._state_type):
            raise TypeError(
                f"{type(self).__name__} was given a {type(initial_state).__name__}, and holds "
                f"{'no state that it names' if self._state_type is None else f'a {self._state_type.__name__}'}.\n"
                f"  Write class {type(self).__name__}(BaseOrchestrator[{type(initial_state).__name__}])."
            )
        chosen: Any = runtime or (None if bus is not None and dispatcher is not None else ports.default_runtime())
        self._bus: SignalBus = bus or chosen.bus
        self._dispatcher: Dispatcher = dispatcher or chosen.dispatcher
        if get_ident() != self._bus.core.mailbox.thread:
            raise WrongThreadError(
                f"{type(self).__name__} was made on another thread than its bus, whose events it could not hear here.\n"
                f"  Make orchestrators on the GUI thread."
            )
        if self._bus.is_closed:
            raise ClosedError(f"{type(self).__name__} was made on a closed bus, where nothing happens any more")
        handlers = type(self)._handlers
        assert handlers is not None
        self._core = OrchestratorCore(
            self,
            initial_state,
            self._state_type,
            self._bus.core,
            self._dispatcher.services.sink,
            handlers,
            bool(getattr(chosen, "is_strict", False)),
        )
        # A bound method of this object would never be called: at that time Python has let go of it already. Weakly,
        # because the collector cannot see what Qt holds; if there is something to end, jobs or the bus hold the core.
        self.destroyed.connect(partial(_owner_gone, weakref.ref(self._core)))

    def moveToThread(self, thread: Any) -> bool:
        """Refused: state is written on one thread only.

        Raises
        ------
        WrongThreadError
            Always.
        """
        raise WrongThreadError(
            f"{type(self).__name__} belongs to its bus's thread and cannot be moved.\n"
            f"  Dispatch a job for what is to run elsewhere."
        )

    # -- state ----------------------------------------------------------------------------------------------------

    @property
    def state(self) -> S:
        """The current snapshot. Reading it is safe on any thread."""
        return cast("S", self._core.state)

    @property
    def bus(self) -> SignalBus:
        """The bus its jobs' events go to."""
        return self._bus

    @property
    def is_closed(self) -> bool:
        """Whether it was closed or has died."""
        return self._core.is_closing

    def emit(self, new_state: S) -> None:  # type: ignore[override]  # hides the by-name emit of QObject; see SignalBus
        """Take ``new_state`` as the state, at once, and have the change told.

        An equal state is skipped. While the bus delivers, changes are told net, once, at the end of that drain (at
        most 8 ms later); else before this returns.

        Raises
        ------
        WrongThreadError
            Called on another thread.
        StateLoopError
            The 100th time that listeners of this state changed it without the event loop turning.
        """
        self._core.emit(new_state)

    def update(self, **changes: Any) -> None:
        """Emit a copy of the state with ``changes``, validated; see :meth:`BaseState.copy_with`."""
        self._core.emit(replace_fields(self._core.state, changes))

    @contextmanager
    def batch(self) -> Generator[None, None, None]:
        """Tell the net change of what happens inside, once, also when the body raises."""
        self._core.open_batch()
        try:
            yield
        finally:
            self._core.close_batch()

    def changed(self, field: str) -> SignalInstance:
        """Give the notify signal of ``field``, which type checkers do not see as ``fieldChanged``."""
        state_type = type(self.state)
        if field not in fields_of(state_type):
            raise AttributeError(
                f"{state_type.__name__} has no field {field!r}. It has: {', '.join(fields_of(state_type))}."
            )
        return cast("SignalInstance", getattr(self, f"{field}Changed"))

    def on_change(self, new: S, old: S) -> None:
        """Hook: called for every single new state, before it is told to anybody, for history and logging."""

    # -- sources ----------------------------------------------------------------------------------------------------

    def select(self, selector: Callable[[S], T]) -> Source[T]:
        """Give a source of ``selector(state)``; it is computed anew when a root field that it reads has changed."""
        return Selected(self, selector)

    def field(self, path: Callable[[S], T]) -> Field[T]:
        """Give one field, by its path (``lambda s: s.user.name``), to read and to write."""
        return Field(self, path_of(path), self._write)

    def _write(self, path: tuple[str, ...], value: Any) -> None:
        self._core.emit(_replaced(self._core.state, path, value))

    def running(self, job_type: type[BaseJob[Any]] | None = None) -> Source[bool]:
        """Give a source of whether own jobs run, of one class (subclasses included) or of any."""
        core = self._core
        read = (lambda: bool(core.jobs)) if job_type is None else (lambda: core.is_type_running(job_type))
        return Observed(self, job_type, read)

    def observe(self, key: Hashable, observer: Observer) -> None:
        """Tell a source of changes; see :class:`~qtorch.ports.Observable`."""
        self._core.observe(key, observer)

    def unobserve(self, key: Hashable, observer: Observer) -> None:
        """Undo :meth:`observe`."""
        self._core.unobserve(key, observer)

    # -- jobs -------------------------------------------------------------------------------------------------------

    def dispatch(self, job: BaseJob[R], **options: Unpack[DispatchOptions]) -> JobHandle[R]:
        """Start ``job`` as one of its own; nobody is told of anything before this returns.

        The options are those of :class:`JobOptions`. ``lane`` and ``policy`` say how it meets the others:
        ``dispatch(SearchJob(text=text), policy=RESTARTABLE)`` supersedes the search before.

        Raises
        ------
        ExecutorNotFoundError
            No executor does such jobs.
        ClosedError
            This orchestrator, its bus or Runtime is closed.
        WrongThreadError
            Called on another thread; ``runtime.dispatcher.dispatch`` may be.
        """
        core = self._core
        if get_ident() != core.thread:
            raise WrongThreadError(
                f"{type(self).__name__}.dispatch was called on another thread than the one that made it.\n"
                f"  Use runtime.dispatcher.dispatch there."
            )
        if core.is_closing:
            raise ClosedError(f"{type(self).__name__} is closed and cannot dispatch {type(job).__name__}")
        given = JobOptions.model_validate(options) if options else NO_OPTIONS
        return self._dispatcher.start(job, given, core.bus, core, core.lanes)

    def dispatch_all(self, jobs: Iterable[BaseJob[R]], **options: Unpack[DispatchOptions]) -> list[JobHandle[R]]:
        """Dispatch each of ``jobs`` and give the handles in order."""
        return [self.dispatch(job, **options) for job in jobs]

    def dispatch_replacing_previous(self, job: BaseJob[R], **options: Unpack[DispatchOptions]) -> JobHandle[R]:
        """Dispatch ``job`` and cancel the one of its class before, reason "superseded"."""
        options["policy"] = RESTARTABLE
        return self.dispatch(job, **options)

    def dispatch_if_not_running(self, job: BaseJob[R], **options: Unpack[DispatchOptions]) -> JobHandle[R] | None:
        """Dispatch ``job`` unless an own one of its class has not ended; then give None."""
        runs = self._core.jobs.values()
        is_running = any(isinstance(run.job, type(job)) and not run.is_settled for run in runs)
        return None if is_running else self.dispatch(job, **options)

    @property
    def has_active_jobs(self) -> bool:
        """Whether own jobs have not ended."""
        return bool(self._core.jobs)

    def _get_busy(self) -> bool:
        return bool(self._core.jobs)

    busy = Property(bool, _get_busy, notify=busyChanged)

    def is_job_running(self, handle_or_id: JobHandle[Any] | str) -> bool:
        """Whether that own job has not ended."""
        return _id(handle_or_id) in self._core.jobs

    def is_job_type_running(self, job_type: type[BaseJob[Any]]) -> bool:
        """Whether an own job of that class, or of a subclass, has not ended."""
        return self._core.is_type_running(job_type)

    def job_progress(self, handle_or_id: JobHandle[Any] | str) -> float | None:
        """Give the progress of an own job, 0..1; None if it is not running."""
        run = self._core.jobs.get(_id(handle_or_id))
        return None if run is None else run.progress

    def cancel_job(self, handle_or_id: JobHandle[Any] | str, reason: str | None = None) -> bool:
        """Cancel an own job; give whether there was one to cancel."""
        run = self._core.jobs.get(_id(handle_or_id))
        if run is None or run.is_settled:
            return False
        run.cancel(reason)
        return True

    def cancel_all(self, reason: str | None = None) -> None:
        """Cancel all own jobs."""
        # The latest first: what waits in a lane ends before the one it waits for, and never begins.
        for run in reversed(tuple(self._core.jobs.values())):
            run.cancel(reason)

    def close(self, keep_jobs: bool = False) -> None:
        """Hear and change nothing any more, and cancel the own jobs unless ``keep_jobs``. Idempotent."""
        self._core.close(keep_jobs, "owner closed")

    # -- hooks: own jobs --------------------------------------------------------------------------------------------
    # Called on the bus's thread after the @on handlers that fit. What one raises is reported; the others are called.

    def on_job_started(self, event: JobStartedEvent) -> None:
        """Hook: an own job begins."""

    def on_progress(self, event: JobProgressEvent) -> None:
        """Hook: an own job got on."""

    def on_items(self, event: JobItemsEvent[Any]) -> None:
        """Hook: an own job streamed items."""

    def on_job_retrying(self, event: JobRetryingEvent) -> None:
        """Hook: an attempt of an own job failed and will be repeated."""

    def on_placeholder(self, event: JobPlaceholderEvent[Any]) -> None:
        """Hook: an own job has something to show meanwhile."""

    def on_cache_hit(self, event: JobCacheHitEvent[Any]) -> None:
        """Hook: the result of an own job was in the cache."""

    def on_active_success(self, event: JobSuccessEvent[Any]) -> None:
        """Hook: an own job ended well."""

    def on_active_failure(self, event: JobFailureEvent) -> None:
        """Hook: an own job failed, or timed out unless :meth:`on_active_timeout` is overridden."""

    def on_active_timeout(self, event: JobTimeoutEvent) -> None:
        """Hook: an own job ran out of time; calls :meth:`on_active_failure` unless overridden."""
        self.on_active_failure(event)

    def on_active_cancelled(self, event: JobCancelledEvent) -> None:
        """Hook: an own job was cancelled."""

    def on_active_event(self, event: JobEvent) -> None:
        """Hook: anything happened to an own job; after the specific hook."""

    def on_passive_event(self, event: BaseEvent) -> None:
        """Hook: anything happened on the bus that is not of an own job.

        It costs every job of the Runtime 4 us for each orchestrator that overrides it: prefer ``@on(...,
        passive=True)``, which is called for what it names only.
        """


def _owner_gone(core_ref: weakref.ref[OrchestratorCore], *_: object) -> None:
    core = core_ref()
    if core is not None:
        core.close(False, "owner gone")


def _id(handle_or_id: JobHandle[Any] | str) -> str:
    return handle_or_id if isinstance(handle_or_id, str) else handle_or_id.id


def _replaced(model: Any, path: tuple[str, ...], value: Any) -> Any:
    """Give a copy of ``model`` with the field at ``path`` replaced, validated at every level."""
    name, *rest = path
    if not rest:
        return replace_fields(model, {name: value})
    child = getattr(model, name)
    if child is None:
        raise LookupError(f"{type(model).__name__}.{name} is None, so {'.'.join(path)} has nothing to be written to")
    return replace_fields(model, {name: _replaced(child, tuple(rest), value)})


def own_source(owner: QObject | None, source: Source[T]) -> Source[T]:
    """Give ``source`` for a part of ``owner``: one of its own state must not keep it alive, or each keeps the other."""
    if not isinstance(owner, BaseOrchestrator):
        return source
    core: OrchestratorCore = vars(owner)["_core"]
    return source.rebased(cast("Any", owner), core)


def hears(orchestrator: BaseOrchestrator[Any], event_type: type[BaseEvent], job_type: type[BaseJob[Any]]) -> bool:
    """Whether a handler or hook of ``orchestrator`` is called for such an event of an own job."""
    core: OrchestratorCore = vars(orchestrator)["_core"]
    return bool(core.active_steps(event_type, job_type))
