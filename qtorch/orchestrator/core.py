"""What an orchestrator does, behind the QObject."""

from __future__ import annotations

import logging
import math
import weakref
from collections.abc import Callable, Hashable
from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING, Any

import shiboken6

from qtorch.bus.cursor import Cursor, Step, describe
from qtorch.errors import ClosedError, ErrorReport, StateLoopError, StateMutatedError, WrongThreadError
from qtorch.execution.lanes import Lanes
from qtorch.orchestrator.properties import notify_signals
from qtorch.orchestrator.strict import Watch, strict_cores
from qtorch.ports import log
from qtorch.state.equality import all_changed_fields, changed_fields, same
from qtorch.state.tracking import ANY_FIELD

if TYPE_CHECKING:
    from collections import deque

    from qtorch.bus.core import BusCore
    from qtorch.bus.cursor import Cause
    from qtorch.events import BaseEvent
    from qtorch.execution.run import JobRun
    from qtorch.job.base_job import BaseJob
    from qtorch.orchestrator.handlers import Handlers
    from qtorch.ports import ErrorSink, Observer
    from qtorch.state.base_state import BaseState

_log = logging.getLogger("qtorch.orchestrator")

_LONGEST_LOOP = 100

_Kind = tuple[type["BaseEvent"], "type[BaseJob[Any]] | None"]


class Hook:
    """A call of one method of an orchestrator that may be gone by then."""

    __slots__ = ("_core", "_name")

    def __init__(self, core: OrchestratorCore, name: str) -> None:
        self._core = core
        self._name = name

    def __call__(self, event: BaseEvent) -> None:
        """Call the method, if the orchestrator can still hear."""
        owner = self._core.alive()
        if owner is not None:
            getattr(owner, self._name)(event)

    @property
    def label(self) -> str:
        """How it is named in messages."""
        return f"{self._core.name}.{self._name}"

    @property
    def sink(self) -> ErrorSink:
        """Where what it raises is reported."""
        return self._core.sink


