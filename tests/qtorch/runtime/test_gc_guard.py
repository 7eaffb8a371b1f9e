"""No Qt object is ever collected on a worker thread or inside an event handler (invariant 13)."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest
from PySide6.QtCore import QCoreApplication, QEventLoop, QObject, QTimer

from qtorch import BaseJob, Runtime, executes
from qtorch.runtime.gc_guard import BUSY_FACTOR, NESTED_OBJECTS, GcGuard
from tests.qtorch.execution.rig import Rig, drive
from tests.qtorch.runtime.programs import run_program

pytestmark = pytest.mark.realtime


class Node:
    """Part of a reference cycle that notes where it is collected."""

    died_on: ClassVar[list[int]] = []

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        Node.died_on.append(threading.get_ident())


@pytest.fixture(autouse=True)
def collector(qapp: QObject) -> Iterator[None]:
    """The collector as it is in a fresh process."""
    gc.enable()
    thresholds = gc.get_threshold()
    gc.collect()
    Node.died_on = []
    yield
    assert gc.isenabled(), "automatic collection was not given back"
    gc.set_threshold(*thresholds)


@contextmanager
def runtime(**options: Any) -> Iterator[Runtime]:
    one = Runtime(**options)
    try:
        yield one
    finally:
        one.close()


def garbage(count: int) -> None:
    for _ in range(count):
        Node()


def test_automatic_collection_is_off_while_a_runtime_is_open_and_on_after_it() -> None:
    with runtime():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_two_runtimes_share_the_guard_and_the_last_one_gives_it_back() -> None:
    one, two = Runtime(), Runtime()
    one.close()
    assert not gc.isenabled()
    two.close()
    assert gc.isenabled()


def test_work_that_was_left_behind_keeps_the_guard_until_it_has_ended(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    work = rig.work(is_deaf=True)
    rig.dispatch("thread")
    drive(work.begun.is_set)
    rig.runtime.close(0.01)
    turn()
    assert not gc.isenabled(), "it could begin on that work's thread"
    with runtime():
        pass
    assert not gc.isenabled()
    work.gate.open()
    drive(lambda: (turn(), gc.isenabled())[1])


def test_a_guard_that_is_removed_while_another_asks_for_its_work_is_let_go_of_once() -> None:
    # As by a collection that closes a Runtime in the middle of it.
    outer, inner = GcGuard(), GcGuard()
    outer.install()
    inner.install()
    asked = []

    def has_ended() -> bool:
        asked.append(1)
        if len(asked) == 1:
            inner.remove(lambda: True)
            assert gc.isenabled()
        return True

    outer.remove(has_ended)
    assert len(asked) == 2
    assert gc.isenabled()
    with runtime():  # the books are right: one user, and the last one gives it back
        assert not gc.isenabled()


def test_without_the_guard_collection_is_left_as_it_is() -> None:
    with runtime(gc_guard=False):
        assert gc.isenabled()


def test_one_runtime_with_and_one_without_the_guard() -> None:
    with runtime(gc_guard=False):
        with runtime():
            assert not gc.isenabled()
        assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with runtime():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_threshold_of_zero_means_never_as_python_says() -> None:
    gc.set_threshold(0)
    with runtime():
        garbage(50)
        turn()
        assert Node.died_on == []


def turn() -> None:
    """Let the event loop come to the point where it would block."""
    loop = QEventLoop()
    QTimer.singleShot(5, loop.quit)
    loop.exec()


def test_garbage_goes_when_the_loop_is_about_to_block() -> None:
    with runtime():
        gc.set_threshold(100, 5, 5)
        garbage(300)
        assert Node.died_on == [], "it was collected in the middle of a handler"
        turn()
        assert len(Node.died_on) == 300


def test_little_garbage_waits() -> None:
    with runtime():
        gc.set_threshold(10_000, 5, 5)
        garbage(50)
        turn()
        assert Node.died_on == []


def test_garbage_goes_at_the_start_of_a_drain_when_the_loop_never_blocks() -> None:
    with runtime() as one:
        gc.set_threshold(20, 1000, 1000)
        garbage(20 * BUSY_FACTOR + 50)
        end = time.monotonic() + 5
        while not Node.died_on and time.monotonic() < end:
            one.bus.core.mailbox.wake()
            QCoreApplication.sendPostedEvents()  # events are handled, and the loop never gets to its end
        assert Node.died_on


def test_under_a_nested_loop_garbage_waits_until_it_is_much(qapp: QObject) -> None:
    seen: list[int] = []

    def in_a_handler() -> None:
        loop = QEventLoop()

        def look() -> None:
            seen.append(len(Node.died_on))
            loop.quit()

        garbage(500)
        QTimer.singleShot(10, look)
        loop.exec()  # as a dialog does
        garbage(NESTED_OBJECTS)
        QTimer.singleShot(10, look)
        loop.exec()

    with runtime():
        gc.set_threshold(100, 5, 5)
        outer = QEventLoop()
        QTimer.singleShot(0, lambda: (in_a_handler(), outer.quit()))
        outer.exec()
    assert seen[0] == 0, "objects of the outer handler may be on the stack"
    assert seen[1] > 0, "a dialog that is open for hours eats the memory"


def test_workers_that_make_garbage_collect_none_of_it() -> None:
    class LitterJob(BaseJob[None]):
        pass

    @executes(LitterJob)
    def litter(job: LitterJob) -> None:
        garbage(3_000)

    with runtime(executors=[litter]) as one:
        handles = [one.dispatcher.dispatch(LitterJob()) for _ in range(8)]
        drive(lambda: all(handle.status.is_final for handle in handles))
        drive(lambda: (turn(), Node.died_on)[1])
        assert set(Node.died_on) == {threading.get_ident()}


# Receivers in reference cycles are made and dropped while workers publish: see the matrix of crashes that was measured.
CRASH = """
import itertools, random
from PySide6.QtWidgets import QLabel, QPushButton
class NoiseJob(BaseJob[int]):
    n: int = 0
