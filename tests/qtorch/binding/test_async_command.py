"""Commands whose work is a coroutine, and commands that keep a queue."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtWidgets import QProgressBar, QPushButton

from qtorch import (
    CONCURRENT,
    KEEP_LATEST,
    RESTARTABLE,
    SEQUENTIAL,
    BaseOrchestrator,
    BaseState,
    Command,
    JobFailureEvent,
    WrongThreadError,
    bind_command,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from qtorch.testing.hygiene import TestRuntime

pytestmark = pytest.mark.realtime


class NoteState(BaseState):
    text: str = ""
    saved: str = ""
    may_save: bool = True


class Gate:
    """Holds coroutines, on whatever loop, until it is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.entered: list[str] = []
        self.cancelled: list[str] = []

    async def pass_through(self, name: str = "") -> str:
        self.entered.append(name)
        try:
            while not self.opened.is_set():
                await asyncio.sleep(0.002)
        except asyncio.CancelledError:
            self.cancelled.append(name)
            raise
        return f"{name} done"


class Notes(BaseOrchestrator[NoteState]):
    def __init__(self, gate: Gate) -> None:
        super().__init__(NoteState())
        self.gate = gate
        self.save = Command(self._save, can=self.select(lambda s: s.may_save), parent=self)

    async def _save(self) -> str:
        return await self.gate.pass_through(self.state.text)


@pytest.fixture
def gate() -> Gate:
    return Gate()


def wait_until_idle(qtbot: QtBot, command: Command) -> None:
    qtbot.waitUntil(lambda: not command.running)


# --------------------------------------------------------------------------------------------------------- coroutines


def test_a_coroutine_function_is_run_and_followed_like_a_job(
    qtorch_runtime: TestRuntime, gate: Gate, qtbot: QtBot
) -> None:
    notes, results = Notes(gate), list[object]()
    notes.save.finished.connect(results.append)
    notes.update(text="first")
    notes.save.trigger()
    assert (notes.save.running, notes.save.enabled, notes.save.cancellable) == (True, False, True)
    assert notes.busy
    gate.opened.set()
    wait_until_idle(qtbot, notes.save)
    assert results == ["first done"]
    assert (notes.save.enabled, notes.save.error) == (True, None)


def test_a_function_that_gives_a_coroutine_will_do(qtorch_runtime: TestRuntime, gate: Gate, qtbot: QtBot) -> None:
    command, results = Command(lambda name: gate.pass_through(name)), list[object]()
    command.finished.connect(results.append)
    gate.opened.set()
    command("lambda")
    wait_until_idle(qtbot, command)
    assert results == ["lambda done"]


def test_cancel_ends_the_coroutine_and_is_no_error(qtorch_runtime: TestRuntime, gate: Gate, qtbot: QtBot) -> None:
    notes = Notes(gate)
    notes.save.trigger()
    qtbot.waitUntil(lambda: bool(gate.entered))
    notes.save.cancel()
    wait_until_idle(qtbot, notes.save)
    assert (gate.cancelled, notes.save.error) == ([""], None)


def test_a_coroutine_cancelled_before_it_began_is_never_left_unawaited(
    qtorch_runtime: TestRuntime, gate: Gate, qtbot: QtBot
) -> None:
    notes = Notes(gate)
    notes.save.trigger()
    notes.save.cancel()
    wait_until_idle(qtbot, notes.save)
    gc.collect()  # a coroutine that was never awaited warns here, and warnings are errors


def test_what_a_coroutine_raises_is_an_error(qtorch_runtime: TestRuntime, qtbot: QtBot) -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise LookupError("no such note")

    command = Command(fail)
    with qtbot.waitSignal(command.errorChanged):
        command.trigger()
    assert isinstance(command.error, LookupError)


def test_an_error_of_a_coroutine_reaches_the_hook_of_its_orchestrator(
    qtorch_runtime: TestRuntime, qtbot: QtBot
) -> None:
    class Failing(BaseOrchestrator[NoteState]):
        async def run(self) -> None:
            raise LookupError("no such note")

        def on_active_failure(self, event: JobFailureEvent) -> None:
            self.update(saved=event.error_message)

    failing = Failing(NoteState())
    command = Command(failing.run, parent=failing)
    command.trigger()
    qtbot.waitUntil(lambda: failing.state.saved == "no such note")
    wait_until_idle(qtbot, command)


