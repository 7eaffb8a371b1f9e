"""Which lane a job takes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakValueDictionary

from qtorch.execution.lane import Lane, limit_of
from qtorch.execution.throttling import OpenWindows
from qtorch.job.options import CONCURRENT, RESTARTABLE, SEQUENTIAL, LanePolicy

if TYPE_CHECKING:
    from qtorch.bus.mailbox import Mailbox
    from qtorch.job.base_job import BaseJob
    from qtorch.job.options import JobOptions

# Reentrant: making a lane may run the collector, and with it anybody's __del__.
_lock = threading.RLock()


class SharedLanes:
    """The lanes of one Runtime, by name: for all its orchestrators, and as long as it lives. Any thread."""

    __slots__ = ("_lanes", "mailbox")

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self._lanes: dict[str, Lane] = {}

    def make(self, name: str, policy: LanePolicy | None, limit: int | None, max_queue: int | None) -> Lane:
        """Make the lane of that name, or give it if there is one and what is asked for agrees; see Runtime.lane."""
        with _lock:
            lane = self._lanes.get(name)
            if lane is None:
                lane = self._lanes[name] = self._new(name, LanePolicy(policy or CONCURRENT), limit, max_queue)
            asked = {"policy": policy, "limit": limit, "max_queue": max_queue}
            there = {"policy": lane.policy, "limit": lane.limit, "max_queue": lane.max_queue}
        if any(value is not None and value != there[what] for what, value in asked.items()):
            raise ValueError(
                f"lane {name!r} was made with {_listed(there)}, and is asked for with {_listed(asked)}.\n"
                f"  Write runtime.lane({name!r}) for the one there is, or choose another name."
            )
        return lane

    def _new(self, name: str, policy: LanePolicy, limit: int | None, max_queue: int | None) -> Lane:
        if limit is not None and limit < 1:
            raise ValueError(f"limit of lane {name!r} has to be at least 1, got {limit}; None is no limit")
        if max_queue is not None and max_queue < 0:
            raise ValueError(f"max_queue of lane {name!r} has to be at least 0, got {max_queue}; None is no limit")
        if policy in (SEQUENTIAL, RESTARTABLE) and limit not in (None, 1):
            raise ValueError(
                f"lane {name!r} is {policy.name}, which means one job at a time, and cannot have limit={limit}.\n"
                f"  Leave limit out, or make it CONCURRENT."
            )
        return Lane(name, policy, limit_of(policy, limit), max_queue, self.mailbox)

    def get(self, name: str) -> Lane | None:
        """Give the lane of that name, None if there is none."""
        return self._lanes.get(name)

    def own(self, lane: Lane) -> Lane:
        """Give ``lane``.

        Raises
        ------
        ValueError
            It is not one of these.
        """
        if self._lanes.get(lane.name) is not lane:
            raise ValueError(
                f"{lane!r} is no lane of the Runtime that was to do the job, where it would hold nobody back.\n"
                f"  Make it there: runtime.lane({lane.name!r}, ...)."
            )
        return lane

    def __iter__(self) -> Any:
        return iter(tuple(self._lanes.values()))


class Lanes:
    """The private lanes of one orchestrator, or of jobs that no orchestrator dispatched.

    A lane lives as long as jobs are in it: with names such as ``f"person-{id}"`` there are thousands. Only its policy
    stays, which the first use fixed.
    """

    __slots__ = ("_lanes", "_policies", "_windows")

    def __init__(self) -> None:
        self._lanes: WeakValueDictionary[str | type[BaseJob[Any]], Lane] = WeakValueDictionary()
        self._policies: dict[str | type[BaseJob[Any]], LanePolicy] = {}
        self._windows: OpenWindows | None = None

    def choose(self, job_type: type[BaseJob[Any]], options: JobOptions, shared: SharedLanes) -> Lane | None:
        """Give the lane that a job is to take, None if its options name none. Any thread.

        Raises
        ------
        ValueError
            The lane exists and has another policy, or belongs to another Runtime.
        """
        name, policy = options.lane, options.policy
        if name is None:
            if policy is None and options.debounce is None and options.throttle is None:
                return None
            lane = None
        elif isinstance(name, str):
            lane = shared.get(name)
        else:
            lane = shared.own(cast("Lane", name))
        if lane is None:
            return self._private(job_type, cast("str | None", name), policy, shared.mailbox)
        if policy is not None and policy is not lane.policy:
            raise _other_policy(lane.name, lane.policy, job_type, policy)
        return lane

    def _private(
        self, job_type: type[BaseJob[Any]], name: str | None, policy: LanePolicy | None, mailbox: Mailbox
    ) -> Lane:
        key = job_type if name is None else name
        label = name or job_type.__name__
        fixed = self._policies.setdefault(key, policy or CONCURRENT)
        if policy is not None and policy is not fixed:
            raise _other_policy(label, fixed, job_type, policy)
        # Two threads may dispatch into a new lane at once.
        with _lock:
            lane = self._lanes.get(key)
            if lane is None:
                if self._windows is None:
                    self._windows = OpenWindows()
                limit = limit_of(fixed, None)
                lane = self._lanes[key] = Lane(label, fixed, limit, None, mailbox, self._windows)
        return lane


def _other_policy(label: str, fixed: LanePolicy, job_type: type[BaseJob[Any]], asked: LanePolicy) -> ValueError:
    return ValueError(
        f"lane {label!r} is {fixed.name}, and a {job_type.__name__} asked for {asked.name} in it.\n"
        f"  The first use fixes a lane's policy: give this job a lane of its own (lane=...), or omit policy."
    )


def _listed(arguments: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in arguments.items() if value is not None) or "no arguments"
