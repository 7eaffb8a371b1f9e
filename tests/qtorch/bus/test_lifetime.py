"""How long a bus lives, and the end of the process around it."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from qtorch import SignalBus
from tests.qtorch.bus.rig import Said, hear, say, turn

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

PROGRAM = """
import sys, threading, weakref
from dataclasses import dataclass
from PySide6.QtCore import QCoreApplication
import shiboken6
from qtorch import BaseEvent, SignalBus

@dataclass(frozen=True)
class Said(BaseEvent):
    text: str = ""

app = QCoreApplication([])
bus = SignalBus.scoped()
heard = []
bus.subscribe(lambda event: heard.append(event.text))
bus.emit(Said("talk", "a"))
app.processEvents()
assert heard == ["a"], heard
"""


@pytest.fixture
def no_cyclic_collector() -> Iterator[None]:
    """What dies in such a test dies by its last reference."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_a_bus_that_nobody_holds_dies_at_once(qapp: QApplication, no_cyclic_collector: None) -> None:
    bus = SignalBus.scoped()
    heard: list[str] = []
    bus.subscribe(hear(heard), event_type=Said).close()
    bus.event_emitted.connect(lambda event: heard.append("signal"))
    say(bus, "a")
    turn(bus)
    gone = [weakref.ref(bus), weakref.ref(bus.core)]
    del bus
    assert [ref() for ref in gone] == [None, None]


def test_a_dropped_bus_still_delivers_what_was_queued(qapp: QApplication, no_cyclic_collector: None) -> None:
    bus = SignalBus.scoped()
    heard: list[str] = []
    bus.subscribe(hear(heard), event_type=Said)
    say(bus, "a")
    mailbox = bus.core.mailbox
    del bus
    while not mailbox.is_idle:
        qapp.processEvents()
    assert heard == ["a"]


@pytest.mark.realtime
def test_while_a_bus_is_closed_every_event_of_busy_threads_is_either_delivered_or_counted(bus: SignalBus) -> None:
    for _ in range(10):
        doomed, heard = SignalBus.scoped(), list[str]()
        doomed.subscribe(hear(heard), event_type=Said)
        start = threading.Barrier(4)

        def talk(doomed: SignalBus = doomed, start: threading.Barrier = start) -> None:
            start.wait()
            say(doomed, *map(str, range(100)))

        threads = [threading.Thread(target=talk) for _ in range(3)]
        for thread in threads:
            thread.start()
        start.wait()
        while not heard and any(thread.is_alive() for thread in threads):
            doomed.core.mailbox.drain()
        doomed.close()
        for thread in threads:
            thread.join()
        turn(doomed)
        assert len(heard) + doomed.ignored == 300


@pytest.mark.realtime
@pytest.mark.parametrize(
    "end",
    [
        "",
        "bus.close()",
        "del bus",
        "bus.emit(Said('talk', 'never delivered'))",
        "del app",
        # What emits after the application is gone reaches nobody, and harms nobody.
        "shiboken6.delete(app); thread = threading.Thread(target=bus.emit, args=(Said('talk'),)); "
        "thread.start(); thread.join(); bus.emit(Said('talk'))",
        "keep = weakref.ref(bus.core.mailbox); shiboken6.delete(app); del bus",
    ],
    ids=[
        "as it is",
        "closed",
        "dropped",
        "with work",
        "without application",
        "emit after the application",
        "drop after",
    ],
)
def test_a_process_with_a_bus_ends_without_a_word(end: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM + end], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
