"""A hook or listener opens a modal dialog: everything else goes on under it, in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QDialog, QLabel

from qtorch import BaseEvent, BaseJob, BaseOrchestrator, BaseState, executes
from tests.qtorch.execution.rig import Rig, drive

pytestmark = pytest.mark.realtime


class CountState(BaseState):
    count: int = 0
    other: int = 0


class Counter(BaseOrchestrator[CountState]):
    pass


class QuickJob(BaseJob[int]):
    number: int = 0


@executes(QuickJob)
def quick(job: QuickJob) -> int:
    return job.number


def ask(until: Callable[[], object], meanwhile: Callable[[], object] = lambda: None) -> bool:
    """Open a modal dialog that is accepted once ``until()`` holds; give whether that came."""
    dialog = QDialog()
    timer = QTimer(dialog)

    def look() -> None:
        meanwhile()
        if until():
            dialog.accept()

    timer.timeout.connect(look)
    timer.start(1)
    QTimer.singleShot(8_000, dialog, dialog.reject)
    answer = dialog.exec()
    shiboken6.delete(dialog)  # with its timer, which else would go on
    return answer == QDialog.DialogCode.Accepted


@pytest.fixture
def counter(rig: Rig, qapp: QApplication) -> Counter:
    rig.runtime.register(quick)
    return Counter(CountState(), runtime=rig.runtime)


def test_the_listeners_after_the_one_with_the_dialog_hear_under_it(counter: Counter) -> None:
    order: list[str] = []
    counter.select(lambda s: s.count).subscribe(lambda _: order.append("before"))
    counter.select(lambda s: s.count).subscribe(lambda _: order.append(f"dialog {ask(lambda: 'state' in order)}"))
    counter.select(lambda s: s.count).subscribe(lambda _: order.append("after"))
    counter.stateChanged.connect(lambda *_: order.append("state"))
    counter.update(count=1)
    assert order == ["before", "after", "state", "dialog True"]


def test_a_label_shows_what_changes_while_a_listener_waits_in_a_dialog(counter: Counter, qtbot: Any) -> None:
    label = QLabel()
    qtbot.addWidget(label)
    answers: list[bool] = []

    def open_dialog(count: int) -> None:
        if count == 1:
            answers.append(
                ask(lambda: label.text() == "5", lambda: counter.update(count=min(5, counter.state.count + 1)))
            )

    counter.select(lambda s: s.count).subscribe(open_dialog)
    counter.select(lambda s: str(s.count)).subscribe(label.setText)
    counter.update(count=1)
    assert answers == [True]


def test_jobs_end_and_are_shown_under_a_dialog_that_a_hook_opened(rig: Rig, counter: Counter) -> None:
    order: list[str] = []

    class Asking(BaseOrchestrator[CountState]):
        def on_active_success(self, event: Any) -> None:
            number = event.data
            order.append(f"begin {number}")
            if number == 0:
                self.dispatch(QuickJob(number=1))
                order.append(f"dialog {ask(lambda: 'shown 1' in order)}")
            self.update(count=number)

        def on_active_event(self, event: Any) -> None:
            if event.is_terminal:
                order.append(f"every {event.data}")

    asking = Asking(CountState(count=-1), runtime=rig.runtime)
    asking.select(lambda s: s.count).subscribe(lambda value: order.append(f"shown {value}"))
    asking.dispatch(QuickJob(number=0))
    drive(lambda: "shown 0" in order)
    assert order == ["begin 0", "every 0", "begin 1", "every 1", "shown 1", "dialog True", "shown 0"]


def test_a_change_made_just_before_the_dialog_is_shown_under_it(rig: Rig, counter: Counter) -> None:
    shown: list[int] = []
    answers: list[bool] = []
    counter.select(lambda s: s.count).subscribe(shown.append)

    def hear(event: BaseEvent) -> None:
        counter.update(count=1)
        answers.append(ask(lambda: shown == [1]))

    rig.runtime.bus.subscribe(hear)
    rig.runtime.bus.emit(BaseEvent(""))
    drive(lambda: answers)
    assert answers == [True]


def test_running_goes_on_and_off_under_a_dialog(rig: Rig, counter: Counter) -> None:
    busy: list[bool] = []
    answers: list[bool] = []
    counter.running().subscribe(busy.append)

    def open_dialog(_: int) -> None:
        counter.dispatch(QuickJob())
        answers.append(ask(lambda: busy == [True, False]))

    counter.select(lambda s: s.count).subscribe(open_dialog)
    counter.update(count=1)
    assert answers == [True]


@pytest.mark.parametrize("opened_by", ["a listener called by emit", "a listener called by the bus's drain"])
def test_a_clock_that_ticks_under_a_dialog_is_no_loop(rig: Rig, counter: Counter, opened_by: str) -> None:
    # The event loop turns between the ticks, though a listener of the very state is still on the stack.
    answers: list[bool] = []

    def open_dialog(count: int) -> None:
        if count == 1:
            answers.append(
                ask(lambda: counter.state.other > 150, lambda: counter.update(other=counter.state.other + 1))
            )

    counter.select(lambda s: s.count).subscribe(open_dialog)
    if opened_by == "a listener called by emit":
        counter.update(count=1)
    else:
        rig.runtime.bus.subscribe(lambda _: counter.update(count=1))
        rig.runtime.bus.emit(BaseEvent(""))
        drive(lambda: answers)
    assert answers == [True]
    assert not rig.reports


def test_two_hundred_results_in_one_drain_under_a_dialog_are_no_loop(rig: Rig, counter: Counter) -> None:
    answers: list[bool] = []

    def open_dialog(count: int) -> None:
        if count == 1:
            for _ in range(200):
                rig.runtime.bus.emit(BaseEvent("result"))
            answers.append(ask(lambda: counter.state.other == 200))

    rig.runtime.bus.subscribe(lambda _: counter.update(other=counter.state.other + 1))
    counter.select(lambda s: s.count).subscribe(open_dialog)
    counter.update(count=1)
    assert answers == [True]
    assert not rig.reports
    assert counter.state.other == 200


def test_a_dialog_in_a_dialog_keeps_the_order(rig: Rig, counter: Counter) -> None:
    order: list[str] = []

    def hear(event: BaseEvent) -> None:
        name = event.correlation_id
        order.append(f"begin {name}")
        if name in ("a", "b"):
            ask(lambda: "end c" in order)
        order.append(f"end {name}")

    rig.runtime.bus.subscribe(hear)
    rig.runtime.bus.subscribe(lambda event: order.append(f"second {event.correlation_id}"))
    for name in ("a", "b", "c"):
        rig.runtime.bus.emit(BaseEvent(name))
    drive(lambda: "end a" in order)
    assert order == ["begin a", "second a", "begin b", "second b", "begin c", "end c", "second c", "end b", "end a"]
