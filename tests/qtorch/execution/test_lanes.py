"""Jobs that concern each other: the five policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qtorch import (
    CONCURRENT,
    DROPPABLE,
    KEEP_LATEST,
    RESTARTABLE,
    SEQUENTIAL,
    JobCancelled,
    JobHandle,
    JobStatus,
    LanePolicy,
    RetryPolicy,
)
from tests.qtorch.execution.rig import LoopJob, NoState, Owner, Rig, ThreadJob, drive

pytestmark = pytest.mark.realtime

LANE = "the lane"


class Lane:
    """Jobs of one lane, by name."""

    def __init__(self, rig: Rig, policy: LanePolicy, runner: str = "loop") -> None:
        self.rig, self.policy, self.runner = rig, policy, runner
        self.handles: dict[str, JobHandle[Any]] = {}

    def send(self, name: str, *gives: object, is_deaf: bool = False, **options: Any) -> JobHandle[Any]:
        self.rig.work(name, *gives, is_deaf=is_deaf)
        handle = self.rig.dispatch(self.runner, name, lane=LANE, policy=self.policy, **options)
        self.handles[name] = handle
        self.rig.drain()
        return handle

    def run(self, name: str, *gives: object, **options: Any) -> JobHandle[Any]:
        """Send a job and see it begin."""
        handle = self.send(name, *gives, **options)
        drive(self.rig.works[name].begun.is_set)
        return handle

    def finish(self, name: str) -> None:
        self.rig.works[name].gate.open()
        self.rig.end(self.handles[name])

    @property
    def begun(self) -> list[str]:
        return [name for name in self.handles if self.rig.works[name].begun.is_set()]

    def reason(self, name: str) -> str | None:
        outcome = self.handles[name].outcome
        assert isinstance(outcome, JobCancelled), f"{name} is {self.handles[name].status}"
        return outcome.reason


@pytest.fixture
def lane(rig: Rig) -> Callable[..., Lane]:
    return lambda policy, runner="loop": Lane(rig, policy, runner)


# -- CONCURRENT -------------------------------------------------------------------------------------------------------


def test_concurrent_jobs_run_side_by_side(lane: Callable[..., Lane]) -> None:
    one = lane(CONCURRENT)
    for name in ("a", "b", "c"):
        one.run(name)
    for name in ("c", "a", "b"):
        one.finish(name)
    assert {handle.status for handle in one.handles.values()} == {JobStatus.SUCCEEDED}


# -- SEQUENTIAL -------------------------------------------------------------------------------------------------------


def test_sequential_jobs_run_one_after_the_other(lane: Callable[..., Lane]) -> None:
    one = lane(SEQUENTIAL)
    one.run("a")
    b, c = one.send("b"), one.send("c")
    assert (b.status, c.status) == (JobStatus.QUEUED, JobStatus.QUEUED)
    one.finish("a")
    drive(one.rig.works["b"].begun.is_set)
    one.rig.drain()
    assert one.begun == ["a", "b"]
    one.finish("b")
    one.finish("c")


def test_sequential_jobs_wait_by_priority_then_in_order(lane: Callable[..., Lane]) -> None:
    one = lane(SEQUENTIAL)
    one.run("a")
    order: list[str] = []
    for name, priority in (("low", -1), ("first", 0), ("second", 0), ("high", 3)):
        one.send(name, priority=priority).add_done_callback(lambda _, name=name: order.append(name))
        one.rig.works[name].gate.open()
    one.finish("a")
    one.rig.quiet()
    assert order == ["high", "first", "second", "low"]


def test_what_waits_in_a_lane_gains_a_step_of_priority_every_five_seconds(lane: Callable[..., Lane]) -> None:
    one = lane(SEQUENTIAL)
    one.run("a")
    order: list[str] = []
    one.send("old", priority=0).add_done_callback(lambda _: order.append("old"))
    one.rig.clock.advance(5.1)
    one.send("new", priority=1).add_done_callback(lambda _: order.append("new"))
    one.rig.open_all()
    one.rig.quiet()
    assert order == ["old", "new"]


@pytest.mark.parametrize("error", [ValueError(), SystemExit(1)])
def test_a_failure_does_not_stop_a_sequential_lane(lane: Callable[..., Lane], error: BaseException) -> None:
    one = lane(SEQUENTIAL)
    one.run("a", error)
    one.send("b")
    one.finish("a")
    assert one.handles["a"].status is JobStatus.FAILED
    one.finish("b")
    assert one.handles["b"].status is JobStatus.SUCCEEDED


def test_a_sequential_job_keeps_the_lane_through_its_retry_waits(lane: Callable[..., Lane]) -> None:
    one = lane(SEQUENTIAL)
    a = one.run("a", OSError(), 1, retry=RetryPolicy(max_retries=1, base_delay=10))
    one.send("b")
    one.rig.works["a"].gate.open()
    drive(lambda: a.status is JobStatus.WAITING)
    one.rig.drain()
    assert one.begun == ["a"]
    one.rig.clock.advance(10)
    one.rig.end(a)
    assert a.status is JobStatus.SUCCEEDED
    one.finish("b")


def test_a_sequential_job_cancelled_in_its_retry_wait_frees_the_lane(lane: Callable[..., Lane]) -> None:
    one = lane(SEQUENTIAL)
    a = one.run("a", OSError(), retry=RetryPolicy(max_retries=1, base_delay=10))
    one.send("b")
    one.rig.works["a"].gate.open()
    drive(lambda: a.status is JobStatus.WAITING)
    a.cancel()
    drive(one.rig.works["b"].begun.is_set)
    one.finish("b")


def test_a_waiting_sequential_job_can_be_cancelled_and_the_next_takes_its_turn(lane: Callable[..., Lane]) -> None:
    one = lane(SEQUENTIAL)
    one.run("a")
    b = one.send("b")
    one.send("c")
    b.cancel("no more")
    one.rig.end(b)
    assert one.rig.types(b) == ["Cancelled"]
    assert one.handles["a"].status is JobStatus.RUNNING
    one.finish("a")
    one.finish("c")
    assert one.rig.works["b"].calls == 0


def test_cancel_all_empties_a_long_sequential_lane_without_running_any(rig: Rig) -> None:
    first = rig.work("first")
    rig.work("waiting")
    rig.dispatch("thread", "first", lane=LANE, policy=SEQUENTIAL)
    handles = [rig.dispatch("thread", "waiting", lane=LANE) for _ in range(2_000)]
    drive(first.begun.is_set)
    rig.owner.cancel_all("enough")
    rig.end(*handles)
    assert rig.works["waiting"].calls == 0
    assert len(rig.log.cancelled) == 2_001


def test_a_deadline_ends_a_job_that_waits_in_its_lane(lane: Callable[..., Lane]) -> None:
    one = lane(SEQUENTIAL)
    one.run("a")
    b = one.send("b", deadline=5)
    one.rig.clock.advance(5)
    one.rig.end(b)
    assert one.rig.types(b) == ["Timeout"]
    one.finish("a")
    one.rig.quiet()
    assert one.rig.works["b"].calls == 0


# -- DROPPABLE --------------------------------------------------------------------------------------------------------


def test_a_droppable_job_ends_at_once_while_one_runs(lane: Callable[..., Lane]) -> None:
    one = lane(DROPPABLE)
    one.run("a")
    b = one.send("b")
    one.rig.end(b)
    assert one.reason("b") == "dropped"
    assert one.rig.types(b) == ["Cancelled"]
    assert one.handles["a"].status is JobStatus.RUNNING
    one.finish("a")
    one.run("c")
    one.finish("c")
    assert one.handles["c"].status is JobStatus.SUCCEEDED


def test_a_droppable_job_is_dropped_while_one_waits_to_be_retried(lane: Callable[..., Lane]) -> None:
    one = lane(DROPPABLE)
    a = one.run("a", OSError(), 1, retry=RetryPolicy(max_retries=1, base_delay=10))
    one.rig.works["a"].gate.open()
    drive(lambda: a.status is JobStatus.WAITING)
    one.send("b")
    assert one.reason("b") == "dropped"
    one.rig.clock.advance(10)
    one.rig.end(a)
    assert a.status is JobStatus.SUCCEEDED


def test_a_droppable_job_runs_once_the_one_before_has_been_cancelled(lane: Callable[..., Lane]) -> None:
    one = lane(DROPPABLE)
    one.run("a", is_deaf=True).cancel()
    one.run("b")
    one.finish("b")
    assert one.handles["b"].status is JobStatus.SUCCEEDED


# -- RESTARTABLE ------------------------------------------------------------------------------------------------------


def test_a_restartable_job_supersedes_the_one_before(lane: Callable[..., Lane]) -> None:
    one = lane(RESTARTABLE)
    a = one.run("a")
    one.run("b")
    one.rig.end(a)
    assert one.reason("a") == "superseded"
    one.finish("b")
    assert one.handles["b"].status is JobStatus.SUCCEEDED


def test_a_restartable_job_runs_at_once_though_the_old_work_does_not_stop(lane: Callable[..., Lane]) -> None:
    one = lane(RESTARTABLE, "thread")
    a = one.run("a", is_deaf=True)
    one.run("b")
    assert a.is_working
    assert one.reason("a") == "superseded"
    one.finish("b")


def test_a_superseded_result_that_was_already_queued_never_shows(rig: Rig) -> None:
    # Twenty letters typed in one go: only the last answer may be seen, whichever came first.
    handles = []
    for number in range(20):
        rig.work(str(number), number, is_open=True)
        handles.append(rig.dispatch("thread", str(number), lane=LANE, policy=RESTARTABLE))
    rig.quiet()
    assert [event.data for event in rig.log.successes] == [19]
    assert {handle.outcome for handle in handles[:-1]} == {JobCancelled("superseded")}


def test_a_superseded_job_is_stopped_in_its_retry_wait(lane: Callable[..., Lane]) -> None:
    one = lane(RESTARTABLE)
    a = one.run("a", OSError(), retry=RetryPolicy(max_retries=5, base_delay=10))
    one.rig.works["a"].gate.open()
    drive(lambda: a.status is JobStatus.WAITING)
    one.run("b")
    one.rig.clock.advance(100)
    one.finish("b")
    assert one.reason("a") == "superseded"
    assert one.rig.works["a"].calls == 1


# -- KEEP_LATEST ------------------------------------------------------------------------------------------------------


def test_keep_latest_finishes_the_running_one_then_does_the_newest_only(lane: Callable[..., Lane]) -> None:
    one = lane(KEEP_LATEST)
    one.run("a")
    one.send("b")
    one.send("c")
    one.send("d")
    assert (one.reason("b"), one.reason("c")) == ("superseded", "superseded")
    assert one.handles["a"].status is JobStatus.RUNNING
    one.finish("a")
    assert one.handles["a"].status is JobStatus.SUCCEEDED
    one.finish("d")
    assert one.handles["d"].status is JobStatus.SUCCEEDED
    assert one.rig.works["b"].calls == one.rig.works["c"].calls == 0


def test_keep_latest_goes_on_after_a_failure(lane: Callable[..., Lane]) -> None:
    one = lane(KEEP_LATEST)
    one.run("a", ValueError())
    one.send("b")
    one.finish("a")
    one.finish("b")
    assert one.handles["b"].status is JobStatus.SUCCEEDED


# -- which lane -------------------------------------------------------------------------------------------------------


def test_a_lane_is_private_to_its_orchestrator(rig: Rig) -> None:
    other = Owner(NoState(), runtime=rig.runtime)
    rig.work("a")
    rig.work("b", is_open=True)
    rig.dispatch("loop", "a", lane=LANE, policy=SEQUENTIAL)
    handle = other.dispatch(LoopJob(name="b"), lane=LANE, policy=SEQUENTIAL)
    rig.end(handle)
    assert handle.status is JobStatus.SUCCEEDED
    rig.open_all()
    rig.quiet()


def test_the_lanes_of_the_dispatcher_are_its_own(rig: Rig) -> None:
    rig.work("a")
    rig.work("b", is_open=True)
    rig.dispatch("loop", "a", lane=LANE, policy=SEQUENTIAL)
    handle = rig.runtime.dispatcher.dispatch(LoopJob(name="b"), lane=LANE, policy=DROPPABLE)
    rig.end(handle)
    assert handle.status is JobStatus.SUCCEEDED
    rig.open_all()
    rig.quiet()


def test_a_policy_without_a_name_is_the_lane_of_the_jobs_class(rig: Rig) -> None:
    rig.work("a")
    first = rig.dispatch("loop", "a", policy=RESTARTABLE)
    other_class = rig.dispatch("thread", "a", policy=RESTARTABLE)
    rig.dispatch("loop", "a", policy=RESTARTABLE)
    rig.end(first)
    assert first.outcome == JobCancelled("superseded")
    assert not other_class.status.is_final
    rig.open_all()
    rig.quiet()


def test_a_job_that_names_neither_lane_nor_policy_takes_no_lane(rig: Rig) -> None:
    rig.work("a")
    first = rig.dispatch("loop", "a", policy=SEQUENTIAL)
    free = rig.dispatch("loop", "a")
    drive(lambda: rig.works["a"].calls == 2)
    rig.open_all()
    rig.end(first, free)


def test_a_lane_without_a_policy_takes_the_lanes_own(rig: Rig) -> None:
    rig.work("a")
    rig.dispatch("loop", "a", lane=LANE, policy=SEQUENTIAL)
    second = rig.dispatch("loop", "a", lane=LANE)
    rig.drain()
    assert second.status is JobStatus.QUEUED
    rig.open_all()
    rig.quiet()


def test_a_new_lane_without_a_policy_is_concurrent_for_good(rig: Rig) -> None:
    rig.work("a", is_open=True)
    rig.dispatch("loop", "a", lane=LANE)
    with pytest.raises(ValueError, match=r"(?s)the lane.*CONCURRENT.*SEQUENTIAL.*lane of its own"):
        rig.dispatch("loop", "a", lane=LANE, policy=SEQUENTIAL)
    rig.quiet()


def test_another_policy_in_a_known_lane_is_refused_and_dispatches_nothing(rig: Rig) -> None:
    rig.work("a")
    first = rig.dispatch("loop", "a", lane=LANE, policy=RESTARTABLE)
    with pytest.raises(ValueError, match="RESTARTABLE"):
        rig.dispatch("loop", "a", lane=LANE, policy=SEQUENTIAL)
    rig.drain()
    assert first.status is not JobStatus.CANCELLED
    assert len(rig.runtime.running_jobs) == 1
    rig.open_all()
    rig.quiet()


def test_a_class_says_its_lane_in_its_default_options(rig: Rig) -> None:
    from qtorch import JobOptions

    class SaveJob(ThreadJob):
        default_options = JobOptions(policy=SEQUENTIAL)

    rig.work("work")
    first, second = rig.owner.dispatch(SaveJob()), rig.owner.dispatch(SaveJob())
    drive(rig.works["work"].begun.is_set)
    rig.drain()
    assert (first.status, second.status) == (JobStatus.RUNNING, JobStatus.QUEUED)
    rig.open_all()
    rig.end(first, second)


def test_the_snapshot_counts_what_waits_in_each_lane(rig: Rig) -> None:
    rig.work("a")
    for _ in range(3):
        rig.dispatch("loop", "a", lane=LANE, policy=SEQUENTIAL)
    drive(rig.works["a"].begun.is_set)
    rig.drain()
    figures = rig.runtime.snapshot()
    assert (figures["running"], figures["queued"]) == (1, 2)
    assert figures["lanes"] == {LANE: {"running": 1, "queued": 2, "waiting": 0, "still_working": 0, "paused": False}}
    rig.open_all()
    rig.quiet()
    assert rig.runtime.snapshot()["lanes"] == {}
