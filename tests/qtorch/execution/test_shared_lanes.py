"""Lanes of a whole Runtime: who may make and use them, their limits, their queue, and their pause."""

from __future__ import annotations

import gc
import threading
import time
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
    JobOptions,
    JobStatus,
    Lane,
    LanePolicy,
    QueueFullError,
    Runtime,
)
from tests.qtorch.execution.rig import LoopJob, NoState, Owner, Rig, ThreadJob, drive, elsewhere, holds_no_place

pytestmark = pytest.mark.realtime


class Sender:
    """Sends jobs into one lane, by name."""

    def __init__(self, rig: Rig, lane: Lane | str, runner: str = "loop") -> None:
        self.rig, self.lane, self.runner = rig, lane, runner
        self.handles: dict[str, JobHandle[Any]] = {}

    def send(self, *names: str, is_deaf: bool = False, **options: Any) -> JobHandle[Any]:
        for name in names:
            self.rig.work(name, is_deaf=is_deaf)
            self.handles[name] = self.rig.dispatch(self.runner, name, lane=self.lane, **options)
        self.rig.drain()
        return self.handles[names[-1]]

    def finish(self, *names: str) -> None:
        for name in names:
            self.rig.works[name].gate.open()
            self.rig.end(self.handles[name])

    def see(self, running: str = "", queued: str = "") -> None:
        """Wait until these run, and see that those wait; names are single letters."""
        drive(lambda: self.of(JobStatus.RUNNING) == running, f"running {running}: {self.handles}")
        drive(lambda: all(self.rig.works[name].begun.is_set() for name in running))
        self.rig.drain()
        assert (self.of(JobStatus.RUNNING), self.of(JobStatus.QUEUED)) == (running, queued)

    def of(self, status: JobStatus) -> str:
        return "".join(name for name, handle in self.handles.items() if handle.status is status)

    def reason(self, name: str) -> str | None:
        outcome = self.handles[name].outcome
        assert isinstance(outcome, JobCancelled), f"{name} is {self.handles[name].status}"
        return outcome.reason


@pytest.fixture
def sender(rig: Rig) -> Callable[..., Sender]:
    def make(policy: LanePolicy = CONCURRENT, limit: int | None = None, max_queue: int | None = None) -> Sender:
        return Sender(rig, rig.runtime.lane("the lane", policy=policy, limit=limit, max_queue=max_queue))

    return make


# -- whose it is --------------------------------------------------------------------------------------------------


def test_a_shared_lane_is_one_for_every_orchestrator_and_for_the_dispatcher(rig: Rig) -> None:
    rig.runtime.lane("w", policy=SEQUENTIAL)
    rig.work("work")
    other = Owner(NoState(), runtime=rig.runtime)
    handles = [
        rig.dispatch("loop", lane="w"),
        other.dispatch(LoopJob(), lane="w"),
        rig.runtime.dispatcher.dispatch(LoopJob(), lane="w"),
    ]
    drive(rig.works["work"].begun.is_set)
    rig.drain()
    assert [handle.status for handle in handles] == [JobStatus.RUNNING, JobStatus.QUEUED, JobStatus.QUEUED]
    rig.open_all()
    rig.end(*handles)


def test_a_shared_lane_can_be_named_by_the_object(rig: Rig) -> None:
    lane = rig.runtime.lane("w", policy=SEQUENTIAL)

    class SaveJob(ThreadJob):
        default_options = JobOptions(lane=lane)

    rig.work("work")
    first, second = rig.owner.dispatch(SaveJob()), rig.dispatch("loop", lane=lane)
    drive(rig.works["work"].begun.is_set)
    rig.drain()
    assert (first.status, second.status) == (JobStatus.RUNNING, JobStatus.QUEUED)
    assert lane.counts == {"running": 1, "queued": 1, "waiting": 0, "still_working": 0}
    rig.open_all()
    rig.end(first, second)


