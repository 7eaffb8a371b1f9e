"""Sources of real orchestrators, told at the end of a drain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from qtorch import BaseEvent, BaseOrchestrator, BaseState, combine, on

if TYPE_CHECKING:
    import pytest

    from qtorch.testing.hygiene import TestRuntime


@dataclass(frozen=True)
class Moved(BaseEvent):
    by: int = 0


class PlaceState(BaseState):
    x: int = 0
    label: str = ""


class Place(BaseOrchestrator[PlaceState]):
    @on(Moved)
    def _moved(self, event: Moved) -> None:
        self.update(x=self.state.x + event.by)


def move(runtime: TestRuntime, *by: int) -> None:
    for one in by:
        runtime.bus.emit(Moved("map", one))
    while not runtime.bus.core.mailbox.is_idle:
        QCoreApplication.processEvents()


def test_two_orchestrators_that_hear_one_event_are_combined_without_a_moment_between(
    qtorch_runtime: TestRuntime,
) -> None:
    here, there = Place(PlaceState()), Place(PlaceState(x=100))
    seen: list[tuple[int, int]] = []

    def pair(a: int, b: int) -> tuple[int, int]:
        seen.append((a, b))
        return a, b

    heard: list[tuple[int, int]] = []
    both = combine(here.select(lambda s: s.x), there.select(lambda s: s.x), pair)
    both.subscribe(heard.append)
    seen.clear()
    move(qtorch_runtime, 1)
    assert seen == heard == [(1, 101)]


def test_several_events_of_one_drain_are_told_net_and_computed_once(qtorch_runtime: TestRuntime) -> None:
    place = Place(PlaceState())
    calls: list[int] = []

    def double(state: PlaceState) -> int:
        calls.append(state.x)
        return state.x * 2

    heard: list[int] = []
    place.select(double).subscribe(heard.append)
    calls.clear()
    move(qtorch_runtime, 1, 1, 1)
    assert calls == [3]
    assert heard == [6]


def test_a_change_that_is_taken_back_within_a_drain_is_not_told(qtorch_runtime: TestRuntime) -> None:
    place, heard = Place(PlaceState()), list[int]()
    place.select(lambda s: s.x).subscribe(heard.append)
    move(qtorch_runtime, 5, -5)
    assert heard == []
    assert place.state.x == 0


def test_a_source_read_in_a_handler_after_an_update_gives_the_new_value(qtorch_runtime: TestRuntime) -> None:
    place = Place(PlaceState())
    source = place.select(lambda s: s.x).map(str)
    source.subscribe(lambda _: None)
    read: list[str] = []
    qtorch_runtime.bus.subscribe(lambda event: read.append(source.get()), event_type=Moved)
    place.update(x=7)
    move(qtorch_runtime, 1)
    assert read == ["7"]
    assert source.get() == "8"


def test_a_listener_that_closes_another_in_the_middle_of_a_telling_is_obeyed(qtorch_runtime: TestRuntime) -> None:
    place, heard = Place(PlaceState()), list[int]()
    source = place.select(lambda s: s.x)
    source.subscribe(lambda _: later.close())
    later = source.subscribe(heard.append)
    place.update(x=1)
    move(qtorch_runtime, 1)
    assert heard == []


def test_a_listener_that_raises_is_reported_with_its_name_and_the_others_hear(
    qtorch_runtime: TestRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.excepthook", lambda *_: None)
    place, heard = Place(PlaceState()), list[int]()

    def broken_label(value: int) -> None:
        raise KeyError(value)

    source = place.select(lambda s: s.x)
    source.subscribe(broken_label)
    source.subscribe(heard.append)
    move(qtorch_runtime, 1)
    assert heard == [1]
    (report,) = qtorch_runtime.reports
    assert isinstance(report.error, KeyError)
    assert "broken_label" in report.where


def test_a_selector_that_raises_keeps_nobody_else_from_hearing_and_recovers(
    qtorch_runtime: TestRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.excepthook", lambda *_: None)
    place, heard, inverse = Place(PlaceState(x=1)), list[int](), list[float]()
    place.select(lambda s: 10 / s.x).subscribe(inverse.append)
    place.select(lambda s: s.x).subscribe(heard.append)
    move(qtorch_runtime, -1)
    move(qtorch_runtime, 5)
    assert heard == [0, 5]
    assert inverse == [2.0]
    assert [type(report.error) for report in qtorch_runtime.reports] == [ZeroDivisionError]
