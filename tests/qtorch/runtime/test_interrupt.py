"""Ctrl+C comes between any two lines of Python, and ends the application between two events."""

from __future__ import annotations

import pytest

from tests.qtorch.runtime.programs import run_program

pytestmark = pytest.mark.realtime


@pytest.mark.parametrize("loop", ["None", "__import__('qasync').QEventLoop(app)"], ids=["own loop", "qasync"])
def test_ctrl_c_lets_the_line_it_comes_at_and_its_listener_go_on_first(loop: str) -> None:
    ended = run_program(f"""
        runtime = Runtime(executors=EXECUTORS, loop={loop})
        def listener(event):
            signal.raise_signal(signal.SIGINT)
            print("closed inside a listener:", runtime.is_closed)
        runtime.bus.subscribe(listener, event_type=JobSuccessEvent)
        runtime.dispatcher.dispatch(QuickJob())
        sys.exit(runtime.exec())
    """)
    assert (ended.code, ended.err) == (130, "")
    assert ended.out.strip() == "closed inside a listener: False"


def test_ctrl_c_just_before_the_event_loop_runs_is_not_lost() -> None:
    ended = run_program("""
        runtime = Runtime(executors=EXECUTORS)
        execute = app.exec
        def interrupted():
            signal.raise_signal(signal.SIGINT)
            return execute()
        runtime._app = type("App", (), {"exec": staticmethod(interrupted), "exit": app.exit,
                                        "aboutToQuit": app.aboutToQuit})()
        sys.exit(runtime.exec())
    """)
    assert (ended.code, ended.err) == (130, "")
