"""The GUI thread stays live, and a flood does not eat the memory."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QCoreApplication, QTimer
from PySide6.QtWidgets import QDialog

from qtorch import BaseJob, JobStartedEvent, SignalBus
from qtorch.bus import cursor, mailbox, signal_bus
from tests.qtorch.bus.rig import Said, hear, say, turn

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


class Work:
    """Time as the bus sees it, which passes only while a listener works."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(cursor, "perf_counter", lambda: self.now)
        monkeypatch.setattr(mailbox, "perf_counter", lambda: self.now)
        monkeypatch.setattr(mailbox, "BUDGET", cursor.BUDGET)

    def lasting(self, seconds: float) -> Callable[[Said], None]:
        def listen(event: Said) -> None:
            self.now += seconds

        return listen


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    return Work(monkeypatch)


class Ticks:
    """How often a timer without an interval fires: once per turn of the event loop."""

    def __init__(self) -> None:
        self.count = 0
        self.timer = QTimer()
        self.timer.timeout.connect(self._tick)
        self.timer.start(0)

    def _tick(self) -> None:
        self.count += 1


# -- the budget --------------------------------------------------------------------------------------------------------


def test_a_timer_stays_live_while_a_thousand_listeners_work_on_one_event(bus: SignalBus, work: Work) -> None:
    heard: list[float] = []
    for _ in range(1_000):
        bus.subscribe(work.lasting(0.003), event_type=Said)
    bus.subscribe(lambda event: heard.append(work.now), event_type=Said)
    ticks, before = Ticks(), bus.core.mailbox.turns
    say(bus, "a")
    turn(bus)
    ticks.timer.stop()
    # 3 of them fill the 8 ms of a drain; then the event loop turns.
    assert bus.core.mailbox.turns - before == 334
    assert ticks.count >= 333
    assert heard == [pytest.approx(3.0)]


def test_a_timer_stays_live_while_a_thousand_events_are_heard(bus: SignalBus, work: Work) -> None:
    bus.subscribe(work.lasting(0.003), event_type=Said)
    ticks, before = Ticks(), bus.core.mailbox.turns
    say(bus, *map(str, range(1_000)))
    turn(bus)
    ticks.timer.stop()
    assert bus.core.mailbox.turns - before == 334
    assert ticks.count >= 333