def test_a_coroutine_tells_how_far_it_is(qtorch_runtime: TestRuntime, gate: Gate, qtbot: QtBot) -> None:
    bar, button = QProgressBar(), QPushButton()

    async def work() -> None:
        command.report_progress(0.25)
        await asyncio.to_thread(command.report_progress, 0.5, "half")
        await gate.pass_through()

    command = Command(work)
    bind_command(button, command, progress=bar)
    button.click()
    qtbot.waitUntil(lambda: command.progress == 0.5)
    assert bar.value() == 50
    gate.opened.set()
    wait_until_idle(qtbot, command)


def test_progress_outside_a_coroutine_has_nowhere_to_go(qtorch_runtime: TestRuntime) -> None:
    with pytest.raises(RuntimeError, match="outside a coroutine of a command"):
        Command(int).report_progress(0.5)


def test_a_state_written_from_the_loop_s_own_thread_is_an_error_that_says_so(
    qtorch_runtime: TestRuntime, qtbot: QtBot
) -> None:
    class Writing(BaseOrchestrator[NoteState]):
        async def write(self) -> None:
            self.update(text="from elsewhere")

    writing = Writing(NoteState())
    command = Command(writing.write, parent=writing)
    with qtbot.waitSignal(command.errorChanged):
        command.trigger()
    assert isinstance(command.error, WrongThreadError)


def test_a_restartable_coroutine_is_superseded(qtorch_runtime: TestRuntime, gate: Gate, qtbot: QtBot) -> None:
    command, results = Command(gate.pass_through, policy=RESTARTABLE), list[object]()
    command.finished.connect(results.append)
    command("first")
    command("second")
    qtbot.waitUntil(lambda: "second" in gate.entered)
    gate.opened.set()
    wait_until_idle(qtbot, command)
    gc.collect()
    assert results == ["second done"]


def test_concurrent_coroutines_run_beside_each_other(qtorch_runtime: TestRuntime, gate: Gate, qtbot: QtBot) -> None:
    command, results = Command(gate.pass_through, policy=CONCURRENT), list[object]()
    command.finished.connect(results.append)
    command("first")
    command("second")
    qtbot.waitUntil(lambda: sorted(gate.entered) == ["first", "second"])
    gate.opened.set()
    wait_until_idle(qtbot, command)
    assert sorted(map(str, results)) == ["first done", "second done"]


def test_an_ended_coroutine_keeps_nothing_alive_without_the_collector(
    qtorch_runtime: TestRuntime, gate: Gate, qtbot: QtBot
) -> None:
    class Plain(BaseOrchestrator[NoteState]):
        def __init__(self) -> None:
            super().__init__(NoteState())
            self.save = Command(self._save, parent=self)

        async def _save(self) -> str:
            return await gate.pass_through(self.state.text)

    gate.opened.set()
    gc.collect()
    gc.disable()
    notes = Plain()
    notes.save.trigger()
    wait_until_idle(qtbot, notes.save)
    died = weakref.ref(notes)
    del notes
    qtbot.waitUntil(lambda: died() is None)  # the loop lets go of the coroutine a moment later
    gc.enable()


def test_closing_the_runtime_cancels_a_coroutine(qtorch_runtime: TestRuntime, gate: Gate, qtbot: QtBot) -> None:
    notes = Notes(gate)
    notes.save.trigger()
    qtbot.waitUntil(lambda: bool(gate.entered))
    qtorch_runtime.close()
    assert gate.cancelled == [""]


# ------------------------------------------------------------------------------------------------------------- queues


def test_a_sequential_one_does_what_was_triggered_in_order(
    qtorch_runtime: TestRuntime, gate: Gate, qtbot: QtBot
) -> None:
    command, results, told = Command(gate.pass_through, policy=SEQUENTIAL), list[object](), list[bool]()
    command.finished.connect(results.append)
    command.runningChanged.connect(told.append)
    for name in ("first", "second", "third"):
        command(name)
    assert (command.enabled, command.running) == (True, True)
    qtbot.waitUntil(lambda: bool(gate.entered))
    assert gate.entered == ["first"]
    gate.opened.set()
    wait_until_idle(qtbot, command)
    assert results == ["first done", "second done", "third done"]
    assert told == [True, False], "between two of them it is at work too"


def test_one_that_keeps_the_latest_forgets_what_waited_before(
    qtorch_runtime: TestRuntime, gate: Gate, qtbot: QtBot
) -> None:
    command, results = Command(gate.pass_through, policy=KEEP_LATEST), list[object]()
    command.finished.connect(results.append)
    for name in ("first", "second", "third"):
        command(name)
    gate.opened.set()
    wait_until_idle(qtbot, command)
    assert results == ["first done", "third done"]


