"""Spin boxes, sliders, radio buttons, dates and times show one state and write it; a drag can wait for its end."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Annotated

from annotated_types import Ge, Le
from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QDateEdit,
    QDoubleSpinBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QRadioButton,
    QSlider,
    QSpinBox,
    QTimeEdit,
    QWidget,
)

from demo_app.gallery.page import Page
from qtorch import BaseOrchestrator, BaseState, bind, bind_two_way

CLASSES = (("Second", 2), ("First", 1))


class BookingState(BaseState):
    seats: Annotated[int, Ge(1), Le(9)] = 2
    price: float = 49.5
    travel_class: int = 2
    day: date = date(2027, 3, 1)
    at: time = time(8, 30)
    returns: bool = True
    back: date = date(2027, 3, 8)


class Booking(BaseOrchestrator[BookingState]):
    @Slot()
    def postpone(self) -> None:
        state = self.state
        week = timedelta(days=7)
        self.update(seats=state.seats % 9 + 1, day=state.day + week, back=state.back + week)


def build() -> QWidget:
    booking = Booking(BookingState())

    seats, slider = QSpinBox(maximum=12), QSlider(Qt.Orientation.Horizontal)
    slider.setRange(1, 9)
    bind_two_way(seats, booking.field(lambda s: s.seats))  # 10 to 12 are refused by the state, and marked
    bind_two_way(slider, booking.field(lambda s: s.seats), commit="finish")  # written when it is let go

    price = QDoubleSpinBox(maximum=999, suffix=" €")
    bind_two_way(price, booking.field(lambda s: s.price), debounce=0.3)

    classes, row = QButtonGroup(), QHBoxLayout()
    for name, number in CLASSES:
        button = QRadioButton(name)
        classes.addButton(button, number)  # its id is the value
        row.addWidget(button)
    row.addStretch()
    bind_two_way(classes, booking.field(lambda s: s.travel_class))

    day, at = QDateEdit(), QTimeEdit()
    bind_two_way(day, booking.field(lambda s: s.day))
    bind_two_way(at, booking.field(lambda s: s.at))

    returns, back = QGroupBox("And back", checkable=True), QDateEdit()
    bind_two_way(returns, booking.field(lambda s: s.returns))
    bind_two_way(back, booking.field(lambda s: s.back))
    QFormLayout(returns).addRow("Day", back)

    state, postpone = QLabel(), QPushButton("Change it from elsewhere")
    bind(state, "text", booking.select(describe))
    postpone.clicked.connect(booking.postpone)

    page = QWidget()
    classes.setParent(page)
    layout = QFormLayout(page)
    layout.addRow("Seats", seats)
    layout.addRow("", slider)
    layout.addRow("Price", price)
    layout.addRow("Class", row)
    layout.addRow("Day", day)
    layout.addRow("At", at)
    layout.addRow(returns)
    layout.addRow("In the state", state)
    layout.addRow("", postpone)
    return page


def describe(state: BookingState) -> str:
    back = f", back {state.back}" if state.returns else ""
    return f"{state.seats} x {state.price} €, class {state.travel_class}, {state.day} {state.at:%H:%M}{back}"


PAGE = Page("Two way: numbers, dates", build)
