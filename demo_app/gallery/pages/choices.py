"""Check boxes and combo boxes write what the user chooses; what there is to choose comes from the state as well."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QHBoxLayout, QLabel, QPushButton, QWidget

from demo_app.gallery.page import Page
from qtorch import BaseOrchestrator, BaseState, bind, bind_two_way


class City(BaseState):
    code: str
    name: str


class TripState(BaseState):
    by_train: bool | None = None
    to: str = "OSL"
    cities: tuple[City, ...] = (City(code="OSL", name="Oslo"), City(code="CPH", name="Copenhagen"))


class Trip(BaseOrchestrator[TripState]):
    @Slot()
    def discover(self) -> None:
        number = len(self.state.cities)
        found = City(code=f"N{number}", name=f"New town {number}")
        self.update(cities=(found, *self.state.cities))

    @Slot()
    def switch(self) -> None:
        self.update(to="CPH" if self.state.to == "OSL" else "OSL", by_train=not self.state.by_train)


def choices(cities: tuple[City, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((city.name, city.code) for city in cities)


def build() -> QWidget:
    trip = Trip(TripState())

    by_train = QCheckBox("By train", tristate=True)  # None is the third state
    bind_two_way(by_train, trip.field(lambda s: s.by_train))

    to = QComboBox()
    bind_two_way(to, trip.field(lambda s: s.to), items=trip.select(lambda s: choices(s.cities)))

    state = QLabel()
    bind(state, "text", trip.select(lambda s: f"by_train={s.by_train}, to={s.to!r}"))

    discover, switch = QPushButton("Add a city on top"), QPushButton("Change it from elsewhere")
    discover.clicked.connect(trip.discover)
    switch.clicked.connect(trip.switch)

    page = QWidget()
    layout = QFormLayout(page)
    layout.addRow("", by_train)
    layout.addRow("To", to)
    layout.addRow("In the state", state)
    buttons = QHBoxLayout()
    buttons.addWidget(discover)
    buttons.addWidget(switch)
    buttons.addStretch()
    layout.addRow("", buttons)
    return page


PAGE = Page("Two way: choices", build)
