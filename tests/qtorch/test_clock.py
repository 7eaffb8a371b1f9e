"""The one port for time, on Qt's event loop."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import shiboken6
from PySide6.QtCore import QEventLoop, QTimer

from qtorch import QtClock, clock

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

DAY = 86_400
LONGEST = 2**31 - 1


@pytest.fixture
def qt_clock(qapp: QApplication) -> Iterator[QtClock]:
    made = QtClock()
    yield made
    made.close()
    made.deleteLater()


class Monotonic:
    """Time as the clock sees it, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def monotonic(monkeypatch: pytest.MonkeyPatch) -> Monotonic:
    fake = Monotonic()
    monkeypatch.setattr(clock, "time", SimpleNamespace(monotonic=fake.monotonic))
    return fake


def the_timer(qt_clock: QtClock) -> QTimer:
    (timer,) = qt_clock.findChildren(QTimer)
    return timer


def noted(heard: list[str], what: str) -> Callable[[], None]:
    return lambda: heard.append(what)


# -- order -------------------------------------------------------------------------------------------------------------


@pytest.mark.realtime
def test_calls_are_made_when_they_are_due_in_that_order(qt_clock: QtClock, qtbot: QtBot) -> None:
    heard: list[str] = []
    start = time.monotonic()
    for name, delay in (("c", 0.006), ("a", 0.0), ("d", 0.006), ("b", 0.003)):
        qt_clock.call_later(delay, noted(heard, name))
    assert heard == []
    qtbot.waitUntil(lambda: len(heard) == 4)
    assert heard == ["a", "b", "c", "d"]
    assert time.monotonic() - start >= 0.006


def test_calls_due_at_one_time_are_made_in_the_order_they_came(qt_clock: QtClock, monotonic: Monotonic) -> None:
    heard: list[int] = []
    for number in range(100):
        qt_clock.call_later(1, lambda number=number: heard.append(number))
    monotonic.now += 1
    qt_clock.run_due()
    assert heard == list(range(100))


def test_a_call_is_not_made_before_its_time(qt_clock: QtClock, monotonic: Monotonic) -> None:
    heard: list[str] = []
    qt_clock.call_later(1, noted(heard, "x"))
    monotonic.now += 0.999
    qt_clock.run_due()
    assert heard == []
    monotonic.now += 0.001
    qt_clock.run_due()
    assert heard == ["x"]


@pytest.mark.parametrize("delay", [0, -5, math.nan, -math.inf])
def test_a_delay_that_is_none_is_due_at_once_but_not_before_call_later_returns(
    qt_clock: QtClock, monotonic: Monotonic, delay: float
) -> None:
    heard: list[str] = []
    qt_clock.call_later(delay, noted(heard, "x"))
    assert heard == []
    qt_clock.run_due()
    assert heard == ["x"]


def test_a_call_that_is_added_by_a_call_waits_for_its_own_time(qt_clock: QtClock, monotonic: Monotonic) -> None:
    heard: list[str] = []
    qt_clock.call_later(0, lambda: qt_clock.call_later(1, noted(heard, "later")))
    qt_clock.run_due()
    assert heard == []
    assert qt_clock.first_due() == monotonic.now + 1


# -- cancel ------------------------------------------------------------------------------------------------------------


def test_a_cancelled_call_is_not_made_and_cancelling_a_made_one_does_nothing(
    qt_clock: QtClock, monotonic: Monotonic
) -> None:
    heard: list[str] = []
    first = qt_clock.call_later(1, noted(heard, "first"))
    second = qt_clock.call_later(1, noted(heard, "second"))
    first.cancel()
    first.cancel()
    monotonic.now += 1
    qt_clock.run_due()
    second.cancel()
    assert heard == ["second"]


def test_a_call_may_cancel_another_that_is_due_too(qt_clock: QtClock, monotonic: Monotonic) -> None:
    heard: list[str] = []
    qt_clock.call_later(0, lambda: later.cancel())
    later = qt_clock.call_later(0, noted(heard, "later"))
    qt_clock.run_due()
    assert heard == []


def test_a_cancelled_call_lets_go_of_what_it_would_have_called(qt_clock: QtClock) -> None:
    heard: list[str] = []
    callback = noted(heard, "x")
    before = sys.getrefcount(callback)
    call = qt_clock.call_later(100, callback)
    call.cancel()
    assert sys.getrefcount(callback) == before


