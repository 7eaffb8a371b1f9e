"""The bus: everything that happens, told in one order on one thread."""

from __future__ import annotations

import logging
import weakref
from threading import get_ident
from time import sleep
from typing import TYPE_CHECKING, Any, TypeVar, cast

import shiboken6
from PySide6.QtCore import QCoreApplication, QMetaMethod, QObject, QThread, Signal

from qtorch import ports
from qtorch.bus.cursor import Cause
from qtorch.bus.ledger import Ledger
from qtorch.bus.mailbox import Mailbox
from qtorch.bus.routes import Listener, Routes, add_steps
from qtorch.errors import ClosedError, ErrorReport, EventLoopError, WrongThreadError
from qtorch.events import BaseEvent, JobEvent, make_job_event, stamp
from qtorch.job.base_job import BaseJob

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qtorch.bus.cursor import Step
    from qtorch.bus.routes import Call, Owner, PassiveListener
    from qtorch.job.results import Awaited
    from qtorch.state.subscription import Subscription

E = TypeVar("E", bound=BaseEvent)

_log = logging.getLogger("qtorch.bus")

LONGEST_CHAIN = 100
"""A domain event this many causes deep is the work of a loop: it is not delivered."""

_BACKLOG = 100_000
"""Domain events above which a worker that emits has to wait: a flood must not eat the memory."""


class SignalBus(QObject):
    """Carries events from whoever emits them, on any thread, to listeners on the bus's own thread.

    Every listener sees every event it asked for, all in the same order, each event after all have seen the one
    before. ``emit`` never calls anybody before it returns. Make it on the GUI thread.

    Attributes
    ----------
    event_emitted
        Qt signal with each event as it is delivered, for tests and tools.

    Examples
    --------
    >>> bus = SignalBus.scoped()  # doctest: +SKIP
    >>> subscription = bus.subscribe(print, event_type=LoggedIn)  # doctest: +SKIP
    >>> bus.emit(LoggedIn("session-1", user="ada"))  # doctest: +SKIP
    """

    event_emitted = Signal(object)

    def __init__(self, parent: QObject | None = None, *, mailbox: Mailbox | None = None) -> None:
        mailbox = mailbox or _shared_mailbox()
        super().__init__(parent)
        self.core = BusCore(self, mailbox)

    @staticmethod
    def instance() -> SignalBus:
        """Give the bus of the default Runtime, or raise NoRuntimeError."""
        return cast("SignalBus", ports.default_runtime().bus)

    @staticmethod
    def scoped(parent: QObject | None = None) -> SignalBus:
        """Give a new bus, isolated from every other. The default Runtime closes it with itself.

        Raises
        ------
        WrongThreadError
            Called outside the GUI thread.
        """
        return SignalBus(parent)

    # QObject.emit is an old-style way to emit by name, without use in PySide6; Signal.emit of 6.9 and later does not
    # call it.
    def emit(self, event: BaseEvent) -> None:  # type: ignore[override]
        """Have ``event`` delivered. Any thread; returns before anybody is told.

        On a worker thread it waits while more than 100,000 items are queued. On a closed bus it does nothing.
        """
        core = self.core
        if not isinstance(event, BaseEvent):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(
                f"emit() takes an event, not {event!r}.\n"
                f"  Write @dataclass(frozen=True) class SomethingHappened(BaseEvent), and emit an object of it."
            )
        if core.is_refusing:
            core.ignored += 1
            return
        mailbox = core.mailbox
        if get_ident() == mailbox.thread:
            cause = mailbox.cursor.cause
            item = (event, None, 0) if cause is None else (event, cause.seq_on(core), cause.depth + 1)
            mailbox.post(core.take_event, item)
            return
        while len(mailbox.queue) > _BACKLOG:
            sleep(0.001)
            if core.is_refusing:
                core.ignored += 1
                return
        mailbox.post(core.take_event, (event, None, 0))

    def subscribe(
        self,
        callback: Callable[[E], object],
        *,
        event_type: type[E] = BaseEvent,  # type: ignore[assignment]
        job_type: type[BaseJob[Any]] | None = None,
        job_id: str | None = None,
        owner: object | None = None,
    ) -> Subscription:
        """Call ``callback(event)`` on the bus's thread for each event that fits all that is given.

        Parameters
        ----------
        callback
            Bound methods are held weakly, functions until the subscription is closed or ``owner`` dies. What it
            raises is reported and keeps nobody else from hearing.
        event_type, job_type
            Subclasses fit too.
        job_id
            Events of this job only; the subscription ends with the job.
        owner
            A QObject, or any object that can be referred to weakly.

        Raises
        ------
        ClosedError
            The bus is closed.
        TypeError
            ``callback`` cannot be called, or a type is no class of events or jobs.
        """
        _check(callback, event_type, job_type)
        if self.core.is_closed:
            raise ClosedError(f"{self!r} is closed: nothing would ever be heard.\n  Subscribe before close().")
        return self.core.listen(Listener(callback, event_type, job_type, job_id, owner, self.core.unlisten))

    def find_handle(self, job_id: str) -> Awaited[Any]:
        """Give the handle of a job that runs on this bus or ended lately, or raise UnknownJobError."""
        return cast("Awaited[Any]", self.core.jobs.find(job_id).handle())

    @property
    def is_closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self.core.is_closed

    @property
    def ignored(self) -> int:
        """How many events were emitted after the close."""
        return self.core.ignored

    def close(self) -> None:
        """End the bus: settle its unfinished jobs as cancelled, deliver what is queued, then hear and tell no more.

        Idempotent; allowed from a listener. On another thread than the bus's it is a request: what is emitted from
        now on is ignored, the rest happens when the bus's thread gets to it.
        """
        self.core.close()


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


def _check(callback: object, event_type: object, job_type: object) -> None:
    # Found out here: in the index a wrong type would raise at every event, for every listener.
    if not callable(callback):
        raise TypeError(f"subscribe() takes a function of an event, not {callback!r}")
    for name, given, base in (("event_type", event_type, BaseEvent), ("job_type", job_type or BaseJob, BaseJob)):
        if not (isinstance(given, type) and issubclass(given, base)):
            raise TypeError(
                f"subscribe({name}=...) takes a subclass of {base.__name__}, not {given!r}.\n"
                f"  Write the class alone, without brackets, and once per class."
            )


_emitted_methods: dict[type[SignalBus], QMetaMethod] = {}


def _event_emitted(bus: SignalBus) -> QMetaMethod:
    """Give the method of the signal; not by QMetaMethod.fromSignal, which keeps a reference to the bus for ever."""
    cls = type(bus)
    if cls not in _emitted_methods:
        meta = bus.metaObject()
        methods = (meta.method(number) for number in range(meta.methodCount()))
        _emitted_methods[cls] = next(one for one in methods if one.name().toStdString() == "event_emitted")
    return _emitted_methods[cls]


def _shared_mailbox() -> Mailbox:
    """Give the default Runtime's mailbox if this is its thread, so that its close() delivers for this bus too."""
    if ports.open_runtimes:
        mailbox: Mailbox = ports.open_runtimes[0].bus.core.mailbox
        if mailbox.thread == get_ident():
            return mailbox
    app = QCoreApplication.instance()
    if app is not None and QThread.currentThread() != app.thread():
        raise WrongThreadError(
            "a SignalBus was made outside the GUI thread, where its events could not be delivered.\n"
            "  Make it on the main thread; emit() and subscribe() may be called from any."
        )
    return Mailbox()
