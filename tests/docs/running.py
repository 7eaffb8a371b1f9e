"""Code of the documentation in processes of its own, offscreen, as a reader would run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

PATIENCE = 60
"""Seconds after which a process that should have ended fails its test."""


def run_python(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run Python and wait until it ends."""
    environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTEST_ADDOPTS")}
    environ |= {"QT_QPA_PLATFORM": "offscreen", "PYTHONFAULTHANDLER": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=PATIENCE, check=False, encoding="utf-8"
    )


def run_page(page: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the script blocks of a page, with warnings as errors."""
    return run_python("-W", "error", HERE / "run_page.py", page, cwd=cwd)
