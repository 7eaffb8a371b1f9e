"""A source is shown in any Qt property of any widget, now and at every change."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QProgressBar, QPushButton, QSizePolicy, QWidget

from demo_app.gallery.page import Page
from qtorch import BaseOrchestrator, BaseState, bind


class WeatherState(BaseState):
    city: str
    degrees: int


class Weather(BaseOrchestrator[WeatherState]):
    @Slot()
    def warmer(self) -> None:
        self.update(degrees=self.state.degrees + 5)

    @Slot()
    def colder(self) -> None:
        self.update(degrees=self.state.degrees - 5)


STYLE = """
    QLabel[feels="hot"] { background: #b3261e; color: white; border-radius: 6px; padding: 6px 10px; }
    QLabel[feels="mild"] { background: #1b6e3c; color: white; border-radius: 6px; padding: 6px 10px; }
    QLabel[feels="cold"] { background: #1d4ed8; color: white; border-radius: 6px; padding: 6px 10px; }
"""


def feels(degrees: int) -> str:
    return "hot" if degrees >= 25 else "mild" if degrees > 5 else "cold"


def build() -> QWidget:
    weather = Weather(WeatherState(city="Oslo", degrees=5))
    degrees = weather.select(lambda s: s.degrees)

    text = QLabel()
    bind(text, "text", weather.select(lambda s: f"{s.city}: {s.degrees} °C"))

    bar = QProgressBar(minimum=-20, maximum=40, format="%v °C")
    bind(bar, "value", degrees)

    warmer, colder = QPushButton("Warmer"), QPushButton("Colder")
    warmer.clicked.connect(weather.warmer)
    colder.clicked.connect(weather.colder)
    bind(warmer, "enabled", degrees.map(lambda value: value < 40))
    bind(colder, "enabled", degrees.map(lambda value: value > -20))

    ice = QLabel("There may be ice on the road")
    bind(ice, "visible", degrees.map(lambda value: value <= 5))

    styled = QLabel()
    styled.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    styled.setStyleSheet(STYLE)
    styled.setProperty("feels", "")  # a dynamic property is there once it has been set
    bind(styled, "feels", degrees, to=feels)
    bind(styled, "text", degrees, to=feels)

    page = QWidget()
    layout = QFormLayout(page)
    buttons = QHBoxLayout()
    for button in (warmer, colder):
        buttons.addWidget(button)
    buttons.addStretch()
    layout.addRow("text", text)
    layout.addRow("value", bar)
    layout.addRow("enabled", buttons)
    layout.addRow("a style's property", styled)
    layout.addRow("visible", ice)
    return page


PAGE = Page("One way", build)