def test_a_hundred_thousand_cancelled_calls_take_no_memory_for_long(qt_clock: QtClock) -> None:
    kept = [qt_clock.call_later(100 + number, lambda: None) for number in range(10)]
    for number in range(100_000):
        qt_clock.call_later(10 + number % 50, lambda: None).cancel()
    assert len(qt_clock._queue) == len(kept)
    assert len(qt_clock._queue._heap) < 200


# -- idle --------------------------------------------------------------------------------------------------------------


def test_a_timer_runs_only_while_something_is_due(qt_clock: QtClock, monotonic: Monotonic) -> None:
    timer = the_timer(qt_clock)
    assert not timer.isActive()
    qt_clock.call_later(5, lambda: None)
    assert timer.isActive()
    assert timer.isSingleShot()
    monotonic.now += 5
    qt_clock.run_due()
    assert not timer.isActive()
    assert qt_clock.first_due() == math.inf


def test_the_timer_stops_when_the_last_call_is_cancelled(qt_clock: QtClock, monotonic: Monotonic) -> None:
    timer = the_timer(qt_clock)
    calls = [qt_clock.call_later(delay, lambda: None) for delay in (5, 3, 4)]
    for call in calls[:-1]:
        call.cancel()
    assert timer.isActive()
    calls[-1].cancel()
    assert not timer.isActive()
    qt_clock.call_later(7, lambda: None)
    assert (timer.isActive(), timer.interval()) == (True, 7_000)


def test_an_earlier_call_moves_the_timer_and_a_later_one_does_not(qt_clock: QtClock, monotonic: Monotonic) -> None:
    timer = the_timer(qt_clock)
    qt_clock.call_later(5, lambda: None)
    qt_clock.call_later(9, lambda: None)
    assert timer.interval() == 5_000
    qt_clock.call_later(2, lambda: None)
    assert timer.interval() == 2_000
    monotonic.now += 2
    qt_clock.run_due()
    assert timer.interval() == 3_000


def test_the_timer_is_never_early(qt_clock: QtClock, monotonic: Monotonic) -> None:
    qt_clock.call_later(0.0011, lambda: None)
    assert the_timer(qt_clock).interval() == 2


def test_a_clock_without_calls_is_never_late(qt_clock: QtClock, monotonic: Monotonic) -> None:
    assert qt_clock.lateness() == 0
    qt_clock.call_later(1, lambda: None)
    assert qt_clock.lateness() == 0
    monotonic.now += 1.5
    assert qt_clock.lateness() == pytest.approx(0.5)
    qt_clock.run_due()
    assert qt_clock.lateness() == 0


# -- long --------------------------------------------------------------------------------------------------------------


def test_a_delay_above_24_days_is_waited_for_in_parts(qt_clock: QtClock, monotonic: Monotonic) -> None:
    heard: list[str] = []
    timer = the_timer(qt_clock)
    qt_clock.call_later(60 * DAY, noted(heard, "x"))
    waits: list[int] = []
    while not heard:
        waits.append(timer.interval())
        monotonic.now += timer.interval() / 1000
        qt_clock.run_due()
    assert waits[:2] == [LONGEST, LONGEST]
    assert sum(waits) - 60 * DAY * 1000 in (0, 1)  # rounded up


@pytest.mark.parametrize("delay", [1e9, 1e300, 1.7e308])
def test_no_delay_is_too_long_for_the_timer(qt_clock: QtClock, monotonic: Monotonic, delay: float) -> None:
    qt_clock.call_later(delay, lambda: None)
    assert the_timer(qt_clock).interval() == LONGEST


def test_an_endless_delay_needs_no_timer(qt_clock: QtClock, monotonic: Monotonic) -> None:
    heard: list[str] = []
    qt_clock.call_later(math.inf, noted(heard, "never"))
    qt_clock.call_later(1, noted(heard, "x"))
    monotonic.now += 1
    qt_clock.run_due()
    assert heard == ["x"]
    assert not the_timer(qt_clock).isActive()


# -- raising and nesting -----------------------------------------------------------------------------------------------


def test_a_call_that_raises_is_told_to_the_excepthook_and_the_others_are_made(
    qt_clock: QtClock, monotonic: Monotonic, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    told: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "excepthook", lambda cls, error, trace: told.append(cls))
    qt_clock.call_later(0, noted(heard, "before"))
    qt_clock.call_later(0, lambda: 1 / 0)
    qt_clock.call_later(0, noted(heard, "after"))
    qt_clock.call_later(5, noted(heard, "later"))
    qt_clock.run_due()
    assert (heard, told) == (["before", "after"], [ZeroDivisionError])
    monotonic.now += 5
    qt_clock.run_due()
    assert heard == ["before", "after", "later"]


