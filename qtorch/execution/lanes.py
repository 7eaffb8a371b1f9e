"""Which jobs wait for which: lanes and limits."""

from __future__ import annotations

import heapq
import itertools
import threading
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakValueDictionary

from qtorch.job.options import CONCURRENT, DROPPABLE, KEEP_LATEST, RESTARTABLE, SEQUENTIAL, LanePolicy
from qtorch.ports import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtorch.job.base_job import BaseJob
    from qtorch.job.options import JobOptions

AGEING = 5.0
"""Seconds of waiting that count as much as one step of priority."""

_next_number = itertools.count().__next__

# Reentrant: making a lane may run the collector, and with it anybody's __del__.
_lock = threading.RLock()


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

    def __len__(self) -> int:
        return len(self._waiting)


class LaneJob(Protocol):
    """A run, as far as its lane is concerned."""

    queue_key: tuple[float, int]

    @property
    def is_settled(self) -> bool:
        """Whether it has ended."""
        ...

    def proceed(self) -> None:
        """Go on: the lane is free."""

    def cancel(self, reason: str | None) -> None:
        """End."""

    def supersede(self) -> None:
        """End for another one's sake, without calling anybody now; no effect on one that has ended."""


class Lane:
    """Jobs that concern each other, under one policy. The bus's thread."""

    __slots__ = ("__weakref__", "_inside", "_waiting", "name", "policy")

    def __init__(self, name: str, policy: LanePolicy) -> None:
        self.name = name
        self.policy = policy
        self._inside: dict[LaneJob, None] = {}
        self._waiting = WaitingLine()

    def enter(self, run: LaneJob) -> None:
        """Let ``run`` proceed now or later, or end, by the policy."""
        policy = self.policy
        if policy is RESTARTABLE:
            for other in (*self._waiting, *self._inside):
                other.supersede()
        elif policy is DROPPABLE and any(not other.is_settled for other in self._inside):
            run.cancel("dropped")
            return
        elif policy in (SEQUENTIAL, KEEP_LATEST) and self._inside:
            if policy is KEEP_LATEST:
                for other in self._waiting:
                    other.supersede()
            self._waiting.add(run, run.queue_key)
            return
        self._inside[run] = None
        run.proceed()

    def leave(self, run: LaneJob) -> None:
        """Hear that ``run`` has ended, its work included, and let the next one in."""
        self._waiting.remove(run)
        self._inside.pop(run, None)
        while not self._inside and (following := self._waiting.pop()) is not None:
            if not following.is_settled:
                self._inside[following] = None
                following.proceed()

    @property
    def counts(self) -> dict[str, int]:
        """How many are inside and how many wait."""
        return {"running": len(self._inside), "queued": len(self._waiting)}


class Lanes:
    """The lanes of one orchestrator, or of jobs that no orchestrator dispatched.

    A lane lives as long as jobs are in it: with names such as ``f"person-{id}"`` there are thousands. Only its policy
    stays, which the first use fixed.
    """

    __slots__ = ("_lanes", "_policies")

    def __init__(self) -> None:
        self._lanes: WeakValueDictionary[str | type[BaseJob[Any]], Lane] = WeakValueDictionary()
        self._policies: dict[str | type[BaseJob[Any]], LanePolicy] = {}

    def choose(self, job_type: type[BaseJob[Any]], options: JobOptions) -> Lane | None:
        """Give the lane that a job is to take, None if its options name neither lane nor policy. Any thread.

        Raises
        ------
        ValueError
            The lane exists and has another policy.
        """
        name, policy = options.lane, options.policy
        if name is None and policy is None:
            return None
        key = job_type if name is None else name
        label = name or job_type.__name__
        fixed = self._policies.setdefault(key, policy or CONCURRENT)
        if policy is not None and policy is not fixed:
            raise ValueError(
                f"lane {label!r} is {fixed.name}, and a {job_type.__name__} asked for {policy.name} in it.\n"
                f"  The first use fixes a lane's policy: give this job a lane of its own (lane=...), or omit policy."
            )
        # Two threads may dispatch into a new lane at once.
        with _lock:
            lane = self._lanes.get(key)
            if lane is None:
                lane = self._lanes[key] = Lane(label, fixed)
        return lane


class Gate:
    """At most ``limit`` attempts of one executor at work. The bus's thread."""

    __slots__ = ("_inside", "_limit", "_waiting")

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"max_concurrency has to be at least 1, got {limit}")
        self._limit = limit
        self._inside: set[Any] = set()
        self._waiting = WaitingLine()

    def enter(self, attempt: Any, key: tuple[float, int], proceed: Callable[[Any], object]) -> None:
        """Call ``proceed(attempt)`` now or when there is room."""
        if len(self._inside) < self._limit:
            self._inside.add(attempt)
            proceed(attempt)
        else:
            self._waiting.add(attempt, key)

    def leave(self, attempt: Any, proceed: Callable[[Any], object]) -> None:
        """Hear that the work of ``attempt`` has ended, or will never begin."""
        self._waiting.remove(attempt)
        self._inside.discard(attempt)
        while len(self._inside) < self._limit and (following := self._waiting.pop()) is not None:
            self._inside.add(following)
            proceed(following)
