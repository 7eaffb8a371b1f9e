"""Run the tests on the oldest and the newest Python and PySide6 that the project allows and this machine has.

``python .ci/matrix.py ARG...`` hands the arguments to pytest. What cannot run here is skipped aloud; the exit code is 1
if any combination failed, 2 if none could run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import system_packages
from environment import BASE_PYTHON, ROOT, Environment
from reporting import SetupError, say

OLDEST_PYTHON = (3, 11)
OLDEST_PYSIDE = "PySide6-Essentials==6.9.*"
NEWEST_PYSIDE = "PySide6-Essentials"

# ensurepip: an interpreter that cannot make a virtual environment is of no use here.
ANSWER = "import ensurepip, sys; print(*sys.version_info[:2])"
VERSIONS = "import platform, PySide6; print(platform.python_version(), PySide6.__version__)"

Version = tuple[int, int]


@dataclass(frozen=True)
class Combination:
    """One environment to test in; ``interpreter`` is empty if none answered, and ``skipped`` then says which."""

    name: str
    python: Version
    pyside: str
    interpreter: str
    skipped: str


@dataclass
class Row:
    """What the closing table says of one combination."""

    name: str
    versions: str = "-"
    result: str = ""
    seconds: float = 0.0
    failed: bool = False


def candidates() -> list[str]:
    """Interpreters worth asking: on PATH, and those of pyenv, whose shims on PATH may not run."""
    names = ["python3", *(f"python3.{minor}" for minor in range(11, 20))]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [*map(Path, os.get_exec_path()), *sorted(pyenv.glob("versions/*/bin"))]
    return [BASE_PYTHON, *(str(folder / name) for folder in folders for name in names if (folder / name).is_file())]


def interpreters() -> dict[Version, str]:
    """The first interpreter of each version that answers when it is run."""
    found: dict[Version, str] = {}
    for path in candidates():
        command = [path, "-I", "-c", ANSWER]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
            major, minor = map(int, done.stdout.split())
        except (OSError, subprocess.CalledProcessError, ValueError):
            continue
        found.setdefault((major, minor), path)
    return found


def combinations(found: Mapping[Version, str]) -> list[Combination]:
    """The corners of what the project allows, each with its interpreter or the reason why it is skipped."""
    oldest = found.get(OLDEST_PYTHON, "")
    newest = max(found, default=OLDEST_PYTHON)
    newer = found[newest] if newest > OLDEST_PYTHON else ""
    no_oldest = "" if oldest else "no Python 3.11 answers here"
    no_newer = "" if newer else "no Python newer than 3.11 answers here"
    return [
        Combination("oldest", OLDEST_PYTHON, OLDEST_PYSIDE, oldest, no_oldest),
        Combination("newest-qt", OLDEST_PYTHON, NEWEST_PYSIDE, oldest, no_oldest),
        Combination("newest", newest, NEWEST_PYSIDE, newer, no_newer),
    ]


def run(combination: Combination, arguments: list[str]) -> Row:
    """Make the combination's environment and run the tests in it; their output is shown as it comes."""
    row = Row(combination.name)
    if not combination.interpreter:
        row.result = f"skipped: {combination.skipped}"
        say(f"{row.name} is {row.result}")
        return row
    started = time.monotonic()
    version = "{}.{}".format(*combination.python)
    folder = ROOT / f".venv-{combination.name}"
    environment = Environment(folder, ["test"], [combination.pyside], combination.interpreter, version)
    try:
        environment.make(upgrade=True)
        environment.load_qt(system_packages.qt_platforms(os.environ))
    except (SetupError, OSError) as error:
        say(str(error))
        row.result, row.failed = "FAILED: no environment, see above", True
        return row
    row.versions = subprocess.run(
        [environment.python, "-c", VERSIONS], capture_output=True, text=True, check=True
    ).stdout.strip()
    say(f"testing {row.name}: Python and PySide6 {row.versions}")
    command = [environment.python, "-m", "pytest", *arguments]
    closing = ""
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as tests:
        for line in tests.stdout or ():
            print(line, end="", flush=True)
            closing = line.strip(" =\n") or closing
    row.failed = tests.returncode != 0
    row.result = f"FAILED: {closing} (exit code {tests.returncode})" if row.failed else closing
    row.seconds = time.monotonic() - started
    return row


def main(arguments: list[str]) -> int:
    """Run every combination, then print the table."""
    try:
        system_packages.provide(system_packages.qt_platforms(os.environ), venv_for=None)
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 2
    todo = combinations(interpreters())
    rows = [run(combination, arguments) for combination in todo]
    print(f"\n{'environment':12} {'Python PySide6':16} {'time':>6}  result")
    for row in rows:
        print(f"{row.name:12} {row.versions:16} {row.seconds:4.0f} s  {row.result}")
    if not any(combination.interpreter for combination in todo):
        return 2
    return int(any(row.failed for row in rows))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
