"""What can keep the demo from starting, each in one line and with code 2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.realtime

ROOT = Path(__file__).resolve().parents[3]


def run(*command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_unknown_option_is_told_of() -> None:
    result = run("-m", "demo_app", "--colour")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "qtorch-demo: error: unrecognized arguments: --colour (--help lists the options)\n"


def test_without_the_extra_it_says_how_to_get_it() -> None:
    # -S: an interpreter without any installed packages.
    result = run("-S", "-c", "import sys; from demo_app.__main__ import main; sys.exit(main([]))")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "qtorch-demo: error: pip install qt-orchestrator[demo]\n"


@pytest.mark.skipif(sys.platform != "linux", reason="displays are named on Linux only")
def test_a_display_that_is_not_there_is_told_of() -> None:
    result = run("-m", "demo_app", DISPLAY=":54321", QT_QPA_PLATFORM="xcb")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("qtorch-demo: error: Qt cannot start: ")
    assert result.stderr.endswith("(--tour needs no display)\n")
    assert result.stderr.count("\n") == 1


def test_help_lists_the_options() -> None:
    result = run("-m", "demo_app", "--help")
    assert result.returncode == 0
    for option in ("--api-url", "--db", "--theme", "--tour", "--latency", "--fail-rate"):
        assert option in result.stdout