def test_the_function_of_what_waits_sees_the_state_of_its_turn(
    qtorch_runtime: TestRuntime, gate: Gate, qtbot: QtBot
) -> None:
    class Autosave(BaseOrchestrator[NoteState]):
        async def write(self, text: str) -> str:
            return await gate.pass_through(text)

    notes, results = Autosave(NoteState(text="a")), list[object]()
    save = Command(lambda: notes.write(notes.state.text), policy=KEEP_LATEST, parent=notes)
    save.finished.connect(results.append)
    save.trigger()
    save.trigger()
    notes.update(text="ab")
    gate.opened.set()
    wait_until_idle(qtbot, save)
    assert results == ["a done", "ab done"]


def test_what_waits_is_not_begun_once_it_is_forbidden(qtorch_runtime: TestRuntime, gate: Gate, qtbot: QtBot) -> None:
    notes = Notes(gate)
    save = Command(gate.pass_through, can=notes.select(lambda s: s.may_save), policy=SEQUENTIAL, parent=notes)
    save("first")
    save("second")
    notes.update(may_save=False)
    gate.opened.set()
    wait_until_idle(qtbot, save)
    assert gate.entered == ["first"]


def test_cancel_empties_the_queue(qtorch_runtime: TestRuntime, gate: Gate, qtbot: QtBot) -> None:
    command = Command(gate.pass_through, policy=SEQUENTIAL)
    command("first")
    command("second")
    qtbot.waitUntil(lambda: bool(gate.entered))
    command.cancel()
    wait_until_idle(qtbot, command)
    assert (gate.entered, gate.cancelled) == (["first"], ["first"])


def test_what_waits_for_work_that_was_cancelled_and_still_ends_can_be_cancelled_too(
    qtorch_runtime: TestRuntime, qtbot: QtBot
) -> None:
    let_go, begun = threading.Event(), list[str]()

    async def work(name: str) -> None:
        begun.append(name)
        try:
            await asyncio.sleep(3_600)
        except asyncio.CancelledError:
            while not let_go.is_set():
                await asyncio.sleep(0.002)
            raise

    command = Command(work, policy=SEQUENTIAL)
    command("first")
    qtbot.waitUntil(lambda: begun == ["first"])
    command.cancel()
    assert not command.cancellable
    command("second")
    assert command.cancellable
    command.cancel()
    let_go.set()
    wait_until_idle(qtbot, command)
    assert begun == ["first"]


def test_a_failure_stops_none_of_those_that_wait(qtorch_runtime: TestRuntime, qtbot: QtBot) -> None:
    done: list[int] = []

    async def work(number: int) -> None:
        done.append(number)
        if number == 1:
            raise LookupError("no such note")

    command, errors = Command(work, policy=SEQUENTIAL), list[object]()
    command.errorChanged.connect(errors.append)
    for number in (1, 2):
        command(number)
    wait_until_idle(qtbot, command)
    assert (done, [type(error) for error in errors]) == ([1, 2], [LookupError, type(None)])


def test_triggers_from_inside_a_plain_function_wait_for_their_turn(qtorch_runtime: TestRuntime) -> None:
    done: list[int] = []

    def work(number: int) -> None:
        if number:
            command(number - 1)
        done.append(number)

    command: Command = Command(work, policy=SEQUENTIAL)
    command(3)
    assert done == [3, 2, 1, 0]


@pytest.mark.parametrize("closes", ["orchestrator", "runtime"])
def test_what_waits_is_not_begun_in_a_close(qtorch_runtime: TestRuntime, gate: Gate, qtbot: QtBot, closes: str) -> None:
    notes, called = Notes(gate), list[str]()

    def save(name: str) -> Any:
        called.append(name)
        return gate.pass_through(name)

    command = Command(save, policy=SEQUENTIAL, parent=notes)
    command("first")
    command("second")
    qtbot.waitUntil(lambda: bool(gate.entered))
    (notes if closes == "orchestrator" else qtorch_runtime).close()
    wait_until_idle(qtbot, command)
    assert (called, gate.cancelled, command.error) == (["first"], ["first"], None)
    assert qtorch_runtime.reports == []


def test_a_policy_that_there_is_not_is_refused(qtorch_runtime: TestRuntime) -> None:
    unknown: Any = "fifo"
    with pytest.raises(ValueError, match="fifo"):
        Command(int, policy=unknown)


def test_a_queued_command_that_dies_is_not_begun_again(qtorch_runtime: TestRuntime, gate: Gate, qtbot: QtBot) -> None:
    import shiboken6

    command = Command(gate.pass_through, policy=SEQUENTIAL)
    kill: Callable[[object], None] = lambda _: shiboken6.delete(command)  # noqa: E731
    command.finished.connect(kill)
    command("first")
    command("second")
    gate.opened.set()
    qtbot.waitUntil(lambda: not shiboken6.isValid(command))
    assert gate.entered == ["first"]
