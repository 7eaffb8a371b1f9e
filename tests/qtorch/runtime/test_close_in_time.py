"""Closing keeps to its time, whatever still works (invariant 12)."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from typing import Any, Self

import pytest
from PySide6.QtCore import QTimer

from qtorch import BaseEvent, BaseExecutor, BaseJob, EventLog, JobStatus, SignalBus, executes
from tests.qtorch.execution.rig import PATIENCE, Rig, drive

pytestmark = pytest.mark.realtime


class StickJob(BaseJob[None]):
    pass


class QuickJob(BaseJob[None]):
    pass


class OtherJob(BaseJob[None]):
    pass


class Timed:
    """Measures what happens inside."""

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._started


def wait_mode(rig: Rig) -> Rig:
    """Have nothing done about stuck work at the end of the test process."""
    rig.runtime.on_stuck = "wait"
    return rig


class Stuck:
    """Work, or an executor's end, that goes on until it is released."""

    def __init__(self) -> None:
        self.begun, self.release = threading.Event(), threading.Event()

    def block(self, *_: object) -> None:
        self.begun.set()
        self.release.wait(PATIENCE)

    async def block_the_loop(self, *_: object) -> None:
        self.block()

    async def be_deaf(self, *_: object) -> None:
        self.begun.set()
        while not self.release.is_set():
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.005)


class SlowToClose(BaseExecutor[QuickJob]):
    def __init__(self, stuck: Stuck) -> None:
        self.close = stuck.block

    def process(self, job: QuickJob) -> None:
        pass


class SlowToCloseInLoop(BaseExecutor[OtherJob]):
    def __init__(self, stuck: Stuck) -> None:
        self.aclose = stuck.block_the_loop

    async def process(self, job: OtherJob) -> None:
        pass


@pytest.mark.parametrize("work", ["block", "block_the_loop", "be_deaf"])
def test_close_returns_in_time_beside_stuck_work(
    rig: Rig, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, work: str
) -> None:
    stuck = Stuck()
    wait_mode(rig).runtime.register(executes(StickJob)(getattr(stuck, work)))
    handle = rig.owner.dispatch(StickJob())
    assert stuck.begun.wait(PATIENCE)
    with Timed() as closing:
        rig.runtime.close(0.3)
    stuck.release.set()
    assert 0.3 <= closing.seconds < 0.5
    assert handle.status is JobStatus.CANCELLED
    [event] = rig.log.cancelled
    assert event.still_running
    for text in (capsys.readouterr().err, caplog.text):
        assert handle.id in text
        assert "StickJob" in text


@pytest.mark.parametrize("ends", ["threads", "loop", "both"])
def test_close_returns_in_time_beside_executors_that_never_close(
    rig: Rig, capsys: pytest.CaptureFixture[str], ends: str
) -> None:
    stuck = Stuck()
    wait_mode(rig)
    if ends in ("threads", "both"):
        rig.runtime.register(SlowToClose(stuck))
    if ends in ("loop", "both"):
        rig.runtime.register(SlowToCloseInLoop(stuck))
    with Timed() as closing:
        rig.runtime.close(0.3)
    stuck.release.set()
    assert 0.3 <= closing.seconds < 0.5
    named = capsys.readouterr().err
    assert ("SlowToClose.close" in named) == (ends != "loop")
    assert ("SlowToCloseInLoop.aclose" in named) == (ends != "threads")


def test_close_returns_in_time_under_a_flood(rig: Rig) -> None:
    wait_mode(rig)
    stop = threading.Event()
    begun = threading.Event()

    class Flooding(BaseExecutor[StickJob]):
        def process(self, job: StickJob) -> None:
            while not stop.is_set():
                begun.set()
                self.emit_progress(job, 0.5)
                rig.runtime.bus.emit(BaseEvent("noise"))

    rig.runtime.register(Flooding())
    for _ in range(2):
        rig.owner.dispatch(StickJob())
    rig.runtime.bus.subscribe(lambda event: None)
    begun.wait(10)
    drive(lambda: len(rig.log) > 100)
    with Timed() as closing:
        rig.runtime.close(0.3)
    stop.set()
    assert closing.seconds < 0.5
    assert len(rig.log.cancelled) == 2


def test_close_returns_in_time_though_listeners_are_behind_and_still_tells_of_every_end(rig: Rig) -> None:
    rig.work()
    for _ in range(3):
        rig.dispatch("thread")
    drive(rig.works["work"].begun.is_set)
    rig.drain()
    rig.runtime.bus.subscribe(lambda event: None if event.is_terminal else time.sleep(0.001))
    for _ in range(3_000):
        rig.runtime.bus.emit(BaseEvent("noise"))
    with Timed() as closing:
        rig.runtime.close(0.2)
    assert closing.seconds < 0.4
    assert len(rig.log.cancelled) == 3
    assert rig.runtime.bus.ignored > 0


def test_close_without_anything_to_wait_for_returns_at_once(rig: Rig) -> None:
    rig.work(is_open=True)
    rig.end(rig.dispatch("thread"), rig.dispatch("loop"))
    with Timed() as closing:
        rig.runtime.close()
    assert closing.seconds < 0.3


def test_everything_that_follows_from_the_last_job_happens_though_the_time_is_up(rig: Rig) -> None:
    wait_mode(rig)
    work = rig.work(is_deaf=True)
    handle = rig.dispatch("thread")
    drive(work.begun.is_set)
    called: list[str] = []
    rig.runtime.bus.subscribe(lambda event: time.sleep(0.02) if event.is_terminal else None)
    rig.runtime.bus.subscribe(lambda event: called.append(type(event).__name__))
    handle.add_done_callback(lambda _: called.append("done"))
    rig.runtime.close(0.0)
    work.gate.open()
    assert called[-2:] == ["JobCancelledEvent", "done"]


def test_user_input_is_held_back_while_it_closes(rig: Rig, qtbot: Any) -> None:
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QPushButton

    button = QPushButton()
    qtbot.addWidget(button)
    button.show()
    clicks: list[bool] = []
    button.clicked.connect(lambda: clicks.append(rig.runtime.bus.is_closed))
    work = rig.work(is_deaf=True)
    rig.dispatch("thread")
    drive(work.begun.is_set)
    turns: list[int] = []

    def turn() -> None:
        turns.append(1)
        if len(turns) == 5:
            work.gate.open()

    timer = QTimer()
    timer.timeout.connect(turn)
    timer.start(1)
    rig.runtime.close()
    assert len(turns) >= 5, "timers stand still while it closes"
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert clicks == [True]


def test_a_scoped_bus_ends_with_the_default_runtime(rig: Rig) -> None:
    scoped = SignalBus.scoped()
    log = EventLog(scoped)
    rig.work()
    handle = rig.runtime.dispatcher.dispatch(rig.job("thread"), bus=scoped)
    drive(rig.works["work"].begun.is_set)
    rig.runtime.close()
    assert scoped.is_closed
    assert handle.status is JobStatus.CANCELLED
    assert len(log.cancelled) == 1
