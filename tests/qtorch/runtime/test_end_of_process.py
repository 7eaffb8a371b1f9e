"""Shutdown never crashes and never hangs, however the process ends (invariant 12)."""

from __future__ import annotations

import pytest

from tests.qtorch.runtime.programs import run_program

pytestmark = pytest.mark.realtime

# Filled into the programs below: which loop coroutines run on.
LOOPS = {"own loop": "None", "qasync": "__import__('qasync').QEventLoop(app)"}


@pytest.fixture(params=LOOPS.values(), ids=list(LOOPS))
def loop(request: pytest.FixtureRequest) -> str:
    return request.param


def test_quitting_with_two_hundred_jobs_at_work_ends_cleanly(loop: str) -> None:
    ended = run_program(f"""
        runtime = Runtime(executors=EXECUTORS, threads=8, loop={loop})
        log = EventLog(runtime.bus)
        handles = [runtime.dispatcher.dispatch(WaitJob()) for _ in range(100)]
        handles += [runtime.dispatcher.dispatch(AsyncWaitJob()) for _ in range(100)]
        keep = when(lambda: len(log) >= 108 and len(begun) == 100, app.quit)
        code = runtime.exec()
        print(code, len(log.cancelled), len(cleaned), sum(h.is_working for h in handles))
        sys.exit(code)
    """)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.split() == ["0", "200", "100", "0"]


def test_quitting_while_results_flood_in_ends_cleanly(loop: str) -> None:
    ended = run_program(f"""
        class FloodJob(BaseJob[int]):
            pass
        class Flooding(BaseExecutor[FloodJob]):
            def process(self, job):
                while True:
                    self.emit_progress(job, 0.5)
                    runtime.bus.emit(BaseEvent("noise"))
                    self.token(job).raise_if_cancelled()
        runtime = Runtime(executors=[*EXECUTORS, Flooding()], loop={loop})
        for _ in range(3):
            runtime.dispatcher.dispatch(FloodJob())
        def again(handle):
            if not runtime.is_closed:
                runtime.dispatcher.dispatch(QuickJob()).add_done_callback(again)
        again(None)
        QTimer.singleShot(150, app.quit)
        sys.exit(runtime.exec())
    """)
    assert (ended.code, ended.err) == (0, "")


def test_the_last_window_closed_ends_the_process(loop: str) -> None:
    ended = run_program(f"""
        window = QWidget()
        window.show()
        runtime = Runtime(executors=EXECUTORS, loop={loop})
        runtime.dispatcher.dispatch(WaitJob())
        runtime.dispatcher.dispatch(AsyncWaitJob())
        QTimer.singleShot(20, window.close)
        sys.exit(runtime.exec())
    """)
    assert (ended.code, ended.err) == (0, "")


def test_exec_gives_the_code_of_exit(loop: str) -> None:
    ended = run_program(f"""
        runtime = Runtime(executors=EXECUTORS, loop={loop})
        QTimer.singleShot(0, lambda: app.exit(5))
        code = runtime.exec()
        assert code == runtime.exit_code == 5
        assert runtime.is_closed
        sys.exit(code)
    """)
    assert (ended.code, ended.err) == (5, "")


def test_sys_exit_in_a_slot_ends_the_process_with_its_code(loop: str) -> None:
    ended = run_program(f"""
        runtime = Runtime(executors=EXECUTORS, loop={loop})
        runtime.dispatcher.dispatch(WaitJob())
        runtime.dispatcher.dispatch(AsyncWaitJob())
        QTimer.singleShot(20, lambda: sys.exit(7))
        sys.exit(runtime.exec())
    """)
    assert (ended.code, ended.err) == (7, "")


def test_sys_exit_in_a_hook_ends_the_process_with_its_code(loop: str) -> None:
    ended = run_program(f"""
        class Leaving(BaseOrchestrator[Nothing]):
            def on_active_success(self, event):
                sys.exit(3)
        runtime = Runtime(executors=EXECUTORS, loop={loop})
        runtime.dispatcher.dispatch(WaitJob())
        runtime.dispatcher.dispatch(AsyncWaitJob())
        leaving = Leaving(Nothing())
        leaving.dispatch(QuickJob())
        leaving.dispatch(QuickJob())
        sys.exit(runtime.exec())
    """)
    assert (ended.code, ended.err) == (3, "")


def test_sys_exit_in_a_job_fails_that_job_and_nothing_else() -> None:
    ended = run_program("""
        runtime = Runtime(executors=EXECUTORS, threads=2)
        log = EventLog(runtime.bus)
        for _ in range(4):
            runtime.dispatcher.dispatch(ExitJob())
        keep = when(lambda: len(log.failures) == 4, app.quit)
        code = runtime.exec()
        print([type(event.error).__name__ for event in log.failures])
        sys.exit(code)
    """)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.strip() == str(["SystemExit"] * 4)


