"""States and their listeners when one of them raises, loops, opens a dialog or is closed."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import computed_field
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication, QLabel

from qtorch import (
    BaseEvent,
    BaseOrchestrator,
    BaseState,
    ErrorReport,
    EventLoopError,
    Runtime,
    SignalBus,
    StateLoopError,
    bind,
    on,
)
from tests.qtorch.execution.rig import NoState, Owner, Rig, ThreadJob, drive

pytestmark = pytest.mark.realtime


class PairState(BaseState):
    x: int = 0
    y: int = 0


class Pair(BaseOrchestrator[PairState]):
    pass


@dataclass(frozen=True)
class Said(BaseEvent):
    """Anything."""


@pytest.fixture
def hooked(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """What reached ``sys.excepthook``."""
    errors: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda cls, error, trace: errors.append(error))
    return errors


# -- loops, and what only looks like one ------------------------------------------------------------------------------


def test_what_the_user_changes_under_a_dialog_of_a_listener_is_no_loop(rig: Rig) -> None:
    pair = Pair(PairState(), runtime=rig.runtime)
    errors: list[Exception] = []

    def ask(x: int) -> None:
        dialog, clicks = QEventLoop(), QTimer()

        def click() -> None:
            try:
                pair.update(y=pair.state.y + 1)
            except Exception as error:
                errors.append(error)
            if errors or pair.state.y == 250:
                dialog.quit()

        clicks.timeout.connect(click)
        clicks.start(0)
        dialog.exec()

    pair.select(lambda s: s.x).subscribe(ask)
    pair.update(x=1)
    assert (errors, pair.state.y) == ([], 250)


def test_an_on_change_that_always_changes_again_is_cut_as_a_loop(rig: Rig, hooked: list[BaseException]) -> None:
    calls: list[int] = []

    class Restless(BaseOrchestrator[PairState]):
        def on_change(self, new: PairState, old: PairState) -> None:
            calls.append(new.x)
            self.update(x=new.x + 1)

    restless = Restless(PairState(), runtime=rig.runtime)
    restless.update(x=1)
    rig.drain()
    assert [type(report.error) for report in rig.reports] == [StateLoopError]
    assert len(calls) <= 100
    assert restless.state.x == len(calls)


def test_events_that_answer_each_other_through_a_state_are_cut(rig: Rig) -> None:
    heard: list[Said] = []
    bus = rig.runtime.bus

    class Answering(BaseOrchestrator[PairState]):
        @on(Said)
        def _heard(self, event: Said) -> None:
            heard.append(event)
            self.update(x=self.state.x + 1)

    answering = Answering(PairState(), runtime=rig.runtime)
    answering.select(lambda s: s.x).subscribe(lambda x: bus.emit(Said("answer")))
    bus.emit(Said("question"))
    drive(lambda: rig.reports or len(heard) > 500)
    assert [type(report.error) for report in rig.reports] == [EventLoopError]
    assert len(heard) == 101
    assert [event.causation_id for event in heard[:3]] == [None, heard[0].seq, heard[1].seq]


# -- those that raise -------------------------------------------------------------------------------------------------


class RatioState(BaseState):
    divisor: int = 1

    @computed_field  # type: ignore[prop-decorator]
    @property
    def ratio(self) -> float:
        return 1 / self.divisor


class Ratio(BaseOrchestrator[RatioState]):
    pass


def test_a_computed_field_that_raises_silences_nobody(rig: Rig, hooked: list[BaseException]) -> None:
    ratio = Ratio(RatioState(), runtime=rig.runtime)
    heard: list[Any] = []
    ratio.select(lambda s: s.divisor).subscribe(heard.append)
    ratio.stateChanged.connect(lambda new, old: heard.append(("stateChanged", new.divisor)))
    ratio.changed("ratio").connect(lambda value: heard.append(("ratio", value)))
    ratio.update(divisor=0)
    assert heard == [0, ("stateChanged", 0)]
    assert [type(error) for error in hooked] == [ZeroDivisionError]
    assert len(rig.reports) == 1


@pytest.mark.parametrize("leaving", [SystemExit, KeyboardInterrupt])
def test_an_on_change_that_exits_is_obeyed_once_the_change_was_told(rig: Rig, leaving: type[BaseException]) -> None:
    class Leaving(BaseOrchestrator[PairState]):
        def on_change(self, new: PairState, old: PairState) -> None:
            raise leaving

    pair = Leaving(PairState(), runtime=rig.runtime)
    heard: list[Any] = []
    pair.select(lambda s: s.y).subscribe(heard.append)
    pair.stateChanged.connect(lambda new, old: heard.append("stateChanged"))
    with pytest.raises(leaving):
        pair.update(y=7)
    rig.drain()
    assert (pair.state.y, heard) == (7, [7, "stateChanged"])


@pytest.mark.parametrize("is_older", [True, False])
def test_what_a_hook_raises_goes_to_the_runtime_of_its_orchestrator(
    rig: Rig, hooked: list[BaseException], is_older: bool
) -> None:
    class Raising(Owner):
        def on_active_success(self, event: Any) -> None:
            raise ValueError("in the hook")

    bus = SignalBus.scoped() if is_older else None
    second = Runtime(executors=[rig.worker])
    bus = bus or SignalBus.scoped()
    reports: list[ErrorReport] = []
    second.error_occurred.connect(reports.append)
    try:
        rig.work(is_open=True)
        raising = Raising(NoState(), runtime=second, bus=bus)
        rig.end(raising.dispatch(ThreadJob()))
        drive(lambda: hooked)
        rig.drain()
        assert [str(report.error) for report in reports] == ["in the hook"]
        assert rig.reports == []
    finally:
        second.close()
        bus.close()


# -- the closed -------------------------------------------------------------------------------------------------------


def test_what_shows_that_jobs_of_a_closed_orchestrator_run_is_taken_back(rig: Rig, qapp: QApplication) -> None:
    rig.work()
    spinner = QLabel()
    running = rig.owner.running(ThreadJob)
    bind(spinner, "visible", running)
    busy: list[bool] = []
    rig.owner.busyChanged.connect(busy.append)
    handle = rig.dispatch("thread")
    drive(lambda: spinner.isVisible() and busy)
    rig.owner.close()
    rig.open_all()
    rig.end(handle)
    assert (running.get(), spinner.isVisible()) == (False, False)
    assert busy == [True, False]
    spinner.close()
