"""The composition root: made on the GUI thread, the default one while it is open, any number side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from qtorch import (
    BaseJob,
    ClosedError,
    Dispatcher,
    EventLog,
    JobStatus,
    JobSuccess,
    NoRuntimeError,
    Runtime,
    SignalBus,
    executes,
)
from tests.qtorch.execution.rig import NoState, Owner, Rig, drive, elsewhere
from tests.qtorch.runtime.programs import run_program

if TYPE_CHECKING:
    from PySide6.QtCore import QObject

pytestmark = pytest.mark.realtime


class EchoJob(BaseJob[str]):
    text: str = ""


@executes(EchoJob)
def echo(job: EchoJob) -> str:
    return job.text


@pytest.fixture
def make_runtime(qapp: QObject) -> Iterator[Callable[..., Runtime]]:
    made: list[Runtime] = []

    def make(**options: object) -> Runtime:
        made.append(Runtime(**options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for runtime in made:
        runtime.close()


# -- where it may be made ---------------------------------------------------------------------------------------------


def test_a_runtime_before_the_application_says_what_to_write_first() -> None:
    ended = run_program("""
        from PySide6.QtCore import QCoreApplication
        app.shutdown()
        del app
        assert QCoreApplication.instance() is None
        try:
            Runtime()
        except RuntimeError as error:
            print(error)
    """)
    assert (ended.code, ended.err) == (0, "")
    assert "before the QApplication" in ended.out
    assert "app = QApplication(sys.argv) first" in ended.out


def test_a_runtime_outside_the_gui_thread_is_refused(make_runtime: Callable[..., Runtime]) -> None:
    with pytest.raises(RuntimeError, match=r"outside the GUI thread"):
        elsewhere(make_runtime)
    with pytest.raises(NoRuntimeError):
        Runtime.default()


def test_options_that_do_not_fit_leave_no_half_made_runtime_behind(make_runtime: Callable[..., Runtime]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        make_runtime(threads=0)
    with pytest.raises(TypeError, match="BaseExecutor"):
        make_runtime(executors=[object()])
    with pytest.raises(NoRuntimeError):
        Runtime.default()


# -- the default ------------------------------------------------------------------------------------------------------


def test_without_a_runtime_everything_that_needs_one_says_how_to_make_one(qapp: QObject) -> None:
    for ask in (Runtime.default, SignalBus.instance, Dispatcher.instance, lambda: Owner(NoState())):
        with pytest.raises(NoRuntimeError, match=r"Runtime\(executors="):
            ask()


def test_the_first_open_runtime_is_the_default_then_the_next_oldest(make_runtime: Callable[..., Runtime]) -> None:
    first, second, third = make_runtime(), make_runtime(), make_runtime()
    assert Runtime.default() is first
    second.close()
    assert Runtime.default() is first
    first.close()
    assert Runtime.default() is third
    assert SignalBus.instance() is third.bus
    assert Dispatcher.instance() is third.dispatcher
    assert Owner(NoState()).bus is third.bus
    third.close()
    with pytest.raises(NoRuntimeError):
        Runtime.default()


def test_asking_for_the_default_never_makes_one(qapp: QObject) -> None:
    for _ in range(2):
        with pytest.raises(NoRuntimeError):
            Runtime.default()


def test_a_runtime_is_held_while_it_is_open(qapp: QObject) -> None:
    import gc
    import weakref

    def make() -> weakref.ref[Runtime]:
        return weakref.ref(Runtime(executors=[echo]))

    held = make()
    gc.collect()
    runtime = held()
    assert runtime is not None
    runtime.close()
    del runtime
    gc.collect()
    assert held() is None


# -- two at once ------------------------------------------------------------------------------------------------------


def test_two_runtimes_share_nothing(make_rig: Callable[..., Rig]) -> None:
    one, two = make_rig(), make_rig()
    assert one.runtime.bus is not two.runtime.bus
    work_one, work_two = one.work("work", 1), two.work("work", 2)
    first, second = one.dispatch("thread"), two.dispatch("thread")
    drive(lambda: work_one.begun.is_set() and work_two.begun.is_set())
    one.runtime.close()
    assert first.status is JobStatus.CANCELLED
    assert second.status is JobStatus.RUNNING
    work_two.gate.open()
    two.end(second)
    assert second.status is JobStatus.SUCCEEDED
    assert [event.correlation_id for event in one.log] == [first.id] * len(one.log)
    assert [event.correlation_id for event in two.log] == [second.id] * len(two.log)


def test_each_runtime_does_its_own_orchestrators_jobs(make_runtime: Callable[..., Runtime]) -> None:
    @executes(EchoJob)
    def other(job: EchoJob) -> str:
        return "other"

    one, two = make_runtime(executors=[echo]), make_runtime(executors=[other])
    owners = [Owner(NoState(), runtime=runtime) for runtime in (one, two)]
    handles = [owner.dispatch(EchoJob(text="mine")) for owner in owners]
    drive(lambda: all(handle.status.is_final for handle in handles))
    assert [handle.outcome for handle in handles] == [JobSuccess("mine"), JobSuccess("other")]


def test_closing_a_runtime_ends_what_another_one_runs_for_its_bus(make_rig: Callable[..., Rig]) -> None:
    one, two = make_rig(), make_rig()
    work = two.work()
    handle = two.runtime.dispatcher.dispatch(two.job("thread"), bus=one.runtime.bus)
    drive(work.begun.is_set)
    one.runtime.close()
    assert handle.status is JobStatus.CANCELLED
    assert one.types(handle)[-1] == "Cancelled"
    two.quiet()
    assert handle.id not in two.runtime.dispatcher.services.running


# -- its figures ------------------------------------------------------------------------------------------------------


def test_the_snapshot_counts_jobs_by_what_they_do(make_rig: Callable[..., Rig]) -> None:
    from qtorch import RetryPolicy

    rig = make_rig(threads=1)
    rig.work("deaf", is_deaf=True)
    given_up = rig.dispatch("thread", "deaf")
    drive(rig.works["deaf"].begun.is_set)
    given_up.cancel()
    rig.work("running")
    rig.dispatch("thread", "running")
    rig.dispatch("thread", "running")
    rig.work("retried", OSError(), is_open=True)
    waiting = rig.dispatch("loop", "retried", retry=RetryPolicy(max_retries=1, base_delay=10))
    drive(lambda: waiting.status is JobStatus.WAITING and rig.works["running"].begun.is_set())
    rig.drain()
    figures = rig.runtime.snapshot()
    assert {name: figures[name] for name in ("queued", "running", "waiting", "still_working")} == {
        "queued": 1,
        "running": 1,
        "waiting": 1,
        "still_working": 1,
    }
    assert figures["still_working_jobs"] == (given_up.id,)
    assert figures["runners"]["threads"]["queued"] == 1
    assert len(rig.runtime.running_jobs) == 3
    waiting.cancel()
    rig.open_all()
    rig.quiet()
    figures = rig.runtime.snapshot()
    assert figures["queued"] == figures["running"] == figures["waiting"] == figures["still_working"] == 0


# -- errors reach somebody --------------------------------------------------------------------------------------------


def test_an_error_is_reported_once_to_the_signal_on_the_gui_thread_and_to_the_excepthook(
    rig: Rig, qtbot: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    threads: list[int] = []
    hooked: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, traceback: hooked.append(error))
    rig.runtime.error_occurred.connect(lambda _: threads.append(threading.get_ident()))
    work = rig.work(is_deaf=True)
    handle = rig.dispatch("thread")
    drive(work.begun.is_set)
    error = ValueError("in a token callback")

    def fail() -> None:
        raise error

    work.tokens[0].on_cancel(fail)
    elsewhere(work.tokens[0].cancel)
    drive(lambda: rig.reports)
    assert [report.error for report in rig.reports] == [error]
    assert hooked == [error]
    assert threads == [threading.get_ident()]
    work.gate.open()
    rig.end(handle)


def test_a_crash_reporter_that_crashes_changes_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import sys

    def crash(*_: object) -> None:
        raise RuntimeError("the reporter")

    monkeypatch.setattr(sys, "excepthook", crash)
    error = ValueError("the listener's")

    def bad(_: object) -> None:
        raise error

    rig.runtime.bus.subscribe(bad)
    rig.work(is_open=True)
    handle = rig.dispatch("thread")
    rig.end(handle)
    assert handle.status is JobStatus.SUCCEEDED
    assert [report.error for report in rig.reports] == [error] * 2
    assert rig.types(handle) == ["Started", "Success"]


def test_register_adds_executors_and_a_closed_runtime_is_said_to_be(make_runtime: Callable[..., Runtime]) -> None:
    runtime = make_runtime()
    runtime.register(echo)
    log = EventLog(runtime.bus)
    handle = runtime.dispatcher.dispatch(EchoJob(text="x"))
    drive(lambda: len(log) == 2)
    assert handle.status is JobStatus.SUCCEEDED
    assert not runtime.is_closed
    runtime.close()
    assert runtime.is_closed
    with pytest.raises(ClosedError):
        runtime.dispatcher.dispatch(EchoJob())
    with pytest.raises(ClosedError):
        Owner(NoState(), runtime=runtime)
