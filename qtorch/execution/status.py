"""Where a job stands."""

from __future__ import annotations

from enum import StrEnum


class JobStatus(StrEnum):
    """Where a job stands; the last four are final."""

    QUEUED = "queued"
    """It waits for its lane, for its executor's limit or for a free thread."""
    RUNNING = "running"
    WAITING = "waiting"
    """It waits for a time: a debounce or throttle before it begins, or until a failed attempt is repeated."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"

    @property
    def is_final(self) -> bool:
        """Whether the job has ended."""
        return self in _FINAL


_FINAL = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.TIMED_OUT})
