"""Executors are closed once, where they work, after their last job."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from qtorch import BaseExecutor, BaseJob, JobStatus
from tests.qtorch.execution.rig import Rig, drive, qasync_loop

pytestmark = pytest.mark.realtime


class SaveJob(BaseJob[None]):
    pass


class ReadJob(BaseJob[None]):
    pass


class Diary:
    """What executors write down about their ends."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, bool]] = []
        self.gui = threading.get_ident()

    def note(self, line: str) -> None:
        self.lines.append((line, threading.get_ident() == self.gui))

    @property
    def texts(self) -> list[str]:
        return [line for line, _ in self.lines]


class Threaded(BaseExecutor[SaveJob]):
    def __init__(
        self, diary: Diary, work: Callable[[], object] = lambda: None, end: Callable[[], object] = bool
    ) -> None:
        self.diary, self.work, self.end = diary, work, end
        self.local = threading.local()

    def process(self, job: SaveJob) -> None:
        self.work()
        self.diary.note("worked")

    def close(self) -> None:
        self.diary.note("closed")
        self.end()


class InLoop(BaseExecutor[ReadJob]):
    def __init__(self, diary: Diary, end: Callable[[], object] = bool) -> None:
        self.diary, self.end = diary, end

    async def process(self, job: ReadJob) -> None:
        await asyncio.sleep(0)
        self.diary.note("worked")

    async def aclose(self) -> None:
        await asyncio.sleep(0)
        self.diary.note("closed")
        self.end()


def test_close_is_called_once_on_a_pool_thread(rig: Rig) -> None:
    diary = Diary()
    rig.runtime.register(Threaded(diary))
    rig.runtime.close()
    rig.runtime.close()
    assert diary.lines == [("closed", False)]


@pytest.mark.parametrize("kind", ["loop", "qasync"])
def test_aclose_is_awaited_once_on_the_loop(make_rig: Callable[..., Rig], kind: str) -> None:
    rig = make_rig(kind)
    diary = Diary()
    rig.runtime.register(InLoop(diary))
    rig.runtime.close()
    assert diary.lines == [("closed", kind == "qasync")]


def test_a_plain_close_of_an_async_executor_is_called_on_its_loop(make_rig: Callable[..., Rig]) -> None:
    # An HTTP client that lives in the loop may be closed there only.
    loops: list[asyncio.AbstractEventLoop] = []

    class Client(BaseExecutor[ReadJob]):
        async def process(self, job: ReadJob) -> None:
            loops.append(asyncio.get_running_loop())

        def close(self) -> None:
            loops.append(asyncio.get_running_loop())

    rig = make_rig()
    rig.runtime.register(Client())
    rig.end(rig.owner.dispatch(ReadJob()))
    rig.runtime.close()
    assert len(loops) == 2
    assert loops[0] is loops[1]


def test_executors_are_closed_after_their_jobs_have_ended(rig: Rig) -> None:
    diary = Diary()
    begun = threading.Event()
    token_seen = threading.Event()

    class Slow(Threaded):
        def process(self, job: SaveJob) -> None:
            begun.set()
            token_seen.wait(10)
            self.diary.note("worked")

    rig.runtime.register(Slow(diary))
    handle = rig.owner.dispatch(SaveJob())
    begun.wait(10)
    handle.add_done_callback(lambda _: token_seen.set())
    rig.runtime.close()
    assert diary.texts == ["worked", "closed"]


@pytest.mark.parametrize("error", [ValueError("in close"), SystemExit(3)])
def test_a_close_that_raises_is_reported_and_the_others_are_closed(rig: Rig, qtbot: Any, error: BaseException) -> None:
    def fail() -> None:
        raise error

    diary = Diary()
    rig.runtime.register(Threaded(diary, end=fail), InLoop(diary, end=fail))
    with qtbot.captureExceptions() as seen:
        rig.runtime.close()
    assert diary.texts == ["closed", "closed"]
    assert sorted(report.where for report in rig.reports) == ["InLoop.aclose", "Threaded.close"]
    assert [caught for _, caught, _ in seen] == [error, error]


