"""Run to completion, also under a modal dialog that a listener opens."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtWidgets import QDialog

from qtorch import BaseEvent, SignalBus
from tests.qtorch.bus.rig import Said, hear, say, turn

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


class Dialogs:
    """Opens a real modal dialog for some events, inside the listener that heard them."""

    def __init__(self, qtbot: QtBot, *texts: str) -> None:
        self.open: list[QDialog] = []
        self.deepest = 0
        self._texts = texts
        self._qtbot = qtbot

    def listen(self, event: Said) -> None:
        if event.text in self._texts:
            dialog = QDialog()
            self._qtbot.addWidget(dialog)
            self.open.append(dialog)
            self.deepest = max(self.deepest, len(self.open))
            dialog.exec()
            self.open.remove(dialog)

    def close_all(self) -> None:
        for dialog in reversed(self.open):
            dialog.accept()


def close_on(text: str, dialogs: Dialogs) -> Callable[[Said], None]:
    def close(event: Said) -> None:
        if event.text == text:
            dialogs.close_all()

    return close


def test_the_other_listeners_and_the_other_events_go_on_while_the_dialog_is_open(bus: SignalBus, qtbot: QtBot) -> None:
    dialogs, heard = Dialogs(qtbot, "a"), list[tuple[str, str]]()
    bus.subscribe(hear(heard, "first"), event_type=Said)
    bus.subscribe(dialogs.listen, event_type=Said)
    bus.subscribe(hear(heard, "second"), event_type=Said)
    bus.subscribe(close_on("c", dialogs), event_type=Said)
    say(bus, "a", "b", "c")
    turn(bus)
    assert dialogs.deepest == 1
    assert dialogs.open == []
    assert heard == [(mark, text) for text in "abc" for mark in ("first", "second")]


def test_a_dialog_of_the_last_listener_holds_nothing_up_either(bus: SignalBus, qtbot: QtBot) -> None:
    dialogs, heard = Dialogs(qtbot, "a"), list[str]()
    bus.subscribe(hear(heard), event_type=Said)
    bus.subscribe(close_on("b", dialogs), event_type=Said)
    bus.subscribe(dialogs.listen, event_type=Said)
    say(bus, "a", "b", "c")
    turn(bus)
    assert heard == ["a", "b", "c"]
    assert dialogs.deepest == 1


def test_what_is_emitted_while_the_dialog_is_open_is_delivered_in_it(bus: SignalBus, qtbot: QtBot) -> None:
    dialogs, heard = Dialogs(qtbot, "a"), list[str]()
    bus.subscribe(dialogs.listen, event_type=Said)
    bus.subscribe(hear(heard), event_type=Said)
    bus.subscribe(close_on("from the dialog", dialogs), event_type=Said)
    say(bus, "a")
    QTimer.singleShot(0, lambda: say(bus, "from the dialog"))
    turn(bus)
    assert heard == ["a", "from the dialog"]


def test_what_the_opener_emits_before_and_after_its_dialog_comes_once_and_in_order(
    bus: SignalBus, qtbot: QtBot
) -> None:
    dialogs, heard = Dialogs(qtbot, "a"), list[tuple[str, int]]()

    def opens(event: Said) -> None:
        if event.text == "a":
            say(bus, "before")
            dialogs.listen(event)
            say(bus, "after")

    bus.subscribe(opens, event_type=Said)
    bus.subscribe(lambda event: heard.append((event.text, event.seq)), event_type=Said)
    bus.subscribe(close_on("before", dialogs), event_type=Said)
    say(bus, "a")
    turn(bus)
    assert heard == [("a", 1), ("before", 2), ("after", 3)]


@pytest.mark.parametrize("opener_is", ["first", "middle", "last"])
def test_three_dialogs_deep_everybody_hears_everything_once_and_in_one_order(
    bus: SignalBus, qtbot: QtBot, opener_is: str
) -> None:
    dialogs = Dialogs(qtbot, "a", "b", "c")
    heard: dict[str, list[tuple[int, str]]] = {"one": [], "two": [], "three": []}

    def listen(mark: str) -> Callable[[Said], None]:
        return lambda event: heard[mark].append((event.seq, event.text))

    listeners: list[Callable[[Said], None]] = [listen("one"), listen("two"), listen("three")]
    listeners.insert({"first": 0, "middle": 1, "last": 3}[opener_is], dialogs.listen)
    for listener in (*listeners, close_on("e", dialogs)):
        bus.subscribe(listener, event_type=Said)
    say(bus, *"abcdef")
    turn(bus)
    assert dialogs.deepest == 3
    assert dialogs.open == []
    assert heard["one"] == heard["two"] == heard["three"] == list(enumerate("abcdef", start=1))


def test_a_listener_that_raises_inside_and_after_a_dialog_disturbs_nothing(
    bus: SignalBus, qtbot: QtBot, told: list[BaseException]
) -> None:
    dialogs, heard = Dialogs(qtbot, "a"), list[str]()

    def opens(event: Said) -> None:
        dialogs.listen(event)
        raise KeyError(event.text)

    bus.subscribe(opens, event_type=Said)
    bus.subscribe(close_on("b", dialogs), event_type=Said)
    bus.subscribe(hear(heard), event_type=Said)
    say(bus, "a", "b", "c")
    turn(bus)
    assert heard == ["a", "b", "c"]
    # b was heard, and its listener raised, while a's still had its dialog open.
    assert told[0].args == ("b",)
    assert sorted(error.args[0] for error in told) == ["a", "b", "c"]


def test_the_cause_of_what_is_emitted_after_a_dialog_is_still_the_event_that_opened_it(
    bus: SignalBus, qtbot: QtBot
) -> None:
    dialogs, seen = Dialogs(qtbot, "a"), list[BaseEvent]()

    def opens(event: Said) -> None:
        if event.text == "a":
            dialogs.listen(event)
            say(bus, "after the dialog of a")
        elif event.text == "b":
            say(bus, "in answer to b")

    bus.subscribe(opens, event_type=Said)
    bus.subscribe(seen.append, event_type=Said)
    bus.subscribe(close_on("c", dialogs), event_type=Said)
    say(bus, "a", "b", "c")
    turn(bus)
    causes = {event.text: event.causation_id for event in seen if isinstance(event, Said)}
    seqs = {event.text: event.seq for event in seen if isinstance(event, Said)}
    assert causes["after the dialog of a"] == seqs["a"]
    assert causes["in answer to b"] == seqs["b"]
    assert causes["a"] is causes["b"] is causes["c"] is None


def test_slots_of_the_same_qt_signal_wait_for_the_dialog_and_subscribers_do_not(bus: SignalBus, qtbot: QtBot) -> None:
    dialogs, order = Dialogs(qtbot, "a"), list[str]()

    class Slots(QObject):
        @Slot(object)
        def opens(self, event: Said) -> None:
            dialogs.listen(event)
            order.append("dialog closed")

        @Slot(object)
        def waits(self, event: Said) -> None:
            order.append(f"slot {event.text}")

    slots = Slots()
    bus.event_emitted.connect(slots.opens)
    bus.event_emitted.connect(slots.waits)
    bus.subscribe(hear(order), event_type=Said)
    bus.subscribe(close_on("a", dialogs), event_type=Said)
    say(bus, "a")
    turn(bus)
    assert order == ["a", "dialog closed", "slot a"]


def test_a_bus_may_be_closed_under_a_dialog(bus: SignalBus, qtbot: QtBot) -> None:
    dialogs, heard = Dialogs(qtbot, "a"), list[str]()

    def close(event: Said) -> None:
        if event.text == "b":
            bus.close()
            dialogs.close_all()

    bus.subscribe(dialogs.listen, event_type=Said)
    bus.subscribe(hear(heard), event_type=Said)
    bus.subscribe(close, event_type=Said)
    say(bus, "a", "b", "c")
    turn(bus)
    assert bus.is_closed
    assert heard == ["a", "b", "c"]
    assert dialogs.open == []
