"""Work on threads: how many, in which order, and what becomes of work that never stops."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

import pytest

from qtorch import SEQUENTIAL, BaseExecutor, BaseJob, JobStatus, executes
from tests.qtorch.execution.rig import Rig, ThreadJob, drive

pytestmark = pytest.mark.realtime


class CountJob(BaseJob[int]):
    number: int = 0


def idle(rig: Rig) -> int:
    return rig.runtime.snapshot()["runners"]["threads"]["idle"]


def threads(rig: Rig) -> int:
    return rig.runtime.snapshot()["runners"]["threads"]["threads"]


def begun(rig: Rig) -> list[str]:
    return [name for name, work in rig.works.items() if work.begun.is_set()]


def test_as_many_jobs_run_at_once_as_there_are_threads(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(threads=3)
    for number in range(5):
        rig.work(str(number))
    handles = [rig.dispatch("thread", str(number)) for number in range(5)]
    drive(lambda: len(begun(rig)) == 3)
    rig.drain()
    assert begun(rig) == ["0", "1", "2"]
    assert [handle.status for handle in handles] == [JobStatus.RUNNING] * 3 + [JobStatus.QUEUED] * 2
    rig.works["1"].gate.open()
    drive(lambda: len(begun(rig)) == 4)
    assert threads(rig) == 3
    rig.open_all()
    rig.end(*handles)


def test_waiting_jobs_run_by_priority_then_in_order(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(threads=1)
    blocker = rig.work("blocker")
    rig.dispatch("thread", "blocker")
    order: list[int] = []

    @executes(CountJob)
    def count(job: CountJob) -> int:
        order.append(job.number)
        return job.number

    rig.runtime.register(count)
    handles = [rig.owner.dispatch(CountJob(number=n), priority=p) for n, p in enumerate([0, 5, 0, 10, 5, -1])]
    blocker.gate.open()
    rig.end(*handles)
    assert order == [3, 1, 4, 0, 2, 5]


def test_a_waiting_job_gains_a_step_of_priority_every_five_seconds(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(threads=1)
    blocker = rig.work("blocker")
    rig.dispatch("thread", "blocker")
    order: list[int] = []

    @executes(CountJob)
    def count(job: CountJob) -> int:
        order.append(job.number)
        return job.number

    rig.runtime.register(count)
    handles = [rig.owner.dispatch(CountJob(number=0), priority=0)]
    rig.clock.advance(5.1)
    handles.append(rig.owner.dispatch(CountJob(number=1), priority=1))
    handles.append(rig.owner.dispatch(CountJob(number=2), priority=2))
    blocker.gate.open()
    rig.end(*handles)
    assert order == [2, 0, 1]


def test_thread_locals_last_from_job_to_job(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(threads=1)
    local = threading.local()

    @executes(CountJob)
    def count(job: CountJob) -> int:
        local.jobs = getattr(local, "jobs", 0) + 1
        return local.jobs

    rig.runtime.register(count)
    for expected in (1, 2, 3):
        handle = rig.owner.dispatch(CountJob())
        rig.end(handle)
        assert handle.outcome is not None
        assert handle.outcome.unwrap() == expected


def test_a_process_never_runs_on_the_gui_thread(rig: Rig) -> None:
    work = rig.work(is_open=True)
    rig.end(rig.dispatch("thread"))
    assert work.threads != [threading.get_ident()]


# -- work that ignores its token --------------------------------------------------------------------------------------


def test_the_pool_goes_on_at_full_strength_beside_work_that_never_stops(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(threads=2)
    deaf = [rig.work(f"deaf{n}", is_deaf=True) for n in range(2)]
    stuck = [rig.dispatch("thread", f"deaf{n}") for n in range(2)]
    drive(lambda: all(work.begun.is_set() for work in deaf))
    for handle in stuck:
        handle.cancel()
    rig.end(*stuck)
    assert [handle.is_working for handle in stuck] == [True, True]
    assert all(event.still_running for event in rig.log.cancelled)
    assert rig.runtime.snapshot()["still_working"] == 2

    for name in ("a", "b", "c"):
        rig.work(name)
    others = [rig.dispatch("thread", name) for name in ("a", "b", "c")]
    drive(lambda: rig.works["a"].begun.is_set() and rig.works["b"].begun.is_set())
    rig.drain()
    assert others[2].status is JobStatus.QUEUED, "more than two others ran"
    assert threads(rig) == 4

    rig.open_all()
    rig.end(*others)
    rig.quiet()
    assert not any(handle.is_working for handle in stuck)
    assert rig.runtime.snapshot()["still_working"] == 0


def test_at_most_twice_as_many_threads_are_started(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(threads=1)
    for number in range(3):
        rig.work(str(number), is_deaf=True)
    handles = [rig.dispatch("thread", str(number)) for number in range(3)]
    for number in range(2):
        drive(rig.works[str(number)].begun.is_set)
        handles[number].cancel()
    rig.end(*handles[:2])
    assert threads(rig) == 2
    assert not rig.works["2"].begun.is_set()
    rig.works["0"].gate.open()
    drive(rig.works["2"].begun.is_set)


def test_a_queued_job_gets_the_place_of_work_that_is_given_up(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(threads=1)
    deaf = rig.work("deaf", is_deaf=True)
    stuck = rig.dispatch("thread", "deaf", timeout=5)
    drive(deaf.begun.is_set)
    rig.work("queued", is_open=True)
    queued = rig.dispatch("thread", "queued")
    rig.drain()
    assert queued.status is JobStatus.QUEUED
    rig.clock.advance(5)
    rig.end(stuck, queued)
    assert queued.status is JobStatus.SUCCEEDED


def test_extra_threads_are_used_no_more_once_the_stuck_work_has_ended(make_rig: Callable[..., Rig]) -> None:
    # Two idle threads where one is allowed: the work must neither run on both nor wait for one that went home.
    rig = make_rig(threads=1)
    deaf = rig.work("deaf", is_deaf=True)
    stuck = rig.dispatch("thread", "deaf")
    drive(deaf.begun.is_set)
    stuck.cancel()
    rig.work("beside", is_open=True)
    rig.end(stuck, rig.dispatch("thread", "beside"))
    deaf.gate.open()
    rig.quiet()
    drive(lambda: idle(rig) == threads(rig))

    first, second = rig.work("first"), rig.work("second")
    handles = [rig.dispatch("thread", "first"), rig.dispatch("thread", "second")]
    drive(first.begun.is_set)
    rig.drain()
    assert not second.begun.is_set()
    assert handles[1].status is JobStatus.QUEUED
    rig.open_all()
    rig.end(*handles)


def test_a_sequential_lane_is_held_until_the_work_has_really_ended(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(threads=2)
    deaf = rig.work("deaf", is_deaf=True)
    stuck = rig.dispatch("thread", "deaf", lane="writes", policy=SEQUENTIAL)
    drive(deaf.begun.is_set)
    following = rig.work("following", is_open=True)
    handle = rig.dispatch("thread", "following", lane="writes")
    stuck.cancel()
    rig.end(stuck)
    assert not following.begun.is_set(), "two writes overlap"
    assert handle.status is JobStatus.QUEUED
    deaf.gate.open()
    rig.end(handle)
    assert handle.status is JobStatus.SUCCEEDED


def test_max_concurrency_is_held_until_the_work_has_really_ended(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(threads=2)
    rig.limit_executors(1)
    deaf = rig.work("deaf", is_deaf=True)
    stuck = rig.dispatch("thread", "deaf", timeout=5)
    drive(deaf.begun.is_set)
    following = rig.work("following", is_open=True)
    handle = rig.dispatch("thread", "following")
    rig.drain()
    rig.clock.advance(5)
    rig.end(stuck)
    assert not following.begun.is_set()
    deaf.gate.open()
    rig.end(handle)


def test_max_concurrency_lets_in_as_many_as_it_says_by_priority(make_rig: Callable[..., Rig], runner: str) -> None:
    rig = make_rig(runner, threads=8)
    rig.limit_executors(2)
    for number in range(4):
        rig.work(str(number))
    handles = [rig.dispatch(runner, str(n), priority=p) for n, p in enumerate([0, 0, 0, 5])]
    drive(lambda: len(begun(rig)) == 2)
    rig.drain()
    assert begun(rig) == ["0", "1"]
    rig.works["0"].gate.open()
    drive(lambda: len(begun(rig)) == 3)
    assert begun(rig) == ["0", "1", "3"]
    rig.open_all()
    rig.end(*handles)


def test_a_queued_job_that_is_cancelled_never_runs(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(threads=1)
    blocker = rig.work("blocker")
    rig.dispatch("thread", "blocker")
    work = rig.work("queued", is_open=True)
    handle = rig.dispatch("thread", "queued")
    rig.drain()
    handle.cancel("no more")
    rig.end(handle)
    [event] = rig.log.cancelled
    assert not event.still_running
    assert rig.types(handle) == ["Cancelled"]
    blocker.gate.open()
    rig.quiet()
    assert work.calls == 0


# -- what process may do wrong ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), BaseException("bare")])
def test_every_kind_of_exception_is_a_failure_of_the_job_alone(
    make_rig: Callable[..., Rig], runner: str, error: BaseException
) -> None:
    rig = make_rig(runner)
    rig.work("work", error, is_open=True)
    handle = rig.dispatch(runner)
    rig.end(handle)
    assert rig.types(handle) == ["Started", "Failure"]
    assert rig.log.failures[0].error is error
    rig.work("next", is_open=True)
    following = rig.dispatch(runner, "next")
    rig.end(following)
    assert following.status is JobStatus.SUCCEEDED


def test_an_error_arrives_without_its_frames_and_with_its_traceback_as_text(
    make_rig: Callable[..., Rig], runner: str
) -> None:
    rig = make_rig(runner)
    error = ValueError("outer")
    error.__cause__ = cause = OSError("inner")
    rig.work("work", error, is_open=True)
    rig.end(rig.dispatch(runner))
    [failure] = rig.log.failures
    assert failure.error is error
    assert error.__traceback__ is None
    assert cause.__traceback__ is None
    assert "in process" in failure.traceback
    assert "inner" in failure.traceback


def test_an_error_that_cannot_be_printed_is_a_failure_all_the_same(rig: Rig) -> None:
    class Unprintable(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

        __repr__ = __str__

    rig.work("work", Unprintable(), is_open=True)
    rig.end(rig.dispatch("thread"))
    assert isinstance(rig.log.failures[0].error, Unprintable)


def test_a_process_that_returns_an_awaitable_is_told_to_be_async(rig: Rig) -> None:
    class Forgetful(BaseExecutor[CountJob]):
        def process(self, job: CountJob) -> object:
            async def answer() -> int:
                return 1

            return answer()  # would warn "never awaited" if it were just dropped

    rig.runtime.register(Forgetful())
    handle = rig.owner.dispatch(CountJob())
    rig.end(handle)
    [failure] = rig.log.failures
    assert isinstance(failure.error, TypeError)
    assert "Forgetful.process" in failure.error_message
    assert "async def" in failure.error_message


def test_a_pool_thread_is_seen_by_debuggers_and_coverage(make_rig: Callable[..., Rig]) -> None:
    traced: set[str] = set()

    def trace(frame: object, event: str, arg: object) -> None:
        traced.add(frame.f_code.co_name)  # type: ignore[attr-defined]

    before = threading.gettrace()
    threading.settrace(trace)
    try:
        rig = make_rig()
        rig.work(is_open=True)
        rig.end(rig.dispatch("thread"))
    finally:
        threading.settrace(before)  # type: ignore[arg-type]
    assert "process" in traced
    assert sys.gettrace() is not trace


def test_nothing_of_a_job_is_held_by_an_idle_thread(rig: Rig) -> None:
    import gc
    import weakref

    class Payload:
        pass

    payload = Payload()
    gone = weakref.ref(payload)
    rig.work("work", payload, is_open=True)
    del payload
    handle = rig.dispatch("thread")
    rig.end(handle)
    rig.works.clear()
    rig.log.clear()
    rig.runtime.bus.core.jobs._ended.clear()
    del handle
    drive(lambda: idle(rig) == threads(rig))
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("threads", [0, -1])
def test_a_pool_without_threads_is_refused(make_rig: Callable[..., Rig], threads: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        make_rig(threads=threads)


def test_a_thousand_jobs_from_four_threads_all_end_once(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(threads=4)
    rig.work(is_open=True)
    handles = []

    def send() -> None:
        handles.extend(rig.runtime.dispatcher.dispatch(ThreadJob()) for _ in range(250))

    senders = [threading.Thread(target=send) for _ in range(4)]
    for sender in senders:
        sender.start()
    drive(lambda: not any(sender.is_alive() for sender in senders))
    rig.end(*handles)
    assert len({event.correlation_id for event in rig.log.terminal}) == len(rig.log.terminal) == 1000
    seqs = [event.seq for event in rig.log]
    assert seqs == sorted(set(seqs))
