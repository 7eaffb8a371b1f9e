"""Jobs, windows and receivers come and go on real threads and loops: no job is lost, told twice or told late."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

JOBS = int(os.environ.get("JOBS", "20000"))
"""Of one run of the long form."""

SEED = int(os.environ.get("SEED", "0"))
"""Of the first run of the long form."""


def run_crowd(jobs: int, seed: int, loop: str) -> dict[str, Any]:
    """Run the program in a process of its own; give the figures it prints."""
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONFAULTHANDLER": "1"}
    arguments = ["--jobs", str(jobs), "--seed", str(seed), "--loop", loop]
    # A stray warning is an error, and an error that nobody handles is text on stderr.
    command = [sys.executable, "-W", "error", "-m", "tests.stress.crowd", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False, timeout=300)
    assert (ended.returncode, ended.stderr) == (0, ""), f"{arguments}: {ended.returncode}\n{ended.stderr}"
    figures: dict[str, Any] = json.loads(ended.stdout)
    return figures


@pytest.mark.realtime
@pytest.mark.parametrize("loop", ["own", "qasync"])
@pytest.mark.parametrize(
    ("jobs", "seeds"),
    [(1_500, [0]), pytest.param(JOBS, [SEED, SEED + 1], marks=pytest.mark.stress)],
    ids=["short", "long"],
)
def test_no_job_is_lost_or_told_twice_in_a_crowd(
    note: Callable[[str], None], jobs: int, seeds: list[int], loop: str
) -> None:
    for seed in seeds:
        figures = run_crowd(jobs, seed, loop)
        note(f"crowd on the {loop} loop, seed {seed}: {figures}")
        assert figures["jobs"] >= jobs
        assert not any(figures[fault] for fault in ("lost", "double", "late", "wrong", "left"))
        # that it was a crowd: every way to end, receivers that only the collector could find, loops inside hooks
        assert all(figures[how] for how in ("succeeded", "failed", "cancelled", "timed_out"))
        # ... how many of them depends on when the last full collection was
        assert figures["collected"] > figures["receivers"] / 50
        assert figures["nested loops"] >= jobs // 1_500
