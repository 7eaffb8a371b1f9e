"""One Runtime whose executors work in processes, shared by the tests of a module: to start one costs 0.3 s."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qtorch import EventLog, JobHandle, Runtime
from qtorch.testing import FakeClock
from tests.qtorch.execution.process_work import Holder, ProcessJob, Processor, give_pid
from tests.qtorch.execution.rig import drive, run_of


class Processes:
    """A Runtime on fake time with up to four workers, and what it tells."""

    def __init__(self, size: int = 4, tag: str = "") -> None:
        self.clock = FakeClock()
        self.runtime = Runtime(executors=[Processor(tag), Holder(), give_pid], clock=self.clock, processes=size)
        self.log = EventLog(self.runtime.bus)
        self.reports: list[Any] = []
        self.runtime.error_occurred.connect(self.reports.append)

    @property
    def pool(self) -> Any:
        return self.runtime.dispatcher.services.process_pool()

    def start(self, what: str, *args: object, **options: Any) -> JobHandle[object]:
        return self.runtime.dispatcher.dispatch(ProcessJob(what=what, args=args), **options)

    def end(self, *handles: JobHandle[Any]) -> None:
        drive(lambda: all(run_of(handle).is_ended for handle in handles), f"the end of {handles}")

    def do(self, what: str, *args: object, **options: Any) -> Any:
        """The outcome of a job."""
        handle = self.start(what, *args, **options)
        self.end(handle)
        return handle.outcome

    def begun(self, handle: JobHandle[Any]) -> None:
        """Wait until the work itself has told something."""
        drive(lambda: handle.progress > 0, "progress")

    def quiet(self) -> None:
        """Wait until no work goes on and everything was told."""
        services = self.runtime.dispatcher.services
        drive(lambda: not services.working and not services.running, "the end of all work")
        drive(lambda: services.mailbox.is_idle)

    def pid(self, handle: JobHandle[Any]) -> int:
        """The process that does the job's work."""
        worker = next(one for one in self.pool._working if one.attempt is run_of(handle).attempt)
        return worker.pid

    def types(self, handle: JobHandle[Any]) -> list[str]:
        return [type(event).__name__.removeprefix("Job").removesuffix("Event") for event in self.log.for_job(handle.id)]

    def idle(self, count: int) -> None:
        """Wait until so many workers are idle, and there are no others."""
        drive(lambda: (self.pool.counts["idle"], self.pool.counts["processes"]) == (count, count), f"{count} idle")

    def warm_up(self, tmp_path: Path, count: int) -> list[int]:
        """Have ``count`` workers ready; give their process ids."""
        path = tmp_path / "warm"
        handles = [self.start("wait", str(path)) for _ in range(count)]
        for handle in handles:
            self.begun(handle)
        path.touch()
        self.end(*handles)
        drive(lambda: self.pool.counts["idle"] >= count)
        return list(self.pool.pids)


@contextmanager
def processes(size: int = 4, tag: str = "") -> Iterator[Processes]:
    """Give a Runtime with workers, and close it."""
    made = Processes(size, tag)
    try:
        yield made
    finally:
        made.runtime.close()


def is_there(pid: int) -> bool:
    """Whether the process runs."""
    try:
        os.kill(pid, 0)
        with Path(f"/proc/{pid}/stat").open() as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except (OSError, ProcessLookupError):
        return False


def gone(*pids: int) -> None:
    """Wait until none of the processes runs."""
    end = time.monotonic() + 10
    while any(is_there(pid) for pid in pids):
        assert time.monotonic() < end, "a process outlives its Runtime"
        time.sleep(0.002)
