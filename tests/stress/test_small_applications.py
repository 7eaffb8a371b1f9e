"""Whole applications that end at random moments: the right exit code, and not a word on stderr, each time."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

RUNS = int(os.environ.get("RUNS", "300"))
"""Of the long form."""

SEED = int(os.environ.get("SEED", "0"))

SIDE_BY_SIDE = 2
LONGEST = 0.25
"""Seconds from the start of the event loop to the latest end."""

# How an application ends, and the exit code of it.
ENDINGS = {
    "quit": 5,
    "quit under a dialog": 5,
    "last window closed": 0,
    "sys.exit in a slot": 5,
    "sys.exit in a hook": 5,
    "sys.exit in a job": 5,
    "sys.exit in a coroutine": 5,
    "close": 5,
    "close in a hook": 5,
    "aclose": 5,
    "ctrl+c": 130,
    "ctrl+c under a dialog": 130,
    "sigterm": -signal.SIGTERM,
    "no exec": 0,
    "never returns": 5,
    "never returns (async)": 5,
    "never returns, sys.exit": 70,
    "never returns, sys.exit (async)": 70,
}

SIGNALS = {"ctrl+c": signal.SIGINT, "ctrl+c under a dialog": signal.SIGINT, "sigterm": signal.SIGTERM}


@dataclass
class Run:
    """One application: how, when and on which loop it ends."""

    ending: str
    after: float
    loop: str
    seed: int

    def fault(self) -> str:
        """Run it; give what was wrong with its end, or nothing."""
        environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONFAULTHANDLER": "1"}
        command = [sys.executable, "-W", "error", "-m", "tests.stress.small_application", self.ending]
        command += ["--after", str(self.after), "--loop", self.loop, "--seed", str(self.seed)]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment, cwd=ROOT) as process:
            assert process.stdout is not None
            if self.ending in SIGNALS:
                self._send(process, SIGNALS[self.ending])
            try:
                _, err = process.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGABRT)  # faulthandler shows where it hangs
                return f"{self}: hangs\n{process.communicate()[1]}"
        if process.returncode != ENDINGS[self.ending]:
            return f"{self}: exit code {process.returncode}\n{err}"
        return "" if self._is_expected(err) else f"{self}: stderr\n{err}"

    def _send(self, process: subprocess.Popen[str], number: signal.Signals) -> None:
        assert process.stdout is not None
        if process.stdout.readline():  # else it ended before it was ready, which its exit code tells
            time.sleep(self.after)
            process.send_signal(number)

    def _is_expected(self, err: str) -> bool:
        lines = err.splitlines()
        if "never returns" not in self.ending:
            return not lines
        # One line names what is stuck; a second says why the exit code is 70.
        is_named = all(line.startswith("qtorch: ") and "Stuck" in line for line in lines)
        return is_named and len(lines) == 1 + (ENDINGS[self.ending] == 70)


def draw(number: int, dice: random.Random) -> Run:
    """Draw one: each way to end in turn, at a random moment."""
    ending = list(ENDINGS)[number % len(ENDINGS)]
    loop = dice.choice(["own", "qasync"])
    if ending == "aclose":
        loop = "qasync"
    elif ending.endswith("(async)"):
        loop = "own"  # on qasync such work would block the GUI thread itself
    # Half of them very early: that is when there is most to go wrong.
    after = round(dice.choice([dice.uniform(0, 0.03), dice.uniform(0, LONGEST)]), 4)
    return Run(ending, after, loop, number)


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("runs", "seed"), [(12, 1), pytest.param(RUNS, SEED, marks=pytest.mark.stress)], ids=["short", "long"]
)
def test_applications_end_as_they_are_told_at_any_moment(note: Callable[[str], None], runs: int, seed: int) -> None:
    dice = random.Random(seed)
    # The short form takes every other way to end, from a start of its own.
    step = 1 if runs >= len(ENDINGS) else 5
    drawn = [draw(number * step, dice) for number in range(runs)]
    started = time.monotonic()
    with ThreadPoolExecutor(SIDE_BY_SIDE) as side_by_side:
        faults = [fault for fault in side_by_side.map(Run.fault, drawn) if fault]
    note(f"applications: {runs} runs, {len(faults)} faults, {time.monotonic() - started:.0f} s")
    assert not faults, "\n".join(faults)
