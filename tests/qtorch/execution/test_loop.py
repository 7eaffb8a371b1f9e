"""Coroutines: on which loop they run, and how they are stopped."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import qasync
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QDialog

from qtorch import SEQUENTIAL, BaseExecutor, BaseJob, JobProgressEvent, JobStatus, RetryPolicy, Runtime, executes
from tests.qtorch.execution.rig import Rig, drive, run_of

pytestmark = pytest.mark.realtime


class AskJob(BaseJob[object]):
    text: str = ""


@contextmanager
def loop_in_a_thread() -> Iterator[asyncio.AbstractEventLoop]:
    """A plain loop of the application's own, in a thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def test_without_a_loop_coroutines_run_in_one_thread_of_their_own(rig: Rig) -> None:
    work = rig.work(is_open=True)
    for _ in range(3):
        rig.end(rig.dispatch("loop"))
    assert len(set(work.threads)) == 1
    assert work.threads[0] != threading.get_ident()


def test_no_loop_is_started_before_the_first_coroutine(rig: Rig) -> None:
    rig.work(is_open=True)
    rig.end(rig.dispatch("thread"))
    assert "qtorch-asyncio" not in [thread.name for thread in threading.enumerate()]
    rig.end(rig.dispatch("loop"))
    assert "qtorch-asyncio" in [thread.name for thread in threading.enumerate()]


