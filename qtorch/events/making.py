"""How an event gets its place in the order, when it is delivered."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from qtorch.events.event import COMMON, BaseEvent, JobEvent

if TYPE_CHECKING:
    from qtorch.job.base_job import BaseJob

E = TypeVar("E", bound=BaseEvent)

_Setter = Callable[[object, object], None]


def _setter(cls: type[BaseEvent], name: str) -> _Setter:
    setter: _Setter = getattr(cls, name).__set__
    return setter


_set_timestamp = _setter(BaseEvent, "timestamp")
_set_seq = _setter(BaseEvent, "seq")
_set_cause = _setter(BaseEvent, "causation_id")
_set_correlation_id = _setter(BaseEvent, "correlation_id")
_set_job = _setter(JobEvent, "job")
_set_attempt = _setter(JobEvent, "attempt")
_OWN_SETTERS: dict[type[BaseEvent], tuple[_Setter, ...]] = {}


def make_job_event(cls: type[E], seq: int, cause: int | None, job: BaseJob[Any], attempt: int, *own: object) -> E:
    """Make a job event at its delivery; ``own`` are the values of the fields that only ``cls`` has, in order.

    The slots are set directly: a frozen dataclass's ``__init__`` costs three times as much, and there are several
    events per job.
    """
    setters = _OWN_SETTERS.get(cls)
    if setters is None:
        setters = _OWN_SETTERS[cls] = tuple(_setter(cls, f.name) for f in fields(cls) if f.name not in COMMON)
    event = cls.__new__(cls)
    _set_timestamp(event, datetime.now(UTC))
    _set_seq(event, seq)
    _set_cause(event, cause)
    _set_correlation_id(event, job.id)
    _set_job(event, job)
    _set_attempt(event, attempt)
    for put, value in zip(setters, own, strict=True):
        put(event, value)
    return event


def stamp(event: E, seq: int, cause: int | None) -> E:
    """Give a domain event its place in the order of delivery; one that was delivered before is copied."""
    if event.seq:
        # Emitted again, or handed on to another bus: whoever kept it must not see it change.
        event = copy.copy(event)
    _set_seq(event, seq)
    _set_cause(event, cause)
    return event
