"""What the tests of the bus share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QCoreApplication

from qtorch import BaseEvent, SignalBus


@dataclass(frozen=True)
class Said(BaseEvent):
    """Somebody said something."""

    text: str = ""


@dataclass(frozen=True)
class Shouted(Said):
    """Somebody said it loudly."""


@dataclass(frozen=True)
class Left(BaseEvent):
    """Somebody left."""


def say(bus: SignalBus, *texts: str) -> None:
    """Emit one event per text."""
    for text in texts:
        bus.emit(Said("talk", text))


def turn(bus: SignalBus, at_most: int = 10_000) -> None:
    """Let Qt's event loop turn until nothing is left to deliver."""
    for _ in range(at_most):
        if bus.core.mailbox.is_idle:
            return
        QCoreApplication.processEvents()
    raise AssertionError(f"the bus still has something to deliver after {at_most:,} turns of the event loop")


def hear(into: list[Any], mark: Any = None) -> Callable[[Said], None]:
    """A listener that notes what was said, with ``mark`` if one is given."""
    if mark is None:
        return lambda event: into.append(event.text)
    return lambda event: into.append((mark, event.text))
