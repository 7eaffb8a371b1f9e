"""Emitting: append and wake, deliver later, to all in one order."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QCoreApplication, QObject, Slot

from qtorch import BaseEvent, NoRuntimeError, SignalBus, ports
from tests.qtorch.bus.rig import Left, Said, Shouted, hear, say, turn

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from qtorch.testing.hygiene import TestRuntime


def test_nobody_is_called_before_emit_returns(bus: SignalBus) -> None:
    heard: list[str] = []
    bus.subscribe(hear(heard), event_type=Said)
    bus.event_emitted.connect(lambda event: heard.append("signal"))
    say(bus, "a", "b")
    assert heard == []
    turn(bus)
    assert heard == ["signal", "a", "signal", "b"]


def test_events_get_their_number_when_they_are_delivered(bus: SignalBus) -> None:
    seqs: list[int] = []
    bus.subscribe(lambda event: seqs.append(event.seq))
    event = Said("talk", "a")
    bus.emit(event)
    say(bus, "b")
    assert event.seq == 0
    turn(bus)
    assert seqs == [1, 2]
    assert event.seq == 1


def test_an_event_emitted_during_a_delivery_waits_until_all_have_seen_the_current_one(bus: SignalBus) -> None:
    heard: list[tuple[str, str]] = []

    def answer(event: Said) -> None:
        heard.append(("first", event.text))
        if event.text == "a":
            say(bus, "answer")

    bus.subscribe(answer, event_type=Said)
    bus.subscribe(hear(heard, "second"), event_type=Said)
    say(bus, "a", "b")
    turn(bus)
    assert heard == [
        ("first", "a"),
        ("second", "a"),
        ("first", "b"),
        ("second", "b"),
        ("first", "answer"),
        ("second", "answer"),
    ]


def test_the_qt_signal_comes_first_and_only_if_it_is_connected(bus: SignalBus) -> None:
    class Tool(QObject):
        def __init__(self) -> None:
            super().__init__()
            self.events: list[object] = []

        @Slot(object)
        def note(self, event: object) -> None:
            self.events.append(event)
            heard.append("signal")

    heard: list[str] = []
    tool = Tool()
    bus.subscribe(hear(heard), event_type=Said)
    bus.event_emitted.connect(tool.note)
    event = Said("talk", "a")
    bus.emit(event)
    turn(bus)
    bus.event_emitted.disconnect(tool.note)
    say(bus, "b")
    turn(bus)
    assert heard == ["signal", "a", "b"]
    assert tool.events == [event]


@pytest.mark.parametrize("wrong", ["text", None, Said, object()])
def test_only_events_can_be_emitted_and_the_emitter_is_told(bus: SignalBus, wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"emit\(\) takes an event, not"):
        bus.emit(wrong)
    assert bus.core.mailbox.is_idle


# -- isolation ---------------------------------------------------------------------------------------------------------


def test_scoped_buses_hear_nothing_of_each_other(bus: SignalBus) -> None:
    heard: list[str] = []
    other = SignalBus.scoped()
    other.subscribe(hear(heard), event_type=Said)
    say(bus, "here")
    say(other, "there")
    turn(bus)
    turn(other)
    other.close()
    assert heard == ["there"]


def test_the_default_bus_is_that_of_the_default_runtime(qtorch_runtime: TestRuntime) -> None:
    assert SignalBus.instance() is qtorch_runtime.bus
    scoped, heard = SignalBus.scoped(), list[str]()
    scoped.subscribe(hear(heard), event_type=Said)
    say(qtorch_runtime.bus, "global")
    turn(scoped)
    assert heard == []


def test_without_a_runtime_there_is_no_default_bus_but_a_scoped_one_works(bus: SignalBus) -> None:
    assert ports.open_runtimes == []
    with pytest.raises(NoRuntimeError, match=r"Runtime\(executors=\[\.\.\.\]\)"):
        SignalBus.instance()
    heard: list[str] = []
    bus.subscribe(hear(heard), event_type=Said)
    say(bus, "a")
    turn(bus)
    assert heard == ["a"]


def test_an_event_may_be_handed_on_from_bus_to_bus(bus: SignalBus) -> None:
    other = SignalBus.scoped()
    seen: list[BaseEvent] = []
    for one in (bus, other):
        one.subscribe(seen.append, event_type=Said)
    bus.subscribe(other.emit, event_type=Said)
    say(other, "before")
    turn(other)
    say(bus, "a")
    turn(bus)
    turn(other)
    other.close()
    assert [(event.seq, type(event)) for event in seen] == [(1, Said), (1, Said), (2, Said)]


# -- threads -----------------------------------------------------------------------------------------------------------


@pytest.mark.realtime
def test_listeners_are_called_on_the_bus_s_thread_wherever_an_event_comes_from(bus: SignalBus, qtbot: QtBot) -> None:
    threads: list[int] = []
    bus.subscribe(lambda event: threads.append(threading.get_ident()))
    thread = threading.Thread(target=say, args=(bus, "a", "b"))
    thread.start()
    qtbot.waitUntil(lambda: len(threads) == 2)
    thread.join()
    assert set(threads) == {threading.get_ident()}


@pytest.mark.realtime
def test_all_listeners_hear_the_events_of_many_threads_in_one_order_and_none_is_lost(
    bus: SignalBus, qtbot: QtBot
) -> None:
    heard: list[list[tuple[int, str]]] = [[] for _ in range(3)]
    for one in heard:
        bus.subscribe(lambda event, one=one: one.append((event.seq, event.text)), event_type=Said)
    start = threading.Barrier(5)

    def talk(name: str) -> None:
        start.wait()
        for number in range(200):
            bus.emit(Said("talk", f"{name} {number}"))

    threads = [threading.Thread(target=talk, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    start.wait()
    say(bus, *(f"gui {number}" for number in range(200)))
    qtbot.waitUntil(lambda: len(heard[-1]) == 1_000)
    for thread in threads:
        thread.join()
    turn(bus)
    assert heard[0] == heard[1] == heard[2]
    assert [seq for seq, _ in heard[0]] == list(range(1, 1_001))
    for name in ("a", "b", "c", "d", "gui"):
        own = [text for _, text in heard[0] if text.startswith(name + " ")]
        assert own == [f"{name} {number}" for number in range(200)]


@pytest.mark.realtime
def test_a_burst_of_a_worker_wakes_the_bus_s_thread_once(bus: SignalBus, qtbot: QtBot) -> None:
    heard: list[str] = []
    bus.subscribe(hear(heard), event_type=Said)
    turns = bus.core.mailbox.turns
    thread = threading.Thread(target=say, args=(bus, *map(str, range(500))))
    thread.start()
    thread.join()
    QCoreApplication.processEvents()
    qtbot.waitUntil(lambda: len(heard) == 500)
    # One for the wake; more only if 8 ms did not suffice.
    assert bus.core.mailbox.turns - turns < 20


@pytest.mark.realtime
def test_one_event_at_a_time_from_a_thread_is_never_left_lying(bus: SignalBus, qtbot: QtBot) -> None:
    heard: list[str] = []
    answered = threading.Semaphore(0)

    def listen(event: Said) -> None:
        heard.append(event.text)
        answered.release()

    def ask() -> None:
        for number in range(200):
            bus.emit(Said("talk", str(number)))
            # The bus goes to sleep between any two: each has to wake it anew.
            assert answered.acquire(timeout=20)

    bus.subscribe(listen, event_type=Said)
    thread = threading.Thread(target=ask)
    thread.start()
    qtbot.waitUntil(lambda: len(heard) == 200, timeout=20_000)
    thread.join()


@pytest.mark.realtime
def test_a_bus_belongs_on_the_gui_thread(bus: SignalBus) -> None:
    raised: list[Exception] = []

    def make() -> None:
        try:
            SignalBus()
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    assert "made outside the GUI thread" in str(raised)


def test_events_of_all_kinds_keep_their_order(bus: SignalBus) -> None:
    kinds: list[str] = []
    bus.subscribe(lambda event: kinds.append(type(event).__name__))
    for event in (Said("a"), Left("a"), Shouted("a"), Left("b")):
        bus.emit(event)
    turn(bus)
    assert kinds == ["Said", "Left", "Shouted", "Left"]