class CountState(BaseState):
    count: int = 0
stop = threading.Event()
@executes(NoiseJob)
def noise(job):
    made = 0
    while not stop.is_set():
        runtime.bus.emit(BaseEvent("noise"))
        for _ in range(100):
            cycle = []
            cycle.append(cycle)         # what sets the collector off in this thread
        made += 1
        noise.emit_progress(job, 0.5)
        time.sleep(0.005)
    return made
class Plain:
    "A listener that is no QObject."
    def __init__(self):
        self.itself = self
        self.subscription = runtime.bus.subscribe(self.hear)
    def hear(self, event):
        pass
class Holder(BaseOrchestrator[CountState]):
    def __init__(self):
        super().__init__(CountState())
        self.itself = self
    def on_passive_event(self, event):
        self.update(count=self.state.count + 1)
class Window(QWidget):
    def __init__(self):
        super().__init__()
        self.itself = self
        self.label = QLabel(self)
        self.button = QPushButton(self)
        self.button.clicked.connect(lambda: self.label.setText("x"))
        self.orchestrator = Holder()
        self.orchestrator.stateChanged.connect(lambda new, old: self.label.setText(str(new.count)))
        runtime.bus.subscribe(self.hear)
        self.timer = QTimer(self)
        self.timer.start(1)
    def hear(self, event):
        self.button.click()
gc.set_threshold(300, 5, 5)             # so that it would often be somebody's turn
runtime = Runtime(executors=[noise], threads=4)
heard = []
runtime.bus.event_emitted.connect(heard.append)
for n in range(3):
    runtime.dispatcher.dispatch(NoiseJob(n=n))
made = 0
def churn():
    global made
    for kind in (Plain, Holder, Window):
        kind()                          # dropped at once, alive through its own cycle
        made += 1
timer = QTimer()
timer.timeout.connect(churn)
timer.start(4)
def leave():
    stop.set()
    timer.stop()
    app.quit()
QTimer.singleShot({milliseconds}, leave)
code = runtime.exec()
print(made > {milliseconds} / 40, len(heard) > 200)
sys.exit(code)
"""


def churn(milliseconds: int) -> None:
    ended = run_program(CRASH.replace("{milliseconds}", str(milliseconds)), timeout=milliseconds / 1000 + 30)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.split() == ["True", "True"]


def test_receivers_in_cycles_dropped_while_workers_publish_crash_nothing() -> None:
    churn(2_500)


@pytest.mark.stress
def test_receivers_in_cycles_dropped_while_workers_publish_crash_nothing_for_ten_seconds() -> None:
    churn(10_000)


def test_work_that_was_left_behind_collects_no_window() -> None:
    ended = run_program("""
        from PySide6.QtCore import QCoreApplication, QEvent
        from PySide6.QtWidgets import QLabel
        @executes(StuckJob)
        def litter(job):
            while not release.is_set():
                cycle = []
                cycle.append(cycle)
        runtime = Runtime(executors=[litter])
        handle = runtime.dispatcher.dispatch(StuckJob())
        while not handle.is_working:
            app.processEvents()
        runtime.close(0.01)
        sys.setswitchinterval(0.0005)
        for _ in range(100):
            window = QWidget()
            window.parts = [window, QLabel(window), QTimer(window)]     # dropped at once, alive through its own cycle
            window.parts[-1].timeout.connect(lambda: None)
            window.parts[-1].start(0)
            QCoreApplication.postEvent(window, QEvent(QEvent.Type.User))
            del window
            app.processEvents()
        release.set()
    """)
    assert ended.code == 0, ended.err


def test_a_window_that_lives_through_a_cycle_only_survives_a_collection_asked_for_in_its_own_handler() -> None:
    ended = run_program("""
        from PySide6.QtWidgets import QPushButton
        class Window(QWidget):
            def __init__(self):
                super().__init__()
                self.itself = self
                self.button = QPushButton(self)
                self.button.clicked.connect(self.pressed)
            def pressed(self):
                global window
                window = None
                for _ in range(3000):       # enough for automatic collection
                    cycle = []
                    cycle.append(cycle)
        runtime = Runtime()
        for _ in range(20):
            window = Window()
            window.show()
            window.button.click()
            app.processEvents()
        QTimer.singleShot(10, app.quit)
        sys.exit(runtime.exec())
    """)
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize("make", [lambda: Runtime(gc_guard=True)])
def test_closing_twice_gives_the_collector_back_once(make: Callable[[], Runtime]) -> None:
    one, two = make(), make()
    one.close()
    one.close()
    assert not gc.isenabled()
    two.close()
