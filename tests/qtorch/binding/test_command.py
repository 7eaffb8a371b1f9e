"""Commands: allowed, at work, cancellable, failed."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import shiboken6
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from qtorch import (
    CONCURRENT,
    RESTARTABLE,
    BaseExecutor,
    BaseJob,
    BaseOrchestrator,
    BaseState,
    Command,
    JobCancelledEvent,
    JobFailureEvent,
    JobHandle,
    JobTimeoutError,
    combine,
)

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from qtorch.testing import FakeClock
    from qtorch.testing.hygiene import TestRuntime


class WorkJob(BaseJob[str]):
    name: str = "work"
    is_stubborn: bool = False


class FailJob(BaseJob[None]):
    pass


class Workshop(BaseExecutor[WorkJob]):
    """Works until it is released, or its token is cancelled."""

    def __init__(self) -> None:
        self.released = {name: threading.Event() for name in ("work", "first", "second")}

    def process(self, job: WorkJob) -> str:
        self.emit_progress(job, 0.5)
        while not self.released[job.name].wait(0.005):
            if not job.is_stubborn:
                self.checkpoint(job)
        return f"{job.name} done"


class Failing(BaseExecutor[FailJob]):
    def process(self, job: FailJob) -> None:
        raise LookupError("no such person")


class FormState(BaseState):
    is_dirty: bool = True
    divisor: int = 1


class FormOrchestrator(BaseOrchestrator[FormState]):
    pass


@pytest.fixture
def workshop(qtorch_runtime: TestRuntime) -> Iterator[Workshop]:
    workshop = Workshop()
    qtorch_runtime.register(workshop, Failing())
    yield workshop
    for released in workshop.released.values():
        released.set()


@pytest.fixture
def form(workshop: Workshop) -> FormOrchestrator:
    return FormOrchestrator(FormState())


class Heard:
    """What a command told, in order."""

    def __init__(self, command: Command) -> None:
        self.told: list[tuple[str, Any]] = []
        for name in ("enabled", "running", "cancellable", "progress", "error"):
            getattr(command, f"{name}Changed").connect(self._hear(name))
        command.finished.connect(self._hear("finished"))

    def _hear(self, name: str) -> Callable[[Any], None]:
        return lambda value: self.told.append((name, value))


def wait_until_idle(qtbot: QtBot, command: Command) -> None:
    qtbot.waitUntil(lambda: not command.running)


# ------------------------------------------------------------------------------------------------- what it does


def test_a_function_that_returns_a_value_is_done_at_once(qtorch_runtime: TestRuntime) -> None:
    command = Command(lambda a, b=0: a + b)
    heard = Heard(command)
    command(2, b=3)
    assert heard.told == [("finished", 5)]


def test_its_flags_are_qt_properties_with_notify_signals(qtorch_runtime: TestRuntime) -> None:
    command = Command(int)
    meta = command.metaObject()
    for name in ("enabled", "running", "cancellable", "progress", "error"):
        known = meta.property(meta.indexOfProperty(name))
        assert known.notifySignal().name().toStdString() == f"{name}Changed"
    assert [command.property(name) for name in ("enabled", "running", "progress")] == [True, False, 0.0]


@pytest.mark.realtime
def test_a_job_that_the_function_returns_is_dispatched_and_followed_to_its_end(
    workshop: Workshop, qtbot: QtBot
) -> None:
    command = Command(WorkJob)
    heard = Heard(command)
    command.trigger(name="first")
    assert (command.running, command.enabled, command.cancellable) == (True, False, True)
    qtbot.waitUntil(lambda: command.progress == 0.5)
    workshop.released["first"].set()
    wait_until_idle(qtbot, command)
    assert heard.told == [
        ("enabled", False),
        ("running", True),
        ("cancellable", True),
        ("progress", 0.5),
        ("enabled", True),
        ("running", False),
        ("cancellable", False),
        ("finished", "first done"),
    ]


@pytest.mark.realtime
def test_a_handle_that_the_function_returns_is_followed(
    form: FormOrchestrator, workshop: Workshop, qtbot: QtBot
) -> None:
    command = Command(lambda: form.dispatch(WorkJob()))
    with qtbot.waitSignal(command.finished) as finished:
        command.trigger()
        qtbot.waitUntil(lambda: command.progress == 0.5)
        workshop.released["work"].set()
    assert finished.args == ["work done"]
    assert not command.running


@pytest.mark.realtime
def test_a_handle_of_a_job_that_has_ended_is_followed_too(
    form: FormOrchestrator, workshop: Workshop, qtbot: QtBot
) -> None:
    workshop.released["work"].set()
    handle = form.dispatch(WorkJob())
    qtbot.waitUntil(lambda: handle.outcome is not None)
    command = Command(lambda: handle)
    with qtbot.waitSignal(command.finished):
        command.trigger()
    assert not command.running


@pytest.mark.realtime
def test_a_job_is_dispatched_by_the_orchestrator_whose_method_the_function_is(workshop: Workshop, qtbot: QtBot) -> None:
    class Own(FormOrchestrator):
        def work(self) -> WorkJob:
            return WorkJob()

    own, parent = Own(FormState()), FormOrchestrator(FormState())
    by_method, by_parent, by_runtime = Command(own.work), Command(WorkJob, parent=parent), Command(WorkJob)
    for command in (by_method, by_parent, by_runtime):
        command.trigger()
    assert (own.is_job_type_running(WorkJob), parent.is_job_type_running(WorkJob)) == (True, True)
    workshop.released["work"].set()
    for command in (by_method, by_parent, by_runtime):
        wait_until_idle(qtbot, command)


@pytest.mark.realtime
def test_a_trigger_while_it_is_at_work_does_nothing(workshop: Workshop, qtbot: QtBot) -> None:
    calls: list[int] = []

    def work() -> WorkJob:
        calls.append(1)
        return WorkJob()

    command = Command(work)
    command.trigger()
    command.trigger()
    assert calls == [1]
    workshop.released["work"].set()
    wait_until_idle(qtbot, command)


def test_a_trigger_from_inside_its_own_function_does_nothing(qtorch_runtime: TestRuntime) -> None:
    calls: list[int] = []

    def again() -> None:
        calls.append(1)
        command.trigger()

    command = Command(again)
    command.trigger()
    command.trigger()
    assert calls == [1, 1]


def test_connected_to_a_click_it_gets_no_arguments(qtorch_runtime: TestRuntime, qtbot: QtBot) -> None:
    given: list[tuple[Any, ...]] = []
    command = Command(lambda *args: given.append(args))
    button = QPushButton()
    qtbot.addWidget(button)
    button.clicked.connect(command.trigger)
    button.click()
    assert given == [()]


# ------------------------------------------------------------------------------------------------- whether it may


def test_it_is_enabled_while_its_source_says_so(form: FormOrchestrator) -> None:
    calls: list[int] = []
    command = Command(lambda: calls.append(1), can=form.select(lambda s: s.is_dirty))
    heard = Heard(command)
    form.update(is_dirty=False)
    command.trigger()
    assert (calls, heard.told, command.enabled) == ([], [("enabled", False)], False)
    form.update(is_dirty=True)
    command.trigger()
    assert calls == [1]


def test_a_trigger_looks_at_the_state_as_it_is_not_as_it_was_told(form: FormOrchestrator) -> None:
    calls: list[int] = []
    command = Command(lambda: calls.append(1), can=form.select(lambda s: s.is_dirty))
    with form.batch():
        form.update(is_dirty=False)
        command.trigger()
        form.update(is_dirty=True)
    assert calls == []
    command.trigger()
    assert calls == [1]


def test_a_source_that_raises_disables_it_and_is_reported_once(
    form: FormOrchestrator, qtbot: QtBot, qtorch_runtime: TestRuntime
) -> None:
    command = Command(int, can=form.select(lambda s: 1 // s.divisor))
    with qtbot.captureExceptions():
        form.update(divisor=0)
    assert not command.enabled
    (report,) = qtorch_runtime.reports
    assert "Command int, can = select(<lambda> at test_command.py:" in report.where
    form.update(divisor=1)
    assert command.enabled


@pytest.mark.realtime
def test_a_restartable_one_stays_enabled_and_drops_what_it_superseded(workshop: Workshop, qtbot: QtBot) -> None:
    command = Command(lambda name: WorkJob(name=name, is_stubborn=True), policy=RESTARTABLE)
    heard = Heard(command)
    command("first")
    qtbot.waitUntil(lambda: command.progress == 0.5)
    command("second")
    assert (command.enabled, command.running) == (True, True)
    workshop.released["second"].set()
    with qtbot.waitSignal(command.finished):
        pass
    # The first goes on, deaf to its token; nothing of it is told any more.
    assert not command.running
    workshop.released["first"].set()
    assert [told for told in heard.told if told[0] in ("finished", "error")] == [("finished", "second done")]


@pytest.mark.realtime
def test_a_concurrent_one_runs_beside_itself_and_is_at_work_until_the_last_has_ended(
    workshop: Workshop, qtbot: QtBot
) -> None:
    command = Command(lambda name: WorkJob(name=name), policy=CONCURRENT)
    results: list[str] = []
    command.finished.connect(results.append)
    command("first")
    command("second")
    assert command.enabled
    workshop.released["second"].set()
    qtbot.waitUntil(lambda: results == ["second done"])
    assert command.running
    workshop.released["first"].set()
    wait_until_idle(qtbot, command)
    assert results == ["second done", "first done"]


# ------------------------------------------------------------------------------------------------- how it ends


@pytest.mark.realtime
def test_running_ends_with_the_work_not_with_the_press_of_cancel(
    workshop: Workshop, qtorch_runtime: TestRuntime, qtbot: QtBot
) -> None:
    ended: list[JobCancelledEvent] = []
    qtorch_runtime.bus.subscribe(ended.append, event_type=JobCancelledEvent)
    command = Command(lambda: WorkJob(is_stubborn=True))
    heard = Heard(command)
    command.trigger()
    qtbot.waitUntil(lambda: command.progress == 0.5)
    command.cancel()
    assert (command.running, command.enabled, command.cancellable) == (True, False, False)
    qtbot.waitUntil(lambda: bool(ended))
    assert (command.running, command.enabled, command.cancellable) == (True, False, False)
    workshop.released["work"].set()
    wait_until_idle(qtbot, command)
    assert command.enabled
    assert {name for name, _ in heard.told}.isdisjoint({"finished", "error"})


@pytest.mark.realtime
def test_a_job_cancelled_by_others_is_neither_an_error_nor_a_result(
    form: FormOrchestrator, qtbot: QtBot, qtorch_runtime: TestRuntime
) -> None:
    command = Command(lambda: form.dispatch(WorkJob()))
    heard = Heard(command)
    command.trigger()
    form.cancel_all()
    wait_until_idle(qtbot, command)
    assert {name for name, _ in heard.told}.isdisjoint({"finished", "error"})
    assert qtorch_runtime.reports == []


@pytest.mark.realtime
def test_a_failure_lands_in_error_and_goes_with_the_next_trigger(workshop: Workshop, qtbot: QtBot) -> None:
    command = Command(lambda job: job)
    errors: list[BaseException | None] = []
    command.errorChanged.connect(errors.append)
    command(FailJob())
    qtbot.waitUntil(lambda: command.error is not None)
    assert isinstance(command.error, LookupError)
    assert not command.running
    workshop.released["work"].set()
    command(WorkJob())
    assert command.error is None
    wait_until_idle(qtbot, command)
    assert [type(error) for error in errors] == [LookupError, type(None)]


@pytest.mark.realtime
def test_an_error_that_nobody_listens_to_is_reported(
    workshop: Workshop, qtbot: QtBot, qtorch_runtime: TestRuntime
) -> None:
    command = Command(FailJob)
    with qtbot.captureExceptions() as raised:
        command.trigger()
        qtbot.waitUntil(lambda: command.error is not None)
    (report,) = qtorch_runtime.reports
    assert (report.error, report.where) == (command.error, "Command FailJob")
    assert isinstance(report.job, FailJob)
    assert len(raised) == 1


@pytest.mark.realtime
def test_an_error_that_a_hook_of_its_orchestrator_hears_is_not_reported(
    workshop: Workshop, qtbot: QtBot, qtorch_runtime: TestRuntime
) -> None:
    class Own(FormOrchestrator):
        failures: list[str]

        def work(self) -> JobHandle[None]:
            return self.dispatch(FailJob())

        def on_active_failure(self, event: JobFailureEvent) -> None:
            self.failures = [event.error_message]

    own = Own(FormState())
    command = Command(own.work)
    command.trigger()
    qtbot.waitUntil(lambda: command.error is not None)
    assert own.failures == ["no such person"]
    assert qtorch_runtime.reports == []


@pytest.mark.realtime
def test_a_failure_of_a_job_that_is_not_the_orchestrator_s_own_is_reported_whatever_its_hooks(
    workshop: Workshop, qtbot: QtBot, qtorch_runtime: TestRuntime
) -> None:
    class Own(FormOrchestrator):
        def work(self) -> JobHandle[None]:
            return qtorch_runtime.dispatcher.dispatch(FailJob())

        def on_active_failure(self, event: JobFailureEvent) -> None:
            raise AssertionError("not its own")

    own = Own(FormState())
    command = Command(own.work)
    with qtbot.captureExceptions():
        command.trigger()
        qtbot.waitUntil(lambda: command.error is not None)
    assert [report.error for report in qtorch_runtime.reports] == [command.error]


@pytest.mark.realtime
def test_what_was_superseded_by_nothing_leaves_the_command_idle(workshop: Workshop, qtbot: QtBot) -> None:
    work: list[WorkJob | None] = [WorkJob(), None]
    command = Command(lambda: work.pop(0), policy=RESTARTABLE)
    heard = Heard(command)
    command.trigger()
    command.trigger()
    assert not command.running
    assert ("running", False) in heard.told


def test_an_error_keeps_no_frames_alive(qtorch_runtime: TestRuntime) -> None:
    class Witness:
        pass

    died: list[weakref.ref[Witness]] = []

    def fail() -> None:
        witness = Witness()
        died.append(weakref.ref(witness))
        raise LookupError

    command = Command(fail)
    Heard(command)
    command.trigger()
    assert isinstance(command.error, LookupError)
    assert died[0]() is None


def test_what_the_function_itself_raises_is_an_error_too(qtorch_runtime: TestRuntime) -> None:
    command = Command(lambda: 1 // 0)
    heard = Heard(command)
    command.trigger()
    assert isinstance(command.error, ZeroDivisionError)
    assert heard.told == [("error", command.error)]
    assert command.enabled


@pytest.mark.realtime
def test_a_timeout_is_an_error_at_once_though_the_work_goes_on(
    workshop: Workshop, qtbot: QtBot, form: FormOrchestrator
) -> None:
    command = Command(lambda: form.dispatch(WorkJob(is_stubborn=True), timeout=0.05))
    heard = Heard(command)
    command.trigger()
    qtbot.waitUntil(lambda: command.error is not None)
    assert isinstance(command.error, JobTimeoutError)
    assert command.running
    workshop.released["work"].set()
    wait_until_idle(qtbot, command)
    assert ("enabled", True) in heard.told


def test_a_job_that_cannot_be_dispatched_is_an_error(qtorch_runtime: TestRuntime) -> None:
    command = Command(WorkJob)
    heard = Heard(command)
    command.trigger()
    assert "no executor for WorkJob" in str(command.error)
    assert ("running", True) not in heard.told


# ------------------------------------------------------------------------------------------------- what is refused


def test_what_is_no_function_is_refused(qtorch_runtime: TestRuntime) -> None:
    with pytest.raises(TypeError, match="without brackets"):
        Command(7)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------- lifetime


def test_a_command_of_an_orchestrator_goes_with_it_without_the_collector(workshop: Workshop) -> None:
    class Own(FormOrchestrator):
        def __init__(self) -> None:
            super().__init__(FormState())
            self.save = Command(self._save, can=self.select(lambda s: s.is_dirty), parent=self)

        def _save(self) -> str:
            return "saved"

    gc.collect()
    gc.disable()
    own = Own()
    heard = Heard(own.save)
    own.save.trigger()
    assert heard.told == [("finished", "saved")]
    died = weakref.ref(own)
    shiboken6.delete(own)
    del own
    assert died() is None
    gc.enable()


def test_an_orchestrator_whose_command_reads_its_own_state_is_freed_without_the_collector(
    qtorch_runtime: TestRuntime,
) -> None:
    class Own(FormOrchestrator):
        def __init__(self) -> None:
            super().__init__(FormState())
            dirty = self.select(lambda s: s.is_dirty)
            idle = self.running().map(lambda is_running: not is_running)
            self.save = Command(self._save, can=dirty, parent=self)
            self.send = Command(self._save, can=combine(dirty, idle, lambda a, b: a and b), parent=self)
            self.keep = Command(self._save, can=self.field(lambda s: s.is_dirty), parent=self)

        def _save(self) -> str:
            return "saved"

    gc.collect()
    gc.disable()
    own = Own()
    own.update(is_dirty=False)
    assert (own.save.enabled, own.send.enabled, own.keep.enabled) == (False, False, False)
    own.update(is_dirty=True)
    assert (own.save.enabled, own.send.enabled, own.keep.enabled) == (True, True, True)
    died = weakref.ref(own)
    del own
    assert died() is None
    gc.enable()


def test_a_method_of_qt_itself_of_its_parent_can_be_a_command_and_keeps_nobody_alive(
    qtorch_runtime: TestRuntime,
) -> None:
    gc.collect()
    gc.disable()
    try:
        window = QWidget()
        window.show()
        command = Command(window.close, parent=QObject(window))
        command.trigger()
        assert not window.isVisible()
        died = weakref.ref(window)
        shiboken6.delete(window)
        del window
        assert died() is None
    finally:
        gc.enable()


@pytest.mark.realtime
def test_a_command_that_dies_while_its_job_runs_hears_nothing_more(
    workshop: Workshop, qtbot: QtBot, qtorch_runtime: TestRuntime
) -> None:
    parent = QObject()
    command = Command(WorkJob, parent=parent)
    command.trigger()
    qtbot.waitUntil(lambda: command.progress == 0.5)
    shiboken6.delete(parent)
    workshop.released["work"].set()
    qtbot.waitUntil(lambda: not qtorch_runtime.running_jobs)
    QApplication.processEvents()
    assert qtorch_runtime.reports == []


@pytest.mark.realtime
def test_a_dropped_command_is_not_kept_by_its_job(
    workshop: Workshop, qtbot: QtBot, qtorch_runtime: TestRuntime
) -> None:
    command = Command(WorkJob)
    command.trigger()
    died = weakref.ref(command)
    del command
    assert died() is None
    workshop.released["work"].set()
    qtbot.waitUntil(lambda: not qtorch_runtime.running_jobs)


@pytest.mark.realtime
def test_running_ends_with_the_work_and_nobody_polls_for_it(
    qtorch_clock: FakeClock, workshop: Workshop, qtbot: QtBot
) -> None:
    command = Command(lambda: WorkJob(is_stubborn=True))
    command.trigger()
    qtbot.waitUntil(lambda: command.progress == 0.5)
    command.cancel()
    qtbot.waitUntil(lambda: not command.cancellable)
    assert command.running
    assert qtorch_clock.pending == 0
    workshop.released["work"].set()
    qtbot.waitUntil(lambda: not command.running)
    assert qtorch_clock.pending == 0
