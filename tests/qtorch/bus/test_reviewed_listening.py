"""Who is kept alive by listening, and what an event was caused by."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from PySide6.QtCore import QObject

from qtorch import SignalBus
from tests.qtorch.bus.rig import Said, Shouted, say, turn


class Plain:
    def hear(self, event: Said) -> None:
        return


class Widget(QObject):
    def hear(self, event: Said) -> None:
        return


@pytest.mark.parametrize("cls", [Plain, Widget])
def test_a_bound_method_is_held_weakly_though_its_object_is_the_owner_too(bus: SignalBus, cls: Any) -> None:
    listener = cls()
    subscription = bus.subscribe(listener.hear, owner=listener)
    freed = weakref.ref(listener)
    del listener
    gc.collect()
    assert freed() is None
    assert not subscription.is_active


def test_a_closed_subscription_keeps_nothing_however_long_its_owner_lives(bus: SignalBus) -> None:
    owner = QObject()
    kept = Plain()
    subscription = bus.subscribe(lambda event, kept=kept: None, owner=owner)
    subscription.close()
    freed = [weakref.ref(kept), weakref.ref(subscription)]
    del kept, subscription
    gc.collect()
    assert [ref() for ref in freed] == [None, None]


def test_an_event_of_another_bus_is_no_cause(bus: SignalBus) -> None:
    other = SignalBus(mailbox=bus.core.mailbox)  # as every bus that is made while a Runtime is open
    heard: list[int | None] = []
    other.subscribe(lambda event: heard.append(event.causation_id))
    bus.subscribe(lambda event: other.emit(Shouted("talk", "answer")), event_type=Said)
    say(bus, "a", "b")
    turn(bus)
    turn(other)
    assert heard == [None, None]
    other.close()


def test_an_event_of_the_same_bus_is_a_cause(bus: SignalBus) -> None:
    heard: list[tuple[str, int | None]] = []

    def answer(event: Said) -> None:
        heard.append((event.text, event.causation_id))
        if event.text != "answer":
            say(bus, "answer")

    bus.subscribe(answer, event_type=Said)
    say(bus, "question")
    turn(bus)
    assert heard == [("question", None), ("answer", 1)]
