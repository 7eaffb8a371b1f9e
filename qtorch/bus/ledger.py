"""Which jobs run on a bus, and which ended lately."""

from __future__ import annotations

from sys import getrefcount
from typing import Any, Protocol
from weakref import WeakValueDictionary

from qtorch.errors import UnknownJobError

REMEMBERED = 1_000
"""How many ended jobs are known by their id without anybody holding their handle."""


def _references() -> int:
    kept = {"": object()}
    only_here = kept[""]
    return getrefcount(only_here)


_FORGOTTEN = _references()
"""What getrefcount gives for an ended run that only the ledger and the variable refer to; less from Python 3.14 on."""


class Run(Protocol):
    """One job's life, as far as its bus is concerned."""

    id: str

    def cancel(self, reason: str | None) -> None:
        """Ask it to end."""
        ...


class Ledger:
    """The jobs of one bus by id. Adding and looking up work from any thread."""

    __slots__ = ("_ended", "_held", "running")

    def __init__(self) -> None:
        self.running: dict[str, Any] = {}
        self._ended: dict[str, Any] = {}
        self._held: WeakValueDictionary[str, Any] = WeakValueDictionary()

    def add(self, run: Run) -> None:
        """Note that ``run`` was dispatched."""
        self.running[run.id] = run

    def end(self, run: Run) -> None:
        """Move ``run`` to those that ended. The bus's thread."""
        if self.running.get(run.id) is not run:
            return
        # Noted in the next place before it leaves the one before: other threads look it up meanwhile.
        ended = self._ended
        ended[run.id] = run
        del self.running[run.id]
        if len(ended) > REMEMBERED:
            first = next(iter(ended))
            oldest = ended[first]
            # A weak entry costs 3 us, and most ended runs are referred to by nobody else.
            if getrefcount(oldest) > _FORGOTTEN:
                self._held[first] = oldest
            del ended[first]

    def find(self, job_id: str) -> Any:
        """Give the run with that id.

        Raises
        ------
        UnknownJobError
            It never ran here, or ended long ago and nobody holds its handle.
        """
        run = self.running.get(job_id) or self._ended.get(job_id) or self._held.get(job_id)
        if run is None:
            raise UnknownJobError(
                f"no job {job_id!r} is known to this bus: it was dispatched on another bus, or ended more than "
                f"{REMEMBERED:,} jobs ago and its handle is gone.\n"
                f"  Keep the JobHandle that dispatch() returned, and ask that."
            )
        return run