@pytest.mark.realtime
def test_the_other_calls_are_made_while_one_of_them_shows_a_dialog(qt_clock: QtClock, qtbot: QtBot) -> None:
    heard: list[str] = []

    def dialog() -> None:
        loop = QEventLoop()
        qt_clock.call_later(0.002, lambda: heard.append("added inside"))
        qt_clock.call_later(0.004, loop.quit)
        loop.exec()
        heard.append("dialog closed")

    qt_clock.call_later(0, dialog)
    qt_clock.call_later(0, noted(heard, "due with it"))
    qt_clock.call_later(0.001, noted(heard, "due during it"))
    qtbot.waitUntil(lambda: "dialog closed" in heard)
    assert heard == ["due with it", "due during it", "added inside", "dialog closed"]


@pytest.mark.realtime
def test_a_call_that_was_waiting_before_is_made_while_another_shows_a_dialog(qt_clock: QtClock, qtbot: QtBot) -> None:
    loop, heard = QEventLoop(), list[str]()

    def close() -> None:
        heard.append("closed by an older call")
        loop.quit()

    qt_clock.call_later(0.002, lambda: loop.exec())
    qt_clock.call_later(0.004, close)
    qtbot.waitUntil(lambda: bool(heard))


# -- threads -----------------------------------------------------------------------------------------------------------


@pytest.mark.realtime
def test_calls_added_on_other_threads_are_made_on_the_clock_s(qt_clock: QtClock, qtbot: QtBot) -> None:
    heard: list[int] = []
    here = threading.get_ident()

    def add() -> None:
        for _ in range(50):
            qt_clock.call_later(0.001, lambda: heard.append(threading.get_ident()))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    qtbot.waitUntil(lambda: len(heard) == 200)
    for thread in threads:
        thread.join()
    assert set(heard) == {here}
    assert not the_timer(qt_clock).isActive()


@pytest.mark.realtime
def test_an_earlier_call_from_another_thread_does_not_wait_for_the_later_one_here(
    qt_clock: QtClock, qtbot: QtBot
) -> None:
    heard: list[str] = []
    qt_clock.call_later(3_600, noted(heard, "in an hour"))
    thread = threading.Thread(target=lambda: qt_clock.call_later(0.001, noted(heard, "now")))
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: heard == ["now"])


@pytest.mark.realtime
def test_no_call_is_lost_while_threads_add_and_cancel_beside_the_clock(qt_clock: QtClock, qtbot: QtBot) -> None:
    heard: list[int] = []

    def add_and_cancel(thread: int) -> None:
        for number in range(100):
            qt_clock.call_later(0, lambda: heard.append(-1)) if number % 10 == 9 else None
            spare = qt_clock.call_later(0.002, lambda: None)
            qt_clock.call_later(0.001, lambda number=number: heard.append(thread * 1_000 + number))
            spare.cancel()

    threads = [threading.Thread(target=add_and_cancel, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for number in range(100):
        qt_clock.call_later(50, lambda: None).cancel()
        qt_clock.call_later(0.001, lambda number=number: heard.append(9_000 + number))
    qtbot.waitUntil(lambda: len(heard) == 430)
    for thread in threads:
        thread.join()
    expected = {thread * 1_000 + number for thread in (0, 1, 2, 9) for number in range(100)}
    assert set(heard) == expected | {-1}


# -- the end -----------------------------------------------------------------------------------------------------------


def test_a_closed_clock_makes_no_call(qt_clock: QtClock, monotonic: Monotonic) -> None:
    heard: list[str] = []
    call = qt_clock.call_later(1, noted(heard, "x"))
    qt_clock.close()
    assert not the_timer(qt_clock).isActive()
    monotonic.now += 1
    qt_clock.run_due()
    call.cancel()
    assert heard == []


def test_a_call_of_a_clock_that_is_gone_can_be_cancelled(qapp: QApplication) -> None:
    gone = QtClock()
    call = gone.call_later(1, lambda: None)
    shiboken6.delete(gone)
    call.cancel()


def test_another_loop_is_woken_for_calls_that_are_due_before_all_others_until_it_stops(
    qt_clock: QtClock, monotonic: Monotonic
) -> None:
    woken: list[Any] = []
    stop = qt_clock.on_earlier(lambda: woken.append(qt_clock.first_due()))
    for delay in (5, 9, 2):
        qt_clock.call_later(delay, lambda: None)
    assert woken == [monotonic.now + 5, monotonic.now + 2]
    stop()
    qt_clock.call_later(1, lambda: None)
    assert len(woken) == 2
