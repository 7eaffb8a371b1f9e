"""Ends of a Runtime that are begun and broken off: cancelled, hurried, raised out of, or taken over by C++."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QTimer

from qtorch import ClosedError, JobCancelled, JobCancelledEvent, Runtime
from tests.qtorch.execution.rig import NoState, Owner, Rig, drive
from tests.qtorch.runtime.programs import run_program

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

pytestmark = pytest.mark.realtime


def test_an_aclose_whose_task_is_cancelled_closes_all_the_same(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig("qasync")
    rig.work(is_deaf=True)
    handle = rig.dispatch("thread")
    drive(rig.works["work"].begun.is_set)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(rig.runtime.aclose(), 0.05)

    task = rig.loop.create_task(main())
    drive(task.done)
    task.result()
    assert rig.runtime.bus.is_closed
    assert handle.outcome == JobCancelled("runtime closed")
    with pytest.raises(ClosedError):
        rig.runtime.dispatcher.dispatch(rig.job("thread"))
    rig.runtime.close()


def test_quitting_while_aclose_is_awaited_ends_the_program_and_the_runtime() -> None:
    ended = run_program("""
        import qasync
        loop = qasync.QEventLoop(app)
        asyncio.set_event_loop(loop)
        runtime = Runtime(executors=EXECUTORS, loop=loop)

        async def main():
            handle = runtime.dispatcher.dispatch(StuckJob())
            while not handle.is_working:
                await asyncio.sleep(0.001)
            QTimer.singleShot(20, app.quit)
            threading.Timer(0.3, release.set).start()
            await runtime.aclose()

        task = loop.create_task(main())
        code = runtime.exec()
        print(code, runtime.bus.is_closed, gc.isenabled(), runtime.snapshot()["still_working"], flush=True)
        task.cancel()
        sys.exit(code)
    """)
    assert (ended.code, ended.out) == (0, "0 True True 0\n"), ended.err
    assert "still works" not in ended.err
    assert "Traceback" not in ended.err


def test_a_hook_that_exits_during_the_last_drain_leaves_nothing_open(rig: Rig) -> None:
    class Leaving(Owner):
        def on_active_cancelled(self, event: JobCancelledEvent) -> None:
            sys.exit(3)

    rig.work()
    leaving = Leaving(NoState(), runtime=rig.runtime)
    leaving.dispatch(rig.job("thread"))
    drive(rig.works["work"].begun.is_set)
    with pytest.raises(SystemExit):
        rig.runtime.close(0)
    assert rig.runtime.bus.is_closed
    drive(lambda: rig.runtime.snapshot()["runners"]["threads"]["threads"] == 0)
    rig.runtime.close()


def test_a_runtime_that_goes_with_its_parent_is_closed() -> None:
    ended = run_program("""
        import shiboken6
        window = QObject()
        runtime = Runtime(executors=EXECUTORS, parent=window)
        handle = runtime.dispatcher.dispatch(WaitJob())
        while not handle.is_working:
            app.processEvents()
        shiboken6.delete(window)
        print(handle.outcome, runtime.is_closed, runtime.bus.core.is_closed)
        try:
            Runtime.default()
        except NoRuntimeError:
            print("no default")
        while runtime.snapshot()["runners"]["threads"]["threads"]:
            time.sleep(0.001)
        fresh = Runtime(executors=EXECUTORS)
        print(Runtime.default() is fresh)
        fresh.close()
        while not gc.isenabled():                   # given back when the loop blocks after the work has ended
            QTimer.singleShot(1, app.quit)
            app.exec()
    """)
    assert ended.code == 0
    assert ended.out.splitlines() == ["JobCancelled(reason='runtime closed') True True", "no default", "True"]
    assert "Traceback" not in ended.err


def test_a_runtime_without_work_goes_with_its_parent_in_silence() -> None:
    ended = run_program("""
        import shiboken6
        window = QObject()
        runtime = Runtime(executors=EXECUTORS, parent=window)
        handle = runtime.dispatcher.dispatch(QuickJob())
        while handle.outcome is None:
            app.processEvents()
        shiboken6.delete(window)
        print(gc.isenabled())
    """)
    assert (ended.code, ended.out, ended.err) == (0, "True\n", "")


def test_an_application_that_is_shut_down_ends_its_runtime_and_the_program() -> None:
    ended = run_program("""
        runtime = Runtime(executors=EXECUTORS)
        handle = runtime.dispatcher.dispatch(QuickJob())
        while handle.outcome is None:
            app.processEvents()
        app.shutdown()
        print(runtime.is_closed, gc.isenabled())
    """)
    assert (ended.code, ended.out, ended.err) == (0, "True True\n", "")


def test_a_second_application_gets_runtimes_buses_and_jobs_like_the_first() -> None:
    ended = run_program("""
        runtime = Runtime()
        app.shutdown()
        del app
        app = QApplication([])
        fresh = Runtime(executors=EXECUTORS)
        print(Runtime.default() is fresh)
        heard = []
        bus = SignalBus.scoped()
        bus.subscribe(heard.append)
        bus.emit(BaseEvent("x"))
        handle = fresh.dispatcher.dispatch(QuickJob())
        until = time.monotonic() + 10
        while not (heard and handle.outcome) and time.monotonic() < until:
            app.processEvents()
        print(len(heard), handle.outcome)
        fresh.close()
    """)
    assert (ended.code, ended.out, ended.err) == (0, "True\n1 JobSuccess(data=1)\n", "")


def test_exec_refuses_a_loop_that_nobody_would_run(qapp: QApplication) -> None:
    loop = asyncio.new_event_loop()
    runtime = Runtime(loop=loop)
    out = QTimer()
    out.timeout.connect(qapp.quit)
    out.start(50)
    try:
        with pytest.raises(RuntimeError, match="qasync"):
            runtime.exec()
        assert not runtime.is_closed
    finally:
        out.stop()
        runtime.close()
        loop.close()
