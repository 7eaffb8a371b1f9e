"""Jobs that share their work, and end on their own: the work goes on for the others, and ends with the last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qtorch import (
    CachePolicy,
    CancellationToken,
    JobCancelled,
    JobCancelledEvent,
    JobHandle,
    JobProgressEvent,
    JobStartedEvent,
    JobStatus,
    JobSuccess,
    JobTimeout,
    RetryPolicy,
    SignalBus,
)
from tests.qtorch.execution.flights import begin, finish
from tests.qtorch.execution.rig import NoState, Owner, Rig, SlowCache, drive, elsewhere

pytestmark = pytest.mark.realtime


def leave_by_token(rig: Rig, token: CancellationToken) -> None:
    elsewhere(lambda: token.cancel("token"))


def leave_by_orchestrator(rig: Rig, token: CancellationToken) -> None:
    rig.owner.close()


def leave_by_deletion(rig: Rig, token: CancellationToken) -> None:
    rig.drop_owner()


def leave_by_deadline(rig: Rig, token: CancellationToken) -> None:
    rig.clock.advance(9.0)


def leave_by_cancel_all(rig: Rig, token: CancellationToken) -> None:
    rig.owner.cancel_all("all")


@pytest.mark.parametrize(
    ("leave", "outcome"),
    [
        (leave_by_token, JobCancelled("token")),
        (leave_by_orchestrator, JobCancelled("owner closed")),
        (leave_by_deletion, JobCancelled("owner gone")),
        (leave_by_deadline, JobTimeout(9.0, "deadline")),
        (leave_by_cancel_all, JobCancelled("all")),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_who_leaves_ends_alone_and_the_work_goes_on(
    rig: Rig, own_runner: str, leave: Callable[[Rig, CancellationToken], None], outcome: object, is_first: bool
) -> None:
    work = rig.work()
    token = CancellationToken()
    stays: list[JobHandle[Any]] = []
    dispatcher = rig.runtime.dispatcher
    if not is_first:
        stays.append(dispatcher.dispatch(rig.job(own_runner), dedupe=True))
    leaves = rig.dispatch(own_runner, dedupe=True, token=token, deadline=9.0)
    stays.append(dispatcher.dispatch(rig.job(own_runner), dedupe=True))
    drive(work.begun.is_set)
    rig.drain()
    leave(rig, token)
    rig.drain()
    assert leaves.outcome == outcome
    assert rig.log.for_job(leaves.id)[-1].is_terminal
    assert not work.tokens[0].is_cancelled
    assert [handle.outcome for handle in stays] == [None] * len(stays)
    finish(rig, *stays)
    assert work.calls == 1
    assert [handle.outcome for handle in stays] == [JobSuccess(42)] * len(stays)
    assert rig.types(leaves)[0] == "Started"
    assert len(rig.types(leaves)) == 2


def test_a_closed_bus_ends_its_members_alone(rig: Rig) -> None:
    work = rig.work()
    other = SignalBus.scoped()
    first = rig.runtime.dispatcher.dispatch(rig.job("thread"), bus=other, dedupe=True)
    second = rig.dispatch("thread", dedupe=True)
    drive(work.begun.is_set)
    rig.drain()
    other.close()
    assert first.outcome == JobCancelled("bus closed")
    assert not work.tokens[0].is_cancelled
    # What the work itself dispatches goes to a bus of somebody who is left.
    assert rig.runtime.dispatcher.services.shared[first.id].bus is rig.runtime.bus.core
    finish(rig, second)
    assert second.outcome == JobSuccess(42)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_work_is_cancelled_with_the_last_one_whatever_the_order(
    make_rig: Callable[..., Rig], runner: str, order: tuple[int, ...]
) -> None:
    rig = make_rig(runner)
    work = rig.work()
    handles = begin(rig, runner, 3)
    for number in order:
        assert not work.tokens[0].is_cancelled
        handles[number].cancel(f"leaves {number}")
    assert work.tokens[0].is_cancelled
    assert work.tokens[0].reason == f"leaves {order[-1]}"
    drive(work.ended.is_set)
    rig.quiet()
    assert [rig.types(handle) for handle in handles] == [["Started", "Cancelled"]] * 3
    assert work.calls == 1


def test_a_flight_that_everybody_left_is_not_joined(rig: Rig) -> None:
    work = rig.work(is_deaf=True)
    (first,) = begin(rig, "thread", 1)
    first.cancel()
    second = rig.dispatch("thread", dedupe=True)
    finish(rig, first, second)
    rig.quiet()
    assert work.calls == 2
    assert second.outcome == JobSuccess(42)


# -- before the work --------------------------------------------------------------------------------------------------


def test_the_first_leaves_while_the_work_waits_for_a_thread(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(threads=1)
    busy, work = rig.work("busy"), rig.work()
    blocker = rig.dispatch("thread", "busy")
    drive(busy.begun.is_set)
    first, second = (rig.dispatch("thread", dedupe=True) for _ in range(2))
    rig.drain()
    first.cancel()
    rig.drain()
    assert rig.types(first) == ["Cancelled"]
    assert not first.is_working
    assert second.status is JobStatus.QUEUED
    busy.gate.open()
    drive(work.begun.is_set)
    assert second.is_working
    assert not first.is_working, "it began for the other"
    work.gate.open()
    rig.end(blocker, second)
    assert second.outcome == JobSuccess(42)
    assert work.calls == 1


def test_all_leave_while_the_work_waits_for_a_thread_and_it_never_begins(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(threads=1)
    busy, work = rig.work("busy"), rig.work()
    blocker = rig.dispatch("thread", "busy")
    drive(busy.begun.is_set)
    for handle in [rig.dispatch("thread", dedupe=True) for _ in range(2)]:
        handle.cancel()
    busy.gate.open()
    rig.end(blocker)
    rig.quiet()
    assert work.calls == 0


@pytest.mark.parametrize("leavers", [(0,), (0, 1)])
def test_leaving_at_the_gate_of_max_concurrency(rig: Rig, own_runner: str, leavers: tuple[int, ...]) -> None:
    rig.limit_executors(1)
    busy, work = rig.work("busy"), rig.work()
    blocker = rig.dispatch(own_runner, "busy")
    drive(busy.begun.is_set)
    handles = [rig.dispatch(own_runner, dedupe=True) for _ in range(2)]
    rig.drain()
    for number in leavers:
        handles[number].cancel()
    rig.drain()
    busy.gate.open()
    work.gate.open()
    rig.end(blocker, *handles)
    rig.quiet()
    assert work.calls == (1 if len(leavers) == 1 else 0)
    assert rig.types(handles[0]) == ["Cancelled"]


@pytest.mark.parametrize("leavers", [(0,), (0, 1)])
def test_leaving_in_the_retry_wait(rig: Rig, own_runner: str, leavers: tuple[int, ...]) -> None:
    work = rig.work("work", OSError("once"), 42, is_open=True)
    handles = [rig.dispatch(own_runner, dedupe=True, retry=RetryPolicy(base_delay=1.0)) for _ in range(2)]
    drive(lambda: handles[0].status is JobStatus.WAITING)
    rig.drain()
    for number in leavers:
        handles[number].cancel()
    rig.drain()
    assert rig.types(handles[0]) == ["Started", "Retrying", "Cancelled"]
    assert rig.clock.pending == (1 if len(leavers) == 1 else 0)
    rig.clock.advance(1.0)
    rig.end(*handles)
    assert work.calls == (2 if len(leavers) == 1 else 1)


@pytest.mark.parametrize("leavers", [(0,), (0, 1)])
def test_leaving_in_the_cache_read(make_rig: Callable[..., Rig], leavers: tuple[int, ...]) -> None:
    cache = SlowCache()
    cache.write_gate.open()
    rig = make_rig(cache=cache)
    work = rig.work(is_open=True)
    handles = [rig.dispatch("loop", dedupe=True, cache=CachePolicy(key="key")) for _ in range(2)]
    drive(cache.reading.is_set)
    rig.drain()
    for number in leavers:
        handles[number].cancel()
    cache.read_gate.open()
    rig.end(*handles)
    rig.quiet()
    assert work.calls == (1 if len(leavers) == 1 else 0)


def test_who_is_cancelled_before_it_heard_of_the_running_work_is_told_its_end_only(rig: Rig) -> None:
    rig.work()
    (first,) = begin(rig, "thread", 1)
    late = rig.dispatch("thread", dedupe=True)
    late.cancel()
    finish(rig, first, late)
    assert rig.types(late) == ["Cancelled"]


def test_a_cancelled_token_ends_a_member_at_dispatch_and_it_joins_nobody(rig: Rig) -> None:
    work = rig.work()
    token = CancellationToken()
    token.cancel("before")
    handle = rig.dispatch("thread", dedupe=True, token=token)
    rig.end(handle)
    assert handle.outcome == JobCancelled("before")
    assert work.calls == 0
    assert not rig.runtime.dispatcher.services.flights


# -- between the events -----------------------------------------------------------------------------------------------


def test_who_leaves_in_a_listener_of_anothers_event_is_not_told_its_own(rig: Rig) -> None:
    rig.work()
    handles = [rig.dispatch("thread", dedupe=True) for _ in range(3)]

    def leave(event: JobStartedEvent) -> None:
        handles[1].cancel()

    with rig.runtime.bus.subscribe(leave, event_type=JobStartedEvent, job_id=handles[0].id):
        finish(rig, *handles)
    assert [rig.types(handle) for handle in handles] == [["Started", "Success"], ["Cancelled"], ["Started", "Success"]]


def test_a_cancel_on_the_buss_thread_beats_a_result_that_nobody_has_heard(rig: Rig) -> None:
    work = rig.work()
    first, second = begin(rig, "thread")
    work.gate.open()
    mailbox = rig.runtime.bus.core.mailbox
    while not mailbox.queue:
        work.ended.wait(0.001)
    first.cancel("in time")
    rig.end(first, second)
    assert first.outcome == JobCancelled("in time")
    assert second.outcome == JobSuccess(42)


def test_progress_that_is_pending_is_told_before_the_deadline_of_one_member(rig: Rig) -> None:
    rig.work()
    first, second = (rig.dispatch("thread", dedupe=True, deadline=deadline) for deadline in (None, 2.0))
    drive(rig.works["work"].begun.is_set)
    rig.drain()
    for value in (0.2, 0.4):
        rig.worker.emit_progress(first.job, value)  # type: ignore[arg-type]
        rig.drain()
    assert second.progress == 0.2
    # Without the frame in between: the deadline itself has to bring it.
    rig.runtime.bus.core.mailbox.post(lambda _: run_deadline(second))
    rig.drain()
    assert rig.types(second) == ["Started", "Progress", "Progress", "Timeout"]
    assert [event.progress for event in rig.log.of(JobProgressEvent) if event.job_id == first.id] == [0.2, 0.4]
    assert rig.clock.pending == 1, "the frame"
    finish(rig, first)
    assert rig.clock.pending == 0


def test_work_that_reports_without_a_break_does_not_put_off_the_end_of_one_member(rig: Rig) -> None:
    rig.work()
    first, second = begin(rig, "thread")
    reported: list[float] = []

    def report_again(event: object) -> None:
        if len(reported) < 50:
            reported.append(len(reported) / 50)
            rig.worker.emit_progress(first.job, reported[-1])  # type: ignore[arg-type]

    with rig.runtime.bus.subscribe(report_again, event_type=JobProgressEvent, job_id=second.id):
        report_again(None)
        rig.drain()
        elsewhere(lambda: second.cancel("elsewhere"))
        rig.drain()
    assert rig.types(second) == ["Started", "Progress", "Progress", "Cancelled"]
    finish(rig, first)


def run_deadline(handle: JobHandle[Any]) -> Any:
    return handle._run._take_deadline(2.0)


# -- work that goes on ------------------------------------------------------------------------------------------------


def test_for_who_left_the_shared_work_is_still_running_until_it_ends(rig: Rig, own_runner: str) -> None:
    rig.work()
    first, second = begin(rig, own_runner)
    rested: list[JobHandle[Any]] = []
    first.add_rest_callback(rested.append)
    first.cancel()
    rig.drain()
    (end,) = rig.log.of(JobCancelledEvent)
    assert end.still_running
    assert first.is_working
    assert not rested
    finish(rig, second)
    drive(lambda: rested)
    assert not first.is_working
    assert rested == [first]


def test_who_left_in_the_retry_wait_has_nothing_to_do_with_the_next_attempt(rig: Rig) -> None:
    work = rig.work("work", OSError("once"), 42, is_open=True)
    first, second = (rig.dispatch("loop", dedupe=True, retry=RetryPolicy(base_delay=1.0)) for _ in range(2))
    drive(lambda: first.status is JobStatus.WAITING)
    rested: list[JobHandle[Any]] = []
    first.add_rest_callback(rested.append)
    first.cancel()
    rig.drain()
    assert rested == [first]
    assert not rig.log.of(JobCancelledEvent)[0].still_running
    work.gate = type(work.gate)()
    work.begun.clear()
    rig.clock.advance(1.0)
    drive(work.begun.is_set)
    assert not first.is_working
    assert second.is_working
    finish(rig, second)


def test_the_last_one_waits_for_deaf_work_and_so_do_its_rest_callbacks(rig: Rig, own_runner: str) -> None:
    work = rig.work(is_deaf=True)
    handles = begin(rig, own_runner)
    rested: list[JobHandle[Any]] = []
    for handle in handles:
        handle.add_rest_callback(rested.append)
        handle.cancel()
    rig.drain()
    assert [end.still_running for end in rig.log.of(JobCancelledEvent)] == [True, True]
    assert all(handle.is_working for handle in handles)
    assert rig.runtime.snapshot()["still_working"] == 1
    work.gate.open()
    drive(lambda: len(rested) == 2)
    assert not any(handle.is_working for handle in handles)
    rig.quiet()


def test_members_that_timed_out_together_say_that_the_work_goes_on_and_rest_with_it(rig: Rig) -> None:
    work = rig.work(is_deaf=True)
    handles = begin(rig, "thread", 2, timeout=1.0)
    rested: list[JobHandle[Any]] = []
    for handle in handles:
        handle.add_rest_callback(rested.append)
    rig.clock.advance(1.0)
    rig.end(*handles)
    assert all(rig.log.for_job(handle.id)[-1].still_running for handle in handles)  # type: ignore[attr-defined]
    assert not rested
    work.gate.open()
    drive(lambda: len(rested) == 2)


def test_an_orchestrator_that_is_gone_leaves_the_work_of_another(rig: Rig) -> None:
    rig.work()
    other = Owner(NoState(), runtime=rig.runtime)
    first = rig.dispatch("thread", dedupe=True)
    second = other.dispatch(rig.job("thread"), dedupe=True)
    drive(rig.works["work"].begun.is_set)
    rig.owner.close()
    rig.drain()
    assert first.outcome == JobCancelled("owner closed")
    assert other.has_active_jobs
    finish(rig, second)
    assert not other.has_active_jobs


def test_a_flight_ends_with_its_runtime_though_its_result_waits_for_the_cache(
    make_rig: Callable[..., Rig], capfd: pytest.CaptureFixture[str]
) -> None:
    cache = SlowCache()
    cache.read_gate.open()
    rig = make_rig(threads=1, cache=cache)
    work, blocker = rig.work(), rig.work("blocker", is_deaf=True)
    handles = begin(rig, "loop", cache=CachePolicy(key="one"))
    rig.dispatch("thread", "blocker")
    drive(blocker.begun.is_set)
    work.gate.open()
    drive(lambda: all(handle.outcome == JobSuccess(42) for handle in handles))

    rig.runtime.close(0.01)  # the write still waits for the thread, and is dropped

    assert not rig.runtime.dispatcher.services.shared
    assert [rig.types(handle)[-1] for handle in handles] == ["Success", "Success"]
    assert "still works after the Runtime was closed" in capfd.readouterr().err
