"""How the set-up speaks to the user: one line of progress, or one error that says what to do."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping


class SetupError(Exception):
    """What the user has to do before the command can work; shown without a traceback, exit code 2."""


def say(message: str) -> None:
    """Print one line of progress at once, also into a pipe."""
    print("setup: " + message, flush=True)


def run_quietly(command: list[str], environ: Mapping[str, str] | None = None) -> None:
    """Run a command without input; its output is shown only if it fails.

    Raises
    ------
    SetupError
        It failed; the message holds all it said.
    """
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **(environ or {})},
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise SetupError(f"{shlex.join(command)} failed with exit code {done.returncode}:\n{done.stdout.strip()}")
