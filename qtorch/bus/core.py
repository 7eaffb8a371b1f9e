"""What a bus does, behind the QObject."""

from __future__ import annotations

import logging
import weakref
from threading import get_ident
from typing import TYPE_CHECKING, Any

import shiboken6

from qtorch import ports
from qtorch.bus.cursor import Cause
from qtorch.bus.ledger import Ledger
from qtorch.bus.routes import Listener, Routes, add_steps
from qtorch.errors import ErrorReport, EventLoopError
from qtorch.events import BaseEvent, JobEvent
from qtorch.events.making import make_job_event, stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QMetaMethod

    from qtorch.bus.cursor import Step
    from qtorch.bus.mailbox import Mailbox
    from qtorch.bus.routes import Call, Owner, PassiveListener
    from qtorch.bus.signal_bus import SignalBus
    from qtorch.job.base_job import BaseJob

_log = logging.getLogger("qtorch.bus")

LONGEST_CHAIN = 100
"""A domain event this many causes deep is the work of a loop: it is not delivered."""


class BusCore:
    """What a bus does, behind the QObject: setting an attribute of one costs four times as much."""

    __slots__ = (
        "__weakref__",
        "_bus",
        "_emitted",
        "ignored",
        "is_closed",
        "is_late",
        "is_refusing",
        "jobs",
        "mailbox",
        "routes",
        "seq",
    )  # fmt: skip

    def __init__(self, bus: SignalBus, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self.routes = Routes()
        self.jobs = Ledger()
        self.seq = 0
        self.ignored = 0
        self.is_refusing = False
        self.is_closed = False
        self.is_late = False
        """Whether there is no time left for domain events, only for the ends of jobs."""
        self._bus = weakref.ref(bus)
        self._emitted = _event_emitted(bus)
        mailbox.buses.add(self)

    # -- listening ----------------------------------------------------------------------------------------------

    def listen(self, listener: Listener) -> Listener:
        """Add a listener; from another thread it hears what is emitted from now on there."""
        if get_ident() == self.mailbox.thread:
            self.routes.add(listener)
        else:
            self.mailbox.post(self.routes.add, listener)
        return listener

    def unlisten(self, listener: Listener) -> None:
        """Remove a listener that was closed."""
        if get_ident() == self.mailbox.thread:
            self.routes.remove(listener)
        else:
            self.mailbox.post(self.routes.remove, listener)

    # -- delivering (the bus's thread) ---------------------------------------------------------------------------

    def _is_watched(self) -> bool:
        # A signal without receivers costs 1 us to emit, and 0.2 us to ask.
        bus = self._bus()
        try:
            return bus is not None and bus.isSignalConnected(self._emitted)
        except RuntimeError:  # C++ has deleted it
            return False

    def _emit(self, event: BaseEvent) -> None:
        bus = self._bus()
        if bus is not None and shiboken6.isValid(bus):
            bus.event_emitted.emit(event)

    def take_event(self, item: tuple[BaseEvent, int | None, int]) -> list[Step] | None:
        """Give the calls for a domain event."""
        event, cause, depth = item
        if self.is_closed or self.is_late:
            self.ignored += 1
            return None
        if depth > LONGEST_CHAIN:
            error = EventLoopError(
                f"{type(event).__name__} was emitted {depth} causes deep, so listeners are answering each other's "
                f"events without end; it was not delivered.\n"
                f"  Emit only when something changed, or dispatch a job, which starts a new chain."
            )
            where = f"SignalBus, delivering {type(event).__name__} caused by event {cause}"
            ports.log(_log, logging.ERROR, "%s: %s", where, error)
            self.mailbox.sink.report(ErrorReport(error, where, event=event), user_code=False)
            return None
        self.seq += 1
        event = stamp(event, self.seq, cause)
        self.mailbox.cursor.cause = Cause(self, self.seq, depth)
        event_type = type(event)
        job_type = type(event.job) if isinstance(event, JobEvent) else None
        subscribers = self.routes.subscribers(event_type, job_type, event.correlation_id)
        return self._steps(event, self._is_watched(), subscribers, None, (), self.routes.passive(event_type, job_type))

    def _steps(
        self,
        event: BaseEvent,
        is_watched: bool,
        subscribers: tuple[Listener, ...],
        owner: Owner | None,
        hooks: Sequence[Call],
        passive: tuple[tuple[PassiveListener, list[Call]], ...],
    ) -> list[Step]:
        args = (event,)
        steps: list[Step] = []
        if is_watched:
            steps.append((self._emit, args, True))
        steps.extend((listener, args, True) for listener in subscribers)
        add_steps(steps, hooks, args)
        own: Any = owner
        for other, calls in passive:
            if other is not own:
                add_steps(steps, calls, args)
        return steps

    def job_event(
        self,
        event_type: type[JobEvent],
        job: BaseJob[Any],
        owner: Owner | None,
        cause: int | None,
        attempt: int,
        *own: object,
    ) -> list[Step]:
        """Give the calls for something that happened to a job; the event is made only if somebody wants it."""
        self.seq += 1
        if self.is_closed:
            return []
        self.mailbox.cursor.cause = Cause(self, self.seq, 0)
        job_type = type(job)
        subscribers = self.routes.subscribers(event_type, job_type, job.id)
        hooks = () if owner is None else owner.active_steps(event_type, job_type)
        passive = self.routes.passive(event_type, job_type)
        is_watched = self._is_watched()
        if not (subscribers or hooks or passive or is_watched):
            return []
        event = make_job_event(event_type, self.seq, cause, job, attempt, *own)
        return self._steps(event, is_watched, subscribers, owner, hooks, passive)

    # -- the end --------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """See :meth:`SignalBus.close`."""
        if self.is_closed or self.is_refusing:
            return
        self.is_refusing = True
        if get_ident() == self.mailbox.thread:
            self._end()
        else:
            self.mailbox.post(self._end)

    def _end(self, _: object = None) -> None:
        for run in tuple(self.jobs.running.values()):
            run.cancel("bus closed")
            # One whose result is being written to a slow cache can't be cancelled; it is told now.
            self.mailbox.post(run.take_end)
        self.mailbox.post(self.finish)
        # Bounded by the mark just posted: what listeners emit from now on is refused.
        while not self.is_closed and not self.mailbox.is_idle:
            self.mailbox.drain()

    def finish(self, _: object = None) -> None:
        """Hear and tell no more."""
        self.is_refusing = self.is_closed = True
        self.routes.clear()


_emitted_methods: dict[type[SignalBus], QMetaMethod] = {}


def _event_emitted(bus: SignalBus) -> QMetaMethod:
    """Give the method of the signal; not by QMetaMethod.fromSignal, which keeps a reference to the bus for ever."""
    cls = type(bus)
    if cls not in _emitted_methods:
        meta = bus.metaObject()
        methods = (meta.method(number) for number in range(meta.methodCount()))
        _emitted_methods[cls] = next(one for one in methods if one.name().toStdString() == "event_emitted")
    return _emitted_methods[cls]
