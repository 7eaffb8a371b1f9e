"""A guard by counted work, which no busy machine can disturb: ``python -m benchmarks.counted``.

It compares what the hot paths do with ``counted.json``, and fails where that has grown by more than a tenth.
``--instructions`` counts instructions under callgrind as well (a minute or two). ``--record --why "..."`` writes what
is counted now into the file; commit the file alone, so that its history is the history of the costs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

import PySide6

from benchmarks.children.hot_paths import FIELD, JOB, ROW

FILE = Path(__file__).with_suffix(".json")
ALLOWED = 0.10
"""Growth that is not a fault."""

_TIMES = {JOB: 300, FIELD: 2_000, ROW: 200}
"""How often a path is repeated under callgrind: enough to stand out of what starting the process takes."""

_PATIENCE = 600

Counts: TypeAlias = Mapping[str, int]
"""By hot path."""


class CannotCountError(Exception):
    """Something is missing here; says what."""


def calls_key() -> str:
    """Name what the number of calls depends on."""
    return (
        f"python-{'.'.join(platform.python_version_tuple()[:2])} pyside-{'.'.join(PySide6.__version__.split('.')[:2])}"
    )


def instructions_key() -> str:
    """Name what the number of instructions depends on."""
    return f"python-{platform.python_version()} pyside-{PySide6.__version__} {_processor()}"


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.machine()


def count_calls() -> Counts:
    """Count Python and C calls by ``sys.setprofile``, in a new process; the same number every time."""
    return json.loads(_run([sys.executable, "-m", "benchmarks.children.counted_calls"]))


def count_instructions() -> Counts:
    """Count instructions of all threads under callgrind, two processes at a time.

    Raises
    ------
    CannotCountError
        There is no valgrind.
    """
    if shutil.which("valgrind") is None:
        raise CannotCountError("valgrind is not installed: apt-get install valgrind")
    first = next(iter(_TIMES))
    with ThreadPoolExecutor(2) as pool:
        none = pool.submit(_instructions, first, 0)
        some = {path: pool.submit(_instructions, path, times) for path, times in _TIMES.items()}
        return {path: (found.result() - none.result()) // _TIMES[path] for path, found in some.items()}


def _instructions(path: str, times: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "callgrind.out")
        tool = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"]
        _run([*tool, sys.executable, "-m", "benchmarks.children.repeated", path, str(times)])
        found = re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.MULTILINE)
    if found is None:
        raise CannotCountError("callgrind wrote no sum")
    return int(found[1])


def _run(command: list[str]) -> str:
    environment = os.environ | {"PYTHONHASHSEED": "0", "QT_QPA_PLATFORM": "offscreen", "QT_API": "pyside6"}
    root = Path(__file__).resolve().parents[1]
    return subprocess.run(
        command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=_PATIENCE
    ).stdout


def load() -> dict[str, Any]:
    """Read the file."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def grown(before: Counts, now: Counts) -> list[str]:
    """Name the paths that do more than they may."""
    return [
        f"{path}: {now[path]:,}, {now[path] / count - 1:+.0%} of {count:,}; at most {ALLOWED:+.0%}"
        for path, count in before.items()
        if now[path] > count * (1 + ALLOWED)
    ]


def record(kind: str, key: str, now: Counts, why: str) -> None:
    """Write the counts, with what they were and why they changed."""
    known = load() if FILE.exists() else {"calls": {}, "instructions": {}, "changes": []}
    change = {"kind": kind, "key": key, "before": known[kind].get(key), "after": now, "why": why}
    known[kind][key] = now
    known["changes"].append(change)
    FILE.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")


def _check(kind: str, key: str, count: Callable[[], Counts]) -> bool:
    before = load()[kind].get(key)
    print(f"{kind}, {key}")
    if before is None:
        print(f"  SKIPPED: nothing is recorded for it; write {_how_to_record(kind)}")
        return True
    now = count()
    faults = grown(before, now)
    for path, found in now.items():
        print(f"  {path:<28} {found:>12,}  recorded {before.get(path, 0):>12,}")
    for fault in faults:
        print(f"  GREW: {fault}")
    return not faults


def _how_to_record(kind: str) -> str:
    option = "" if kind == "calls" else " --instructions"
    return f'python -m benchmarks.counted{option} --record --why "..." and commit {FILE.name} alone'


def main() -> int:
    """Count, and compare or record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.counted", description="Compare counted work.")
    parser.add_argument("--instructions", action="store_true", help="count instructions under callgrind as well")
    parser.add_argument("--record", action="store_true", help="write what is counted now")
    parser.add_argument("--why", help="what the change of the counts comes from")
    options = parser.parse_args()
    if options.record and not options.why:
        parser.error('--record needs --why "what the change comes from"')
    kinds = {"calls": (calls_key(), count_calls)}
    if options.instructions:
        kinds["instructions"] = (instructions_key(), count_instructions)
    is_good = True
    for kind, (key, count) in kinds.items():
        try:
            if options.record:
                now = count()
                record(kind, key, now, options.why)
                print(f"{kind}, {key}: recorded {now}")
            else:
                is_good &= _check(kind, key, count)
        except CannotCountError as error:
            print(f"{kind}: SKIPPED: {error}")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
