"""What dispatch returns: awaited from anywhere, at any time."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import traceback
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from qtorch import (
    BaseJob,
    JobCancelled,
    JobCancelledError,
    JobFailure,
    JobHandle,
    JobResult,
    JobStatus,
    JobSuccess,
    JobTimeout,
    JobTimeoutError,
    RetryPolicy,
    Runtime,
    UnknownJobError,
    executes,
)
from tests.qtorch.execution.rig import PATIENCE, Rig, drive, elsewhere

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

pytestmark = pytest.mark.realtime


class SquareJob(BaseJob[int]):
    number: int = 3


class FlakyJob(BaseJob[str]):
    failures: int = 1


def in_a_loop_elsewhere(waiting: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Run the coroutine ``waiting()`` in a loop of another thread; give the thread and where its result goes."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(asyncio.run(waiting())))
    thread.start()
    return thread, results


def test_the_outcome_can_be_awaited_many_times_from_many_loops_before_and_after_the_end(rig: Rig) -> None:
    work = rig.work("work", "data")
    handle = rig.dispatch("thread")

    async def twice() -> list[object]:
        return [await handle.result(), await handle.result(), await handle]

    waiters = [in_a_loop_elsewhere(twice) for _ in range(3)]
    drive(work.begun.is_set)
    work.gate.open()
    rig.end(handle)
    waiters.append(in_a_loop_elsewhere(twice))
    for thread, results in waiters:
        thread.join(PATIENCE)
        assert results == [[JobSuccess("data"), JobSuccess("data"), "data"]]


@pytest.mark.parametrize("runner", ["thread", "loop"])
def test_the_outcome_can_be_awaited_after_the_runtime_is_closed(rig: Rig, runner: str) -> None:
    rig.work("work", 1, is_open=True)
    ended = rig.dispatch(runner)
    rig.end(ended)
    rig.work("cut off")
    cut_off = rig.dispatch(runner, "cut off")
    rig.runtime.close()
    assert asyncio.run(ended.result()) == JobSuccess(1)
    assert asyncio.run(cut_off.result()) == JobCancelled("runtime closed")


def test_a_waiter_elsewhere_is_woken_by_close(rig: Rig) -> None:
    work = rig.work()
    handle = rig.dispatch("thread")
    drive(work.begun.is_set)
    thread, results = in_a_loop_elsewhere(handle.result)
    drive(lambda: handle._run.waiters is not None)
    rig.runtime.close()
    thread.join(PATIENCE)
    assert results == [JobCancelled("runtime closed")]


def test_cancelling_the_waiter_does_not_cancel_the_job(rig: Rig) -> None:
    work = rig.work("work", 5)
    handle = rig.dispatch("thread")

    async def give_up() -> None:
        task = asyncio.create_task(handle.result())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(TimeoutError):
            await JobResult.from_bus(rig.runtime.bus, handle, timeout=0.001)

    elsewhere(lambda: asyncio.run(give_up()))
    work.gate.open()
    rig.end(handle)
    assert handle.status is JobStatus.SUCCEEDED


def test_a_waiter_whose_loop_was_closed_keeps_nobody_from_hearing(rig: Rig) -> None:
    work = rig.work("work", 5)
    handle = rig.dispatch("thread")
    loop = asyncio.new_event_loop()
    task = loop.create_task(handle.result())
    elsewhere(lambda: loop.run_until_complete(asyncio.sleep(0)))
    task.cancel()
    elsewhere(lambda: loop.run_until_complete(asyncio.gather(task, return_exceptions=True)))
    loop.close()
    called: list[JobStatus] = []
    handle.add_done_callback(lambda h: called.append(h.status))
    thread, results = in_a_loop_elsewhere(handle.result)
    work.gate.open()
    rig.end(handle)
    thread.join(PATIENCE)
    assert results == [JobSuccess(5)]
    assert called == [JobStatus.SUCCEEDED]


@pytest.mark.parametrize(
    ("end", "error"),
    [
        (lambda rig, handle: handle.cancel("why"), JobCancelledError),
        (lambda rig, handle: rig.clock.advance(9), JobTimeoutError),
    ],
)
def test_await_raises_what_the_job_ended_in(
    rig: Rig, end: Callable[[Rig, JobHandle[Any]], None], error: type[Exception]
) -> None:
    work = rig.work()
    handle = rig.dispatch("thread", timeout=9)
    drive(work.begun.is_set)
    rig.drain()
    end(rig, handle)
    rig.end(handle)

    async def wait() -> None:
        with pytest.raises(error):
            await handle

    elsewhere(lambda: asyncio.run(wait()))


def test_await_raises_the_very_error_of_the_job_each_time_with_frames_of_its_own(rig: Rig) -> None:
    error = ValueError("mine")
    rig.work("work", error, is_open=True)
    handle = rig.dispatch("thread")
    rig.end(handle)

    async def depth() -> int:
        try:
            await handle
        except ValueError:
            assert sys.exception() is error
            return len(traceback.extract_tb(error.__traceback__))
        raise AssertionError("nothing was raised")

    depths = [asyncio.run(depth()) for _ in range(3)]
    assert len(set(depths)) == 1, "frames of earlier raises pile up on the error"


# -- a loop that Qt does not drive, on the GUI thread -----------------------------------------------------------------


@executes(SquareJob)
def square(job: SquareJob) -> int:
    return job.number**2


@pytest.fixture
def real_runtime(qapp: QApplication) -> Any:
    """A Runtime on real time."""
    failed: list[int] = []

    @executes(FlakyJob)
    async def flaky(job: FlakyJob) -> str:
        if len(failed) < job.failures:
            failed.append(1)
            raise OSError("not yet")
        await asyncio.sleep(0)
        return "at last"

    runtime = Runtime(executors=[square, flaky], strict=True)
    yield runtime
    runtime.close()


def test_under_asyncio_run_on_the_gui_thread_the_waiter_drives_bus_and_clock(real_runtime: Runtime) -> None:
    async def main() -> list[object]:
        dispatch = real_runtime.dispatcher.dispatch
        results: list[object] = [await dispatch(SquareJob(number=4))]
        # The retry wait is the clock's, which Qt would drive.
        results.append(await dispatch(FlakyJob(), retry=RetryPolicy(max_retries=1, base_delay=0.01)))
        results += await asyncio.gather(*(dispatch(SquareJob(number=n)) for n in range(50)))
        return results

    assert asyncio.run(main()) == [16, "at last", *(n**2 for n in range(50))]


def test_under_asyncio_run_a_timeout_is_heard_too(real_runtime: Runtime) -> None:
    class SleepJob(BaseJob[None]):
        pass

    @executes(SleepJob)
    async def sleep(job: SleepJob) -> None:
        await asyncio.sleep(3600)

    real_runtime.register(sleep)

    async def main() -> object:
        return await real_runtime.dispatcher.dispatch(SleepJob(), timeout=0.02).result()

    assert asyncio.run(main()) == JobTimeout(0.02)


def test_under_asyncio_run_hooks_and_done_callbacks_run_while_somebody_waits(real_runtime: Runtime) -> None:
    heard: list[str] = []
    real_runtime.bus.subscribe(lambda event: heard.append(type(event).__name__))

    async def main() -> None:
        handle = real_runtime.dispatcher.dispatch(SquareJob())
        handle.add_done_callback(lambda h: heard.append(h.status.value))
        await handle

    asyncio.run(main())
    assert heard == ["JobStartedEvent", "JobSuccessEvent", "succeeded"]


def test_a_foreign_loop_is_let_go_of_once_nobody_waits(real_runtime: Runtime) -> None:
    async def main() -> None:
        await real_runtime.dispatcher.dispatch(SquareJob())

    for _ in range(3):
        asyncio.run(main())
    assert not real_runtime.bus.core.mailbox.drivers
    handle = real_runtime.dispatcher.dispatch(SquareJob())  # Qt drives again, and no closed loop is woken
    drive(lambda: handle.status.is_final)


def test_a_waiter_that_is_cancelled_under_asyncio_run_lets_the_loop_go(real_runtime: Runtime) -> None:
    class NeverJob(BaseJob[None]):
        pass

    @executes(NeverJob)
    async def never(job: NeverJob) -> None:
        await asyncio.sleep(3600)

    real_runtime.register(never)
    handles = []

    async def main() -> None:
        handles.append(real_runtime.dispatcher.dispatch(NeverJob()))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await handles[0]

    asyncio.run(main())
    assert not real_runtime.bus.core.mailbox.drivers
    assert handles[0].status is JobStatus.RUNNING


@pytest.mark.asyncio
async def test_a_native_coroutine_test_awaits_jobs(real_runtime: Runtime) -> None:
    assert await real_runtime.dispatcher.dispatch(SquareJob(number=5)) == 25


def test_a_qasync_task_on_the_gui_thread_awaits_jobs(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig("qasync")
    rig.work("work", 6, is_open=True)
    handle = rig.dispatch("qasync")

    async def wait() -> object:
        return await handle

    task = rig.loop.create_task(wait())
    drive(task.done)
    assert task.result() == 6
    assert not rig.runtime.bus.core.mailbox.drivers, "Qt drives this loop already"


# -- by handle and by id ----------------------------------------------------------------------------------------------


def test_from_bus_takes_a_handle_at_any_time_and_an_id_while_it_is_known(rig: Rig) -> None:
    work = rig.work("work", "data")
    handle = rig.dispatch("thread")
    bus = rig.runtime.bus
    thread, results = in_a_loop_elsewhere(lambda: JobResult.from_bus(bus, handle.id))
    drive(work.begun.is_set)
    work.gate.open()
    rig.end(handle)
    thread.join(PATIENCE)
    assert results == [JobSuccess("data")]
    assert asyncio.run(JobResult.from_bus(bus, handle.id)) == JobSuccess("data")
    assert asyncio.run(JobResult.from_bus(bus, handle)) == JobSuccess("data")


def test_an_id_is_known_for_a_thousand_jobs_and_then_as_long_as_its_handle_lives(rig: Rig) -> None:
    rig.runtime.register(square)
    dispatch = rig.runtime.dispatcher.dispatch
    held, forgotten = dispatch(SquareJob(number=2)), dispatch(SquareJob(number=3))
    forgotten_id = forgotten.id
    rig.end(held, forgotten)
    del forgotten
    bus = rig.runtime.bus
    others = [dispatch(SquareJob()) for _ in range(998)]
    rig.end(*others)
    assert asyncio.run(JobResult.from_bus(bus, forgotten_id)) == JobSuccess(9)
    others += [dispatch(SquareJob()) for _ in range(5)]
    rig.end(*others)
    rig.log.clear()
    gc.collect()
    assert asyncio.run(JobResult.from_bus(bus, held.id)) == JobSuccess(4)
    with pytest.raises(UnknownJobError, match=forgotten_id):
        asyncio.run(JobResult.from_bus(bus, forgotten_id))
    with pytest.raises(UnknownJobError, match="JobHandle"):
        asyncio.run(JobResult.from_bus(bus, "never-was"))


# -- done callbacks ---------------------------------------------------------------------------------------------------


def test_done_callbacks_run_in_order_right_after_the_terminal_event_on_the_gui_thread(rig: Rig) -> None:
    heard: list[Any] = []
    work = rig.work()
    handle = rig.dispatch("thread")
    rig.runtime.bus.subscribe(lambda event: heard.append(type(event).__name__), job_id=handle.id)
    handle.add_done_callback(lambda h: heard.append(("first", h is not None and h.id, threading.get_ident())))
    elsewhere(lambda: handle.add_done_callback(lambda _: heard.append("second")))
    work.gate.open()
    rig.end(handle)
    drive(lambda: "second" in heard)
    assert heard[-3:] == ["JobSuccessEvent", ("first", handle.id, threading.get_ident()), "second"]


def test_done_callbacks_of_a_job_come_before_the_events_of_the_next(rig: Rig) -> None:
    order: list[str] = []
    for name in ("a", "b"):
        rig.work(name, is_open=True)
    handles = {name: rig.dispatch("thread", name) for name in ("a", "b")}
    names = {handle.id: name for name, handle in handles.items()}
    rig.runtime.bus.subscribe(lambda e: order.append(f"{names[e.correlation_id]} ended") if e.is_terminal else None)
    for name, handle in handles.items():
        handle.add_done_callback(lambda _, name=name: order.append(f"{name} done"))
    rig.end(*handles.values())
    rig.drain()
    first, second = order[0][0], order[2][0]
    assert order == [f"{first} ended", f"{first} done", f"{second} ended", f"{second} done"]


def test_a_done_callback_that_is_added_late_is_called_soon_but_never_at_once(rig: Rig) -> None:
    rig.work(is_open=True)
    handle = rig.dispatch("thread")
    rig.end(handle)
    called: list[JobHandle[Any]] = []
    handle.add_done_callback(called.append)
    assert called == []
    drive(lambda: called)
    assert called == [handle]


def test_a_done_callback_that_raises_is_reported_and_the_others_are_called(rig: Rig, qtbot: QtBot) -> None:
    error = RuntimeError("in the callback")
    called: list[str] = []

    def bad(_: object) -> None:
        raise error

    rig.work(is_open=True)
    handle = rig.dispatch("thread")
    handle.add_done_callback(bad)
    handle.add_done_callback(lambda _: called.append("good"))
    with qtbot.captureExceptions() as seen:
        rig.end(handle)
        handle.add_done_callback(bad)
        drive(lambda: len(rig.reports) == 2)
    assert called == ["good"]
    assert [report.error for report in rig.reports] == [error, error]
    assert [caught for _, caught, _ in seen] == [error, error]
    assert handle.status is JobStatus.SUCCEEDED


def test_a_handle_is_of_its_run_and_lets_go_of_it(rig: Rig) -> None:
    rig.work(is_open=True)
    handle = rig.dispatch("thread")
    assert handle == rig.runtime.bus.find_handle(handle.id)
    assert len({handle, rig.runtime.bus.find_handle(handle.id)}) == 1
    assert handle.id in repr(handle)
    rig.end(handle)
    gone = weakref.ref(handle._run)
    handle_2 = rig.dispatch("thread")
    rig.end(handle_2)
    rig.log.clear()
    rig.runtime.bus.core.jobs._ended.clear()
    del handle
    gc.collect()
    drive(lambda: gone() is None)


def test_a_failed_job_gives_its_error_and_attempts(rig: Rig) -> None:
    error = OSError()
    rig.work("work", error, is_open=True)
    handle = rig.dispatch("thread")
    rig.end(handle)
    assert asyncio.run(handle.result()) == JobFailure(error, 1)
    assert handle.outcome == JobFailure(error, 1)
