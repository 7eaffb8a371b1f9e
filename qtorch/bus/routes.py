"""Who hears an event, found by index: its cost does not depend on how many orchestrators exist."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol
from weakref import ref

import shiboken6
from PySide6.QtCore import QMetaObject, QObject

from qtorch.state.subscription import Subscription, hold, name_of

if TYPE_CHECKING:
    from qtorch.bus.cursor import Step
    from qtorch.events import BaseEvent
    from qtorch.job.base_job import BaseJob


class PassiveListener(Protocol):
    """An orchestrator, as far as it hears events that are not of its own jobs."""

    def passive_steps(self, event_type: type[BaseEvent], job_type: type[BaseJob[Any]] | None) -> list[Call]:
        """Give the calls it wants for such an event."""
        ...


class Owner(Protocol):
    """The orchestrator that dispatched a job, as far as the job's way goes."""

    def active_steps(self, event_type: type[BaseEvent], job_type: type[BaseJob[Any]] | None) -> list[Call]:
        """Give the calls it wants for such an event of its own job."""
        ...

    def track(self, run: Any) -> None:
        """Hear that the job was dispatched, before anything of it happens."""

    def forget(self, run: Any) -> None:
        """Hear that the job has ended, before its terminal event is told."""


Call = Callable[[Any], object]


class Listener(Subscription):
    """A subscriber with what it wants to hear."""

    __slots__ = ("_callback", "_destroyed", "_is_qobject", "_owner", "event_type", "job_id", "job_type")

    def __init__(
        self,
        callback: Call,
        event_type: type[BaseEvent],
        job_type: type[BaseJob[Any]] | None,
        job_id: str | None,
        owner: object | None,
        end: Callable[[Listener], object],
    ) -> None:
        super().__init__()
        self._end = partial(end, self)
        self.event_type, self.job_type, self.job_id = event_type, job_type, job_id
        self._is_qobject = isinstance(getattr(callback, "__self__", None), QObject)
        self._owner: Callable[[], object] = _nobody if owner is None else ref(owner, lambda _: self.close())
        self._destroyed: QMetaObject.Connection | None = None
        self._callback: Callable[[], Call | None] = hold(callback, self.close)

    def begin(self) -> None:
        """Watch the owner, which C++ may delete long before Python lets go of the wrapper. The bus's thread."""
        owner = self._owner()
        if isinstance(owner, QObject):
            if shiboken6.isValid(owner):
                self._destroyed = owner.destroyed.connect(partial(Listener.close, self))
            else:
                self.close()

    def close(self) -> None:
        """Hear nothing any more."""
        super().close()
        self._callback = self._owner = _nobody

    def ended(self) -> None:
        """Let go of the owner, which may live on for long. The bus's thread."""
        if self._destroyed is not None:
            QObject.disconnect(self._destroyed)
            self._destroyed = None

    @property
    def label(self) -> str:
        """Names the callback in messages."""
        callback = self._callback()
        return "a subscriber that is gone" if callback is None else name_of(callback)

    def __call__(self, event: BaseEvent) -> None:
        """Call the callback, unless it was closed or died since the event was routed."""
        if not self.is_active:
            return
        callback = self._callback()
        if callback is None or (self._is_qobject and not shiboken6.isValid(callback.__self__)):  # type: ignore[attr-defined]
            self.close()
            return
        callback(event)

    def fits(self, event_type: type[BaseEvent], job_type: type[BaseJob[Any]] | None) -> bool:
        """Whether it wants events of these types."""
        return issubclass(event_type, self.event_type) and (
            self.job_type is None or (job_type is not None and issubclass(job_type, self.job_type))
        )


def _nobody() -> None:
    """Stand for what is gone."""


_Kind = tuple[type["BaseEvent"], "type[BaseJob[Any]] | None"]


class Routes:
    """The index of one bus. Used on the bus's thread only."""

    __slots__ = ("_by_job", "_by_kind", "_listeners", "_passive", "_passive_by_kind")

    def __init__(self) -> None:
        self._listeners: dict[Listener, None] = {}
        self._by_job: dict[str, dict[Listener, None]] = {}
        self._passive: dict[PassiveListener, None] = {}
        self._by_kind: dict[_Kind, tuple[Listener, ...]] = {}
        self._passive_by_kind: dict[_Kind, tuple[tuple[PassiveListener, list[Call]], ...]] = {}

    def add(self, listener: Listener) -> None:
        """Let ``listener`` hear."""
        if listener.job_id is not None:
            self._by_job.setdefault(listener.job_id, {})[listener] = None
        else:
            self._listeners[listener] = None
            self._by_kind.clear()
        listener.begin()

    def remove(self, listener: Listener) -> None:
        """Let ``listener`` hear nothing any more."""
        if listener.job_id is not None:
            of_job = self._by_job.get(listener.job_id, {})
            of_job.pop(listener, None)
            if not of_job:
                self._by_job.pop(listener.job_id, None)
        elif listener in self._listeners:
            del self._listeners[listener]
            self._by_kind.clear()
        listener.ended()

    def job_ended(self, job_id: str) -> None:
        """Close the subscriptions to one job, after its terminal event."""
        for listener in tuple(self._by_job.get(job_id, ())):
            listener.close()

    def has_listeners_of(self, job_id: str) -> bool:
        """Whether somebody subscribed to this one job."""
        return job_id in self._by_job

    def add_passive(self, listener: PassiveListener) -> None:
        """Let an orchestrator hear what is not its own."""
        self._passive[listener] = None
        self._passive_by_kind.clear()

    def remove_passive(self, listener: PassiveListener) -> None:
        """Undo :meth:`add_passive`."""
        if self._passive.pop(listener, self) is None:
            self._passive_by_kind.clear()

    def clear(self) -> None:
        """Let nobody hear any more."""
        for listener in (*self._listeners, *(one for of_job in self._by_job.values() for one in of_job)):
            listener.close()
        self._passive.clear()
        self._passive_by_kind.clear()

    def subscribers(
        self, event_type: type[BaseEvent], job_type: type[BaseJob[Any]] | None, job_id: str
    ) -> tuple[Listener, ...]:
        """Give who subscribed to such an event, in the order of subscription, those to this one job last."""
        kind = (event_type, job_type)
        found = self._by_kind.get(kind)
        if found is None:
            found = self._by_kind[kind] = tuple(one for one in tuple(self._listeners) if one.fits(event_type, job_type))
        if job_id in self._by_job:
            found += tuple(one for one in self._by_job[job_id] if one.fits(event_type, job_type))
        return found

    def passive(
        self, event_type: type[BaseEvent], job_type: type[BaseJob[Any]] | None
    ) -> tuple[tuple[PassiveListener, list[Call]], ...]:
        """Give the orchestrators that hear such an event when it is not their own, with the calls they want."""
        kind = (event_type, job_type)
        found = self._passive_by_kind.get(kind)
        if found is None:
            wanted = ((one, one.passive_steps(event_type, job_type)) for one in tuple(self._passive))
            found = self._passive_by_kind[kind] = tuple((one, calls) for one, calls in wanted if calls)
        return found


def add_steps(steps: list[Step], calls: Sequence[Call], args: tuple[BaseEvent]) -> None:
    """Add the calls of one listener: one listener for the budget, separate ones for a nested loop."""
    if calls:
        steps.extend((call, args, False) for call in calls[:-1])
        steps.append((calls[-1], args, True))
