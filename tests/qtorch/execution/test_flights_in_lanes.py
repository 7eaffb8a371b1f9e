"""Shared work and lanes: the first one's work is in its lane, who joins takes no place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qtorch import (
    DROPPABLE,
    KEEP_LATEST,
    RESTARTABLE,
    SEQUENTIAL,
    CachePolicy,
    JobCancelled,
    JobCancelledEvent,
    JobHandle,
    JobStatus,
    JobSuccess,
    LanePolicy,
)
from tests.qtorch.execution.rig import PATIENCE, Rig, SlowCache, drive

pytestmark = pytest.mark.realtime


class LaneOf:
    """Jobs in one lane."""

    def __init__(self, rig: Rig, policy: LanePolicy, runner: str = "thread") -> None:
        self.rig, self.policy, self.runner = rig, policy, runner

    def send(self, name: str, **options: Any) -> JobHandle[Any]:
        if name not in self.rig.works:
            self.rig.work(name)
        return self.rig.dispatch(self.runner, name, **{"lane": "lane", "policy": self.policy, "dedupe": True} | options)

    def run(self, name: str, **options: Any) -> JobHandle[Any]:
        handle = self.send(name, **options)
        drive(self.rig.works[name].begun.is_set)
        self.rig.drain()
        return handle

    def counts(self) -> dict[str, int]:
        return self.rig.runtime.snapshot()["lanes"].get("lane", {"running": 0, "queued": 0})


def test_who_joins_takes_no_place_in_a_sequential_lane(rig: Rig) -> None:
    lane = LaneOf(rig, SEQUENTIAL)
    first = lane.run("a")
    joined = lane.send("a")
    rig.drain()
    assert joined.status is JobStatus.RUNNING
    assert lane.counts() == {"running": 1, "queued": 0}
    rig.open_all()
    rig.end(first, joined)
    assert lane.counts() == {"running": 0, "queued": 0}


@pytest.mark.parametrize("is_deaf", [False, True])
def test_a_sequential_lane_is_held_until_the_shared_work_has_ended_whoever_left(rig: Rig, is_deaf: bool) -> None:
    lane = LaneOf(rig, SEQUENTIAL)
    rig.work("a", is_deaf=is_deaf)
    first, joined = lane.run("a"), lane.send("a", lane=None, policy=None)
    following = lane.send("b", dedupe=False)
    first.cancel()
    rig.drain()
    assert not rig.works["b"].begun.is_set()
    if is_deaf:
        joined.cancel()
        rig.drain()
        assert following.status is JobStatus.QUEUED
    rig.works["a"].gate.open()
    drive(rig.works["b"].begun.is_set)
    assert rig.works["a"].ended.is_set()
    rig.open_all()
    rig.end(joined, following)


def test_if_the_first_leaves_while_it_waits_the_others_keep_its_place(rig: Rig) -> None:
    lane = LaneOf(rig, SEQUENTIAL)
    running = lane.run("a")
    first, joined = lane.send("b"), lane.send("b", lane=None, policy=None)
    last = lane.send("c")
    first.cancel()
    rig.drain()
    assert rig.types(first) == ["Cancelled"]
    assert not rig.works["b"].begun.is_set(), "two writes must not overlap"
    rig.works["a"].gate.open()
    drive(rig.works["b"].begun.is_set)
    assert not rig.works["c"].begun.is_set()
    rig.open_all()
    rig.end(running, joined, last)
    assert joined.outcome == JobSuccess(42)


def test_if_all_leave_while_the_work_waits_in_its_lane_it_never_begins(rig: Rig) -> None:
    lane = LaneOf(rig, SEQUENTIAL)
    running = lane.run("a")
    for handle in (lane.send("b"), lane.send("b")):
        handle.cancel()
    rig.open_all()
    rig.end(running)
    rig.quiet()
    assert rig.works["b"].calls == 0
    assert lane.counts() == {"running": 0, "queued": 0}


def test_an_equal_job_joins_in_a_restartable_lane_and_supersedes_nobody(rig: Rig) -> None:
    lane = LaneOf(rig, RESTARTABLE)
    first = lane.run("a")
    joined = lane.send("a")
    rig.open_all()
    rig.end(first, joined)
    assert (first.outcome, joined.outcome) == (JobSuccess(42), JobSuccess(42))
    assert rig.works["a"].calls == 1


def test_a_different_job_supersedes_the_one_in_the_lane_and_the_flight_goes_on_for_the_others(rig: Rig) -> None:
    lane = LaneOf(rig, RESTARTABLE)
    first, joined = lane.run("a"), lane.send("a", lane=None, policy=None)
    other = lane.send("b")
    rig.drain()
    assert first.outcome == JobCancelled("superseded")
    assert joined.outcome is None
    assert not rig.works["a"].tokens[0].is_cancelled
    again = lane.send("c")
    rig.drain()
    assert other.outcome == JobCancelled("superseded")
    rig.open_all()
    rig.end(joined, again)
    assert (joined.outcome, again.outcome) == (JobSuccess(42), JobSuccess(42))


def test_superseding_the_only_one_cancels_the_work_and_an_equal_job_right_after_begins_anew(rig: Rig) -> None:
    lane = LaneOf(rig, RESTARTABLE)
    first = lane.run("a")
    other, again = lane.send("b"), lane.send("a")
    rig.open_all()
    rig.end(first, other, again)
    assert first.outcome == other.outcome == JobCancelled("superseded")
    assert again.outcome == JobSuccess(42)
    assert rig.works["a"].calls == 2
    rig.quiet()


def test_superseding_the_only_one_just_as_its_work_begins_tells_that_it_goes_on(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(threads=1)
    busy = rig.work("busy")
    blocker = rig.dispatch("thread", "busy")
    drive(busy.begun.is_set)
    rig.work("a", is_deaf=True)
    lane = LaneOf(rig, RESTARTABLE)
    first, other = lane.send("a"), lane.send("b")
    busy.gate.open()
    assert rig.works["a"].begun.wait(PATIENCE), "it is stopped in the next drain only"
    rig.drain()
    assert first.outcome == JobCancelled("superseded")
    assert rig.log.of(JobCancelledEvent)[0].still_running
    assert first.is_working
    rig.open_all()
    rig.end(blocker, other)
    rig.quiet()
    assert not first.is_working


def test_a_droppable_lane_drops_the_different_job_and_lets_the_equal_one_join(rig: Rig) -> None:
    lane = LaneOf(rig, DROPPABLE)
    first, joined, dropped = lane.run("a"), lane.send("a"), lane.send("b")
    rig.drain()
    assert dropped.outcome == JobCancelled("dropped")
    assert rig.types(dropped) == ["Cancelled"]
    again = lane.send("b")
    rig.drain()
    assert again.outcome == JobCancelled("dropped"), "nobody joins what was dropped"
    rig.open_all()
    rig.end(first, joined)
    assert joined.outcome == JobSuccess(42)


def test_keep_latest_supersedes_the_one_that_waits_and_the_others_keep_its_place(rig: Rig) -> None:
    lane = LaneOf(rig, KEEP_LATEST)
    running = lane.run("a")
    first, joined = lane.send("b"), lane.send("b", lane=None, policy=None)
    latest = lane.send("c")
    rig.drain()
    assert first.outcome == JobCancelled("superseded")
    assert joined.status is JobStatus.QUEUED
    for name, following in (("a", "b"), ("b", "c")):
        assert not rig.works[following].begun.is_set()
        rig.works[name].gate.open()
        drive(rig.works[following].begun.is_set)
    rig.open_all()
    rig.end(running, joined, latest)
    assert (joined.outcome, latest.outcome) == (JobSuccess(42), JobSuccess(42))


def test_keep_latest_drops_a_flight_whose_only_member_waited(rig: Rig) -> None:
    lane = LaneOf(rig, KEEP_LATEST)
    running = lane.run("a")
    waited, latest = lane.send("b"), lane.send("c")
    rig.open_all()
    rig.end(running, waited, latest)
    assert waited.outcome == JobCancelled("superseded")
    assert rig.works["b"].calls == 0
    rig.quiet()


def test_the_lane_of_who_joins_is_free_for_others(rig: Rig) -> None:
    lane = LaneOf(rig, SEQUENTIAL)
    first = lane.run("a", lane=None, policy=None)
    joined = lane.send("a")
    other = lane.run("b")
    assert joined.status is JobStatus.RUNNING
    rig.open_all()
    rig.end(first, joined, other)


def test_a_first_one_superseded_beside_the_result_does_not_hurry_the_others(
    make_rig: Callable[..., Rig],
) -> None:
    cache = SlowCache()
    rig = make_rig(cache=cache)
    cache.read_gate.open()
    lane = LaneOf(rig, RESTARTABLE)
    first, joined = lane.run("a", cache=CachePolicy(key="key")), lane.send("a", lane=None, policy=None)
    rig.drain()
    rig.works["a"].gate.open()
    while not rig.runtime.bus.core.mailbox.queue:  # the result lies in the queue, and is not taken yet
        rig.works["a"].ended.wait(0.001)
    other = lane.send("b")
    drive(cache.writing.is_set)
    rig.drain()
    assert first.outcome == JobCancelled("superseded")
    assert joined.outcome == JobSuccess(42)
    assert rig.types(joined) == ["Started"], "it is told when the result is written"
    cache.write_gate.open()
    rig.open_all()
    rig.end(joined, other)
    assert rig.types(joined) == ["Started", "Success"]
