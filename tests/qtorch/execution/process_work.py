"""What worker processes do in the tests. They import this module: it has to stay light, and without Qt."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qtorch.errors import JobCancelledError, NoRetry
from qtorch.execution.base_executor import BaseExecutor, executes
from qtorch.job.base_job import BaseJob


class ProcessJob(BaseJob[object]):
    """Call the method of ``Processor`` that ``what`` names, with ``args``."""

    what: str
    args: tuple[Any, ...] = ()


class TwoArgumentsError(Exception):
    """Pickles, but does not unpickle: its __init__ wants more than its text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")


class OnlyThereError(Exception):
    """Does not pickle at all."""

    def __reduce__(self) -> Any:
        raise TypeError("on purpose")


class Sticky:
    """Can be made there and not here."""

    def __reduce__(self) -> Any:
        return _refuse_in, (os.getpid(),)


def _refuse_in(pid: int) -> None:
    if pid != os.getpid():
        raise ValueError("not in this process")


class Processor(BaseExecutor[ProcessJob]):
    """Does what it is told, in a worker process."""

    runner = "process"

    def __init__(self, tag: str = "") -> None:
        self.tag = tag
        self.calls = 0

    def process(self, job: ProcessJob) -> object:
        self.calls += 1
        return getattr(self, job.what)(job, *job.args)

    def close(self) -> None:
        if self.tag.startswith("/"):
            with Path(self.tag).open("a") as file:
                file.write(f"closed after {self.calls}\n")
        elif self.tag == "raises at its end":
            raise OSError("cannot be closed")

    # -- harmless ----------------------------------------------------------------------------------------------------

    def give(self, job: ProcessJob, value: object) -> object:
        return value

    def where(self, job: ProcessJob) -> tuple[int, int, bool]:
        return os.getpid(), self.calls, threading.current_thread() is threading.main_thread()

    def own_id(self, job: ProcessJob) -> str:
        return job.id

    def qt(self, job: ProcessJob) -> list[str]:
        return [name for name in sys.modules if name.startswith(("PySide6", "shiboken6"))]

    def steps(self, job: ProcessJob, total: int) -> str:
        for step in range(1, total + 1):
            self.emit_step(job, step, total, message=f"step {step}")
        return "done"

    def steps_from_a_thread(self, job: ProcessJob) -> str:
        thread = threading.Thread(target=lambda: self.emit_progress(job, 0.5))
        thread.start()
        thread.join()
        return "done"

    def last_step_then_silence(self, job: ProcessJob, path: str) -> None:
        self.emit_progress(job, 0.1)
        self.emit_progress(job, 0.7)
        wait_for(path)

    def log(self, job: ProcessJob) -> None:
        logging.getLogger("app.heard").debug("debug %s", 1)
        logging.getLogger("app.unheard").info("not heard")
        logging.getLogger("app.unheard").warning("warned", extra={"lock": threading.Lock(), "number": 7})
        try:
            raise ValueError("logged")
        except ValueError:
            logging.getLogger("app.heard").exception("it failed")

    def run_a_child(self, job: ProcessJob) -> object:
        return self.run(ProcessJob(what="where"))

    def use_cache(self, job: ProcessJob) -> object:
        return self.cache.read("key")

    def big(self, job: ProcessJob, size: int) -> bytes:
        self.emit_progress(job, 0.5)
        return bytes(size)

    def length(self, job: ProcessJob, data: bytes) -> int:
        return len(data)

    def set_variable(self, job: ProcessJob) -> str | None:
        return os.environ.get("QTORCH_TEST")

    # -- streams -----------------------------------------------------------------------------------------------------

    def count(self, job: ProcessJob, to: int) -> Iterator[int]:
        yield from range(to)

    def count_for_ever(self, job: ProcessJob, path: str) -> Iterator[int]:
        number = 0
        try:
            while True:
                yield number
                number += 1
        finally:
            Path(path).write_text("closed")

    def one_item_then_silence(self, job: ProcessJob, path: str) -> Iterator[str]:
        yield "first"
        yield "second"
        wait_for(path)

    def yield_a_lock(self, job: ProcessJob) -> Iterator[object]:
        yield 1
        yield threading.Lock()

    # -- failures ----------------------------------------------------------------------------------------------------

    def fail(self, job: ProcessJob, error: BaseException) -> object:
        raise error

    def fail_with_a_cause(self, job: ProcessJob) -> object:
        try:
            raise KeyError("the cause")
        except KeyError as error:
            raise ValueError("the consequence") from error

    def fail_unpicklably(self, job: ProcessJob) -> object:
        raise OnlyThereError("some text")

    def fail_not_to_be_unpickled(self, job: ProcessJob) -> object:
        raise TwoArgumentsError(404, "not found")

    def fail_for_good(self, job: ProcessJob) -> object:
        raise NoRetry(OnlyThereError("for good"))

    def give_a_lock(self, job: ProcessJob) -> object:
        return {"locks": [1, threading.Lock()]}

    def give_what_cannot_be_had(self, job: ProcessJob) -> object:
        return Sticky()

    async def await_me(self, job: ProcessJob) -> None:
        """Nobody does."""

    # -- work that goes on -------------------------------------------------------------------------------------------

    def spin(self, job: ProcessJob) -> object:
        self.emit_progress(job, 0.5)
        while True:
            pass

    def sleep(self, job: ProcessJob) -> object:
        self.emit_progress(job, 0.5)
        time.sleep(100)
        return "slept"

    def ignore_everything(self, job: ProcessJob) -> object:
        self.emit_progress(job, 0.5)
        while True:
            try:
                time.sleep(100)
            except BaseException:
                continue

    def polite(self, job: ProcessJob, path: str) -> object:
        token = self.token(job)
        self.emit_progress(job, 0.5)
        try:
            token.wait()
            self.checkpoint(job)
        finally:
            Path(path).write_text(f"cleaned up: {token.reason}")
        return "never"

    def called_back(self, job: ProcessJob, path: str) -> object:
        called = threading.Event()
        self.token(job).on_cancel(called.set)
        self.emit_progress(job, 0.5)
        called.wait()
        Path(path).write_text("called")
        raise JobCancelledError

    def wait(self, job: ProcessJob, path: str) -> str:
        self.emit_progress(job, 0.5)
        wait_for(path)
        return "waited"

    # -- deaths ------------------------------------------------------------------------------------------------------

    def die(self, job: ProcessJob, number: int) -> object:
        os.kill(os.getpid(), number)
        time.sleep(100)
        return None

    def leave(self, job: ProcessJob, code: int) -> object:
        os._exit(code)

    def crash(self, job: ProcessJob) -> object:
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)
        sys.stderr.close()
        return ctypes.string_at(0)

    def exit(self, job: ProcessJob, code: int) -> object:
        sys.exit(code)

    def die_the_first_time(self, job: ProcessJob, path: str) -> str:
        if not Path(path).exists():
            Path(path).touch()
            os._exit(3)
        return "the second time"


def wait_for(path: str) -> None:
    """Wait until the file is there."""
    while not Path(path).exists():
        time.sleep(0.001)


class HeldJob(BaseJob[object]):
    """A job that may hold what does not pickle."""

    parts: Any = None


class Api:
    def __init__(self) -> None:
        self.lock = threading.Lock()


class Holder(BaseExecutor[HeldJob]):
    """An executor that may hold what does not pickle."""

    runner = "process"

    def __init__(self, api: object = None) -> None:
        self.api = api

    def process(self, job: HeldJob) -> object:
        return job.parts


class FunctionJob(BaseJob[int]):
    """Done by a function."""


@executes(FunctionJob)
def give_pid(job: FunctionJob) -> int:
    return os.getpid()


give_pid.runner = "process"