def test_with_a_qasync_loop_coroutines_run_on_the_gui_thread(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig("qasync")
    work = rig.work(is_open=True)
    rig.end(rig.dispatch("qasync"))
    assert work.threads == [threading.get_ident()]


def test_with_a_plain_loop_in_a_thread_coroutines_run_there(make_rig: Callable[..., Rig]) -> None:
    with loop_in_a_thread() as loop:
        rig = make_rig(loop=loop)
        seen: list[asyncio.AbstractEventLoop] = []

        @executes(AskJob)
        async def ask(job: AskJob) -> int:
            seen.append(asyncio.get_running_loop())
            await asyncio.sleep(0)
            return 1

        rig.runtime.register(ask)
        handle = rig.owner.dispatch(AskJob())
        rig.end(handle)
        assert seen == [loop]
        rig.runtime.close()
        assert loop.is_running(), "a loop that was given belongs to whoever gave it"


def test_a_job_never_changes_loops_not_for_its_retries_either(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig("qasync")
    loops: list[asyncio.AbstractEventLoop] = []

    @executes(AskJob)
    async def ask(job: AskJob) -> int:
        loops.append(asyncio.get_running_loop())
        if len(loops) < 3:
            raise OSError
        return 1

    rig.runtime.register(ask)
    handle = rig.owner.dispatch(AskJob(), retry=RetryPolicy(max_retries=2, base_delay=1, exponential_backoff=False))
    for _ in range(2):
        drive(lambda: handle.status is JobStatus.WAITING)
        rig.clock.advance(1)
    rig.end(handle)
    assert loops == [rig.loop] * 3


def test_a_qasync_loop_takes_jobs_before_it_runs(qapp: QApplication) -> None:
    loop = qasync.QEventLoop(qapp)
    ran: list[asyncio.AbstractEventLoop] = []

    @executes(AskJob)
    async def ask(job: AskJob) -> int:
        ran.append(asyncio.get_running_loop())
        await asyncio.sleep(0)
        return 7

    runtime = Runtime(executors=[ask], loop=loop)
    try:
        handle = runtime.dispatcher.dispatch(AskJob())
        handle.add_done_callback(lambda _: loop.stop())
        loop.run_forever()
        assert handle.status is JobStatus.SUCCEEDED
        assert ran == [loop]
    finally:
        runtime.close()
        loop.close()
        asyncio.set_event_loop(None)


def test_a_coroutine_cancelled_before_its_first_step_ends_its_job(rig: Rig) -> None:
    work = rig.work()
    handle = rig.dispatch("loop")
    handle.cancel("at once")
    rig.quiet()
    assert rig.types(handle) == ["Cancelled"]
    assert work.calls in (0, 1)  # the loop's thread may have been quicker
    assert not handle.is_working


def test_a_task_cancelled_before_its_first_step_runs_no_line_of_it_and_is_a_cancel(
    make_rig: Callable[..., Rig],
) -> None:
    rig = make_rig("qasync")
    work = rig.work()
    handle = rig.dispatch("qasync")
    assert run_of(handle).attempt is not None
    handle.cancel("at once")
    rig.quiet()
    assert work.calls == 0
    assert [event.still_running for event in rig.log.cancelled] == [True]
    assert run_of(handle).late == 1


@pytest.mark.parametrize("kind", ["loop", "qasync"])
def test_a_coroutine_that_swallows_its_cancellation_works_on_and_is_said_to(
    make_rig: Callable[..., Rig], kind: str
) -> None:
    rig = make_rig(kind)
    work = rig.work(is_deaf=True)
    handle = rig.dispatch(kind)
    drive(work.begun.is_set)
    handle.cancel()
    rig.end(handle)
    assert rig.log.cancelled[0].still_running
    assert handle.is_working
    work.gate.open()
    rig.quiet()
    assert not handle.is_working
    assert run_of(handle).late == 1
    assert rig.types(handle) == ["Started", "Cancelled"]


@pytest.mark.parametrize("kind", ["loop", "qasync"])
def test_a_cancelled_coroutine_finishes_its_finally_and_its_lane_waits_for_that(
    make_rig: Callable[..., Rig], kind: str
) -> None:
    rig = make_rig(kind)
    steps: list[str] = []

    @executes(AskJob)
    async def ask(job: AskJob) -> None:
        if job.text == "second":
            steps.append("second")
            return
        try:
            steps.append("first")
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.01)
            steps.append("cleaned up")

    rig.runtime.register(ask)
    first = rig.owner.dispatch(AskJob(text="first"), lane="one", policy=SEQUENTIAL)
    drive(lambda: steps == ["first"])
    second = rig.owner.dispatch(AskJob(text="second"), lane="one")
    first.cancel()
    rig.end(first, second)
    assert steps == ["first", "cleaned up", "second"]


@pytest.mark.parametrize("kind", ["loop", "qasync"])
def test_progress_from_a_helper_thread_of_a_coroutine_belongs_to_its_job(
    make_rig: Callable[..., Rig], kind: str
) -> None:
    rig = make_rig(kind)

    class Asker(BaseExecutor[AskJob]):
        async def process(self, job: AskJob) -> None:
            await asyncio.to_thread(self.emit_progress, job, 0.5, message="half")

    rig.runtime.register(Asker())
    handle = rig.owner.dispatch(AskJob())
    rig.end(handle)
    assert [(event.progress, event.message) for event in rig.log.of(JobProgressEvent)] == [(0.5, "half")]


def test_progress_from_a_thread_without_the_jobs_context_is_found_by_its_id(rig: Rig) -> None:
    class Asker(BaseExecutor[AskJob]):
        def process(self, job: AskJob) -> None:
            thread = threading.Thread(target=self.emit_progress, args=(job, 0.25))
            thread.start()
            thread.join()

    rig.runtime.register(Asker())
    handle = rig.owner.dispatch(AskJob())
    rig.end(handle)
    assert [event.progress for event in rig.log.of(JobProgressEvent)] == [0.25]


def test_coroutines_go_on_under_a_modal_dialog(rig: Rig, qapp: QApplication) -> None:
    steps: list[int] = []

    @executes(AskJob)
    async def ask(job: AskJob) -> None:
        for step in range(5):
            steps.append(step)
            await asyncio.sleep(0.001)

    rig.runtime.register(ask)
    dialog = QDialog()
    handle = rig.owner.dispatch(AskJob())
    handle.add_done_callback(lambda _: dialog.accept())
    QTimer.singleShot(8_000, dialog.reject)
    assert dialog.exec() == QDialog.DialogCode.Accepted, "the job did not end under the dialog"
    assert steps == [0, 1, 2, 3, 4]


def test_jobs_at_once_are_steps_of_one_loop_and_not_one_after_the_other(rig: Rig) -> None:
    for number in range(20):
        rig.work(str(number))
    handles = [rig.dispatch("loop", str(number)) for number in range(20)]
    drive(lambda: all(work.begun.is_set() for work in rig.works.values()))
    rig.open_all()
    rig.end(*handles)
    assert len(rig.log.successes) == 20
