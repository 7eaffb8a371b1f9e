"""Between a field and a widget in which a value is stepped, dragged or picked."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import pytest
import shiboken6
from annotated_types import Ge, Le
from pydantic import field_validator
from PySide6.QtCore import QDate, QDateTime, Qt, QTime
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QButtonGroup,
    QDateEdit,
    QDateTimeEdit,
    QDial,
    QDoubleSpinBox,
    QGroupBox,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QScrollBar,
    QSlider,
    QSpinBox,
    QTimeEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from qtorch import BaseOrchestrator, BaseState, bind_two_way

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from qtorch.testing import FakeClock
    from qtorch.testing.hygiene import TestRuntime

W = TypeVar("W", bound=QWidget)


class Trip(BaseState):
    seats: Annotated[int, Ge(0), Le(150)] = 30
    even: int = 0
    far: int = 2**40
    ratio: float = 0.123456
    price: Decimal = Decimal("1.10")
    limit: int | None = None
    day: date = date(2024, 2, 29)
    at: time = time(8, 30)
    leaves: datetime = datetime(2024, 2, 29, 8, 30, 15, 250_000)
    arrives: datetime = datetime(2024, 2, 29, 12, 0, tzinfo=UTC)
    returns: date | None = None
    kind: str = "train"
    level: int = 2
    is_open: bool = False

    @field_validator("even")
    @classmethod
    def _even(cls, even: int) -> int:
        return even - even % 2


class Holder(BaseState):
    trip: Trip | None = None


class Planner(BaseOrchestrator[Trip]):
    pass


class Holders(BaseOrchestrator[Holder]):
    pass


class Window(QWidget):
    """An input and something else that can have the focus."""

    def __init__(self) -> None:
        super().__init__()
        self.column = QVBoxLayout(self)
        self.other = self.add(QLineEdit())

    def add(self, widget: W) -> W:
        self.column.addWidget(widget)
        widget.show()
        return widget


@pytest.fixture
def plan(qtorch_runtime: TestRuntime) -> Planner:
    return Planner(Trip())


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[Window]:
    window = Window()
    window.show()
    window.activateWindow()
    window.other.setFocus()
    QApplication.processEvents()
    qtbot.waitUntil(window.other.hasFocus)
    yield window
    if shiboken6.isValid(window):
        shiboken6.delete(window)


def spin_box(window: Window, highest: int = 200) -> QSpinBox:
    box = window.add(QSpinBox())
    box.setRange(0, highest)
    box.setFocus()
    return box


# --------------------------------------------------------------------------------------------------------- spin boxes


def test_a_spin_box_is_written_by_keys_and_steps_and_follows_the_state(plan: Planner, window: Window) -> None:
    box = spin_box(window)
    bind_two_way(box, plan.field(lambda s: s.seats))
    assert box.value() == 30
    box.selectAll()
    QTest.keyClicks(box, "45")
    assert plan.state.seats == 45
    QTest.keyClick(box, Qt.Key.Key_Up)
    assert plan.state.seats == 46
    plan.update(seats=7)
    assert box.value() == 7


def test_a_change_from_elsewhere_moves_neither_caret_nor_selection_of_a_spin_box(plan: Planner, window: Window) -> None:
    box = spin_box(window)
    bind_two_way(box, plan.field(lambda s: s.seats))
    box.lineEdit().setCursorPosition(1)
    plan.update(seats=35)
    assert (box.text(), box.lineEdit().cursorPosition()) == ("35", 1)
    QTest.keyClicks(box, "1")
    assert plan.state.seats == 35, "315 is more than the box takes"
    box.lineEdit().setSelection(0, 1)
    plan.update(seats=38)
    assert (box.lineEdit().selectedText(), box.text()) == ("3", "38")
    QTest.keyClicks(box, "1")
    assert plan.state.seats == 18


def test_a_number_that_the_state_writes_otherwise_is_shown_when_it_is_finished(plan: Planner, window: Window) -> None:
    box = spin_box(window)
    bind_two_way(box, plan.field(lambda s: s.even))
    box.selectAll()
    QTest.keyClicks(box, "13")
    assert (box.text(), plan.state.even) == ("13", 12)
    QTest.keyClicks(box, "1")
    assert (box.text(), plan.state.even) == ("131", 130)
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert box.text() == "130"


def test_a_step_to_what_the_state_writes_otherwise_is_corrected_at_once(plan: Planner, window: Window) -> None:
    box = spin_box(window)
    box.setSingleStep(3)
    bind_two_way(box, plan.field(lambda s: s.even))
    box.stepUp()
    assert (box.value(), plan.state.even) == (2, 2)


def test_a_value_outside_its_range_is_shown_as_the_nearest_and_stays(plan: Planner, window: Window) -> None:
    box, shown = spin_box(window, highest=99), []
    box.valueChanged.connect(shown.append)
    bind_two_way(box, plan.field(lambda s: s.far))
    assert (box.value(), plan.state.far) == (99, 2**40)
    window.other.setFocus()
    plan.update(kind="bus")
    assert (plan.state.far, shown) == (2**40, [99])


def test_a_value_that_a_box_cannot_show_is_set_once(qtorch_runtime: TestRuntime, window: Window) -> None:
    values: list[int] = []

    class Counting(QSpinBox):
        def setValue(self, value: int) -> None:
            values.append(value)
            super().setValue(value)

    holders, box = Holders(Holder(trip=Trip())), window.add(Counting())
    bind_two_way(box, holders.field(lambda s: s.trip.far))  # type: ignore[union-attr]
    holders.update(trip=Trip(kind="bus"))
    holders.update(trip=Trip(kind="plane"))
    assert values == [99]


def test_digits_that_a_box_does_not_show_stay_in_the_state(plan: Planner, window: Window) -> None:
    box = window.add(QDoubleSpinBox())
    bind_two_way(box, plan.field(lambda s: s.ratio))
    box.setFocus()
    assert box.value() == 0.12
    window.other.setFocus()
    assert plan.state.ratio == 0.123456
    box.setValue(0.5)
    assert plan.state.ratio == 0.5


def test_a_decimal_is_written_as_it_is_read(plan: Planner, window: Window) -> None:
    box = window.add(QDoubleSpinBox())
    bind_two_way(box, plan.field(lambda s: s.price))
    assert box.value() == 1.1
    box.setValue(2.2)
    assert plan.state.price == Decimal("2.2")


def test_none_is_the_minimum_which_can_be_named_and_is_not_written(plan: Planner, window: Window) -> None:
    box = window.add(QSpinBox())
    box.setSpecialValueText("no limit")
    bind_two_way(box, plan.field(lambda s: s.limit), parse=lambda number: number or None)
    assert (box.text(), plan.state.limit) == ("no limit", None)
    box.setValue(5)
    assert plan.state.limit == 5
    box.setValue(0)
    assert plan.state.limit is None


def test_a_refused_number_stays_visible_and_marked(plan: Planner, window: Window) -> None:
    box = spin_box(window)
    bind_two_way(box, plan.field(lambda s: s.seats), revert=True)
    box.selectAll()
    QTest.keyClicks(box, "151")
    assert (box.value(), plan.state.seats, box.property("invalid")) == (151, 15, True)
    assert "150" in box.toolTip()
    window.other.setFocus()
    assert (box.value(), box.property("invalid"), box.toolTip()) == (15, False, "")


def test_a_debounced_number_is_written_when_no_other_has_followed(
    qtorch_clock: FakeClock, plan: Planner, window: Window
) -> None:
    box = spin_box(window)
    bind_two_way(box, plan.field(lambda s: s.seats), debounce=0.3)
    box.stepUp()
    qtorch_clock.advance(0.2)
    box.stepUp()
    qtorch_clock.advance(0.2)
    assert plan.state.seats == 30
    qtorch_clock.advance(0.1)
    assert plan.state.seats == 32


def test_a_typed_number_can_wait_for_its_finish_and_a_step_does_not(plan: Planner, window: Window) -> None:
    box = spin_box(window)
    bind_two_way(box, plan.field(lambda s: s.seats), commit="finish")
    box.selectAll()
    QTest.keyClicks(box, "99")
    assert plan.state.seats == 30
    window.other.setFocus()
    assert plan.state.seats == 99
    box.stepDown()
    assert plan.state.seats == 98


def test_nothing_is_written_into_a_number_that_is_being_composed(plan: Planner, window: Window, qtbot: QtBot) -> None:
    box = spin_box(window)
    bind_two_way(box, plan.field(lambda s: s.seats))
    QApplication.sendEvent(box, QInputMethodEvent("1", []))
    plan.update(seats=12)
    assert box.value() == 30
    QApplication.sendEvent(box, QInputMethodEvent("", []))
    QApplication.processEvents()
    assert box.value() == 12


# ------------------------------------------------------------------------------------------------------------ sliders


@pytest.mark.parametrize("kind", [QSlider, QDial, QScrollBar])
def test_a_slider_is_a_number_both_ways(
    plan: Planner, window: Window, kind: type[QSlider | QDial | QScrollBar]
) -> None:
    slider = window.add(kind())
    bind_two_way(slider, plan.field(lambda s: s.seats))
    assert slider.value() == 30
    slider.setValue(40)
    assert plan.state.seats == 40
    plan.update(seats=50)
    assert slider.value() == 50


def test_what_comes_while_a_slider_is_dragged_is_shown_when_it_is_let_go(plan: Planner, window: Window) -> None:
    slider = window.add(QSlider(Qt.Orientation.Horizontal))
    bind_two_way(slider, plan.field(lambda s: s.even))
    slider.setSliderDown(True)
    slider.setSliderPosition(11)
    assert (slider.value(), plan.state.even) == (11, 10)
    plan.update(even=80)
    assert slider.value() == 11
    slider.setSliderDown(False)
    assert slider.value() == 80


def test_a_drag_can_be_written_at_its_end_only(plan: Planner, window: Window) -> None:
    slider = window.add(QSlider(Qt.Orientation.Horizontal))
    bind_two_way(slider, plan.field(lambda s: s.seats), commit="finish")
    slider.setSliderDown(True)
    slider.setSliderPosition(60)
    slider.setSliderPosition(70)
    assert plan.state.seats == 30
    slider.setSliderDown(False)
    assert plan.state.seats == 70
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_Right)
    assert plan.state.seats == 71, "a key is an edit of its own"


# ----------------------------------------------------------------------------------------------------- dates and times


def test_dates_and_times_are_those_of_python(plan: Planner, window: Window) -> None:
    day, at, leaves = window.add(QDateEdit()), window.add(QTimeEdit()), window.add(QDateTimeEdit())
    bind_two_way(day, plan.field(lambda s: s.day))
    bind_two_way(at, plan.field(lambda s: s.at))
    bind_two_way(leaves, plan.field(lambda s: s.leaves))
    assert (day.date(), at.time()) == (QDate(2024, 2, 29), QTime(8, 30))
    assert leaves.dateTime() == QDateTime(QDate(2024, 2, 29), QTime(8, 30, 15, 250))
    day.setDate(QDate(2025, 3, 1))
    at.setTime(QTime(9, 0))
    leaves.setDateTime(QDateTime(QDate(2025, 3, 1), QTime(9, 0)))
    assert (plan.state.day, plan.state.at) == (date(2025, 3, 1), time(9))
    assert plan.state.leaves == datetime(2025, 3, 1, 9, 0)
    plan.update(day=date(2026, 1, 2), at=time(1, 2, 3))
    assert (day.date(), at.time()) == (QDate(2026, 1, 2), QTime(1, 2, 3))


def test_a_date_is_typed_in_its_middle_while_the_state_changes(plan: Planner, window: Window) -> None:
    edit = window.add(QDateEdit())
    edit.setDisplayFormat("yyyy-MM-dd")
    bind_two_way(edit, plan.field(lambda s: s.day))
    edit.setFocus()
    edit.setSelectedSection(QDateEdit.Section.MonthSection)
    QTest.keyClicks(edit, "1")
    plan.update(kind="bus")
    QTest.keyClicks(edit, "1")
    assert plan.state.day == date(2024, 11, 29)
    edit.setSelectedSection(QDateEdit.Section.DaySection)
    plan.update(day=date(2024, 11, 3))
    assert edit.lineEdit().selectedText() == "03"


def test_a_moment_with_a_zone_is_shown_in_local_time_and_keeps_its_zone(plan: Planner, window: Window) -> None:
    edit = window.add(QDateTimeEdit())
    bind_two_way(edit, plan.field(lambda s: s.arrives))
    there = timezone(timedelta(hours=5))
    plan.update(arrives=datetime(2024, 2, 29, 17, 30, tzinfo=there))
    local: Any = edit.dateTime().toPython()
    assert local.astimezone(UTC) == datetime(2024, 2, 29, 12, 30, tzinfo=UTC)
    edit.setDateTime(edit.dateTime().addSecs(3_600))
    assert plan.state.arrives == datetime(2024, 2, 29, 18, 30, tzinfo=there)
    assert plan.state.arrives.tzinfo == there


def test_no_date_is_the_earliest_which_can_be_named(plan: Planner, window: Window) -> None:
    edit = window.add(QDateEdit())
    edit.setSpecialValueText("open")
    bind_two_way(edit, plan.field(lambda s: s.returns))
    assert (edit.text(), plan.state.returns) == ("open", None)
    edit.setDate(QDate(2024, 5, 1))
    assert plan.state.returns == date(2024, 5, 1)


# ------------------------------------------------------------------------------------------------------------- buttons


def radio_group(window: Window, *texts: str) -> tuple[QButtonGroup, list[QRadioButton]]:
    group = QButtonGroup(window)
    buttons = [window.add(QRadioButton(text)) for text in texts]
    for button in buttons:
        group.addButton(button)
    return group, buttons


def test_a_radio_group_is_the_text_of_its_button(plan: Planner, window: Window) -> None:
    group, (bus, train) = radio_group(window, "&bus", "train")
    written: list[str] = []
    plan.select(lambda s: s.kind).subscribe(written.append)
    bind_two_way(group, plan.field(lambda s: s.kind))
    assert train.isChecked()
    bus.click()
    assert (plan.state.kind, written) == ("bus", ["bus"])
    plan.update(kind="train")
    assert train.isChecked()


def test_a_radio_group_can_be_numbered_or_have_values(plan: Planner, window: Window) -> None:
    group, (low, high) = radio_group(window, "low", "high")
    group.setId(low, 1)
    group.setId(high, 2)
    bind_two_way(group, plan.field(lambda s: s.level))
    assert high.isChecked()
    low.click()
    assert plan.state.level == 1
    kinds, (rail, road) = radio_group(window, "On rails", "On the road")
    rail.setProperty("value", "train")
    road.setProperty("value", "bus")
    bind_two_way(kinds, plan.field(lambda s: s.kind))
    assert rail.isChecked()
    rail.setFocus()
    QTest.keyClick(rail, Qt.Key.Key_Down)
    assert plan.state.kind == "bus"


def test_a_value_of_no_button_is_shown_as_no_choice_and_stays(plan: Planner, window: Window) -> None:
    group, (bus, train) = radio_group(window, "bus", "train")
    bind_two_way(group, plan.field(lambda s: s.kind))
    plan.update(kind="plane")
    assert (group.checkedButton(), plan.state.kind, group.exclusive()) == (None, "plane", True)
    bus.click()
    assert (plan.state.kind, train.isChecked()) == ("bus", False)


def test_a_group_whose_path_leads_through_none_is_disabled_and_two_bindings_are_refused(
    qtorch_runtime: TestRuntime, window: Window
) -> None:
    holders = Holders(Holder())
    group, (bus, train) = radio_group(window, "bus", "train")
    bus.setEnabled(False)
    bind_two_way(group, holders.field(lambda s: s.trip.kind))  # type: ignore[union-attr]
    assert (group.checkedButton(), train.isEnabled()) == (None, False)
    holders.update(trip=Trip(kind="train"))
    assert (train.isChecked(), train.isEnabled(), bus.isEnabled()) == (True, True, False)
    with pytest.raises(RuntimeError, match="QButtonGroup has a two-way binding already"):
        bind_two_way(group, holders.field(lambda s: s.trip.kind))  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", [QPushButton, QToolButton, QRadioButton, QGroupBox])
def test_whatever_is_checkable_is_a_flag_both_ways(
    plan: Planner, window: Window, kind: type[QPushButton | QGroupBox]
) -> None:
    button = window.add(kind())
    button.setCheckable(True)
    bind_two_way(button, plan.field(lambda s: s.is_open))
    button.setChecked(True)
    assert plan.state.is_open
    plan.update(is_open=False)
    assert not button.isChecked()


def test_a_button_that_is_not_checkable_has_nothing_to_edit(plan: Planner, window: Window) -> None:
    with pytest.raises(TypeError, match=r"other checkable buttons.* not QPushButton"):
        bind_two_way(window.add(QPushButton("Go")), plan.field(lambda s: s.is_open))


# ------------------------------------------------------------------------------------------------------------ lifetime


def test_widgets_of_every_kind_come_and_go_and_leave_nothing_without_the_collector(
    qtorch_runtime: TestRuntime,
) -> None:
    def make() -> list[weakref.ref[Any]]:
        plan, window = Planner(Trip()), QWidget()
        widgets = [QSpinBox(window), QSlider(window), QDateEdit(window), QPushButton(window), QButtonGroup(window)]
        spin, slider, day, button, group = widgets
        button.setCheckable(True)
        group.addButton(QRadioButton("train", window))
        for widget, field in [
            (spin, plan.field(lambda s: s.seats)),
            (slider, plan.field(lambda s: s.seats)),
            (day, plan.field(lambda s: s.day)),
            (button, plan.field(lambda s: s.is_open)),
            (group, plan.field(lambda s: s.kind)),
        ]:
            bind_two_way(widget, field)  # type: ignore[call-overload]
        spin.setValue(9)
        return [weakref.ref(one) for one in (plan, window, *widgets)]

    gc.collect()
    gc.disable()
    died = [ref for _ in range(200) for ref in make()]
    assert [ref for ref in died if ref() is not None] == []
    gc.enable()