def test_an_error_at_the_top_of_the_program_is_shown_and_the_process_ends() -> None:
    ended = run_program("""
        runtime = Runtime(executors=EXECUTORS)
        runtime.dispatcher.dispatch(WaitJob())
        runtime.dispatcher.dispatch(AsyncWaitJob())
        raise LookupError("at the top")
    """)
    assert ended.code == 1
    assert ended.err.strip().endswith("LookupError: at the top")
    assert ended.err.count("Traceback") == 1


def test_a_runtime_that_never_ran_and_was_never_closed_does_not_keep_the_process() -> None:
    ended = run_program("""
        runtime = Runtime(executors=EXECUTORS)
        runtime.dispatcher.dispatch(WaitJob())
        runtime.dispatcher.dispatch(AsyncWaitJob())
    """)
    assert (ended.code, ended.err) == (0, "")


def test_a_runtime_that_nobody_holds_is_closed_at_the_end_all_the_same() -> None:
    ended = run_program("""
        def start():
            runtime = Runtime(executors=EXECUTORS)
            runtime.dispatcher.dispatch(WaitJob()).add_done_callback(lambda h: print(h.status))
        start()
        gc.collect()
    """)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.strip() == "cancelled"


def test_two_runtimes_end_with_the_application() -> None:
    ended = run_program("""
        one, two = Runtime(executors=EXECUTORS), Runtime(executors=EXECUTORS)
        for runtime in (one, two):
            runtime.dispatcher.dispatch(WaitJob())
            runtime.dispatcher.dispatch(AsyncWaitJob())
        QTimer.singleShot(10, app.quit)
        code = one.exec()
        print(one.is_closed, two.is_closed)
        sys.exit(code)
    """)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.split() == ["True", "True"]


def test_the_application_object_may_go_first() -> None:
    ended = run_program("""
        runtime = Runtime(executors=EXECUTORS)
        runtime.dispatcher.dispatch(WaitJob())
        QTimer.singleShot(10, app.quit)
        app.exec()
        app.shutdown()
        del app
    """)
    assert (ended.code, ended.err) == (0, "")


# -- Ctrl+C -----------------------------------------------------------------------------------------------------------


def test_ctrl_c_ends_an_idle_application_with_130(loop: str) -> None:
    ended = run_program(
        f"""
        runtime = Runtime(executors=EXECUTORS, loop={loop})
        QTimer.singleShot(0, lambda: print("READY", flush=True))
        sys.exit(runtime.exec())
        """,
        interrupt_at="READY",
    )
    assert (ended.code, ended.err) == (130, "")


def test_ctrl_c_ends_a_busy_application_with_130(loop: str) -> None:
    ended = run_program(
        f"""
        runtime = Runtime(executors=EXECUTORS, loop={loop})
        log = EventLog(runtime.bus)
        for _ in range(20):
            runtime.dispatcher.dispatch(WaitJob())
            runtime.dispatcher.dispatch(AsyncWaitJob())
        keep = when(lambda: len(log) >= 24, lambda: print("READY", flush=True))
        code = runtime.exec()
        print(len(log.cancelled))
        sys.exit(code)
        """,
        interrupt_at="READY",
    )
    assert (ended.code, ended.err) == (130, "")
    assert ended.out.split() == ["READY", "40"]


def test_ctrl_c_ends_an_application_under_a_modal_dialog() -> None:
    ended = run_program(
        """
        from PySide6.QtWidgets import QDialog
        runtime = Runtime(executors=EXECUTORS)
        def ask():
            QTimer.singleShot(0, lambda: print("READY", flush=True))
            QDialog().exec()
        QTimer.singleShot(0, ask)
        sys.exit(runtime.exec())
        """,
        interrupt_at="READY",
    )
    assert (ended.code, ended.err) == (130, "")


def test_ctrl_c_is_python_s_again_after_exec_and_untouched_by_import() -> None:
    ended = run_program("""
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        runtime = Runtime()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        seen = []
        QTimer.singleShot(0, lambda: (seen.append(signal.getsignal(signal.SIGINT)), app.quit()))
        interval = sys.getswitchinterval()
        runtime.exec()
        assert seen != [signal.default_int_handler]
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert sys.getswitchinterval() == interval
    """)
    assert (ended.code, ended.err) == (0, "")


def test_an_applications_own_handler_of_ctrl_c_is_left_alone() -> None:
    ended = run_program("""
        def mine(*_):
            pass
        signal.signal(signal.SIGINT, mine)
        runtime = Runtime()
        QTimer.singleShot(0, lambda: (print(signal.getsignal(signal.SIGINT) is mine), app.quit()))
        runtime.exec()
    """)
    assert (ended.code, ended.err, ended.out.strip()) == (0, "", "True")


# -- work that never ends ---------------------------------------------------------------------------------------------


def only_names(err: str, job: str) -> bool:
    """Whether all that was written to stderr is about that job."""
    lines = err.strip().splitlines()
    return bool(lines) and all(line.startswith("qtorch: ") and job in line for line in lines)


