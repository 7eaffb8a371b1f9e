"""Whole programs with worker processes: how they start, idle, and end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.qtorch.execution.processes import gone

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.realtime

JOBS = """
import os, signal, sys, threading, time
from qtorch import *

class WorkJob(BaseJob[object]):
    how: str = "pid"

class Worker(BaseExecutor[WorkJob]):
    runner = "process"
    def process(self, job):
        if job.how != "pid":
            self.emit_progress(job, 0.5, message=str(os.getpid()))
        if job.how == "spin":
            while True:
                pass
        if job.how == "wait":
            self.token(job).wait()
            time.sleep(0.05)
            print("cleaned up", flush=True)
        return os.getpid()
    def close(self):
        print("closed", flush=True)
"""

START = """
from PySide6.QtCore import QCoreApplication, QTimer

def begin(*hows):
    app = QCoreApplication([])
    runtime = Runtime(executors=[Worker()], processes=2)
    handles = [runtime.dispatcher.dispatch(WorkJob(how=how)) for how in hows]
    while not all(handle.outcome or handle.progress for handle in handles):
        app.processEvents()
        time.sleep(0.001)
    return app, runtime, handles

def show(runtime):
    print("pids", *runtime.dispatcher.services.processes.pids, flush=True)
"""


@contextmanager
def program(tmp_path: Path, source: str) -> Iterator[subprocess.Popen[str]]:
    """Run a file: what is given with -c has no main module that a worker could import."""
    path = tmp_path / "program.py"
    path.write_text(JOBS + START + textwrap.dedent(source))
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONFAULTHANDLER": "1"}
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-W", "ignore:gc:ResourceWarning", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=Path(__file__).parents[3],
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    try:
        return process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        raise AssertionError(f"the program hangs: {process.communicate()}") from None


def shown_pids(process: subprocess.Popen[str]) -> list[int]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("pids"), (line, process.communicate())
    return [int(pid) for pid in line.split()[1:]]


def test_a_program_without_a_guard_is_told_so_and_does_not_start_itself_again(tmp_path: Path) -> None:
    source = """
        app, runtime, (handle,) = begin("pid")
        print(type(handle.outcome.error).__name__, handle.outcome.error.exit_code)
        print(handle.outcome.error)
        runtime.close()
    """
    with program(tmp_path, source) as process:
        out, err = finish(process)
    assert process.returncode == 0, err
    assert out.startswith("WorkerDiedError 1\n")
    assert 'if __name__ == "__main__":' in out
    assert "a Runtime was made while a worker process imports the program's main module" in err
    assert err.count("Traceback") == 1, "it has started more than one worker"


def test_a_main_module_that_cannot_be_imported_again_fails_the_job(tmp_path: Path) -> None:
    source = """
        if __name__ == "__mp_main__":
            import no_such_module
        if __name__ == "__main__":
            app, runtime, (handle,) = begin("pid")
            print(handle.outcome.error)
            runtime.close()
    """
    with program(tmp_path, source) as process:
        out, err = finish(process)
    assert process.returncode == 0, err
    assert "no worker process could be started for WorkJob: it ended before it was ready: exit code 1" in out
    assert "No module named 'no_such_module'" in err


def test_classes_of_a_guarded_main_module_are_found_by_its_workers(tmp_path: Path) -> None:
    source = """
        if __name__ == "__main__":
            app = QCoreApplication([])
            runtime = Runtime(executors=[Worker()], processes=2)
            started = time.perf_counter()
            handle = runtime.dispatcher.dispatch(WorkJob())
            app.processEvents()
            assert time.perf_counter() - started < 0.1, "the window stands still while a worker starts"
            while not handle.outcome:
                app.processEvents()
                time.sleep(0.001)
            assert handle.outcome.data not in (os.getpid(), None)
            runtime.close()
    """
    with program(tmp_path, source) as process:
        out, err = finish(process)
    assert (process.returncode, out, err) == (0, "closed\n", "")


def test_a_class_of_a_program_without_a_file_is_refused_at_dispatch() -> None:
    source = JOBS + START + "begin('pid')"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert (
        "NotPicklableError: Worker cannot go to a worker process: it was defined in an interactive shell" in done.stderr
    )


def test_no_worker_outlives_a_runtime_whose_process_is_killed(tmp_path: Path) -> None:
    source = """
        if __name__ == "__main__":
            app, runtime, handles = begin("spin", "wait")
            show(runtime)
            app.exec()
    """
    with program(tmp_path, source) as process:
        pids = shown_pids(process)
        assert len(pids) == 2
        process.kill()
        gone(*pids)


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("QTimer.singleShot(0, app.quit); sys.exit(runtime.exec())", 0),
        ("sys.exit(5)", 5),
        ("raise ValueError('on purpose')", 1),
    ],
)
def test_a_program_takes_its_workers_along_however_it_ends(tmp_path: Path, end: str, code: int) -> None:
    source = f"""
        if __name__ == "__main__":
            app, runtime, handles = begin("spin", "wait")
            show(runtime)
            {end}
    """
    with program(tmp_path, source) as process:
        pids = shown_pids(process)
        out, err = finish(process)
    gone(*pids)
    assert process.returncode == code, err
    assert "cleaned up" in out
    assert "still works" not in err
    assert "died" not in err
    assert ("on purpose" in err) == (code == 1)
    assert code == 1 or not err


def test_ctrl_c_in_a_terminal_ends_the_program_and_lets_its_workers_clean_up(tmp_path: Path) -> None:
    source = """
        if __name__ == "__main__":
            app, runtime, handles = begin("wait", "spin")
            QTimer.singleShot(0, lambda: show(runtime))
            sys.exit(runtime.exec())
    """
    with program(tmp_path, source) as process:
        pids = shown_pids(process)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process of the group
        out, err = finish(process)
    gone(*pids)
    assert (process.returncode, err) == (130, "")
    assert "cleaned up" in out


def test_an_open_pool_wakes_nobody_while_it_is_idle(tmp_path: Path) -> None:
    source = """
        def switches():
            "How often any thread of these processes was woken."
            total = 0
            for pid in (os.getpid(), *pids):
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/status") as status:
                        total += sum(int(line.split()[1]) for line in status if line.startswith("voluntary"))
            return total

        if __name__ == "__main__":
            app, runtime, handles = begin("pid", "pid")
            pids = runtime.dispatcher.services.processes.pids
            figures = []
            def look():
                figures.append(switches())
                if len(figures) == 2:
                    app.quit()
            QTimer.singleShot(300, look)
            QTimer.singleShot(2300, look)
            app.exec()
            print(figures[1] - figures[0], len(pids), flush=True)
            runtime.close()
    """

    def woken() -> int:
        with program(tmp_path, source) as process:
            out, err = finish(process)
        assert process.returncode == 0, err
        woken, workers = (int(number) for number in out.splitlines()[-1].split())
        assert workers
        return woken

    # A busy machine may wake a thread once more, now and then; what polls is woken every time.
    assert any(woken() <= 4 for _ in range(3)), "something polls"
