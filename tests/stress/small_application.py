"""A whole small application that does a bit of everything, and ends in the way and at the moment it is told.

Run it as ``python -m tests.stress.small_application quit --after 0.05 --loop qasync --seed 3``.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import logging
import random
import sys
import threading
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QWidget

from qtorch import BaseExecutor, BaseJob, BaseOrchestrator, BaseState, Runtime, bind, executes
from tests.stress.in_process import InProcessJob, Processes

if TYPE_CHECKING:
    from qtorch.events import JobEvent, JobFailureEvent

CODE = 5
"""The exit code that is asked for, where one is."""


class WaitJob(BaseJob[int]):
    """Waits for its token."""


class AsyncWaitJob(BaseJob[int]):
    """Waits for its cancellation, and has something to clean up then."""


class QuickJob(BaseJob[int]):
    """Ends at once."""


class FloodJob(BaseJob[int]):
    """Reports progress without end."""


class FailJob(BaseJob[int]):
    """Fails, and is tried again."""


class LeaveJob(BaseJob[int]):
    """Calls sys.exit() on a thread."""


class AsyncLeaveJob(BaseJob[int]):
    """Calls sys.exit() in a coroutine."""


class StuckJob(BaseJob[int]):
    """Never returns, on a thread."""


class StuckAsyncJob(BaseJob[int]):
    """Never returns, and blocks the loop."""


@executes(WaitJob)
def wait(job: WaitJob) -> int:
    wait.token(job).wait()
    return 1


@executes(AsyncWaitJob)
async def async_wait(job: AsyncWaitJob) -> int:
    try:
        await asyncio.sleep(3600)
    finally:
        await asyncio.sleep(0)
    return 1


@executes(QuickJob)
def quick(job: QuickJob) -> int:
    return 1


class Flooding(BaseExecutor[FloodJob]):
    def process(self, job: FloodJob) -> int:
        while True:
            self.emit_progress(job, 0.5)
            self.checkpoint(job)


@executes(FailJob)
def fail(job: FailJob) -> int:
    raise OSError("on purpose")


@executes(LeaveJob)
def leave(job: LeaveJob) -> int:
    sys.exit(99)


@executes(AsyncLeaveJob)
async def async_leave(job: AsyncLeaveJob) -> int:
    sys.exit(99)


is_stuck = threading.Event()


@executes(StuckJob)
def stuck(job: StuckJob) -> int:
    is_stuck.set()
    threading.Event().wait()
    return 1


@executes(StuckAsyncJob)
async def stuck_async(job: StuckAsyncJob) -> int:
    is_stuck.set()
    threading.Event().wait()
    return 1


EXECUTORS = [wait, async_wait, quick, Flooding(), fail, leave, async_leave, stuck, stuck_async, Processes()]


class CountState(BaseState):
    count: int = 0


class Counting(BaseOrchestrator[CountState]):
    """Counts its events, and starts a quick job after each."""

    def on_active_event(self, event: JobEvent) -> None:
        if self.plan is not None and event.is_from(QuickJob):
            plan, self.plan = self.plan, None
            plan()
        self.update(count=self.state.count + 1)

    def on_active_success(self, event: Any) -> None:
        if not self.is_closed and not application.runtime.is_closed:
            self.dispatch(QuickJob())

    def on_active_failure(self, event: JobFailureEvent) -> None:
        if isinstance(event.error, SystemExit):
            application.app.exit(CODE)

    plan: Any = None
    """What the next hook is to do."""


class Window(QWidget):
    """Shows the count; in a reference cycle, like many a window."""

    def __init__(self, counting: Counting) -> None:
        super().__init__()
        self.cycle = self
        self.label = QLabel(self)
        bind(self.label, "text", counting.select(lambda s: s.count), to=str)


class Application:
    """The window, the orchestrator, the jobs; and how it all ends."""

    def __init__(self, ending: str, after: float, loop_name: str, seed: int) -> None:
        self.app = QApplication(sys.argv[:1])
        loop = None
        if loop_name == "qasync":
            import qasync

            loop = qasync.QEventLoop(self.app)
        self.loop = loop
        self.ending = ending
        self.runtime = Runtime(executors=EXECUTORS, threads=16, loop=loop)  # more than wait for their token
        self.after = int(after * 1000)
        self.dice = random.Random(seed)
        self.has_processes = seed % 4 == 0

    def run(self) -> None:
        """Show the window, start the jobs, and run until the end."""
        self.counting = Counting(CountState())
        self.window = Window(self.counting)
        self.window.show()
        if "never returns" in self.ending:
            is_async = self.ending.endswith("(async)")
            self.runtime.dispatcher.dispatch(StuckAsyncJob() if is_async else StuckJob())
        for job_type in (WaitJob, AsyncWaitJob, QuickJob, FloodJob, FailJob):
            for _ in range(self.dice.randrange(5)):
                self.counting.dispatch(job_type(), retry=self.dice.choice([None, 3]))
        if self.has_processes:
            for kind in ("deaf", "quick", "wait", "progress"):
                self.counting.dispatch(InProcessJob(kind=kind))
        self.counting.dispatch(QuickJob())
        # What ends without its own event loop has no later.
        if self.ending == "no exec":
            return
        if self.ending.endswith("under a dialog"):
            QTimer.singleShot(0, self.window, lambda: QDialog(self.window).exec())
        # From inside the loop: before it, Ctrl+C is Python's.
        QTimer.singleShot(0, self.window, lambda: print("READY", flush=True))
        QTimer.singleShot(self.after, self.end)
        sys.exit(self.runtime.exec())

    def exit_soon(self) -> None:
        """Ask for the exit code a moment after something else has happened."""
        QTimer.singleShot(self.dice.randrange(20), lambda: self.app.exit(CODE))

    def end(self) -> None:
        """End in the way that was asked for."""
        if "never returns" in self.ending and not is_stuck.is_set():
            QTimer.singleShot(1, self.end)  # work that was not begun never will be, and keeps nobody
            return
        match self.ending:
            case "quit" | "quit under a dialog":
                self.app.exit(CODE)
            case "last window closed":
                self.window.close()
            case "sys.exit in a slot":
                sys.exit(CODE)
            case "sys.exit in a hook":
                self.counting.plan = lambda: sys.exit(CODE)
            case "sys.exit in a job":
                self.counting.dispatch(LeaveJob())
            case "sys.exit in a coroutine":
                self.counting.dispatch(AsyncLeaveJob())
            case "close":
                self.runtime.close()
                self.exit_soon()
            case "close in a hook":
                self.counting.plan = self.close_in_a_hook
            case "aclose":
                self.task = asyncio.ensure_future(self.runtime.aclose(), loop=self.loop)
                self.task.add_done_callback(lambda _: self.exit_soon())
            case "never returns" | "never returns (async)":
                self.runtime.close(0.2)
                self.app.exit(CODE)
            case "never returns, sys.exit" | "never returns, sys.exit (async)":
                self.runtime.close(0.2)
                sys.exit(CODE)
            case _:
                return  # by a signal

    def close_in_a_hook(self) -> None:
        self.runtime.close()
        self.exit_soon()


if __name__ == "__main__":
    faulthandler.enable()
    logging.basicConfig(filename="/dev/null")
    parser = argparse.ArgumentParser()
    parser.add_argument("ending")
    parser.add_argument("--after", type=float, default=0.05)
    parser.add_argument("--loop", choices=["own", "qasync"], default="own")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    application = Application(given.ending, given.after, given.loop, given.seed)
    application.run()
