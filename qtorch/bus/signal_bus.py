"""The bus: everything that happens, told in one order on one thread."""

from __future__ import annotations

import logging
from threading import get_ident
from time import sleep
from typing import TYPE_CHECKING, Any, TypeVar, cast

from PySide6.QtCore import QCoreApplication, QObject, QThread, Signal

from qtorch import ports
from qtorch.bus.core import BusCore
from qtorch.bus.mailbox import Mailbox
from qtorch.bus.routes import Listener
from qtorch.errors import ClosedError, WrongThreadError
from qtorch.events import BaseEvent
from qtorch.job.base_job import BaseJob
from qtorch.ports import OVERDUE, STEP_ASIDE

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtorch.job.results import Awaited
    from qtorch.state.subscription import Subscription

E = TypeVar("E", bound=BaseEvent)

_log = logging.getLogger("qtorch.bus")

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

        On a worker thread it sleeps for half a millisecond where the GUI thread is overdue, and waits while more than
        100,000 items are queued. On a closed bus it does nothing.
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
        # A flood would leave the GUI thread no interpreter to deliver it with: 150 ms without this, 7 ms with it.
        if mailbox.lateness() > OVERDUE:
            sleep(STEP_ASIDE)

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


def _shared_mailbox() -> Mailbox:
    """Give the default Runtime's mailbox if this is its thread, so that its close() delivers for this bus too."""
    if ports.open_runtimes:
        mailbox: Mailbox = ports.open_runtimes[0].bus.core.mailbox
        if mailbox.thread == get_ident():
            return mailbox
    app = QCoreApplication.instance()
    if app is not None and not QThread.isMainThread():
        raise WrongThreadError(
            "a SignalBus was made outside the GUI thread, where its events could not be delivered.\n"
            "  Make it on the main thread; emit() and subscribe() may be called from any."
        )
    return Mailbox()