def test_other_executors_are_closed_though_one_has_a_stuck_thread(make_rig: Callable[..., Rig]) -> None:
    diary = Diary()
    release, begun = threading.Event(), threading.Event()

    def stick() -> None:
        begun.set()
        release.wait(10)

    rig = make_rig()
    rig.runtime.register(Threaded(diary, work=stick), InLoop(diary))
    rig.owner.dispatch(SaveJob())
    begun.wait(10)
    rig.runtime.on_stuck = "wait"
    rig.runtime.close(0.1)
    release.set()
    assert diary.texts[0] == "closed"
    drive(lambda: len(diary.lines) >= 2)
    assert diary.texts == ["closed", "worked"], "an executor was closed while it worked"


def test_unregister_closes_the_executor_at_once_if_it_is_idle(rig: Rig) -> None:
    diary = Diary()
    rig.runtime.register(Threaded(diary))
    rig.end(rig.owner.dispatch(SaveJob()))
    rig.runtime.dispatcher.unregister(SaveJob)
    drive(lambda: diary.texts == ["worked", "closed"])
    rig.runtime.close()
    assert diary.texts == ["worked", "closed"]


def test_unregister_closes_the_executor_after_its_last_job(rig: Rig) -> None:
    diary = Diary()
    release, begun = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        release.wait(10)

    rig.runtime.register(Threaded(diary, work))
    handles = [rig.owner.dispatch(SaveJob()) for _ in range(2)]
    begun.wait(10)
    rig.runtime.dispatcher.unregister(SaveJob)
    rig.drain()
    assert diary.texts == []
    release.set()
    rig.end(*handles)
    drive(lambda: len(diary.lines) == 3)
    assert diary.texts == ["worked", "worked", "closed"]
    assert [handle.status for handle in handles] == [JobStatus.SUCCEEDED] * 2


def test_unregister_waits_for_work_that_outlives_its_job(rig: Rig) -> None:
    diary = Diary()
    release, begun = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        release.wait(10)

    rig.runtime.register(Threaded(diary, work))
    handle = rig.owner.dispatch(SaveJob())
    begun.wait(10)
    rig.runtime.dispatcher.unregister(SaveJob)
    handle.cancel()
    rig.end(handle)
    rig.drain()
    assert diary.texts == []
    release.set()
    drive(lambda: len(diary.lines) == 2)
    assert diary.texts == ["worked", "closed"]


def test_an_executor_that_is_replaced_is_closed_and_one_that_is_registered_anew_is_not(rig: Rig) -> None:
    diary = Diary()
    first = Threaded(diary)
    rig.runtime.register(first)
    rig.runtime.dispatcher.register(first, replace=True)
    rig.drain()
    assert diary.texts == []
    rig.runtime.dispatcher.register(Threaded(Diary()), replace=True)
    drive(lambda: diary.texts == ["closed"])


def test_an_executor_of_two_runtimes_is_closed_with_the_last(make_rig: Callable[..., Rig]) -> None:
    diary = Diary()
    executor = Threaded(diary)
    one, two = make_rig(), make_rig()
    one.runtime.register(executor)
    two.runtime.register(executor)
    one.runtime.close()
    assert diary.texts == []
    two.end(two.owner.dispatch(SaveJob()))
    two.runtime.close()
    assert diary.texts == ["worked", "closed"]


def test_jobs_and_executors_of_a_loop_that_was_closed_end_with_what_to_do(
    make_rig: Callable[..., Rig], qapp: Any
) -> None:
    diary = Diary()
    loop = asyncio.new_event_loop()
    loop.close()
    rig = make_rig(loop=loop)
    rig.runtime.register(InLoop(diary))
    handle = rig.owner.dispatch(ReadJob())
    rig.end(handle)
    assert "closed" in rig.log.failures[0].error_message
    assert "new Runtime" in rig.log.failures[0].error_message
    assert not rig.owner.has_active_jobs
    rig.runtime.close()
    assert diary.texts == []
    with qasync_loop(qapp) as other:
        rig = make_rig(loop=other)
        rig.runtime.register(InLoop(diary))
    handle = rig.owner.dispatch(ReadJob())
    rig.end(handle)
    assert handle.status is JobStatus.FAILED
    rig.runtime.close()
