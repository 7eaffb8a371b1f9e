"""One field of a ten-field state, shown in one label."""

from __future__ import annotations

from itertools import count
from time import perf_counter

from psygnal import EventedModel
from PySide6.QtWidgets import QLabel

from qtorch import BaseOrchestrator, BaseState, Runtime, bind

_UPDATES = 2_000
_next = count().__next__


class TenFields(BaseState):
    a: str = ""
    b: int = 0
    c: int = 0
    d: int = 0
    e: int = 0
    f: int = 0
    g: int = 0
    h: int = 0
    i: int = 0
    j: int = 0


class Ten(BaseOrchestrator[TenFields]):
    pass


class EventedTen(EventedModel):
    a: str = ""
    b: int = 0
    c: int = 0
    d: int = 0
    e: int = 0
    f: int = 0
    g: int = 0
    h: int = 0
    i: int = 0
    j: int = 0


class BoundField:
    """A label bound to field ``a``; ``others`` labels bound to the other nine."""

    def __init__(self, runtime: Runtime, others: int = 0) -> None:
        self.ten = Ten(TenFields(), runtime=runtime)
        self.label = QLabel()
        bind(self.label, "text", self.ten.select(lambda s: s.a))
        self.labels = [QLabel() for _ in range(others)]
        for number, label in enumerate(self.labels):
            bind(label, "text", self.ten.select(_other_field(number)), to=str)

    def update(self) -> float:
        """Set the field over and over; seconds per update."""
        values = [str(_next()) for _ in range(_UPDATES)]
        started = perf_counter()
        for value in values:
            self.ten.update(a=value)
        return (perf_counter() - started) / _UPDATES


def _other_field(number: int):  # type: ignore[no-untyped-def]  # nine selectors, one line
    name = "bcdefghij"[number % 9]
    return lambda s: getattr(s, name)


class PsygnalField:
    """The same with psygnal's evented model."""

    def __init__(self) -> None:
        self.ten = EventedTen()
        self.label = QLabel()
        self.ten.events.a.connect(self.label.setText)

    def update(self) -> float:
        """Set the field over and over; seconds per update."""
        values = [str(_next()) for _ in range(_UPDATES)]
        started = perf_counter()
        for value in values:
            self.ten.a = value
        return (perf_counter() - started) / _UPDATES