@pytest.mark.parametrize("job", ["StuckJob", "StuckAsyncJob"])
def test_a_process_with_stuck_work_ends_with_the_code_that_exec_gave(job: str) -> None:
    ended = run_program(f"""
        logging.basicConfig(filename="/dev/null")
        atexit.register(lambda: print("atexit handlers run"))
        runtime = Runtime(executors=EXECUTORS)
        runtime.dispatcher.dispatch({job}())
        QTimer.singleShot(50, lambda: runtime.close(0.2))
        QTimer.singleShot(60, lambda: app.exit(5))
        print("buffered text is not lost")
        sys.exit(runtime.exec())
    """)
    assert ended.code == 5, ended.err
    assert ended.out.splitlines() == ["buffered text is not lost", "atexit handlers run"]
    assert only_names(ended.err, job), ended.err
    assert ended.seconds < 10


def test_stuck_work_is_logged_too() -> None:
    ended = run_program("""
        logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(name)s %(message)s")
        runtime = Runtime(executors=EXECUTORS)
        handle = runtime.dispatcher.dispatch(StuckJob())
        QTimer.singleShot(50, lambda: (runtime.close(0.1), print(handle.status, handle.is_working), app.quit()))
        sys.exit(runtime.exec())
    """)
    assert ended.code == 0
    [error, status] = ended.out.splitlines()
    assert error.startswith("ERROR qtorch.runtime")
    assert "StuckJob" in error
    assert status == "cancelled True"


def test_stuck_work_and_a_sys_exit_elsewhere_end_in_70_and_say_so() -> None:
    ended = run_program("""
        logging.basicConfig(filename="/dev/null")
        runtime = Runtime(executors=EXECUTORS)
        runtime.dispatcher.dispatch(StuckJob())
        QTimer.singleShot(50, lambda: (runtime.close(0.1), sys.exit(9)))
        sys.exit(runtime.exec())
    """)
    assert ended.code == 70
    assert only_names(ended.err, "StuckJob"), ended.err
    assert "exit_code" in ended.err


def test_stuck_work_and_an_exit_code_that_was_set_end_in_that() -> None:
    ended = run_program("""
        logging.basicConfig(filename="/dev/null")
        runtime = Runtime(executors=EXECUTORS)
        runtime.dispatcher.dispatch(StuckJob())
        def leave():
            runtime.close(0.1)
            runtime.exit_code = 9
            sys.exit(9)
        QTimer.singleShot(50, leave)
        sys.exit(runtime.exec())
    """)
    assert ended.code == 9
    assert only_names(ended.err, "StuckJob"), ended.err


def test_stuck_work_that_ends_before_the_process_does_changes_nothing() -> None:
    ended = run_program("""
        logging.basicConfig(filename="/dev/null")
        runtime = Runtime(executors=EXECUTORS)
        handle = runtime.dispatcher.dispatch(StuckJob())
        QTimer.singleShot(50, lambda: (runtime.close(0.1), release.set(), app.exit(4)))
        code = runtime.exec()
        sys.exit(6)
    """)
    assert ended.code == 6


@pytest.mark.parametrize("job", ["StuckJob", "StuckAsyncJob"])
def test_on_stuck_wait_waits_for_the_work(job: str) -> None:
    ended = run_program(f"""
        logging.basicConfig(filename="/dev/null")
        runtime = Runtime(executors=EXECUTORS, on_stuck="wait")
        runtime.dispatcher.dispatch({job}())
        QTimer.singleShot(50, lambda: (runtime.close(0.1), app.exit(4)))
        code = runtime.exec()
        def let_go():
            time.sleep(0.3)
            print("let go", flush=True)
            release.set()
        threading.Thread(target=let_go, daemon=True).start()
        sys.exit(code)
    """)
    assert ended.code == 4, ended.err
    assert ended.out.strip() == "let go"
    assert only_names(ended.err, job), ended.err


def test_a_process_without_stuck_work_runs_no_hard_exit() -> None:
    ended = run_program("""
        import os
        os._exit = lambda code: print("a hard exit")
        runtime = Runtime(executors=EXECUTORS)
        runtime.dispatcher.dispatch(WaitJob())
        QTimer.singleShot(10, app.quit)
        sys.exit(runtime.exec())
    """)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == ""


@pytest.mark.parametrize("on_stuck", ["exit", "wait"])
def test_a_stream_deaf_to_its_cancellation_is_named_and_nothing_else_is_said_of_it(on_stuck: str) -> None:
    ended = run_program(f"""
        class DeafStreamJob(BaseJob[int]):
            "Swallows its cancellation."

        @executes(DeafStreamJob)
        async def deaf_stream(job):
            yield 1
            while True:
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    pass

        runtime = Runtime(executors=[deaf_stream], on_stuck="{on_stuck}")
        items = []
        runtime.bus.subscribe(items.append, event_type=JobItemsEvent)
        runtime.dispatcher.dispatch(DeafStreamJob())
        timer = when(lambda: bool(items), lambda: (runtime.close(0.1), app.exit(3)))
        code = runtime.exec()
        gc.collect()
        sys.exit(code)
    """)
    assert ended.code == 3, ended.err
    assert only_names(ended.err, "DeafStreamJob"), ended.err
