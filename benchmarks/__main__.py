"""``make bench``: measures qtorch beside its peers; exit code 1 if a budget is missed, in plain sight."""

from __future__ import annotations

import argparse
import faulthandler
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import PySide6
from PySide6.QtWidgets import QApplication

from benchmarks import results
from benchmarks.budgets import Judged, Verdict, judge
from benchmarks.measure import Effort, Key, Samples, Scenario, run
from benchmarks.report import budget_table, machine, steep, table, write
from benchmarks.scenarios import scenarios
from benchmarks.scenarios.pace import FULL, QUICK

_DOCS = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"

_PATIENCE = 300
"""Seconds after which a scenario hangs, and all threads are shown."""


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure qtorch beside its peers.")
    parser.add_argument("--quick", action="store_true", help="a minute instead of ten: smaller sizes, few rounds")
    parser.add_argument("--only", metavar="WORD", action="append", help="only scenarios with this in their name")
    parser.add_argument("--list", action="store_true", help="list the scenarios and end")
    parser.add_argument(
        "--output", metavar="FOLDER", type=Path,
        help="where results.json, results.md and ratios.png go; docs/benchmarks for a full run, else nowhere",
    )  # fmt: skip
    return parser.parse_args()


def main() -> int:
    """Measure, print and write."""
    options = arguments()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    words = options.only or [""]
    chosen = [one for one in scenarios(QUICK if options.quick else FULL) if any(word in one.key for word in words)]
    if options.list or not chosen:
        print("\n".join(f"{one.key:<14} {one.title}" for one in chosen) or f"no scenario is called {options.only}")
        return 0 if chosen else 2
    app = QApplication(sys.argv[:1])
    effort = Effort(seconds=1.0, least_rounds=2, is_quick=True) if options.quick else Effort(15.0, 5)
    started, samples = time.monotonic(), dict[Key, Sequence[float]]()
    for scenario in chosen:
        samples.update(_measured(scenario, effort))
    judged = list(judge(chosen, samples))
    _print_summary(chosen, samples, judged)
    folder = options.output or (None if options.quick or options.only else _DOCS)
    if folder:
        path = folder / "results.json"
        results.save(path, chosen, samples, {"pyside6": PySide6.__version__})
        loaded, facts = results.load(path)
        write(folder, chosen, loaded, facts)
        print(f"\n{machine(facts)}\nwritten to {folder}")
    print(f"took {time.monotonic() - started:.0f} s")
    app.quit()
    return 1 if any(one.verdict is Verdict.MISSED for one in judged) else 0


def _measured(scenario: Scenario, effort: Effort) -> Samples:
    faulthandler.dump_traceback_later(_PATIENCE, exit=True)
    started = time.monotonic()
    samples = run(scenario, effort)
    faulthandler.cancel_dump_traceback_later()
    rounds = max(map(len, samples.values()))
    print("\n" + "\n".join(table(scenario, samples)))
    print(f"\n{rounds} round{'s' * (rounds > 1)} in {time.monotonic() - started:.0f} s", flush=True)
    return samples


def _print_summary(chosen: list[Scenario], samples: Samples, judged: list[Judged]) -> None:
    print("\n## Budgets\n")
    print("\n".join(budget_table(judged)))
    for line in steep(chosen, samples):
        print(f"steeper than linear, and not explained: {line}")
    missed = [one for one in judged if one.verdict is Verdict.MISSED]
    if missed:
        names = ", ".join(sorted({one.scenario.key for one in missed}))
        print(f"\n{len(missed)} of {len(judged)} budgets MISSED: {names}")


if __name__ == "__main__":
    sys.exit(main())