def test_events_that_nobody_hears_count_for_the_budget_too(
    bus: SignalBus, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = bus.core.take_event

    class Slow:
        def __call__(self, item: object) -> object:
            work.now += 0.003
            return take(item)  # type: ignore[arg-type]

    for number in range(30):
        bus.core.mailbox.post(Slow(), (Said("talk", str(number)), None, 0))
    before = bus.core.mailbox.turns
    turn(bus)
    assert bus.core.mailbox.turns - before == 10


def test_one_slow_listener_at_least_is_called_per_turn(bus: SignalBus, work: Work) -> None:
    heard: list[str] = []
    bus.subscribe(work.lasting(0.040), event_type=Said)
    bus.subscribe(hear(heard), event_type=Said)
    bus.subscribe(work.lasting(0.040), event_type=Said)
    before = bus.core.mailbox.turns
    say(bus, "a", "b")
    turn(bus)
    assert heard == ["a", "b"]
    assert bus.core.mailbox.turns - before == 4


def test_a_drain_that_comes_back_early_goes_on_by_itself(bus: SignalBus, work: Work) -> None:
    heard: list[str] = []
    bus.subscribe(work.lasting(0.009), event_type=Said)
    bus.subscribe(hear(heard), event_type=Said)
    say(bus, "a")
    QCoreApplication.processEvents()
    turn(bus)
    assert heard == ["a"]


# -- slow listeners ----------------------------------------------------------------------------------------------------


def test_a_listener_above_50_ms_is_named_in_a_warning(
    bus: SignalBus, work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    class Panel:
        def repaint_all(self, event: Said) -> None:
            work.now += 0.080

        def repaint_one(self, event: Said) -> None:
            work.now += 0.050

    panel = Panel()
    bus.subscribe(panel.repaint_one, event_type=Said)
    bus.subscribe(panel.repaint_all, event_type=Said)
    say(bus, "a")
    turn(bus)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("qtorch.bus", logging.WARNING)
    assert "Panel.repaint_all took 80 ms on the GUI thread" in record.getMessage()


def test_the_warning_says_in_its_extra_which_job_the_event_was_of(
    bus: SignalBus, work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    class SlowJob(BaseJob[int]):
        pass

    job = SlowJob()

    def slow(event: object) -> None:
        work.now += 0.080

    bus.subscribe(slow)
    bus.emit(JobStartedEvent(job.id, job, 2))
    turn(bus)
    (record,) = caplog.records
    extra = record.__dict__
    assert (extra["job_id"], extra["job_type"], extra["attempt"]) == (job.id, "SlowJob", 2)


def test_a_listener_that_raises_after_long_work_is_named_too(
    bus: SignalBus, work: Work, caplog: pytest.LogCaptureFixture, told: list[BaseException]
) -> None:
    def slow_and_wrong(event: Said) -> None:
        work.now += 0.080
        raise KeyError

    bus.subscribe(slow_and_wrong, event_type=Said)
    say(bus, "a")
    turn(bus)
    assert "slow_and_wrong took 80 ms" in caplog.text
    assert len(told) == 1


def test_a_listener_that_ran_an_event_loop_of_its_own_froze_nothing(
    bus: SignalBus, work: Work, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    dialog = QDialog()
    qtbot.addWidget(dialog)

    def opens(event: Said) -> None:
        if event.text == "a":
            dialog.exec()

    def closes(event: Said) -> None:
        if event.text == "b":
            work.now += 60.0 - 0.001
            QTimer.singleShot(0, dialog.accept)

    bus.subscribe(opens, event_type=Said)
    bus.subscribe(closes, event_type=Said)
    say(bus, "a", "b")
    turn(bus)
    assert "opens" not in caplog.text


def test_a_logger_that_raises_silences_nobody(
    bus: SignalBus, work: Work, told: list[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*args: object, **options: object) -> None:
        raise OSError("the disk that logs are written to is full")

    monkeypatch.setattr(logging.getLogger("qtorch.bus"), "handle", crash)
    heard: list[str] = []
    for listener in (work.lasting(0.080), hear(heard)):
        bus.subscribe(listener, event_type=Said)
    say(bus, "a", "b")
    turn(bus)
    assert heard == ["a", "b"]


# -- back-pressure -----------------------------------------------------------------------------------------------------


@pytest.fixture
def small_backlog(monkeypatch: pytest.MonkeyPatch) -> int:
    assert signal_bus._BACKLOG == 100_000
    monkeypatch.setattr(signal_bus, "_BACKLOG", 50)
    return 50


@pytest.mark.realtime
def test_a_worker_that_floods_the_bus_waits_until_there_is_room_and_loses_nothing(
    bus: SignalBus, qtbot: QtBot, small_backlog: int
) -> None:
    heard: list[str] = []
    bus.subscribe(hear(heard), event_type=Said)
    emitted: list[int] = []

    def flood() -> None:
        for number in range(300):
            say(bus, str(number))
            emitted.append(number)

    thread = threading.Thread(target=flood)
    thread.start()
    queue = bus.core.mailbox.queue
    waiting = threading.Event()
    while len(queue) <= small_backlog:
        waiting.wait(0.001)
    # Nothing is taken meanwhile, so it goes no further.
    waiting.wait(0.02)
    assert len(queue) == len(emitted) == small_backlog + 1
    assert thread.is_alive()
    qtbot.waitUntil(lambda: len(heard) == 300)
    thread.join()
    assert heard == [str(number) for number in range(300)]


def test_the_bus_s_own_thread_never_waits(bus: SignalBus, small_backlog: int) -> None:
    heard: list[str] = []
    bus.subscribe(hear(heard), event_type=Said)
    say(bus, *map(str, range(300)))
    turn(bus)
    assert len(heard) == 300


@pytest.mark.realtime
def test_close_sets_a_waiting_worker_free_and_ignores_its_event(bus: SignalBus, small_backlog: int) -> None:
    heard: list[str] = []
    bus.subscribe(hear(heard), event_type=Said)
    say(bus, *map(str, range(small_backlog + 1)))
    thread = threading.Thread(target=say, args=(bus, "too late"))
    thread.start()
    bus.core.is_refusing = True  # as close() does before it delivers what is queued
    thread.join(20)
    assert not thread.is_alive()
    bus.core.is_refusing = False
    bus.close()
    assert len(heard) == small_backlog + 1
    assert bus.ignored == 1
