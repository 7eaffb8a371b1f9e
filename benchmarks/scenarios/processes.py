"""Memory, file descriptors, import time and wake-ups: what is a process's own is measured in one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.children import idle_window, imports, many_jobs, waiting_jobs
from benchmarks.measure import Budget, Contestant, Figures, Scenario
from benchmarks.peers import hand_written, with_qtorch

if TYPE_CHECKING:
    from benchmarks.scenarios.pace import Pace

ROOT = Path(__file__).resolve().parents[2]

_IMPORT_NAMES = (1, 8, 80)


class Child:
    """A program of ``benchmarks.children`` that runs."""

    def __init__(self, program: str, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.children.{program}", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            # With bytecode, as what is installed has.
            env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "QT_API": "pyside6", "PYTHONDONTWRITEBYTECODE": ""},
        )

    def until_ready(self) -> None:
        """Wait for its first line."""
        assert self.process.stdout is not None
        if not self.process.stdout.readline():
            raise RuntimeError(f"{self.process.args} ended before it was ready")

    def begin(self) -> None:
        """Send it the line that it waits for."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def figures(self) -> list[Figures]:
        """Wait for its end, and give what its lines say."""
        said, _ = self.process.communicate()
        if self.process.returncode:
            raise RuntimeError(f"{self.process.args} ended with exit code {self.process.returncode}")
        return [json.loads(line) for line in said.splitlines()]


@contextmanager
def alone(program: str, name: str, size: int) -> Iterator[Callable[[], Figures]]:
    """Ask a new process for its last line."""
    yield lambda: Child(program, name, size).figures()[-1]


class Together:
    """Figures of all contestants and sizes, which are measured at once when the first of them is asked for."""

    def __init__(self, measure: Callable[[], dict[tuple[str, int], Figures]]) -> None:
        self.measure = measure
        self.found: dict[tuple[str, int], Figures] = {}

    def contestant(self, name: str, largest: int = 10**9) -> Contestant:
        """Give the contestant of that name."""
        return Contestant(name, partial(self.prepare, name), largest)

    @contextmanager
    def prepare(self, name: str, size: int) -> Iterator[Callable[[], Figures]]:
        """Measure if it was not yet."""
        if (name, size) not in self.found:
            self.found = self.measure()
        yield lambda: self.found.pop((name, size))


def _idle_windows(pace: Pace) -> dict[tuple[str, int], Figures]:
    children = {
        (name, size): Child("idle_window", name, size, pace.idling)
        for name in idle_window.CONTESTANTS
        for size in pace.idle_sizes
    }
    for child in children.values():
        child.until_ready()
    for child in children.values():  # all idle at the same time: none of them needs the processor
        child.begin()
    return {which: child.figures()[-1] for which, child in children.items()}


def _many_jobs(pace: Pace) -> dict[tuple[str, int], Figures]:
    ours = Child("many_jobs", with_qtorch.NAME, *pace.many_jobs)
    theirs = Child("many_jobs", hand_written.NAME, pace.many_jobs[0])
    found = {(hand_written.NAME, pace.many_jobs[0]): theirs.figures()[-1]}
    for size, figures in zip(pace.many_jobs, ours.figures(), strict=True):
        found[with_qtorch.NAME, size] = figures
    return found


def scenarios(pace: Pace) -> Iterator[Scenario]:
    """Give the scenarios of this family."""
    yield Scenario(
        "waiting-jobs",
        "memory of a job that waits for a thread",
        "jobs waiting",
        (1_000, 10_000, 100_000),
        tuple(
            Contestant(name, partial(alone, "waiting_jobs", name), largest=waiting_jobs.LARGEST.get(name, 10**9))
            for name in waiting_jobs.CONTESTANTS
        ),
        quick_sizes=(10_000,),
        figures={"memory": "byte"},
        most_rounds=2,
        warms_up=False,
    )
    many = Together(partial(_many_jobs, pace))
    yield Scenario(
        "many-jobs",
        f"what the process holds after many jobs, {many_jobs.BATCH:,} at a time",
        "jobs done",
        pace.many_jobs,
        (many.contestant(with_qtorch.NAME), many.contestant(hand_written.NAME, largest=pace.many_jobs[0])),
        figures={"memory": "byte", "descriptors": "integer"},
        budgets=(
            Budget(1.05, against=with_qtorch.NAME, against_size=pace.many_jobs[0], figure="memory"),
            Budget(1.0, against=with_qtorch.NAME, against_size=pace.many_jobs[0], figure="descriptors"),
        ),
        most_rounds=1,
        warms_up=False,
    )
    yield Scenario(
        "import",
        "import beyond PySide6 and pydantic",
        "public names used",
        _IMPORT_NAMES,
        (
            Contestant(with_qtorch.NAME, partial(alone, "imports", "qtorch")),
            *(Contestant(name, partial(alone, "imports", name), largest=1) for name in imports.ALSO),
        ),
        figures={"with names": "second", "statement": "second"},
        budgets=(
            Budget(0.060, figure="statement"),
            # The statement alone imports nothing: what a program starts with is this.
            Budget(0.060, against=imports.FLOOR, against_size=1, is_added=True, figure="with names", size=8),
        ),
        most_rounds=7,
    )
    idle = Together(partial(_idle_windows, pace))
    yield Scenario(
        "wake-ups",
        f"wake-ups in {pace.idling:g} s of an idle window",
        "labels, each with an orchestrator",
        pace.idle_sizes,
        tuple(idle.contestant(name) for name in idle_window.CONTESTANTS),
        figures={"of the event loop": "integer", "of all threads": "integer"},
        budgets=tuple(
            Budget(0.0, against=idle_window.PLAIN, is_added=True, figure=figure)
            for figure in ("of the event loop", "of all threads")
        ),
        most_rounds=1,
        warms_up=False,
    )
