"""What an event is: its place in the order, and the job it belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from qtorch.job.base_job import parent_id_of
from qtorch.job.by_fields import ByFields

if TYPE_CHECKING:
    from qtorch.job.base_job import BaseJob


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class BaseEvent:
    """Something that happened. Subclass it, as a frozen dataclass, for the events of your own domain.

    Attributes
    ----------
    correlation_id
        What belongs together; of job events the job's id.
    timestamp
        When it was made, aware, UTC.
    seq
        Its number on its bus, given at delivery: the order of ``seq`` is the order of delivery. 0 before.
    causation_id
        ``seq`` of the event in whose handler it was emitted or its job dispatched; None if there is none.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class LoggedIn(BaseEvent):
    ...     user: str
    >>> LoggedIn("session-1", user="ada").user
    'ada'
    """

    correlation_id: str
    timestamp: datetime = field(init=False, default_factory=_now, compare=False, repr=False)
    # By factories: a plain default of a slotted class is not set by the __init__ of a subclass without slots.
    seq: int = field(init=False, default_factory=int, compare=False, repr=False)
    causation_id: int | None = field(init=False, default_factory=lambda: None, compare=False, repr=False)

    is_terminal: ClassVar[bool] = False


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class JobEvent(ByFields, BaseEvent):
    """Something that happened to ``job`` in attempt ``attempt`` (from 1)."""

    job: BaseJob[Any]
    attempt: int = 1

    @property
    def job_id(self) -> str:
        """The id of the job."""
        return self.correlation_id

    @property
    def job_type(self) -> type[BaseJob[Any]]:
        """The class of the job."""
        return type(self.job)

    @property
    def parent_id(self) -> str | None:
        """The id of the job that ran this one as its child (``await self.run(job)``), None if none did."""
        return parent_id_of(self.job)

    def is_from(self, job_class: type[BaseJob[Any]]) -> bool:
        """Whether the job is a ``job_class`` or of a subclass of it."""
        return isinstance(self.job, job_class)

    def __repr__(self) -> str:
        # Types and sizes only: events are logged, and payloads hold what logs must not.
        own = [f"{f.name}={self._shown(f.name)}" for f in fields(self) if f.name not in COMMON]
        return f"{type(self).__name__}({', '.join([self.correlation_id, f'attempt={self.attempt}', *own])})"

    def _shown(self, name: str) -> str:
        value = getattr(self, name)
        return repr(value) if name in _FIGURES else shape_of(value)


COMMON = frozenset({"correlation_id", "timestamp", "seq", "causation_id", "job", "attempt"})
_FIGURES = frozenset({"progress", "current_step", "total_steps", "next_attempt", "max_retries", "delay", "timeout",
                      "is_from_cache", "still_running"})  # fmt: skip
"""Fields that qtorch itself fills, with nothing of the user's in them."""


def shape_of(value: object) -> str:
    """Give the type and the size of ``value``, in place of what is in it."""
    if value is None:
        return "None"
    name = type(value).__name__
    try:
        return f"<{name} of {len(value)}>"  # type: ignore[arg-type]  # most have no length: that is the except
    except Exception:  # noqa: BLE001 - a repr never raises, whatever the payload's own __len__ does
        return f"<{name}>"
