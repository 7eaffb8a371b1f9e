"""What a test leaves behind."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from qtorch import BaseJob, BaseOrchestrator, BaseState, JobCancelled, StateMutatedError, executes, ports
from qtorch.testing import FakeClock
from qtorch.testing.hygiene import LeftBehindError, TestRuntime, runtime_of_a_test

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot


class WaitJob(BaseJob[int]):
    pass


class Waiting:
    """An executor whose work waits until it is let go or cancelled."""

    def __init__(self) -> None:
        self.started = threading.Event()

        @executes(WaitJob)
        def wait(job: WaitJob) -> int:
            self.started.set()
            self.executor.token(job).wait(20)
            return 1

        self.executor = wait


def test_the_runtime_of_a_test_is_the_default_one_and_closed_after_it(qapp: QApplication) -> None:
    with runtime_of_a_test() as runtime:
        assert ports.default_runtime() is runtime
        assert isinstance(runtime, TestRuntime)
    assert runtime.is_closed
    assert ports.open_runtimes == []


@pytest.mark.realtime
def test_a_job_that_has_not_ended_fails_the_test_and_is_named(qapp: QApplication) -> None:
    waiting, handles = Waiting(), list[Any]()

    def body() -> None:
        with runtime_of_a_test() as runtime:
            runtime.register(waiting.executor)
            handles.append(runtime.dispatcher.dispatch(WaitJob()))
            assert waiting.started.wait(20)

    with pytest.raises(LeftBehindError, match=r"job wait-\w+ \(running\)"):
        body()
    assert handles[0].outcome == JobCancelled("runtime closed")


@pytest.mark.realtime
def test_a_cancelled_job_is_nothing_left_behind(qapp: QApplication, qtbot: QtBot) -> None:
    waiting = Waiting()
    with runtime_of_a_test() as runtime:
        runtime.register(waiting.executor)
        handle = runtime.dispatcher.dispatch(WaitJob())
        assert waiting.started.wait(20)
        handle.cancel()
        qtbot.waitUntil(lambda: not runtime.running_jobs)


@pytest.mark.realtime
def test_what_a_failing_test_raises_is_not_hidden_by_what_it_left_behind(qapp: QApplication) -> None:
    waiting, made = Waiting(), list[TestRuntime]()

    def body() -> None:
        with runtime_of_a_test() as runtime:
            made.append(runtime)
            runtime.register(waiting.executor)
            runtime.dispatcher.dispatch(WaitJob())
            raise KeyError("the test's own failure")

    with pytest.raises(KeyError, match="the test's own failure"):
        body()
    assert made[0].is_closed


def test_a_test_may_close_its_runtime_itself(qapp: QApplication) -> None:
    with runtime_of_a_test() as runtime:
        runtime.close()
    assert runtime.is_closed


def test_the_fixtures_share_fake_time_if_a_test_asks_for_both(
    qtorch_runtime: TestRuntime, qtorch_clock: FakeClock
) -> None:
    assert qtorch_runtime.clock is qtorch_clock
    assert isinstance(qtorch_clock, FakeClock)


def test_the_fixture_alone_has_real_time(qtorch_runtime: TestRuntime) -> None:
    assert not isinstance(qtorch_runtime.clock, FakeClock)


def test_the_fixture_is_strict(qtorch_runtime: TestRuntime) -> None:
    class Holder:
        def __init__(self) -> None:
            self.value = 1

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Holder) and other.value == self.value

        __hash__ = None  # type: ignore[assignment]

    class HolderState(BaseState):
        holder: Any = None
        count: int = 0

    class Holding(BaseOrchestrator[HolderState]):
        pass

    holding = Holding(HolderState(holder=Holder()))
    holding.state.holder.value = 2
    with pytest.raises(StateMutatedError, match="holder"):
        holding.update(count=1)
