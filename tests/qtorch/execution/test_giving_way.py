"""Threads that leave the interpreter to the GUI thread: all along, and at length when it is overdue."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from qtorch import BaseEvent
from qtorch.ports import OVERDUE, STEP_ASIDE
from tests.qtorch.execution.rig import Rig, elsewhere

pytestmark = pytest.mark.realtime


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr("qtorch.execution.services.sleep", slept.append)
    monkeypatch.setattr("qtorch.bus.signal_bus.sleep", slept.append)
    return slept


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Time for those who decide whether to give way."""
    now = [1000.0]
    monkeypatch.setattr("qtorch.execution.services.monotonic", lambda: now[0])
    monkeypatch.setattr("qtorch.bus.mailbox.monotonic", lambda: now[0])

    def passes(seconds: float) -> None:
        now[0] += seconds

    return passes


def test_a_worker_offers_the_interpreter_often_and_steps_aside_once_a_frame(
    rig: Rig, slept: list[float], passes: Callable[[float], None]
) -> None:
    services = rig.runtime.dispatcher.services

    def work() -> None:
        for _ in range(100):
            services.give_way()
            passes(0.00015)

    elsewhere(work)
    # 15 ms of work in pieces of 0.15 ms: one step aside as it begins, an offer at every second look.
    assert slept[0] == STEP_ASIDE
    assert slept[1:] == [0] * 49


def test_a_worker_steps_aside_while_a_wake_is_not_answered(
    rig: Rig, slept: list[float], passes: Callable[[float], None]
) -> None:
    services, mailbox = rig.runtime.dispatcher.services, rig.runtime.bus.core.mailbox
    rig.drain()

    def work() -> None:
        services.give_way()
        mailbox.post(lambda _: None)
        slept.clear()
        passes(OVERDUE * 1.1)
        services.give_way()

    elsewhere(work)
    assert slept == [STEP_ASIDE]


def test_who_emits_steps_aside_while_a_wake_is_not_answered(
    rig: Rig, slept: list[float], passes: Callable[[float], None]
) -> None:
    rig.drain()

    def emit() -> None:
        rig.runtime.bus.emit(BaseEvent("first"))
        assert slept == []
        passes(OVERDUE * 1.1)
        rig.runtime.bus.emit(BaseEvent("second"))

    elsewhere(emit)
    assert slept == [STEP_ASIDE]


def test_the_gui_thread_gives_way_to_nobody(rig: Rig, slept: list[float], passes: Callable[[float], None]) -> None:
    rig.runtime.bus.emit(BaseEvent("first"))
    passes(1.0)
    rig.runtime.bus.emit(BaseEvent("second"))
    rig.runtime.dispatcher.services.give_way()
    assert slept == []


def test_who_dispatches_from_another_thread_offers_the_interpreter(
    rig: Rig, slept: list[float], passes: Callable[[float], None]
) -> None:
    rig.work(is_open=True)

    def dispatch() -> None:
        for _ in range(4):
            rig.runtime.dispatcher.dispatch(rig.job("thread"))
            passes(0.00025)

    elsewhere(dispatch)
    assert slept[:4] == [STEP_ASIDE, 0, 0, 0]
    slept.clear()
    rig.runtime.dispatcher.dispatch(rig.job("thread"))
    assert slept == [], "the GUI thread waits for nobody"
    rig.quiet()
