"""The widgets of a command."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import shiboken6
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QToolButton, QWidget

from qtorch import BaseExecutor, BaseJob, BaseOrchestrator, BaseState, Command, bind_command

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from qtorch.testing import FakeClock
    from qtorch.testing.hygiene import TestRuntime


class SaveJob(BaseJob[str]):
    is_stubborn: bool = False


class SaveExecutor(BaseExecutor[SaveJob]):
    def __init__(self) -> None:
        self.released = threading.Event()

    def process(self, job: SaveJob) -> str:
        self.emit_progress(job, 0.25)
        while not self.released.wait(20):
            if not job.is_stubborn:
                self.checkpoint(job)
        return "saved"


class FormState(BaseState):
    is_dirty: bool = True


class FormOrchestrator(BaseOrchestrator[FormState]):
    pass


class Window(QWidget):
    """The buttons of one command."""

    def __init__(self) -> None:
        super().__init__()
        self.save, self.stop = QPushButton("Save", self), QPushButton("Stop", self)
        self.spinner, self.bar = QLabel("...", self), QProgressBar(self)
        self.action = QAction("Save", self)


@pytest.fixture
def saving(qtorch_runtime: TestRuntime) -> Iterator[SaveExecutor]:
    executor = SaveExecutor()
    qtorch_runtime.register(executor)
    yield executor
    executor.released.set()


@pytest.fixture
def window(qtbot: QtBot) -> Window:
    window = Window()
    qtbot.addWidget(window)
    window.show()
    return window


@pytest.mark.realtime
def test_a_click_triggers_and_the_button_is_disabled_while_it_is_at_work(
    window: Window, saving: SaveExecutor, qtbot: QtBot
) -> None:
    command = Command(SaveJob)
    bind_command(window.save, command)
    window.save.click()
    assert not window.save.isEnabled()
    window.save.click()
    saving.released.set()
    qtbot.waitUntil(window.save.isEnabled)


def test_an_action_triggers_too_and_both_follow_what_is_allowed(window: Window, qtorch_runtime: TestRuntime) -> None:
    form = FormOrchestrator(FormState(is_dirty=False))
    calls: list[tuple[object, ...]] = []
    command = Command(lambda *args: calls.append(args), can=form.select(lambda s: s.is_dirty))
    bind_command(window.save, command)
    bind_command(window.action, command)
    window.action.setCheckable(True)
    assert (window.save.isEnabled(), window.action.isEnabled()) == (False, False)
    form.update(is_dirty=True)
    window.save.click()
    window.action.trigger()
    assert calls == [(), ()]


def test_tool_buttons_and_shortcuts_trigger_too(window: Window, qtorch_runtime: TestRuntime, qtbot: QtBot) -> None:
    form = FormOrchestrator(FormState(is_dirty=True))
    calls: list[tuple[object, ...]] = []
    command = Command(lambda *args: calls.append(args), can=form.select(lambda s: s.is_dirty))
    tool, shortcut = QToolButton(window), QShortcut(QKeySequence("Ctrl+S"), window)
    tool.setCheckable(True)
    bind_command(tool, command)
    bind_command(shortcut, command)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    tool.click()
    QTest.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert calls == [(), ()]
    form.update(is_dirty=False)
    assert (tool.isEnabled(), shortcut.isEnabled()) == (False, False)
    QTest.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert len(calls) == 2


@pytest.mark.realtime
def test_a_cancel_button_is_enabled_while_there_is_something_to_cancel(
    window: Window, saving: SaveExecutor, qtbot: QtBot
) -> None:
    command = Command(lambda: SaveJob(is_stubborn=True))
    bind_command(window.save, command, cancel=window.stop)
    assert not window.stop.isEnabled()
    window.save.click()
    assert window.stop.isEnabled()
    qtbot.waitUntil(lambda: command.progress > 0)
    window.stop.click()
    assert (window.stop.isEnabled(), window.save.isEnabled()) == (False, False)
    saving.released.set()
    qtbot.waitUntil(window.save.isEnabled)


@pytest.mark.realtime
@pytest.mark.parametrize(("low", "high", "shown"), [(0, 100, 25), (0, 8, 2), (100, 200, 125)])
def test_a_progress_bar_follows_in_its_own_range(
    window: Window, saving: SaveExecutor, qtbot: QtBot, low: int, high: int, shown: int
) -> None:
    command = Command(SaveJob)
    window.bar.setRange(low, high)
    bind_command(window.save, command, progress=window.bar)
    assert window.bar.value() == low
    window.save.click()
    qtbot.waitUntil(lambda: window.bar.value() == shown)
    saving.released.set()
    qtbot.waitUntil(window.save.isEnabled)


@pytest.mark.realtime
def test_an_indicator_appears_after_150_ms_and_goes_when_the_work_has_ended(
    qtorch_clock: FakeClock, window: Window, saving: SaveExecutor, qtbot: QtBot
) -> None:
    command = Command(SaveJob)
    bind_command(window.save, command, busy=window.spinner)
    assert not window.spinner.isVisible()
    window.save.click()
    qtorch_clock.advance(0.149)
    assert not window.spinner.isVisible()
    qtorch_clock.advance(0.001)
    assert window.spinner.isVisible()
    qtorch_clock.advance(1)
    saving.released.set()
    qtbot.waitUntil(lambda: not command.running)
    assert not window.spinner.isVisible()
    assert qtorch_clock.pending == 0


@pytest.mark.realtime
def test_an_indicator_of_short_work_never_appears(
    qtorch_clock: FakeClock, window: Window, saving: SaveExecutor, qtbot: QtBot
) -> None:
    command = Command(SaveJob)
    bind_command(window.save, command, busy=window.spinner)
    window.save.click()
    qtorch_clock.advance(0.149)
    saving.released.set()
    qtbot.waitUntil(lambda: not command.running)
    qtorch_clock.advance(1)
    assert not window.spinner.isVisible()


@pytest.mark.realtime
def test_an_indicator_that_appeared_stays_for_300_ms_also_over_the_next_run(
    qtorch_clock: FakeClock, window: Window, saving: SaveExecutor, qtbot: QtBot
) -> None:
    command = Command(SaveJob)
    bind_command(window.save, command, busy=window.spinner)
    window.save.click()
    qtorch_clock.advance(0.160)
    saving.released.set()
    qtbot.waitUntil(lambda: not command.running)
    qtorch_clock.advance(0.200)
    assert window.spinner.isVisible()
    saving.released.clear()
    window.save.click()
    qtorch_clock.advance(0.5)
    assert window.spinner.isVisible()
    saving.released.set()
    qtbot.waitUntil(lambda: not command.running)
    assert not window.spinner.isVisible()


@pytest.mark.realtime
def test_an_indicator_that_appeared_late_is_hidden_300_ms_after_that(
    qtorch_clock: FakeClock, window: Window, saving: SaveExecutor, qtbot: QtBot
) -> None:
    command = Command(SaveJob)
    bind_command(window.save, command, busy=window.spinner)
    window.save.click()
    qtorch_clock.advance(0.2)
    saving.released.set()
    qtbot.waitUntil(lambda: not command.running)
    qtorch_clock.advance(0.249)
    assert window.spinner.isVisible()
    qtorch_clock.advance(0.001)
    assert not window.spinner.isVisible()


@pytest.mark.realtime
def test_the_widgets_of_a_running_command_show_it_at_once(
    qtorch_clock: FakeClock, window: Window, saving: SaveExecutor, qtbot: QtBot
) -> None:
    command = Command(SaveJob)
    command.trigger()
    qtbot.waitUntil(lambda: command.progress > 0)
    bind_command(window.save, command, cancel=window.stop, busy=window.spinner, progress=window.bar)
    qtorch_clock.advance(0.2)
    assert (window.save.isEnabled(), window.stop.isEnabled(), window.bar.value()) == (False, True, 25)
    assert window.spinner.isVisible()
    saving.released.set()
    qtbot.waitUntil(lambda: not command.running)


def test_the_button_keeps_its_command_alive_and_frees_it_without_the_collector(
    window: Window, qtorch_runtime: TestRuntime
) -> None:
    gc.collect()
    gc.disable()
    calls: list[int] = []
    command = Command(lambda: calls.append(1))
    died = weakref.ref(command)
    button = QPushButton()
    bind_command(button, command, busy=window.spinner, progress=window.bar)
    del command
    button.click()
    assert calls == [1]
    del button
    assert died() is None
    gc.enable()


@pytest.mark.realtime
@pytest.mark.parametrize("name", ["save", "stop", "spinner", "bar"])
def test_any_of_its_widgets_may_die_while_it_is_at_work(
    qtorch_clock: FakeClock, window: Window, saving: SaveExecutor, qtbot: QtBot, qtorch_runtime: TestRuntime, name: str
) -> None:
    command = Command(SaveJob)
    bind_command(window.save, command, cancel=window.stop, busy=window.spinner, progress=window.bar)
    window.save.click()
    shiboken6.delete(getattr(window, name))
    qtorch_clock.advance(0.2)
    saving.released.set()
    qtbot.waitUntil(lambda: not command.running)
    qtorch_clock.advance(1)
    assert qtorch_runtime.reports == []


def test_the_button_of_a_command_that_died_with_its_parent_is_disabled(
    window: Window, qtorch_runtime: TestRuntime
) -> None:
    parent = QObject()
    bind_command(window.save, Command(int, parent=parent), cancel=window.stop)
    shiboken6.delete(parent)
    assert not window.save.isEnabled()
    window.save.setEnabled(True)
    window.save.click()


def test_an_unbound_button_triggers_nothing_and_stays_as_it_is(window: Window, qtorch_runtime: TestRuntime) -> None:
    form = FormOrchestrator(FormState())
    calls: list[int] = []
    binding = bind_command(window.save, Command(lambda: calls.append(1), can=form.select(lambda s: s.is_dirty)))
    binding.unbind()
    binding.unbind()
    form.update(is_dirty=False)
    assert window.save.isEnabled()
    window.save.click()
    assert calls == []


def test_what_is_no_command_and_what_cannot_be_pressed_are_refused(window: Window, qtorch_runtime: TestRuntime) -> None:
    with pytest.raises(TypeError, match="takes a Command, not <class 'int'>"):
        bind_command(window.save, int)  # type: ignore[arg-type]
    window.spinner.setObjectName("spinner")
    with pytest.raises(TypeError, match="to press, not QLabel 'spinner'"):
        bind_command(window.spinner, Command(int))  # type: ignore[arg-type]
