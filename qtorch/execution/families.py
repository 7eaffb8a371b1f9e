"""Which attempts have child jobs, and what those add to their progress."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

from qtorch.events.job_events import clamp_progress

if TYPE_CHECKING:
    from qtorch.execution.attempt import Attempt
    from qtorch.execution.children import Child


class Family:
    """The children of one attempt. The bus's thread."""

    __slots__ = ("_shares", "runs")

    def __init__(self) -> None:
        self.runs: dict[Child, None] = {}
        """Those that have not ended."""
        self._shares: dict[str, float] = {}

    def add_share(self, child_id: str, value: float) -> bool:
        """Let a child add ``value`` to its parent's progress, in place of what it added before; give whether that is
        another value.
        """
        before = self._shares.get(child_id, 0.0)
        self._shares[child_id] = value
        return value != before

    def summed(self, own: float) -> float:
        """Give what the children add to the parent's ``own`` progress, with that."""
        # fsum: ten children of 0.1 make 1.0, not 0.9999999999999999.
        return clamp_progress(math.fsum((own, *self._shares.values())))


class Families:
    """The families of a Runtime, by the attempt that is the parent. The bus's thread."""

    __slots__ = ("_ending", "of")

    def __init__(self) -> None:
        self.of: dict[Attempt, Family] = {}
        """Empty as long as no job has children, which is all that the others have to ask."""
        self._ending: deque[tuple[Child, str | None]] | None = None

    def join(self, parent: Attempt, child: Child) -> None:
        """Note that ``parent`` waits for ``child``."""
        self.of.setdefault(parent, Family()).runs[child] = None

    def leave(self, parent: Attempt, child: Child) -> None:
        """Note that ``child`` has ended."""
        family = self.of.get(parent)
        if family is not None:
            family.runs.pop(child, None)

    def parent_ended(self, parent: Attempt) -> None:
        """End the children whose parent waits for nobody any more, having ended itself."""
        family = self.of.pop(parent, None)
        if family is not None:
            for child in tuple(family.runs):
                self.end(child, "parent ended")

    def end(self, child: Child, reason: str | None) -> None:
        """Cancel ``child``, and what that leads to one after the other.

        A child's end cancels its own children; done inside each other, a hundred generations pass Python's recursion
        limit.
        """
        if self._ending is not None:
            self._ending.append((child, reason))
            return
        self._ending = deque([(child, reason)])
        try:
            while self._ending:
                one, because = self._ending.popleft()
                one.cancel(because)
        finally:
            self._ending = None