class OrchestratorCore:
    """State, listeners and jobs of one orchestrator: setting an attribute of a QObject costs four times as much."""

    __slots__ = ("__weakref__", "_active", "_batches", "_cause", "_changing", "_computed", "_cursor", "_fields",
                 "_is_notifying", "_notified_in", "_owner", "_reentrant", "_rounds", "_running_observers", "_signals",
                 "_state_type", "_told", "_told_busy", "_touched", "_turn", "_watch", "bus", "handlers",
                 "has_warned", "is_closed", "is_closing", "is_strict", "jobs", "lanes", "mailbox", "name", "observers",
                 "running_changed", "sink", "state", "thread")  # fmt: skip

    def __init__(
        self,
        owner: Any,
        state: BaseState,
        state_type: type[BaseState],
        bus: BusCore,
        sink: ErrorSink,
        handlers: Handlers,
        is_strict: bool,
    ) -> None:
        self._owner = weakref.ref(owner)
        self.name = type(owner).__name__
        self.state: BaseState = state
        self._told: BaseState = state
        self.bus = bus
        self.mailbox = bus.mailbox
        self.sink = sink
        self.thread = get_ident()
        self.handlers = handlers
        self.is_strict = is_strict
        self.jobs: dict[str, JobRun] = {}
        self.lanes = Lanes()
        self.observers: dict[str, dict[Observer, None]] = {}
        self._running_observers: dict[type[BaseJob[Any]] | None, dict[Observer, None]] = {}
        self.is_closing = False
        """Whether its end has begun: its listeners are told a last time, and it takes no more jobs."""
        self.is_closed = False
        self.has_warned = False
        self.running_changed: set[type[BaseJob[Any]]] = set()
        self._told_busy = False
        self._state_type = state_type
        self._fields = tuple(state_type.model_fields)
        self._computed = tuple(state_type.model_computed_fields)
        self._active: dict[_Kind, list[Callable[[Any], object]]] = {}
        self._signals = notify_signals(owner)
        self._touched: dict[str, None] = {}
        """Fields that were changed since they were told, also those that were changed back: someone may have looked."""
        self._batches = 0
        self._is_notifying = False
        self._notified_in = 0
        """The turn of the event loop in which the innermost notification goes on."""
        self._reentrant = 0
        self._changing = 0
        """How many calls of on_change are on the stack."""
        self._cause: Cause | None = None
        """The event that the last change answered to, until it is told."""
        self._turn = self._rounds = 0
        self._cursor = Cursor(self._refill, self._has_news, partial(self.mailbox.mark_dirty, self), self._report)
        self._watch: Watch | None = None
        if is_strict:
            self._watch = Watch(state)
            strict_cores.add(self)
        if handlers.is_passive:
            bus.routes.add_passive(self)

    def alive(self) -> Any:
        """Give the QObject while it can hear, None once C++ has deleted it or it was closed."""
        owner = self._owner()
        return owner if owner is not None and not self.is_closed and shiboken6.isValid(owner) else None

    # -- events ---------------------------------------------------------------------------------------------------

    def active_steps(self, event_type: type[BaseEvent], job_type: type[BaseJob[Any]] | None) -> list[Any]:
        """Give the calls for an event of an own job."""
        kind = (event_type, job_type)
        found = self._active.get(kind)
        if found is None:
            if self.is_closed:
                return []
            found = self._active[kind] = [Hook(self, name) for name in self.handlers.active(kind)]
        return found

    def passive_steps(self, event_type: type[BaseEvent], job_type: type[BaseJob[Any]] | None) -> list[Any]:
        """Give the calls for any other event."""
        return [Hook(self, name) for name in self.handlers.passive((event_type, job_type))]

    def track(self, run: JobRun) -> None:
        """Note an own job before anything of it happens."""
        self.jobs[run.id] = run
        self._running_changed(run)

    def forget(self, run: JobRun) -> None:
        """Forget an own job that has ended, before its hooks are called."""
        if self.jobs.pop(run.id, None) is not None:
            self._running_changed(run)

    def _running_changed(self, run: JobRun) -> None:
        if not self.is_closed:
            job_type = type(run.job)
            if job_type in self.running_changed:
                return
            self.running_changed.add(job_type)
            # Not at once: dispatch calls nobody before it returns, and a job's hooks come before this.
            self.mailbox.mark_dirty(self)

    def is_type_running(self, job_type: type[BaseJob[Any]]) -> bool:
        """Whether a job of that class, or of a subclass, has not ended."""
        return any(isinstance(run.job, job_type) for run in self.jobs.values())

    # -- state ----------------------------------------------------------------------------------------------------

    def emit(self, new: BaseState) -> None:
        """See :meth:`BaseOrchestrator.emit`."""
        if get_ident() != self.thread:
            changed = self._changed_by_class(new, self.state)
            raise WrongThreadError(
                f"the state of {self.name} was written on another thread than the one that made it "
                f"({', '.join(changed) or 'nothing'} would have changed).\n"
                f"  Return the value from process(), or emit an event: hooks run on the right thread."
            )
        old = self.state
        if new is old:
            return
        if self.is_closed:
            self._refuse_late()
            return
        if self._watch is not None:
            self._look_for_mutation(old, self._watch)
        if type(new) is self._state_type is type(old):
            changed = changed_fields(new, old, self._fields)
        else:
            changed = self._changed_by_class(new, old)
        if not changed:
            return
        is_answer = self._is_notifying or self.mailbox.delivering
        if is_answer or self._changing:
            self._count_answer(changed)
            self._cause = self.mailbox.cursor.cause
        self.state = new
        self._touched.update(dict.fromkeys(changed))
        if self._watch is not None:
            self._watch.follow(new, old)
        try:
            if self.handlers.hears_changes:
                self._call_on_change(new, old)
        finally:
            # Also when on_change called sys.exit(): the state has changed, and widgets must hear of it.
            if not self._batches:
                if is_answer:
                    self.mailbox.mark_dirty(self)
                else:
                    self.flush(math.inf)

    def _changed_by_class(self, new: BaseState, old: BaseState) -> list[str]:
        """Give what differs where a subclass of the state is involved: its own fields, and that it is another class."""
        if not isinstance(new, self._state_type):
            raise TypeError(f"{self.name} holds a {self._state_type.__name__}, and was given a {type(new).__name__}")
        changed = all_changed_fields(new, old)
        return changed if type(new) is type(old) else [*changed, ANY_FIELD]

    def _call_on_change(self, new: BaseState, old: BaseState) -> None:
        owner = self.alive()
        if owner is not None:
            self._changing += 1
            try:
                owner.on_change(new, old)
            except Exception as error:  # noqa: BLE001 - user code, as above
                self._report(error, owner.on_change, (new, old))
            finally:
                self._changing -= 1

    def _count_answer(self, changed: list[str]) -> None:
        # A dialog that a listener opened turns the event loop: what happens under it is no answer of that listener.
        if self._is_notifying and self._notified_in == self.mailbox.turns:
            self._reentrant += 1
        rounds = self._rounds if self._turn == self.mailbox.turns and self.mailbox.delivering else 0
        if max(self._reentrant, rounds, self._changing) < _LONGEST_LOOP:
            return
        raise StateLoopError(
            f"{self.name} was changed {_LONGEST_LOOP} times by listeners, its own or those of another state that "
            f"answers it, without the event loop turning; these fields keep changing: {', '.join(changed)}.\n"
            f"  Look for a listener that writes what it listens to, and have it write only what really differs."
        )

    def _refuse_late(self) -> None:
        text = (
            f"{self.name} is closed, so its state cannot change any more.\n"
            f"  Ask is_closed first, or close the job's owner last."
        )
        if self.is_strict:
            raise ClosedError(text)
        if not self.has_warned:
            self.has_warned = True
            log(_log, logging.WARNING, "%s", text)

    def _look_for_mutation(self, state: BaseState, watch: Watch) -> None:
        if names := watch.changed(state):
            watch.renew(state)
            raise StateMutatedError(
                f"{type(state).__name__} of {self.name} was changed in place: {', '.join(names)}.\n"
                f"  Objects inside a state are shared with everything that shows them: make a new one instead, "
                f"with update(...) or model_copy."
            )

    def watch(self, listener: Callable[[Any, Any], object]) -> None:
        """Tell ``listener(new, old)`` of every change as it is made, for tests."""
        if self._watch is None:
            self._watch = Watch(self.state)
        self._watch.listeners.append(listener)

    def unwatch(self, listener: Callable[[Any, Any], object]) -> None:
        """Undo :meth:`watch`."""
        if self._watch is not None:
            self._watch.listeners.remove(listener)

    def open_batch(self) -> None:
        """Hold notification back."""
        self._batches += 1

    def close_batch(self) -> None:
        """Tell the net change of the outermost batch."""
        self._batches -= 1
        if not self._batches and self._has_news():
            if self._is_notifying or self.mailbox.delivering:
                self.mailbox.mark_dirty(self)
            else:
                self.flush(math.inf)

    # -- telling --------------------------------------------------------------------------------------------------

    def observe(self, key: Hashable, observer: Observer) -> None:
        """Tell ``observer`` of changes of a field, or of a class of jobs (None for any)."""
        self._observers_of(key).setdefault(key, {})[observer] = None

    def unobserve(self, key: Hashable, observer: Observer) -> None:
        """Undo :meth:`observe`."""
        observers = self._observers_of(key)
        known = observers.get(key)
        if known is not None:
            known.pop(observer, None)
            if not known:
                del observers[key]

    def _observers_of(self, key: Hashable) -> dict[Any, dict[Observer, None]]:
        return self.observers if isinstance(key, str) else self._running_observers

    def flush(self, until: float) -> bool:
        """Tell what changed since it was told last, one listener after the other."""
        outer, self._is_notifying = self._is_notifying, True
        outer_turn = self._notified_in
        self._begin_turn()
        bus_cursor = self.mailbox.cursor
        cause = bus_cursor.cause
        if self._cause is not None:
            # What listeners of the state emit was caused by what the state answered to.
            bus_cursor.cause, self._cause = self._cause, None
        try:
            return self._cursor.run(until)
        finally:
            bus_cursor.cause = cause
            self._is_notifying, self._notified_in = outer, outer_turn
            if not self._cursor.is_idle:
                self.mailbox.mark_dirty(self)

    def _begin_turn(self) -> None:
        self._notified_in = self.mailbox.turns
        self._reentrant = 0

    def _has_news(self) -> bool:
        return (self.state is not self._told and not self._batches) or bool(self.running_changed)

    def _refill(self, steps: deque[Step]) -> bool:
        if not self._has_news():
            return False
        if self._notified_in != self.mailbox.turns:
            self._begin_turn()
        effects: dict[Callable[[], object], None] = {}
        if self.state is not self._told and not self._batches:
            new, old = self.state, self._told
            self._told = new
            if self._turn != self.mailbox.turns:
                self._turn, self._rounds = self.mailbox.turns, 0
            self._rounds += 1
            self._tell_state(new, old, steps, effects)
        if self.running_changed:
            self._tell_running(steps, effects)
        return True

    def _tell_state(
        self, new: BaseState, old: BaseState, steps: deque[Step], effects: dict[Callable[[], object], None]
    ) -> None:
        touched, self._touched = self._touched, {}
        owner = self.alive()
        if owner is None:
            return
        # To emit without receivers costs 1 us, to ask 0.1.
        is_connected, signals = owner.isSignalConnected, self._signals
        observers = self.observers
        values, told = new.__dict__, old.__dict__
        for name in touched:
            # Only the fields of the state that the class names have signals; a subclass may bring others.
            signal = signals.get(name)
            if signal is not None and is_connected(signal) and not same(values[name], told[name]):
                steps.append((self._emit_signal, (f"{name}Changed", values[name]), True))
            if name in observers:
                for observer in tuple(observers[name]):
                    observer.invalidate(effects)
        if ANY_FIELD in observers:
            for observer in tuple(observers[ANY_FIELD]):
                observer.invalidate(effects)
        for effect in effects:
            steps.append((effect, (), True))
        effects.clear()
        for name in self._computed:
            if is_connected(signals[name]):
                steps.append((self._tell_computed, (name, new, old), True))
        if is_connected(signals["state"]) and (
            type(new) is not type(old) or any(name in values and not same(values[name], told[name]) for name in touched)
        ):
            steps.append((self._emit_signal, ("stateChanged", new, old), True))

    def _tell_computed(self, name: str, new: BaseState, old: BaseState) -> None:
        # A step of its own: a computed field is the user's code, and one that raises silences no other.
        value = getattr(new, name)
        if not same(value, getattr(old, name)):
            self._emit_signal(f"{name}Changed", value)

    def _tell_running(self, steps: deque[Step], effects: dict[Callable[[], object], None]) -> None:
        types, self.running_changed = self.running_changed, set()
        for key in tuple(self._running_observers):
            if key is None or any(issubclass(one, key) for one in types):
                for observer in tuple(self._running_observers[key]):
                    observer.invalidate(effects)
        steps.extend((effect, (), True) for effect in effects)
        busy = bool(self.jobs)
        if busy != self._told_busy:
            self._told_busy = busy
            steps.append((self._emit_signal, ("busyChanged", busy), True))

    def _emit_signal(self, name: str, *values: object) -> None:
        owner = self.alive()
        if owner is not None:
            getattr(owner, name).emit(*values)

    def _report(self, error: Exception, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.sink.report(ErrorReport(error, f"{self.name}, {describe(function)}"))

    # -- the end ----------------------------------------------------------------------------------------------------

    def close(self, keep_jobs: bool, reason: str) -> None:
        """Hear nothing more, and end the own jobs unless they are kept."""
        if self.is_closing:
            return
        self.is_closing = True
        jobs = tuple(self.jobs.values())
        self.jobs.clear()
        for run in jobs:
            self._running_changed(run)
        if self.alive() is None:
            self._cursor.clear()
            self._told, self._touched = self.state, {}
        try:
            # What changed last is told, and that nothing runs: a spinner bound to running() would stay for ever.
            self.flush(math.inf)
        finally:  # a listener may call sys.exit()
            self._end()
            if not keep_jobs:
                # The latest first: what waits in a lane ends before the one it waits for, and never begins.
                for run in reversed(jobs):
                    run.cancel(reason)

    def _end(self) -> None:
        self.is_closed = True
        self._cursor.clear()
        # What refers back to this would keep it until the cyclic collector comes by.
        self._cursor = _NOTHING_TO_TELL
        self._active.clear()
        self.observers.clear()
        self._running_observers.clear()
        self.running_changed.clear()
        if self.handlers.is_passive:
            self.bus.routes.remove_passive(self)


def _nothing(*_: object) -> bool:
    return False


_NOTHING_TO_TELL = Cursor(_nothing, _nothing, _nothing, _nothing)
