"""``make bench``: prints qtorch's ratios beside its peers; exit code 1 if a budget is missed."""

from __future__ import annotations

import os
import platform
import statistics
import sys

import PySide6
from PySide6.QtWidgets import QApplication

from benchmarks.fields import BoundField, PsygnalField
from benchmarks.floods import run_floods
from benchmarks.hand_written import HandWritten
from benchmarks.keyed_models import run_keyed_models
from benchmarks.measure import HEADER, Contest, run
from benchmarks.with_qtorch import WithQtorch
from qtorch import Runtime

_BURST = 5_000
_SINGLE = 200


def main() -> int:
    """Run every contest and print the table."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication(sys.argv[:1])
    runtime = Runtime()
    from benchmarks.with_qtorch import number_executor

    runtime.register(number_executor)
    hand_written, with_qtorch = HandWritten(), WithQtorch(runtime)
    alone, beside_thousand = BoundField(runtime), BoundField(runtime, others=1_000)
    crowded = WithQtorch(runtime, others=1_000)
    psygnal = PsygnalField()

    def one_by_one(burst):  # type: ignore[no-untyped-def]
        return lambda: statistics.median(burst(1) for _ in range(_SINGLE))

    contests = [
        Contest("burst of 5,000 trivial jobs, to label text", lambda: with_qtorch.burst(_BURST),
                lambda: hand_written.burst(_BURST), "QRunnable + signals", 0.4),
        Contest("one job, idle, to label text", one_by_one(with_qtorch.burst), one_by_one(hand_written.burst),
                "QRunnable + signals", 1.5),
        Contest("one field of ten, one bound label", alone.update, psygnal.update, "psygnal EventedModel", 1.6),
        Contest("one field, 1,000 bindings to others", beside_thousand.update, alone.update, "qtorch, no others", 1.2),
        Contest("one job, 1,000 orchestrators alive", lambda: crowded.burst(1_000), lambda: with_qtorch.burst(1_000),
                "qtorch, one orchestrator", 1.2),
    ]  # fmt: skip
    print(
        f"Python {platform.python_version()}, PySide6 {PySide6.__version__}, {os.cpu_count()} cores, "
        f"{platform.system()} {platform.machine()}"
    )
    print(HEADER)
    results = []
    for contest in contests:
        results.append(run(contest))
        print(results[-1].row(), flush=True)
    runtime.close()
    models_are_met = run_keyed_models()
    floods_are_met = run_floods(2.0)
    app.quit()
    return 0 if models_are_met and floods_are_met and all(result.is_met for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
