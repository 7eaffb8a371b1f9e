"""Debounce and throttle: of what is dispatched again and again, the latest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from qtorch import (
    CONCURRENT,
    DROPPABLE,
    RESTARTABLE,
    SEQUENTIAL,
    CancellationToken,
    JobCancelled,
    JobHandle,
    JobOptions,
    JobStatus,
    QueueFullError,
)
from qtorch.job.options import merge_options
from tests.qtorch.execution.rig import LoopJob, Rig, ThreadJob, drive, elsewhere, holds_no_place, run_of

pytestmark = pytest.mark.realtime

SUPERSEDED = JobCancelled("superseded")


def send(rig: Rig, name: str, **options: Any) -> JobHandle[Any]:
    """Dispatch work that is done as soon as it begins."""
    rig.work(name, name, is_open=True)
    handle = rig.dispatch("loop", name, **options)
    rig.drain()
    return handle


def outcomes(*handles: JobHandle[Any]) -> list[str]:
    return [handle.outcome.reason or "" if isinstance(handle.outcome, JobCancelled) else handle.status.value
            for handle in handles]  # fmt: skip


# -- debounce ---------------------------------------------------------------------------------------------------------


def test_a_debounced_job_begins_after_the_pause(rig: Rig) -> None:
    handle = send(rig, "a", debounce=0.5)
    assert handle.status is JobStatus.WAITING
    assert not handle.is_working
    rig.clock.advance(0.4)
    rig.drain()
    assert (handle.status, rig.works["a"].calls, rig.types(handle)) == (JobStatus.WAITING, 0, [])
    rig.clock.advance(0.1)
    rig.end(handle)
    assert rig.types(handle) == ["Started", "Success"]


def test_of_many_debounced_jobs_only_the_latest_begins_after_the_last_pause(rig: Rig) -> None:
    handles = []
    for name in "abcde":
        handles.append(send(rig, name, debounce=timedelta(seconds=0.5)))
        rig.clock.advance(0.4)
    assert outcomes(*handles) == ["superseded"] * 4 + ["waiting"]
    assert [rig.types(handle) for handle in handles[:-1]] == [["Cancelled"]] * 4
    rig.clock.advance(0.1)
    rig.end(*handles)
    assert outcomes(handles[-1]) == ["succeeded"]
    assert [rig.works[name].calls for name in "abcde"] == [0, 0, 0, 0, 1]
    assert rig.clock.pending == 0


def test_jobs_of_one_class_are_debounced_together_and_others_apart(rig: Rig) -> None:
    rig.work("work", is_open=True)
    first = rig.dispatch("loop", debounce=0.5)
    other_class = rig.dispatch("thread", debounce=0.5)
    other_lane = rig.dispatch("loop", lane="mine", debounce=0.5)
    second = rig.dispatch("loop", debounce=0.5)
    rig.clock.advance(0.5)
    rig.end(first, second, other_class, other_lane)
    assert outcomes(first, second, other_class, other_lane) == ["superseded", "succeeded", "succeeded", "succeeded"]


def test_a_restartable_debounced_job_supersedes_the_running_one_only_when_it_begins(rig: Rig) -> None:
    rig.work("slow")
    slow = rig.dispatch("loop", "slow", policy=RESTARTABLE)
    drive(rig.works["slow"].begun.is_set)
    next_one = send(rig, "next", policy=RESTARTABLE, debounce=0.5)
    assert outcomes(slow, next_one) == ["running", "waiting"]
    rig.clock.advance(0.5)
    rig.end(slow, next_one)
    assert outcomes(slow, next_one) == ["superseded", "succeeded"]


def test_a_debounced_job_waits_for_its_turn_after_the_pause(rig: Rig) -> None:
    rig.work("slow")
    slow = rig.dispatch("loop", "slow", policy=SEQUENTIAL)
    handle = send(rig, "next", policy=SEQUENTIAL, debounce=0.5)
    rig.clock.advance(0.5)
    rig.drain()
    assert handle.status is JobStatus.QUEUED
    rig.open_all()
    rig.end(slow, handle)
    assert outcomes(handle) == ["succeeded"]


def test_a_debounced_job_is_dropped_after_the_pause_if_one_runs(rig: Rig) -> None:
    rig.work("slow")
    slow = rig.dispatch("loop", "slow", policy=DROPPABLE)
    handle = send(rig, "next", policy=DROPPABLE, debounce=0.5)
    assert handle.status is JobStatus.WAITING
    rig.clock.advance(0.5)
    rig.end(handle)
    assert outcomes(handle) == ["dropped"]
    rig.open_all()
    rig.end(slow)


def test_every_dispatch_has_a_debounce_of_its_own(rig: Rig) -> None:
    long, short = send(rig, "a", debounce=10), send(rig, "b", debounce=0.5)
    rig.clock.advance(0.5)
    rig.end(long, short)
    assert outcomes(long, short) == ["superseded", "succeeded"]
    short, long = send(rig, "a", debounce=0.5), send(rig, "b", debounce=10)
    rig.clock.advance(9.9)
    rig.drain()
    assert outcomes(short, long) == ["superseded", "waiting"]
    rig.clock.advance(0.1)
    rig.end(long)
    assert outcomes(long) == ["succeeded"]


def test_a_dispatch_without_debounce_supersedes_the_one_that_waits_and_runs_at_once(rig: Rig) -> None:
    # Autosave and Ctrl+S: the text that was to be saved later is older than the one that has just been.
    pending = send(rig, "autosave", lane="save", debounce=5)
    now = send(rig, "save", lane="save")
    rig.end(pending, now)
    rig.clock.advance(10)
    rig.drain()
    assert outcomes(pending, now) == ["superseded", "succeeded"]
    assert rig.works["autosave"].calls == 0


def test_many_keystrokes_in_one_go_begin_one_job(rig: Rig) -> None:
    rig.work("work", is_open=True)
    handles = [rig.dispatch("thread", policy=RESTARTABLE, debounce=0.3) for _ in range(500)]
    assert rig.clock.pending < 2
    rig.clock.advance(0.3)
    rig.end(*handles)
    assert rig.works["work"].calls == 1
    assert outcomes(*handles) == ["superseded"] * 499 + ["succeeded"]


@pytest.mark.parametrize("pace", ["debounce", "throttle"])
@pytest.mark.parametrize("how", ["here", "elsewhere", "token", "deadline", "owner", "runtime"])
def test_what_waits_out_its_pause_ends_once_like_at_any_stage(rig: Rig, how: str, pace: str) -> None:
    token = CancellationToken()
    handles = [send(rig, name, **{pace: 5.0}) for name in ("before", "job")]
    handles += [send(rig, "last", token=token, deadline=2, **{pace: 5.0})]
    first, handle = handles[0], handles[-1]
    assert handle.status is JobStatus.WAITING
    match how:
        case "here":
            handle.cancel("no")
        case "elsewhere":
            elsewhere(lambda: handle.cancel("no"))
        case "token":
            token.cancel("no")
        case "deadline":
            rig.clock.advance(2)
        case "owner":
            rig.owner.close()
        case "runtime":
            rig.runtime.close()
    if how != "runtime":
        rig.end(handle, first)
        rig.clock.advance(20)
        rig.drain()
    assert rig.types(handle) == ["Timeout" if how == "deadline" else "Cancelled"]
    assert rig.works["last"].calls == 0
    assert rig.clock.pending == 0
    assert run_of(handle).lane is None


def test_a_lane_keeps_no_job_that_was_cancelled_in_its_pause(rig: Rig) -> None:
    lane = rig.runtime.lane("w")
    handle = send(rig, "a", lane=lane, debounce=1)
    handle.cancel()
    rig.end(handle)
    assert lane._pending is None


def test_a_job_cancelled_in_its_pause_does_not_bring_back_the_one_it_superseded(rig: Rig) -> None:
    first, second = send(rig, "a", debounce=1), send(rig, "b", debounce=1)
    second.cancel("no")
    rig.end(first, second)
    rig.clock.advance(5)
    third = send(rig, "c", debounce=1)
    rig.clock.advance(1)
    rig.end(third)
    assert outcomes(first, second, third) == ["superseded", "no", "succeeded"]


def test_a_newer_dispatch_wins_though_the_pause_is_over_and_only_not_taken_yet(rig: Rig) -> None:
    first = send(rig, "a", debounce=1)
    rig.clock.advance(1)  # the timer has posted itself, and nobody has drained
    second = send(rig, "b", debounce=1)
    rig.clock.advance(1)
    rig.end(first, second)
    assert outcomes(first, second) == ["superseded", "succeeded"]


def test_a_debounced_job_is_retried_at_once_and_not_debounced_again(rig: Rig) -> None:
    rig.work("a", OSError(), 1, is_open=True)
    handle = rig.dispatch("loop", "a", debounce=5, retry=1)
    rig.clock.advance(5)
    drive(lambda: "Retrying" in rig.types(handle))
    rig.clock.advance(1)
    rig.end(handle)
    assert rig.types(handle) == ["Started", "Retrying", "Success"]


# -- throttle ---------------------------------------------------------------------------------------------------------


def test_of_throttled_jobs_the_first_runs_at_once_and_the_latest_at_the_end_of_the_window(rig: Rig) -> None:
    handles = []
    for name in "abcd":
        handles.append(send(rig, name, throttle=1.0))
        rig.clock.advance(0.125)
    rig.end(handles[0])
    assert outcomes(*handles) == ["succeeded", "superseded", "superseded", "waiting"]
    rig.clock.advance(0.375)
    rig.drain()
    assert handles[3].status is JobStatus.WAITING
    rig.clock.advance(0.125)
    rig.end(handles[3])
    assert outcomes(handles[3]) == ["succeeded"]


def test_the_latest_opens_a_window_of_its_own(rig: Rig) -> None:
    send(rig, "a", throttle=1.0)
    send(rig, "b", throttle=1.0)
    rig.clock.advance(1.0)
    rig.quiet()
    third = send(rig, "c", throttle=1.0)
    assert third.status is JobStatus.WAITING
    rig.clock.advance(0.875)
    rig.drain()
    assert third.status is JobStatus.WAITING
    rig.clock.advance(0.125)
    rig.end(third)


def test_after_a_window_in_which_nothing_came_the_next_runs_at_once(rig: Rig) -> None:
    first = send(rig, "a", throttle=1.0)
    rig.end(first)
    assert rig.clock.pending == 0
    rig.clock.advance(1.0)
    second = send(rig, "b", throttle=1.0)
    rig.end(second)
    assert outcomes(first, second) == ["succeeded", "succeeded"]


def test_a_window_is_counted_from_the_job_that_opens_it_however_long_nothing_came(rig: Rig) -> None:
    lane = rig.runtime.lane("w")
    rig.clock.advance(100.0)
    send(rig, "a", lane=lane, throttle=1.0)
    rig.clock.advance(50.0)
    second, third = send(rig, "b", lane=lane, throttle=1.0), send(rig, "c", lane=lane, throttle=1.0)
    rig.end(second)
    rig.clock.advance(0.875)
    rig.drain()
    assert third.status is JobStatus.WAITING
    rig.clock.advance(0.125)
    rig.end(third)


def test_a_window_holds_though_the_job_that_opened_it_ended_long_ago(rig: Rig) -> None:
    first = send(rig, "a", throttle=10.0)
    rig.end(first)
    rig.quiet()
    rig.clock.advance(5.0)
    second = send(rig, "b", throttle=10.0)
    assert second.status is JobStatus.WAITING
    rig.clock.advance(5.0)
    rig.end(second)


def test_windows_hold_in_more_lanes_than_are_cleared_away_at_a_time(rig: Rig) -> None:
    rig.work("work", is_open=True)
    for number in range(300):
        rig.dispatch("loop", "work", lane=f"lane {number}", throttle=10.0)
    rig.quiet()
    again = [rig.dispatch("loop", "work", lane=f"lane {number}", throttle=10.0) for number in range(300)]
    rig.drain()
    assert {handle.status for handle in again} == {JobStatus.WAITING}
    rig.clock.advance(10.0)
    rig.end(*again)


def test_a_throttled_job_from_another_thread_is_throttled_like_any(rig: Rig) -> None:
    rig.work("work", is_open=True)
    handles: list[JobHandle[Any]] = []
    for _ in range(3):
        elsewhere(lambda: handles.append(rig.runtime.dispatcher.dispatch(ThreadJob(), throttle=1.0)))
    rig.end(handles[0])
    rig.drain()
    assert outcomes(*handles) == ["succeeded", "superseded", "waiting"]
    rig.clock.advance(1.0)
    rig.end(handles[2])


# -- in a bounded lane ------------------------------------------------------------------------------------------------


def test_a_debounced_job_takes_the_place_of_the_one_it_supersedes(rig: Rig) -> None:
    lane = rig.runtime.lane("w", policy=SEQUENTIAL, max_queue=0)
    rig.work("work", is_open=True)
    # In one go: the superseded ones have not even been told yet.
    handles = [rig.dispatch("loop", lane=lane, debounce=1) for _ in range(3)]
    rig.clock.advance(1)
    rig.end(*handles)
    assert outcomes(*handles) == ["superseded", "superseded", "succeeded"]
    assert holds_no_place(lane)
    rig.end(rig.dispatch("loop", lane=lane))


def test_a_debounced_job_does_not_find_the_queue_full_after_its_pause(rig: Rig) -> None:
    lane = rig.runtime.lane("w", policy=SEQUENTIAL, max_queue=1)
    rig.work("work")
    running = rig.dispatch("loop", lane=lane)
    debounced = rig.dispatch("loop", lane=lane, debounce=1)

    def dispatch_elsewhere() -> None:
        with pytest.raises(QueueFullError, match=r"1 inside .* and 1 waiting"):
            rig.runtime.dispatcher.dispatch(LoopJob(), lane=lane)

    elsewhere(dispatch_elsewhere)
    rig.drain()
    assert debounced.status is JobStatus.WAITING, "a job that was refused supersedes nobody"
    rig.clock.advance(1)
    rig.drain()
    assert debounced.status is JobStatus.QUEUED
    rig.open_all()
    rig.end(running, debounced)
    assert holds_no_place(lane)


def test_any_job_takes_the_place_of_the_debounced_one_that_it_supersedes(rig: Rig) -> None:
    lane = rig.runtime.lane("w", policy=SEQUENTIAL, max_queue=0)
    rig.work("work")
    debounced = [rig.dispatch("loop", lane=lane, debounce=1) for _ in range(2)]
    at_once = rig.dispatch("loop", lane=lane)
    with pytest.raises(QueueFullError):
        rig.dispatch("loop", lane=lane, debounce=1)
    rig.open_all()
    rig.end(*debounced, at_once)
    assert outcomes(*debounced, at_once) == ["superseded", "superseded", "succeeded"]
    assert holds_no_place(lane)


def test_a_superseded_job_gives_its_place_back_before_that_is_told(rig: Rig) -> None:
    lane = rig.runtime.lane("w", limit=2, max_queue=0)
    rig.work("work", is_open=True)
    handles = [rig.dispatch("loop", lane=lane, debounce=1), rig.dispatch("loop", lane=lane)]
    elsewhere(lambda: handles.append(rig.runtime.dispatcher.dispatch(LoopJob(), lane=lane)))
    rig.end(*handles)
    assert outcomes(*handles) == ["superseded", "succeeded", "succeeded"]


def test_a_job_counts_the_debounced_one_that_is_on_its_way_behind_it(rig: Rig) -> None:
    lane = rig.runtime.lane("w", policy=SEQUENTIAL, max_queue=0)
    rig.work("work", is_open=True)
    handles: list[JobHandle[Any]] = []
    elsewhere(lambda: handles.append(rig.runtime.dispatcher.dispatch(LoopJob(), lane=lane, debounce=1)))
    with pytest.raises(QueueFullError):  # it would not supersede that one, which arrives only later
        rig.dispatch("loop", lane=lane)
    rig.drain()
    rig.clock.advance(1)
    rig.end(*handles)
    assert outcomes(*handles) == ["succeeded"]
    assert holds_no_place(lane)


def test_a_debounced_job_yields_to_one_that_is_on_its_way_from_another_thread(rig: Rig) -> None:
    lane = rig.runtime.lane("w", policy=SEQUENTIAL, max_queue=0)
    rig.work("work", is_open=True)
    first = rig.dispatch("loop", lane=lane, debounce=1)
    rig.clock.advance(1)  # its timer has posted itself
    handles: list[JobHandle[Any]] = []
    elsewhere(lambda: handles.append(rig.runtime.dispatcher.dispatch(LoopJob(), lane=lane, debounce=1)))
    rig.end(first)
    assert first.outcome == SUPERSEDED
    rig.clock.advance(1)
    rig.end(*handles)
    assert outcomes(*handles) == ["succeeded"]
    assert holds_no_place(lane)


def test_a_dropped_debounced_job_gives_its_place_back(rig: Rig) -> None:
    lane = rig.runtime.lane("w", policy=DROPPABLE, max_queue=0)
    rig.work("work")
    running, debounced = rig.dispatch("loop", lane=lane), rig.dispatch("loop", lane=lane, debounce=1)
    rig.clock.advance(1)
    rig.end(debounced)
    rig.open_all()
    rig.end(running)
    assert holds_no_place(lane)


def test_a_lane_counts_what_waits_out_its_pause(rig: Rig) -> None:
    lane = rig.runtime.lane("w", policy=CONCURRENT)
    send(rig, "a", lane=lane, debounce=1)
    assert lane.counts == {"running": 0, "queued": 0, "waiting": 1, "still_working": 0}
    figures = rig.runtime.snapshot()
    assert (figures["waiting"], figures["lanes"]["w"]["waiting"]) == (1, 1)
    lane.pause()
    rig.clock.advance(1)
    rig.drain()
    assert lane.counts == {"running": 0, "queued": 1, "waiting": 0, "still_working": 0}
    lane.resume()
    rig.quiet()


# -- how it is said ---------------------------------------------------------------------------------------------------


def test_debounce_and_throttle_together_are_refused(rig: Rig) -> None:
    with pytest.raises(ValidationError, match="debounce waits for a pause and throttle does not: give one of them"):
        rig.dispatch("loop", debounce=1, throttle=1)
    assert rig.runtime.running_jobs == ()


@pytest.mark.parametrize(("below", "above"), [("debounce", "throttle"), ("throttle", "debounce")])
def test_one_of_a_higher_layer_replaces_the_other_below(below: str, above: str) -> None:
    lower: Any = {below: 1}
    upper: Any = {above: 2}
    merged = merge_options(JobOptions(**lower), JobOptions(**upper))
    assert (getattr(merged, below), getattr(merged, above)) == (None, 2.0)


def test_an_explicit_none_switches_the_debounce_of_the_class_off(rig: Rig) -> None:
    class SearchJob(LoopJob):
        default_options = JobOptions(debounce=5)

    rig.work("work", is_open=True)
    waiting, at_once = rig.owner.dispatch(SearchJob()), rig.owner.dispatch(SearchJob(), debounce=None)
    rig.end(at_once)
    assert outcomes(at_once) == ["succeeded"]
    rig.clock.advance(5)
    rig.end(waiting)
