"""Things that wait, by priority with ageing."""

from __future__ import annotations

import heapq
import itertools
from typing import Any

from qtorch.ports import MISSING

AGEING = 5.0
"""Seconds of waiting that count as much as one step of priority."""

NOT_QUEUED = (0.0, -1)
"""The key of what has not come to where it may have to wait."""

_next_number = itertools.count().__next__


def queue_key(now: float, priority: int) -> tuple[float, int]:
    """Give the order of something that waits: higher priority first, then first come.

    A static key ages: what came ``AGEING`` seconds earlier stands one step higher, without ever being touched again.
    """
    return (now / AGEING - priority, _next_number())


class WaitingLine:
    """Things that wait, by priority with ageing."""

    __slots__ = ("_heap", "_waiting")

    def __init__(self) -> None:
        self._heap: list[tuple[tuple[float, int], Any]] = []
        self._waiting: dict[Any, None] = {}

    def add(self, item: Any, key: tuple[float, int]) -> None:
        """Let ``item`` wait."""
        heapq.heappush(self._heap, (key, item))
        self._waiting[item] = None

    def remove(self, item: Any) -> None:
        """Let ``item`` wait no more; one that does not wait is no error."""
        if self._waiting.pop(item, MISSING) is None and len(self._heap) > 2 * len(self._waiting) + 64:
            # What was superseded would stay here, and alive, as long as what it waited for runs.
            self._heap = [entry for entry in self._heap if entry[1] in self._waiting]
            heapq.heapify(self._heap)

    def pop(self) -> Any:
        """Give the next one, None if nobody waits."""
        while self._heap:
            item = heapq.heappop(self._heap)[1]
            if item in self._waiting:
                del self._waiting[item]
                return item
        return None

    def __iter__(self) -> Any:
        return iter(tuple(self._waiting))

    def __contains__(self, item: object) -> bool:
        return item in self._waiting

    def __len__(self) -> int:
        return len(self._waiting)
