"""Equal jobs dispatched with dedupe: each a job of its own, the work done once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from qtorch import (
    BaseJob,
    CachePolicy,
    EventLog,
    JobBuilder,
    JobCancelled,
    JobEvent,
    JobFailure,
    JobFailureEvent,
    JobHandle,
    JobOptions,
    JobResult,
    JobStartedEvent,
    JobStatus,
    JobSuccess,
    JobSuccessEvent,
    JobTimeout,
    RetryPolicy,
    Runtime,
    SignalBus,
    executes,
)
from tests.qtorch.execution.flights import begin, finish, is_left_behind
from tests.qtorch.execution.rig import Rig, SlowCache, ThreadJob, drive, run_of

pytestmark = pytest.mark.realtime


# -- what is shared, and what is not ----------------------------------------------------------------------------------


def test_equal_jobs_share_one_call_and_each_has_its_own_events(make_rig: Callable[..., Rig], runner: str) -> None:
    rig = make_rig(runner)
    data = object()
    work = rig.work("work", data)
    handles = begin(rig, runner, 3)
    assert len({handle.id for handle in handles}) == 3
    finish(rig, *handles)
    assert work.calls == 1
    for handle in handles:
        assert rig.types(handle) == ["Started", "Success"]
        assert [event.job is handle.job for event in rig.log.of(JobEvent) if event.job_id == handle.id] == [True, True]
        assert isinstance(handle.outcome, JobSuccess)
        assert handle.outcome.data is data
    assert not is_left_behind(rig)


def test_one_event_reaches_all_before_the_next_one(rig: Rig) -> None:
    rig.work("work", OSError("once"), 42, is_open=True)
    handles = [rig.dispatch("thread", dedupe=True, retry=RetryPolicy(base_delay=1.0)) for _ in range(3)]
    drive(lambda: handles[0].status is JobStatus.WAITING)
    rig.drain()
    rig.clock.advance(1.0)
    rig.end(*handles)
    order = [(type(event).__name__, event.correlation_id) for event in rig.log]
    wanted = ["JobStartedEvent", "JobRetryingEvent", "JobSuccessEvent"]
    assert order == [(name, handle.id) for name in wanted for handle in handles]


def test_a_plain_job_neither_joins_nor_is_joined(rig: Rig, own_runner: str) -> None:
    work = rig.work("work")
    handles = [rig.dispatch(own_runner, dedupe=dedupe) for dedupe in (False, True, False, True)]
    work.gate.open()
    rig.end(*handles)
    assert work.calls == 3


@pytest.mark.parametrize("other", [ThreadJob(name="b"), "another class"])
def test_jobs_of_another_payload_or_class_are_not_joined(rig: Rig, other: Any) -> None:
    works = [rig.work("a", is_open=True), rig.work("b", is_open=True)]
    first = rig.dispatch("thread", "a", dedupe=True)
    second = rig.owner.dispatch(rig.job("loop", "a") if isinstance(other, str) else other, dedupe=True)
    rig.end(first, second)
    assert sum(work.calls for work in works) == 2


def test_a_class_or_a_builder_can_say_dedupe_and_a_dispatch_can_switch_it_off(rig: Rig) -> None:
    class SharedJob(ThreadJob):
        default_options = JobOptions(dedupe=True)

    work = rig.work("work")
    handles = [rig.owner.dispatch(job) for job in (SharedJob(), JobBuilder(SharedJob()).with_dedupe().build())]
    handles.append(rig.owner.dispatch(SharedJob(), dedupe=False))
    handles.append(rig.owner.dispatch(JobBuilder(SharedJob()).with_dedupe(False).build()))
    work.gate.open()
    rig.end(*handles)
    assert work.calls == 3


class ListJob(BaseJob[int]):
    numbers: list[int]


class SizeJob(BaseJob[int]):
    numbers: list[int]

    def fingerprint(self) -> tuple[Any, ...]:
        return (SizeJob, len(self.numbers))


def test_an_unhashable_payload_raises_at_dispatch_and_nothing_is_dispatched(rig: Rig) -> None:
    rig.runtime.register(executes(ListJob)(lambda job: sum(job.numbers)))
    with pytest.raises(TypeError, match=r"ListJob was dispatched with dedupe=True.*\n.*override fingerprint"):
        rig.owner.dispatch(ListJob(numbers=[1]), dedupe=True)
    assert not rig.runtime.running_jobs
    assert not rig.owner.has_active_jobs


def test_the_fingerprint_says_which_jobs_are_equal(rig: Rig) -> None:
    rig.runtime.register(executes(SizeJob)(lambda job: sum(job.numbers)))
    handles = [rig.owner.dispatch(SizeJob(numbers=numbers), dedupe=True) for numbers in ([1, 2], [3, 4])]
    rig.end(*handles)
    assert [handle.outcome for handle in handles] == [JobSuccess(3), JobSuccess(3)]


class Moody:
    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")

    def __hash__(self) -> int:
        return 1


class MoodyJob(BaseJob[int]):
    mood: Any


def test_a_payload_whose_comparison_raises_is_reported_and_has_no_equal(rig: Rig) -> None:
    rig.runtime.register(executes(MoodyJob)(lambda job: 42))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.excepthook", lambda *_: None)
        handles = [rig.owner.dispatch(MoodyJob(mood=Moody()), dedupe=True) for _ in range(2)]
        rig.end(*handles)
    assert [handle.outcome for handle in handles] == [JobSuccess(42)] * 2
    assert [report.where for report in rig.reports] == ["MoodyJob.fingerprint"]
    rig.quiet()
    assert not is_left_behind(rig)


def test_two_runtimes_share_no_work(make_rig: Callable[..., Rig]) -> None:
    rigs = [make_rig(), make_rig()]
    for rig in rigs:
        rig.work("work", is_open=True)
        rig.end(rig.dispatch("thread", dedupe=True))
    assert [rig.works["work"].calls for rig in rigs] == [1, 1]


# -- each member is a job ---------------------------------------------------------------------------------------------


def test_members_on_two_buses_hear_their_own_events_there(rig: Rig) -> None:
    rig.work()
    other = SignalBus.scoped()
    log = EventLog(other)
    here = rig.dispatch("thread", dedupe=True)
    there = rig.runtime.dispatcher.dispatch(rig.job("thread"), bus=other, dedupe=True)
    finish(rig, here, there)
    assert rig.works["work"].calls == 1
    assert {event.correlation_id for event in rig.log} == {here.id}
    assert [type(event) for event in log.for_job(there.id)] == [JobStartedEvent, JobSuccessEvent]
    assert len(log) == 2
    other.close()


def test_tracking_counts_each_member_and_never_the_work(rig: Rig) -> None:
    rig.work()
    handles = begin(rig, "thread", 2, metadata={"n": 1})
    assert {handle.id for handle in rig.runtime.running_jobs} == {handle.id for handle in handles}
    assert rig.runtime.snapshot()["running"] == 2
    assert rig.owner.running(ThreadJob).get()
    handles[0].cancel()
    rig.drain()
    assert rig.owner.has_active_jobs
    assert rig.runtime.snapshot()["still_working"] == 0, "it works for a job that has not ended"
    finish(rig, *handles)
    assert not rig.owner.has_active_jobs
    assert rig.runtime.running_jobs == ()
    assert {event.correlation_id for event in rig.log} == {handle.id for handle in handles}
    assert handles[1].metadata == {"n": 1}


def test_each_member_can_be_awaited_by_its_handle_and_its_id(rig: Rig) -> None:
    rig.work("work", 7)
    handles = begin(rig, "thread")
    rig.works["work"].gate.open()

    async def wait() -> list[object]:
        bus = rig.runtime.bus
        return [await handles[0], await JobResult[Any].from_bus(bus, handles[1].id), await handles[1].result()]

    assert asyncio.run(wait()) == [7, JobSuccess(7), JobSuccess(7)]


def test_the_events_of_a_member_are_caused_by_what_caused_its_own_dispatch(rig: Rig) -> None:
    rig.work()
    first = rig.dispatch("thread", dedupe=True)
    joined: list[JobHandle[Any]] = []
    causes: list[int] = []

    def join(event: JobStartedEvent) -> None:
        causes.append(event.seq)
        joined.append(rig.dispatch("thread", dedupe=True))

    with rig.runtime.bus.subscribe(join, event_type=JobStartedEvent, job_id=first.id):
        drive(lambda: joined)
    finish(rig, first, *joined)
    assert [event.causation_id for event in rig.log.for_job(first.id)] == [None, None]
    assert [event.causation_id for event in rig.log.for_job(joined[0].id)] == causes * 2


def test_what_a_listener_dispatches_is_caused_by_the_event_of_that_member(rig: Rig) -> None:
    rig.work()
    rig.work("next", is_open=True)
    handles = begin(rig, "thread", 3)
    following: dict[str, JobHandle[Any]] = {}

    def follow(event: JobSuccessEvent[Any]) -> None:
        if event.job_id in {handle.id for handle in handles}:
            following[event.job_id] = rig.dispatch("thread", "next")

    with rig.runtime.bus.subscribe(follow, event_type=JobSuccessEvent):
        finish(rig, *handles)
        rig.quiet()
    for handle in handles:
        end = rig.log.for_job(handle.id)[-1]
        assert {event.causation_id for event in rig.log.for_job(following[handle.id].id)} == {end.seq}


# -- the outcome ------------------------------------------------------------------------------------------------------


def test_a_failure_reaches_all_as_the_same_error_without_frames(rig: Rig, own_runner: str) -> None:
    error = OSError("no route")
    work = rig.work("work", error)
    handles = begin(rig, own_runner, 3, retry=RetryPolicy(max_retries=1, base_delay=1.0))
    work.gate.open()
    drive(lambda: handles[0].status is JobStatus.WAITING)
    rig.clock.advance(1.0)
    rig.end(*handles)
    assert work.calls == 2
    for handle in handles:
        assert handle.outcome == JobFailure(error, 2)
        end = rig.log.for_job(handle.id)[-1]
        assert isinstance(end, JobFailureEvent)
        assert end.error is error
        assert end.error.__traceback__ is None
        assert "OSError: no route" in end.traceback
        assert end.attempts == 2


def test_timeout_and_retry_are_those_of_the_first(rig: Rig, own_runner: str) -> None:
    rig.work()
    first, second = begin(rig, own_runner, 1, timeout=5.0)[0], rig.dispatch(own_runner, dedupe=True, timeout=1.0)
    rig.drain()
    rig.clock.advance(2.0)
    rig.drain()
    assert second.outcome is None
    rig.clock.advance(3.0)
    rig.end(first, second)
    assert first.outcome == second.outcome == JobTimeout(5.0)
    rig.quiet()
    assert not is_left_behind(rig)


def test_after_the_outcome_an_equal_job_is_work_of_its_own_from_a_hook_of_the_end_too(rig: Rig) -> None:
    work = rig.work()
    first, second = begin(rig, "thread")
    again: list[JobHandle[Any]] = []

    def ask_again(event: object) -> None:
        if not again:
            assert second.outcome == JobSuccess(42), "all have the outcome before anybody hears of it"
            second.cancel()
            again.append(rig.dispatch("thread", dedupe=True))

    with rig.runtime.bus.subscribe(ask_again, event_type=JobSuccessEvent):
        finish(rig, first, second)
    rig.end(*again)
    assert work.calls == 2
    assert [rig.types(handle) for handle in (first, second, *again)] == [["Started", "Success"]] * 3


def test_while_the_result_is_written_to_a_slow_cache_an_equal_job_is_not_joined(make_rig: Callable[..., Rig]) -> None:
    cache = SlowCache()
    cache.read_gate.open()
    rig = make_rig(cache=cache)
    work = rig.work()
    policy = CachePolicy(key="key", force_refresh=True)
    handles = begin(rig, "loop", 2, cache=policy)
    work.gate.open()
    drive(cache.writing.is_set)
    rig.drain()
    assert [handle.outcome for handle in handles] == [JobSuccess(42)] * 2
    handles[0].cancel()
    late = rig.dispatch("loop", dedupe=True, cache=policy)
    cache.write_gate.open()
    rig.end(*handles, late)
    assert work.calls == 2
    assert len(cache.written) == 2
    assert [rig.types(handle) for handle in handles] == [["Started", "Success"]] * 2


def test_a_dialog_in_a_listener_of_one_members_end_lets_the_others_end_under_it(rig: Rig) -> None:
    rig.work()
    handles = begin(rig, "thread", 3)
    seen: list[list[bool]] = []

    def ask(event: JobSuccessEvent[Any]) -> None:
        if event.job_id == handles[0].id:
            drive(lambda: run_of(handles[2]).is_ended)
            seen.append([run_of(handle).is_ended for handle in handles])

    with rig.runtime.bus.subscribe(ask, event_type=JobSuccessEvent):
        finish(rig, *handles)
    assert seen == [[True] * 3]


def test_a_thousand_members_cost_each_no_more_than_ten(rig: Rig) -> None:
    def deliver(count: int) -> int:
        work = rig.work(str(count))
        handles = [rig.dispatch("thread", str(count), dedupe=True) for _ in range(count)]
        drive(work.begun.is_set)
        rig.drain()
        taken = []
        mailbox = rig.runtime.bus.core.mailbox
        refill = mailbox.cursor._refill
        mailbox.cursor._refill = lambda steps: taken.append(None) or refill(steps)  # type: ignore[func-returns-value]
        work.gate.open()
        rig.end(*handles)
        mailbox.cursor._refill = refill
        assert work.calls == 1
        return len(taken)

    few, many = deliver(10), deliver(1000)
    assert many <= few * 110


# -- from many threads ------------------------------------------------------------------------------------------------


def test_dispatches_from_many_threads_at_once_share_what_overlaps_and_lose_nobody(rig: Rig, own_runner: str) -> None:
    for number in range(200):
        work = rig.work(str(number), number)
        handles: list[JobHandle[Any]] = []
        ready = threading.Barrier(4)

        def dispatch(
            name: str = str(number),
            ready: threading.Barrier = ready,
            handles: list[JobHandle[Any]] = handles,
        ) -> None:
            ready.wait()
            handles.append(rig.runtime.dispatcher.dispatch(rig.job(own_runner, name), dedupe=True))

        threads = [threading.Thread(target=dispatch) for _ in range(4)]
        for thread in threads:
            thread.start()
        if number % 2:
            work.gate.open()
        for thread in threads:
            thread.join()
        if not number % 2:
            rig.drain()
            work.gate.open()
        rig.end(*handles)
        assert len(handles) == 4
        assert work.calls == 1 or number % 2
        for handle in handles:
            assert handle.outcome == JobSuccess(number)
            assert rig.types(handle) == ["Started", "Success"]
    rig.quiet()
    assert not is_left_behind(rig)


# -- the end of everything --------------------------------------------------------------------------------------------


def test_closing_the_runtime_ends_all_members_and_the_work(rig: Rig, own_runner: str) -> None:
    work = rig.work()
    handles = begin(rig, own_runner, 3)
    rig.runtime.close()
    assert [handle.outcome for handle in handles] == [JobCancelled("runtime closed")] * 3
    assert work.ended.is_set()
    assert [rig.types(handle) for handle in handles] == [["Started", "Cancelled"]] * 3
    assert not is_left_behind(rig)


def test_stuck_work_is_named_by_the_job_that_began_it(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.work(is_deaf=True)
    first, second = begin(rig, "thread")
    first.cancel()
    second.cancel()
    rig.drain()
    assert rig.runtime.snapshot()["still_working_jobs"] == (first.id,)
    Runtime.close(rig.runtime, 0.01)
    assert f"{first.id} (ThreadJob)" in caplog.text
