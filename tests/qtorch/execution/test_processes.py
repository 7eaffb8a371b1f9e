"""Jobs in worker processes: what crosses the border, and in which order."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from qtorch import (
    SEQUENTIAL,
    BaseExecutor,
    CachePolicy,
    JobFailure,
    JobItemsEvent,
    JobProgressEvent,
    JobStatus,
    JobSuccess,
    NoRetry,
    NotPicklableError,
    RemoteError,
    RetryPolicy,
)
from tests.qtorch.execution import process_work
from tests.qtorch.execution.process_work import FunctionJob, HeldJob, Holder, ProcessJob, Processor
from tests.qtorch.execution.processes import Processes, gone, processes
from tests.qtorch.execution.rig import drive, elsewhere, run_of

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QApplication

pytestmark = pytest.mark.realtime


@pytest.fixture(scope="module")
def shared(qapp: QApplication) -> Iterator[Processes]:
    with processes() as made:
        yield made


def error_of(outcome: Any) -> BaseException:
    assert isinstance(outcome, JobFailure), outcome
    return outcome.error


# -- there and back ---------------------------------------------------------------------------------------------------


def test_the_work_is_done_in_the_main_thread_of_another_process(shared: Processes) -> None:
    outcome = shared.do("where")
    assert isinstance(outcome, JobSuccess)
    pid, _, is_main = outcome.data
    assert pid != os.getpid()
    assert is_main


def test_a_worker_runs_without_qt(qapp: QApplication) -> None:
    with processes(size=1) as fresh:  # what a shared worker did before may have needed Qt
        assert fresh.do("qt") == JobSuccess([])


def test_a_worker_keeps_its_executor_between_jobs(shared: Processes) -> None:
    calls = [shared.do("where").data for _ in range(3)]
    assert len({pid for pid, *_ in calls}) == 1
    first = calls[0][1]
    assert [number for _, number, _ in calls] == [first, first + 1, first + 2]


def test_another_state_of_the_executor_is_another_executor_in_the_worker(shared: Processes) -> None:
    before = shared.do("where").data
    executor: Any = shared.runtime.dispatcher.registered_executors[ProcessJob]
    executor.tag = "other"
    assert shared.do("where").data == (before[0], 1, True)
    executor.tag = ""
    assert shared.do("where").data == (before[0], before[1] + 1, True)


def test_a_worker_forgets_the_executors_it_has_not_used_for_long(shared: Processes) -> None:
    executor: Any = shared.runtime.dispatcher.registered_executors[ProcessJob]
    for number in range(40):
        executor.tag = f"tag {number}"
        assert shared.do("where").data[1] == 1
    for number in (39, 30, 3):
        executor.tag = f"tag {number}"
        assert shared.do("where").data[1] == (1 if number == 3 else 2)
    executor.tag = ""


def test_a_function_can_be_done_in_a_process(shared: Processes) -> None:
    handle = shared.runtime.dispatcher.dispatch(FunctionJob())
    shared.end(handle)
    assert isinstance(handle.outcome, JobSuccess)
    assert handle.outcome.data != os.getpid()


def test_a_job_as_large_as_you_like_crosses_both_ways(shared: Processes) -> None:
    assert shared.do("length", bytes(20_000_000)) == JobSuccess(20_000_000)
    assert len(shared.do("big", 20_000_000).data) == 20_000_000


def test_jobs_may_be_dispatched_from_any_thread(shared: Processes) -> None:
    handles: list[Any] = []
    elsewhere(lambda: handles.extend(shared.start("give", number) for number in range(20)))
    shared.end(*handles)
    assert [handle.outcome for handle in handles] == [JobSuccess(number) for number in range(20)]


def test_the_result_can_be_cached(shared: Processes) -> None:
    policy = CachePolicy(key="of a process", revalidate=False)
    first = shared.do("where", cache=policy)
    again = shared.start("where", cache=policy)
    shared.end(again)
    assert again.outcome == first
    assert shared.types(again) == ["Started", "CacheHit", "Success"]


# -- what a job tells -------------------------------------------------------------------------------------------------


def test_progress_and_steps_come_before_the_result(shared: Processes) -> None:
    handle = shared.start("steps", 5)
    shared.end(handle)
    events = shared.log.for_job(handle.id)
    assert shared.types(handle)[0] == "Started"
    assert shared.types(handle)[-1] == "Success"
    last = events[-2]
    assert isinstance(last, JobProgressEvent)
    assert (last.progress, last.current_step, last.total_steps, last.message) == (1.0, 5, 5, "step 5")


def test_a_flood_of_progress_is_told_at_most_once_a_frame(shared: Processes) -> None:
    queue = shared.runtime.bus.core.mailbox.queue
    handle = shared.start("steps", 50_000)
    longest = 0

    def is_over() -> bool:
        nonlocal longest
        longest = max(longest, len(queue))
        return run_of(handle).is_ended

    drive(is_over)
    assert handle.progress == 1.0
    assert len(shared.types(handle)) < 2_000, "the worker sends every report"
    assert longest < 50


def test_the_latest_progress_is_told_while_the_work_goes_on_in_silence(shared: Processes, tmp_path: Path) -> None:
    handle = shared.start("last_step_then_silence", str(tmp_path / "go"))
    drive(lambda: len(shared.types(handle)) > 1)
    # Fake time stands still, so the second one would not be told in this process: it has come here all the same.
    progress: Any = run_of(handle)._progress
    drive(lambda: handle.progress == 0.7 or progress.pending is not None)
    shared.clock.advance(0.02)
    drive(lambda: handle.progress == 0.7)
    (tmp_path / "go").touch()
    shared.end(handle)


def test_threads_of_the_work_may_tell_its_progress(shared: Processes) -> None:
    handle = shared.start("steps_from_a_thread")
    shared.end(handle)
    assert shared.types(handle) == ["Started", "Progress", "Success"]


def test_log_records_are_handled_here_by_the_logger_of_their_name(
    shared: Processes, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    logging.getLogger("app.unheard").setLevel(logging.WARNING)
    with caplog.at_level(logging.DEBUG, "app.heard"):
        for pid in shared.pool.pids:  # levels are those of when a worker starts
            os.kill(pid, 9)
        shared.idle(0)
        caplog.clear()
        assert shared.do("log") == JobSuccess(None)
    records = [record for record in caplog.records if record.name.startswith("app.")]
    assert [(record.name, record.getMessage()) for record in records] == [
        ("app.heard", "debug 1"),
        ("app.unheard", "warned"),
        ("app.heard", "it failed"),
    ]
    assert records[1].number == 7  # type: ignore[attr-defined]
    assert "lock" in records[1].lock  # type: ignore[attr-defined]  # what does not pickle comes as its text
    assert "ValueError: logged" in (records[2].exc_text or "")
    assert records[0].process != os.getpid()
    logging.getLogger("app.unheard").setLevel(logging.NOTSET)


def test_a_handler_that_raises_changes_nothing(shared: Processes) -> None:
    class Raising(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise OSError("on purpose")

    handler = Raising()
    logging.getLogger("app").addHandler(handler)
    try:
        assert shared.do("log") == JobSuccess(None)
    finally:
        logging.getLogger("app").removeHandler(handler)


# -- streams ----------------------------------------------------------------------------------------------------------


def items(shared: Processes, handle: Any) -> list[Any]:
    return [item for event in shared.log.for_job(handle.id) if isinstance(event, JobItemsEvent) for item in event.items]


def test_every_item_of_a_stream_comes_in_order_and_before_the_end(shared: Processes) -> None:
    handle = shared.start("count", 30_000)

    def is_over() -> bool:
        shared.clock.advance(0.016)
        return run_of(handle).is_ended

    drive(is_over)
    assert handle.outcome == JobSuccess(29_999)
    assert items(shared, handle) == list(range(30_000))
    assert shared.types(handle)[-1] == "Success"


def test_a_stream_waits_while_nobody_takes_its_items(shared: Processes, tmp_path: Path) -> None:
    path = tmp_path / "closed"
    handle = shared.start("count_for_ever", str(path))
    # Fake time stands, so only the first batch is told: the others are held back, here and in the worker.
    run: Any = run_of(handle)
    drive(lambda: run.items is not None and len(run.items.pending) >= 2_000)
    held = len(run.items.pending)
    assert held < 5_000
    handle.cancel()
    drive(path.exists, "the generator is closed")
    shared.quiet()
    assert run_of(handle).late > 0


def test_an_item_is_told_while_the_generator_goes_on_in_silence(shared: Processes, tmp_path: Path) -> None:
    handle = shared.start("one_item_then_silence", str(tmp_path / "go"))

    def has_come() -> bool:
        shared.clock.advance(0.016)
        return items(shared, handle) == ["first", "second"]

    drive(has_come)
    (tmp_path / "go").touch()
    shared.end(handle)
    assert handle.outcome == JobSuccess("second")


def test_an_item_that_does_not_pickle_fails_its_job(shared: Processes) -> None:
    handle = shared.start("yield_a_lock")
    shared.end(handle)
    error = error_of(handle.outcome)
    assert isinstance(error, NotPicklableError)
    assert "an item of Processor" in str(error)
    assert items(shared, handle) == [1]


# -- errors -----------------------------------------------------------------------------------------------------------


def test_an_error_comes_with_its_traceback_and_its_causes(shared: Processes) -> None:
    handle = shared.start("fail_with_a_cause")
    shared.end(handle)
    error = error_of(handle.outcome)
    assert type(error) is ValueError
    assert str(error) == "the consequence"
    traceback = shared.log.for_job(handle.id)[-1].traceback  # type: ignore[attr-defined]
    assert "KeyError: 'the cause'" in traceback
    assert "in fail_with_a_cause" in traceback


@pytest.mark.parametrize("what", ["fail_unpicklably", "fail_not_to_be_unpickled"])
def test_an_error_that_does_not_cross_becomes_a_remote_error(shared: Processes, what: str) -> None:
    error = error_of(shared.do(what))
    assert isinstance(error, RemoteError)
    assert error.type_name.startswith("tests.qtorch.execution.process_work.")
    assert error.text in ("some text", "404: not found")
    assert f"in {what}" in error.traceback


def test_no_retry_and_cancelled_errors_mean_in_a_worker_what_they_mean_here(shared: Processes) -> None:
    retry = RetryPolicy(max_retries=3)
    error = error_of(shared.do("fail", NoRetry(OSError("gone")), retry=retry))
    assert type(error) is OSError
    error = error_of(shared.do("fail_for_good", retry=retry))
    assert isinstance(error, RemoteError)
    assert error.text == "for good"


def test_sys_exit_ends_the_job_and_not_the_worker(shared: Processes) -> None:
    pid = shared.do("where").data[0]
    error = error_of(shared.do("exit", 5))
    assert isinstance(error, SystemExit)
    assert error.code == 5
    assert shared.do("where").data[0] == pid


def test_a_failed_attempt_is_tried_again_by_the_policy(shared: Processes) -> None:
    handle = shared.start("fail", OSError("on purpose"), retry=RetryPolicy(max_retries=1, base_delay=1))
    drive(lambda: handle.status is JobStatus.WAITING)
    shared.clock.advance(1)
    shared.end(handle)
    assert shared.types(handle) == ["Started", "Retrying", "Failure"]


def test_children_are_refused_in_a_worker(shared: Processes) -> None:
    error = error_of(shared.do("run_a_child"))
    assert "self.run was called in a process executor" in str(error)


def test_the_cache_is_refused_in_a_worker(shared: Processes) -> None:
    error = error_of(shared.do("use_cache"))
    assert "self.cache was used in a process executor" in str(error)


def test_a_process_that_returns_a_coroutine_is_named(shared: Processes) -> None:
    assert "Processor.process is a plain def and returned a coroutine" in str(error_of(shared.do("await_me")))


# -- what does not pickle ---------------------------------------------------------------------------------------------


def refused(shared: Processes, job: Any) -> str:
    with pytest.raises(NotPicklableError) as raised:
        shared.runtime.dispatcher.dispatch(job)
    assert not shared.runtime.running_jobs, "something was tracked"
    return str(raised.value)


def test_a_field_of_the_job_that_does_not_pickle_is_named_at_dispatch(shared: Processes) -> None:
    text = refused(shared, HeldJob(parts={"a": [1, threading.Lock()]}))
    assert "HeldJob.parts['a'][1] (_thread.lock) cannot go to another process" in text


def test_an_attribute_of_the_executor_that_does_not_pickle_is_named_at_dispatch(shared: Processes) -> None:
    executor: Any = shared.runtime.dispatcher.registered_executors[HeldJob]
    executor.api = process_work.Api()
    try:
        assert "Holder.api.lock (_thread.lock) cannot go to another process" in refused(shared, HeldJob())
        assert "__getstate__" in refused(shared, HeldJob())
    finally:
        executor.api = None


def test_a_class_inside_a_function_is_named_at_dispatch(shared: Processes) -> None:
    class InnerJob(HeldJob):
        pass

    text = refused(shared, InnerJob())
    assert "InnerJob" in text
    assert "is defined inside a function" in text
    assert "top level of a module" in text


def test_a_refused_job_can_be_dispatched_once_it_is_mended(shared: Processes) -> None:
    executor: Any = shared.runtime.dispatcher.registered_executors[HeldJob]
    job = HeldJob(parts=1)
    executor.api = process_work.Api()
    refused(shared, job)
    executor.api = None
    handle = shared.runtime.dispatcher.dispatch(job)
    shared.end(handle)
    assert handle.outcome == JobSuccess(1)


def test_a_refused_job_takes_no_place_in_a_lane(shared: Processes) -> None:
    lane = shared.runtime.lane("bounded", policy=SEQUENTIAL, max_queue=0)
    for _ in range(3):
        with pytest.raises(NotPicklableError):
            shared.runtime.dispatcher.dispatch(HeldJob(parts=threading.Lock()), lane=lane)
    handle = shared.runtime.dispatcher.dispatch(HeldJob(parts=1), lane=lane)
    shared.end(handle)
    assert handle.outcome == JobSuccess(1)


def test_equal_jobs_share_the_work_of_one_worker(shared: Processes, tmp_path: Path) -> None:
    path = str(tmp_path / "go")
    handles = [shared.start("wait", path, dedupe=True) for _ in range(3)]
    for handle in handles:
        shared.begun(handle)
    assert sum(worker.attempt is not None for worker in shared.pool._working) == 1
    handles[0].cancel()
    (tmp_path / "go").touch()
    shared.end(*handles)
    assert [handle.outcome for handle in handles[1:]] == [JobSuccess("waited")] * 2


def test_a_job_dispatched_again_has_an_id_of_its_own_in_the_worker_too(shared: Processes) -> None:
    job = ProcessJob(what="own_id")
    handles = [shared.runtime.dispatcher.dispatch(job) for _ in range(2)]
    shared.end(*handles)
    assert [handle.outcome for handle in handles] == [JobSuccess(handle.id) for handle in handles]


def test_a_result_that_does_not_pickle_fails_the_job_and_is_named(shared: Processes) -> None:
    error = error_of(shared.do("give_a_lock"))
    assert isinstance(error, NotPicklableError)
    assert "the result of Processor['locks'][1] (_thread.lock)" in str(error)


def test_a_result_that_cannot_be_unpickled_here_fails_the_job(shared: Processes) -> None:
    error = error_of(shared.do("give_what_cannot_be_had"))
    assert isinstance(error, NotPicklableError)
    assert "ValueError: not in this process" in str(error)
    assert shared.do("give", 1) == JobSuccess(1)


def test_a_process_executor_is_pickled_without_the_jobs_that_it_runs(shared: Processes, tmp_path: Path) -> None:
    first = shared.start("wait", str(tmp_path / "go"))
    shared.begun(first)
    assert shared.do("give", 1) == JobSuccess(1)  # with the first one running, and so in its running_jobs
    (tmp_path / "go").touch()
    shared.end(first)


# -- registering ------------------------------------------------------------------------------------------------------


def test_an_async_process_is_refused_when_it_is_registered(shared: Processes) -> None:
    class Async(BaseExecutor[HeldJob]):
        runner = "process"

        async def process(self, job: HeldJob) -> None:
            await asyncio.sleep(0)

    with pytest.raises(TypeError, match='Async has runner = "process" and an async def process'):
        shared.runtime.dispatcher.register(Async(), replace=True)


@pytest.mark.parametrize("runner", ["processes", 3, object()])
def test_a_runner_that_is_none_is_refused_when_it_is_registered(shared: Processes, runner: object) -> None:
    executor = Holder()
    executor.runner = runner  # type: ignore[assignment]  # the point
    with pytest.raises(TypeError, match=r"Holder.runner is .*, which cannot run jobs"):
        shared.runtime.dispatcher.register(executor, replace=True)


# -- the life of the pool ---------------------------------------------------------------------------------------------


def test_workers_start_at_the_first_job_and_end_ten_seconds_after_the_last(qapp: QApplication, tmp_path: Path) -> None:
    with processes(size=2) as made:
        assert made.runtime.snapshot()["runners"]["processes"]["processes"] == 0
        handle = made.start("wait", str(tmp_path / "go"))
        made.begun(handle)
        pids = list(made.pool.pids)
        made.clock.advance(11)
        assert made.pool.counts["processes"] == 1, "it was ended in the middle of its work"
        (tmp_path / "go").touch()
        made.end(handle)
        made.idle(1)
        made.clock.advance(9.9)
        assert made.pool.counts["processes"] == 1
        made.clock.advance(0.2)
        gone(*pids)
        assert made.runtime.snapshot()["runners"]["processes"] == {
            "processes": 0,
            "idle": 0,
            "queued": 0,
            "still_working": 0,
        }
        assert not made.clock.pending
        assert made.do("give", 2) == JobSuccess(2)


def test_there_are_no_more_workers_than_asked_for(qapp: QApplication, tmp_path: Path) -> None:
    with processes(size=1) as made:
        first = made.start("wait", str(tmp_path / "go"))
        made.begun(first)
        low, high = made.start("where", priority=0), made.start("where", priority=5)
        assert made.runtime.snapshot()["runners"]["processes"]["queued"] == 2
        assert low.status is JobStatus.QUEUED
        gone_before = made.start("where")
        gone_before.cancel()
        assert made.runtime.snapshot()["runners"]["processes"]["queued"] == 2
        (tmp_path / "go").touch()
        made.end(first, low, high)
        ends = [event.correlation_id for event in made.log.terminal]
        assert ends == [gone_before.id, first.id, high.id, low.id]


def test_each_worker_closes_its_executors_before_it_ends(qapp: QApplication, tmp_path: Path) -> None:
    path = tmp_path / "closes"
    with processes(size=2, tag=str(path)) as made:
        made.warm_up(tmp_path, 2)
        assert not path.exists()
    assert path.read_text() == "closed after 1\n" * 2


def test_what_an_executors_close_raises_is_reported(qapp: QApplication, tmp_path: Path, capsys: Any) -> None:
    with processes(size=1, tag="raises at its end") as made:
        hooked: list[Any] = []
        import sys

        before, sys.excepthook = sys.excepthook, lambda *args: hooked.append(args)
        try:
            made.do("give", 1)
            made.clock.advance(10)
            made.clock.advance(10)
            drive(lambda: made.reports, "the report")
        finally:
            sys.excepthook = before
    assert [str(report.error) for report in made.reports] == ["cannot be closed"]
    assert made.reports[0].where == "Processor.close"
    assert hooked


def test_two_runtimes_have_workers_of_their_own(shared: Processes) -> None:
    with processes(size=1) as other:
        pids = {shared.do("where").data[0], other.do("where").data[0]}
        assert len(pids) == 2
    assert shared.do("give", 1) == JobSuccess(1)


def test_max_concurrency_holds_for_workers_too(qapp: QApplication, tmp_path: Path) -> None:
    with processes(size=2) as made:
        executor = Processor()
        executor.max_concurrency = 1
        made.runtime.dispatcher.register(executor, replace=True)
        first = made.start("wait", str(tmp_path / "go"))
        second = made.start("give", 2)
        made.begun(first)
        assert second.status is JobStatus.QUEUED
        assert made.pool.counts["processes"] == 1
        (tmp_path / "go").touch()
        made.end(first, second)