def test_a_lane_of_another_runtime_is_refused_and_nothing_is_dispatched(rig: Rig) -> None:
    other = Runtime()
    try:
        lane = other.lane("w")
        rig.runtime.lane("w")
        with pytest.raises(ValueError, match=r"(?s)'w'.*no lane of the Runtime.*runtime.lane\('w'"):
            rig.dispatch("loop", lane=lane)
        assert rig.runtime.running_jobs == ()
    finally:
        other.close()


def test_the_lane_of_a_name_is_given_again_if_what_is_asked_for_agrees(rig: Rig) -> None:
    lane = rig.runtime.lane("w", policy=CONCURRENT, limit=2, max_queue=5)
    assert rig.runtime.lane("w") is lane
    assert rig.runtime.lane("w", limit=2) is lane
    assert (lane.name, lane.policy, lane.limit, lane.max_queue) == ("w", CONCURRENT, 2, 5)


@pytest.mark.parametrize("asked", [{"policy": SEQUENTIAL}, {"limit": 3}, {"max_queue": 0}])
def test_other_arguments_for_a_lane_are_refused_and_both_are_named(rig: Rig, asked: dict[str, Any]) -> None:
    rig.runtime.lane("w", limit=2)
    name, value = next(iter(asked.items()))
    with pytest.raises(
        ValueError, match=f"(?s)'w' was made with policy=concurrent, limit=2.*asked for.*{name}={value}"
    ):
        rig.runtime.lane("w", **asked)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"limit": 0}, "limit of lane 'w' has to be at least 1, got 0"),
        ({"max_queue": -1}, "max_queue of lane 'w' has to be at least 0, got -1"),
        ({"policy": SEQUENTIAL, "limit": 2}, "'w' is SEQUENTIAL, which means one job at a time"),
        ({"policy": RESTARTABLE, "limit": 2}, "'w' is RESTARTABLE, which means one job at a time"),
    ],
)
def test_a_lane_that_cannot_be_is_refused(rig: Rig, arguments: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        rig.runtime.lane("w", **arguments)
    assert rig.runtime.snapshot()["lanes"] == {}


@pytest.mark.parametrize(
    ("policy", "limit"),
    [(CONCURRENT, None), (SEQUENTIAL, 1), (DROPPABLE, 1), (RESTARTABLE, 1), (KEEP_LATEST, 1)],
)
def test_every_policy_has_a_limit_of_its_own(rig: Rig, policy: LanePolicy, limit: int | None) -> None:
    assert rig.runtime.lane("w", policy=policy).limit == limit


def test_another_policy_in_a_shared_lane_is_refused(rig: Rig) -> None:
    rig.runtime.lane("w", policy=SEQUENTIAL)
    with pytest.raises(ValueError, match=r"'w' is SEQUENTIAL, and a LoopJob asked for RESTARTABLE"):
        rig.dispatch("loop", lane="w", policy=RESTARTABLE)


def test_jobs_stay_in_the_private_lane_whose_name_a_shared_one_takes(rig: Rig) -> None:
    rig.work("work")
    before = [rig.dispatch("loop", lane="w", policy=SEQUENTIAL) for _ in range(2)]
    drive(rig.works["work"].begun.is_set)
    lane = rig.runtime.lane("w", policy=DROPPABLE)
    after = rig.dispatch("loop", lane="w")
    drive(lambda: rig.works["work"].calls == 2)
    rig.drain()
    assert [handle.status for handle in (*before, after)] == [JobStatus.RUNNING, JobStatus.QUEUED, JobStatus.RUNNING]
    assert lane.counts["running"] == 1
    rig.open_all()
    rig.end(*before, after)


# -- limits -------------------------------------------------------------------------------------------------------


def test_as_many_run_as_the_limit_says_and_the_others_wait_by_priority(sender: Callable[..., Sender]) -> None:
    lane = sender(CONCURRENT, limit=2)
    lane.send("a", "b", "c")
    lane.send("d", priority=1)
    lane.see(running="ab", queued="cd")
    lane.finish("b")
    lane.see(running="ad", queued="c")
    lane.finish("a", "d", "c")


def test_a_droppable_lane_drops_what_comes_beyond_its_limit(sender: Callable[..., Sender]) -> None:
    lane = sender(DROPPABLE, limit=2)
    lane.send("a", "b", "c")
    lane.see(running="ab")
    assert lane.reason("c") == "dropped"
    lane.finish("a")
    lane.send("d")
    lane.see(running="bd")
    lane.finish("b", "d")


def test_a_keep_latest_lane_keeps_the_latest_beyond_its_limit(sender: Callable[..., Sender]) -> None:
    lane = sender(KEEP_LATEST, limit=2)
    lane.send("a", "b", "c", "d")
    lane.see(running="ab", queued="d")
    assert lane.reason("c") == "superseded"
    lane.finish("a")
    lane.see(running="bd")
    lane.finish("b", "d")


def test_work_that_ignores_its_token_holds_lane_and_limit_but_not_the_pool_and_is_seen(rig: Rig) -> None:
    rig.limit_executors(1)
    lane = Sender(rig, rig.runtime.lane("w", policy=SEQUENTIAL), "thread")
    stuck = lane.send("a", is_deaf=True)
    lane.see(running="a")
    stuck.cancel()
    lane.send("b")
    lane.see(queued="b")
    rig.work("free", is_open=True)
    rig.work("third")
    outside = rig.dispatch("thread", "free")
    on_the_loop = rig.dispatch("loop", "third")
    drive(rig.works["third"].begun.is_set)
    rig.drain()
    assert outside.status is JobStatus.QUEUED, "max_concurrency is held"
    figures = rig.runtime.snapshot()
    assert (figures["still_working"], figures["still_working_jobs"]) == (1, (stuck.id,))
    assert figures["lanes"]["w"] == {"running": 0, "queued": 1, "waiting": 0, "still_working": 1, "paused": False}
    assert [one["still_working"] for one in figures["runners"].values()] == [1, 0]
    assert rig.runtime.dispatcher.services.threads._limit == 3, "the pool is as big as before beside it"
    rig.open_all()
    rig.end(outside, on_the_loop, lane.handles["b"])
    drive(lambda: rig.runtime.snapshot()["still_working"] == 0)


def test_a_private_lane_that_only_work_without_a_job_holds_is_still_seen(rig: Rig) -> None:
    lane = Sender(rig, "mine", "thread")
    stuck = lane.send("a", is_deaf=True, policy=SEQUENTIAL)
    lane.see(running="a")
    stuck.cancel()
    rig.drain()
    assert rig.runtime.snapshot()["lanes"]["mine"]["still_working"] == 1
    rig.open_all()
    rig.quiet()
    assert rig.runtime.snapshot()["lanes"] == {}


# -- a full queue ---------------------------------------------------------------------------------------------------


def test_a_full_queue_refuses_and_says_so_and_nothing_is_dispatched(sender: Callable[..., Sender]) -> None:
    lane = sender(CONCURRENT, limit=2, max_queue=1)
    lane.send("a", "b", "c")
    job = LoopJob(name="a")
    complaint = (
        r"(?s)'the lane' is full, with 2 inside \(limit=2\) and 1 waiting \(max_queue=1\): LoopJob was not.*KEEP"
    )
    with pytest.raises(QueueFullError, match=complaint):
        lane.rig.owner.dispatch(job, lane=lane.lane)
    lane.rig.drain()
    assert len(lane.rig.runtime.running_jobs) == 3
    assert lane.rig.owner.is_job_running(job.id) is False
    assert lane.rig.log.for_job(job.id) == []
    lane.finish("a")
    handle = lane.rig.owner.dispatch(job, lane=lane.lane)
    assert handle.id == job.id, "a job that was refused is dispatched under its own id later"
    lane.rig.open_all()
    lane.rig.quiet()


def test_a_queue_of_none_lets_nobody_wait(sender: Callable[..., Sender]) -> None:
    lane = sender(SEQUENTIAL, max_queue=0)
    lane.send("a")
    with pytest.raises(QueueFullError):
        lane.send("b")
    lane.finish("a")
    lane.send("c")
    lane.finish("c")


def test_a_cancelled_job_gives_its_place_in_the_queue_back_at_once(sender: Callable[..., Sender]) -> None:
    lane = sender(SEQUENTIAL, max_queue=1)
    lane.send("a", "b").cancel()
    lane.send("c")
    lane.see(running="a", queued="c")
    lane.finish("a", "c")


def test_a_keep_latest_job_takes_the_place_of_the_one_it_supersedes(sender: Callable[..., Sender]) -> None:
    lane = sender(KEEP_LATEST, max_queue=1)
    # In one go: the superseded ones have not even been told yet.
    for name in "abcd":
        lane.rig.work(name)
        lane.handles[name] = lane.rig.dispatch("loop", name, lane=lane.lane)
    lane.see(running="a", queued="d")
    lane.finish("a", "d")


def test_a_keep_latest_lane_without_a_queue_refuses_while_one_runs(sender: Callable[..., Sender]) -> None:
    lane = sender(KEEP_LATEST, max_queue=0)
    lane.send("a")
    with pytest.raises(QueueFullError):
        lane.send("b")
    lane.finish("a")


@pytest.mark.parametrize("policy", [DROPPABLE, RESTARTABLE])
def test_where_nobody_waits_no_queue_is_ever_full(sender: Callable[..., Sender], policy: LanePolicy) -> None:
    lane = sender(policy, max_queue=0)
    lane.send("a", "b", "c")
    lane.see(running="a" if policy is DROPPABLE else "c")
    lane.rig.open_all()
    lane.rig.quiet()
    assert holds_no_place(lane.lane)  # type: ignore[union-attr]


def test_work_that_goes_on_after_its_job_still_takes_a_place(rig: Rig) -> None:
    lane = Sender(rig, rig.runtime.lane("w", policy=SEQUENTIAL, max_queue=0), "thread")
    stuck = lane.send("a", is_deaf=True)
    lane.see(running="a")
    stuck.cancel()
    rig.drain()
    with pytest.raises(QueueFullError, match="1 inside"):
        lane.send("b")
    rig.open_all()
    drive(lambda: not stuck.is_working)
    rig.drain()
    lane.send("c")
    lane.finish("c")


def dispatch_at_once(
    rig: Rig, lane: Lane, *, threads: int, each: int
) -> tuple[list[JobHandle[Any]], list[QueueFullError]]:
    """Have each of several threads dispatch some jobs, all at the same time; give the handles and the refusals."""
    taken: list[JobHandle[Any]] = []
    refused: list[QueueFullError] = []
    together = threading.Barrier(threads)

    def dispatch() -> None:
        together.wait()
        for _ in range(each):
            try:
                taken.append(rig.runtime.dispatcher.dispatch(LoopJob(name="work"), lane=lane))
            except QueueFullError as error:
                refused.append(error)

    workers = [threading.Thread(target=dispatch) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return taken, refused


def test_threads_that_dispatch_at_once_never_fill_a_queue_beyond_its_end(rig: Rig) -> None:
    rig.work("work", is_open=True)
    for number in range(200):
        policy, limit = ((SEQUENTIAL, 1), (CONCURRENT, 2))[number % 2]
        lane = rig.runtime.lane(f"lane {number}", policy=policy, limit=limit, max_queue=3)
        taken, refused = dispatch_at_once(rig, lane, threads=4, each=4)
        # Nobody drained meanwhile, so nothing has ended: exactly as many as there is room for were taken.
        assert (len(taken), len(refused)) == (limit + 3, 4 * 4 - limit - 3)
        rig.end(*taken)
        assert {handle.status for handle in taken} == {JobStatus.SUCCEEDED}
        assert not any(lane.counts.values())
        assert holds_no_place(lane)


def test_a_queue_that_empties_while_threads_fill_it_is_never_too_long_and_never_blocked(rig: Rig) -> None:
    rig.work("work", is_open=True)
    lane = rig.runtime.lane("w", limit=2, max_queue=2)
    handles: list[JobHandle[Any]] = []

    def dispatch(number: int) -> None:
        wanted = 100
        while wanted:
            pace: Any = {"debounce": 0.001} if number == 0 and wanted % 2 else {}
            try:
                handles.append(rig.runtime.dispatcher.dispatch(LoopJob(name="work"), lane=lane, **pace))
            except QueueFullError:
                time.sleep(0.0001)
            else:
                wanted -= 1

    workers = [threading.Thread(target=dispatch, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()

    def have_dispatched() -> bool:
        counts = lane.counts
        assert counts["running"] <= 2
        assert counts["queued"] + counts["waiting"] <= 2
        rig.clock.advance(0.001)
        return not any(worker.is_alive() for worker in workers)

    drive(have_dispatched)
    rig.end(*handles)
    assert len(handles) == 400
    assert holds_no_place(lane)


def test_a_job_that_is_cancelled_before_it_arrives_gives_its_place_back(rig: Rig) -> None:
    lane = rig.runtime.lane("w", policy=SEQUENTIAL, max_queue=0)
    rig.work("work")
    handles: list[JobHandle[Any]] = []
    elsewhere(lambda: handles.append(rig.runtime.dispatcher.dispatch(LoopJob(), lane=lane)))
    handles[0].cancel()
    handles.append(rig.dispatch("loop", lane=lane))
    rig.open_all()
    rig.end(*handles)
    assert [handle.status for handle in handles] == [JobStatus.CANCELLED, JobStatus.SUCCEEDED]


# -- pause ------------------------------------------------------------------------------------------------------------


def test_a_paused_lane_lets_nobody_in_until_it_is_resumed(sender: Callable[..., Sender]) -> None:
    lane = sender(CONCURRENT, limit=2)
    assert isinstance(lane.lane, Lane)
    lane.send("a")
    lane.lane.pause()
    lane.send("b", "c")
    lane.send("d", priority=1)
    lane.see(running="a", queued="bcd")
    lane.finish("a")
    lane.see(queued="bcd")
    assert lane.rig.runtime.snapshot()["lanes"]["the lane"]["paused"] is True
    lane.lane.resume()
    lane.see(running="bd", queued="c")
    assert lane.lane.is_paused is False
    lane.finish("b", "d", "c")


def test_other_threads_ask_for_pause_and_resume(sender: Callable[..., Sender]) -> None:
    lane = sender(CONCURRENT)
    assert isinstance(lane.lane, Lane)
    elsewhere(lane.lane.pause)
    lane.rig.drain()
    lane.send("a")
    lane.see(queued="a")
    elsewhere(lane.lane.resume)
    lane.see(running="a")
    lane.finish("a")


def test_pause_and_resume_twice_are_as_once(sender: Callable[..., Sender]) -> None:
    lane = sender(SEQUENTIAL)
    assert isinstance(lane.lane, Lane)
    lane.lane.pause()
    lane.lane.pause()
    lane.send("a", "b")
    lane.lane.resume()
    lane.lane.resume()
    lane.see(running="a", queued="b")
    lane.finish("a", "b")


def test_of_a_paused_keep_latest_lane_the_latest_waits(sender: Callable[..., Sender]) -> None:
    lane = sender(KEEP_LATEST)
    assert isinstance(lane.lane, Lane)
    lane.lane.pause()
    lane.send("a", "b")
    lane.see(queued="b")
    lane.lane.resume()
    lane.see(running="b")
    assert lane.reason("a") == "superseded"
    lane.finish("b")


@pytest.mark.parametrize("policy", [KEEP_LATEST, RESTARTABLE])
def test_a_resume_lets_nobody_in_who_was_superseded_just_now(sender: Callable[..., Sender], policy: LanePolicy) -> None:
    lane = sender(policy)
    assert isinstance(lane.lane, Lane)
    lane.lane.pause()
    for name in "abc":  # in one go: the superseded ones have not even been told yet
        lane.rig.work(name)
        lane.handles[name] = lane.rig.dispatch("loop", name, lane=lane.lane)
    lane.lane.resume()
    assert lane.lane.counts == {"running": 1, "queued": 0, "waiting": 0, "still_working": 0}
    lane.see(running="c")
    lane.finish("c")
    assert lane.rig.works["a"].calls == lane.rig.works["b"].calls == 0


def test_in_a_paused_restartable_lane_the_latest_supersedes_those_before_it(sender: Callable[..., Sender]) -> None:
    lane = sender(RESTARTABLE)
    assert isinstance(lane.lane, Lane)
    lane.send("a")
    lane.see(running="a")
    lane.lane.pause()
    lane.see(running="a")
    lane.send("b", "c")
    lane.see(queued="c")
    assert (lane.reason("a"), lane.reason("b")) == ("superseded", "superseded")
    lane.lane.resume()
    lane.see(running="c")
    lane.finish("c")


def test_a_paused_droppable_lane_drops(sender: Callable[..., Sender]) -> None:
    lane = sender(DROPPABLE)
    assert isinstance(lane.lane, Lane)
    lane.lane.pause()
    lane.send("a")
    assert lane.reason("a") == "dropped"
    lane.lane.resume()
    lane.send("b")
    lane.finish("b")


def test_a_deadline_runs_on_in_a_paused_lane(sender: Callable[..., Sender]) -> None:
    lane = sender(CONCURRENT)
    assert isinstance(lane.lane, Lane)
    lane.lane.pause()
    handle = lane.send("a", deadline=5)
    lane.rig.clock.advance(5)
    lane.rig.end(handle)
    assert handle.status is JobStatus.TIMED_OUT
    lane.lane.resume()
    lane.rig.quiet()
    assert lane.rig.works["a"].calls == 0


def test_a_queue_counts_those_that_wait_for_the_resume(sender: Callable[..., Sender]) -> None:
    lane = sender(CONCURRENT, max_queue=2)
    assert isinstance(lane.lane, Lane)
    lane.send("a")
    lane.lane.pause()
    lane.send("b", "c")
    with pytest.raises(QueueFullError, match=r"1 inside \(paused\) and 2 waiting"):
        lane.send("d")
    lane.lane.resume()
    lane.send("e")
    lane.finish("a", "b", "c", "e")


def test_closing_the_runtime_ends_what_a_paused_lane_holds(rig: Rig) -> None:
    lane = Sender(rig, rig.runtime.lane("w"))
    assert isinstance(lane.lane, Lane)
    lane.lane.pause()
    lane.send("a", "b")
    lane.send("c", debounce=1)
    rig.runtime.close()
    assert {lane.reason(name) for name in "abc"} == {"runtime closed"}
    assert rig.works["a"].calls == rig.works["b"].calls == rig.works["c"].calls == 0
    assert rig.clock.pending == 0


def test_a_resumed_lane_whose_waiting_jobs_were_cancelled_is_free(sender: Callable[..., Sender]) -> None:
    lane = sender(SEQUENTIAL, max_queue=1)
    assert isinstance(lane.lane, Lane)
    lane.lane.pause()
    lane.send("a").cancel()
    lane.lane.resume()
    lane.send("b")
    lane.finish("b")


# -- what is left -----------------------------------------------------------------------------------------------------


def test_ten_thousand_lane_names_leave_no_lane(rig: Rig) -> None:
    rig.work("work", is_open=True)
    for start in range(0, 10_000, 500):
        for number in range(start, start + 500):
            pace: Any = ({}, {"debounce": 0.5}, {"throttle": 0.5})[number % 3]
            rig.dispatch("loop", "work", lane=f"person-{number}", policy=CONCURRENT, **pace)
        rig.drain()
        rig.clock.advance(1)
        rig.quiet()
    assert rig.clock.pending == 0
    # Of throttled lanes the last few are known until others are throttled: nobody is woken to forget them.
    rig.clock.advance(1)
    for number in range(70):
        rig.dispatch("loop", "work", lane=f"other-{number}", throttle=0.5)
    rig.quiet()
    rig.clock.advance(1)
    gc.collect()
    left = [one for one in gc.get_objects() if isinstance(one, Lane)]
    assert len(left) < 300, "lanes live on though nobody is in them"


def test_a_shared_lane_lives_as_long_as_its_runtime(rig: Rig) -> None:
    rig.runtime.lane("w", policy=SEQUENTIAL)
    gc.collect()
    figures = {"running": 0, "queued": 0, "waiting": 0, "still_working": 0, "paused": False}
    assert rig.runtime.snapshot()["lanes"] == {"w": figures}
