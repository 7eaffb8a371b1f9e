"""Closing from inside tasks, and beside loops that the application gave (invariant 12)."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from qtorch import BaseJob, JobCancelled, Runtime, executes
from tests.qtorch.execution.rig import PATIENCE, Rig, drive

if TYPE_CHECKING:
    from PySide6.QtCore import QCoreApplication

pytestmark = pytest.mark.realtime


class StickJob(BaseJob[None]):
    pass


def test_close_inside_a_task_says_what_to_write_there(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig("qasync")
    seen: list[str] = []

    async def main() -> None:
        try:
            rig.runtime.close()
        except RuntimeError as error:
            seen.append(str(error))
        assert not rig.runtime.is_closed
        await rig.runtime.aclose()
        seen.append("closed")

    rig.work()
    handle = rig.dispatch("qasync")
    drive(rig.works["work"].begun.is_set)
    task = rig.loop.create_task(main())
    drive(task.done)
    task.result()
    assert "await runtime.aclose()" in seen[0]
    assert seen[1] == "closed"
    assert handle.outcome == JobCancelled("runtime closed")


def test_aclose_under_asyncio_run(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    rig.work()
    handles = [rig.dispatch("thread"), rig.dispatch("loop")]

    async def main() -> None:
        with pytest.raises(RuntimeError, match="aclose"):
            rig.runtime.close()
        await rig.runtime.aclose()
        await rig.runtime.aclose()

    asyncio.run(main())
    assert rig.runtime.is_closed
    assert [handle.outcome for handle in handles] == [JobCancelled("runtime closed")] * 2


def test_aclose_with_jobs_in_the_very_loop_it_is_awaited_in(qapp: QCoreApplication) -> None:
    steps: list[str] = []

    @executes(StickJob)
    async def clean(job: StickJob) -> None:
        try:
            steps.append("begun")
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.01)
            steps.append("cleaned up")

    async def main() -> None:
        runtime = Runtime(executors=[clean], loop=asyncio.get_running_loop())
        handle = runtime.dispatcher.dispatch(StickJob())
        while not steps:
            await asyncio.sleep(0)
        await runtime.aclose()
        assert handle.outcome == JobCancelled("runtime closed")

    asyncio.run(main())
    assert steps == ["begun", "cleaned up"]


def test_aclose_keeps_to_its_timeout(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    rig.runtime.on_stuck = "wait"
    work = rig.work(is_deaf=True)
    rig.dispatch("thread")
    drive(work.begun.is_set)

    async def main() -> float:
        started = time.monotonic()
        await rig.runtime.aclose(0.2)
        return time.monotonic() - started

    seconds = asyncio.run(main())
    work.gate.open()
    assert 0.2 <= seconds < 0.4


def test_a_given_loop_that_does_not_run_is_driven_until_its_tasks_have_ended(qapp: QCoreApplication) -> None:
    loop = asyncio.new_event_loop()
    steps: list[str] = []

    @executes(StickJob)
    async def clean(job: StickJob) -> None:
        try:
            steps.append("begun")
            await asyncio.sleep(3600)
        finally:
            steps.append("cleaned up")

    async def until_begun() -> None:
        while not steps:
            await asyncio.sleep(0)

    runtime = Runtime(executors=[clean], loop=loop)
    runtime.dispatcher.dispatch(StickJob())
    loop.run_until_complete(asyncio.wait_for(until_begun(), PATIENCE))
    runtime.close()
    assert steps == ["begun", "cleaned up"]
    loop.close()


def test_waiting_for_a_given_loop_in_a_thread_burns_no_processor_time(qapp: QCoreApplication) -> None:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    begun = threading.Event()

    @executes(StickJob)
    async def slow(job: StickJob) -> None:
        begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.4)

    runtime = Runtime(executors=[slow], loop=loop)
    runtime.dispatcher.dispatch(StickJob())
    assert begun.wait(10)
    used = time.thread_time()
    runtime.close()
    used = time.thread_time() - used
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()
    assert used < 0.2, "it polls"
