"""Whole programs in processes of their own: what the end of a process does cannot be seen from inside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass

PRELUDE = """
import asyncio, atexit, gc, logging, signal, sys, threading, time
from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QApplication, QWidget
from qtorch import *

class WaitJob(BaseJob[int]):
    "Waits for its token."
class AsyncWaitJob(BaseJob[int]):
    "Waits for its cancellation."
class StuckJob(BaseJob[int]):
    "Does not look at its token."
class StuckAsyncJob(BaseJob[int]):
    "Blocks the loop."
class QuickJob(BaseJob[int]):
    "Ends at once."
class ExitJob(BaseJob[int]):
    "Calls sys.exit."

@executes(WaitJob)
def wait(job):
    wait.token(job).wait()
    return 1

begun, cleaned = [], []

@executes(AsyncWaitJob)
async def async_wait(job):
    begun.append(job.id)
    try:
        await asyncio.sleep(3600)
    finally:
        await asyncio.sleep(0)
        cleaned.append(job.id)

release = threading.Event()

@executes(StuckJob)
def stuck(job):
    release.wait()

@executes(StuckAsyncJob)
async def stuck_async(job):
    release.wait()

@executes(QuickJob)
def quick(job):
    return 1

@executes(ExitJob)
def leave(job):
    sys.exit(99)

EXECUTORS = [wait, async_wait, stuck, stuck_async, quick, leave]

class Nothing(BaseState):
    pass

def when(condition, action, every=1):
    "Call action once condition holds, from a Qt timer."
    timer = QTimer()
    def look():
        if condition():
            timer.stop()
            action()
    timer.timeout.connect(look)
    timer.start(every)
    return timer

app = QApplication(sys.argv)
"""


@dataclass
class Ended:
    """How a program ended."""

    code: int
    out: str
    err: str
    seconds: float


def run_program(source: str, *, timeout: float = 30.0, interrupt_at: str | None = None, times: int = 1) -> Ended:
    """Run ``source`` after the prelude; send Ctrl+C when it prints the line ``interrupt_at``."""
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONFAULTHANDLER": "1"}
    program = PRELUDE + textwrap.dedent(source)
    started = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-W", "ignore:gc:ResourceWarning", "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        out = ""
        if interrupt_at is not None:
            assert process.stdout is not None
            for _ in range(times):
                for line in process.stdout:
                    out += line
                    if line.strip() == interrupt_at:
                        break
                process.send_signal(signal.SIGINT)
        try:
            rest, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)  # faulthandler shows where it hangs
            rest, err = process.communicate()
            raise AssertionError(f"the program hangs\n{out}{rest}\n{err}") from None
    return Ended(process.returncode, out + rest, err, time.monotonic() - started)
