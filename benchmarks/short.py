"""The table in the README: ``python -m benchmarks.short`` prints it from ``docs/benchmarks/results.json``."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.measure import Key, Samples, ratio
from benchmarks.peers import asyncio_tasks, futures, hand_written, states, superqt_workers, with_qtorch
from benchmarks.report import machine, shown
from benchmarks.scenarios.rows import COMPARE, LIST

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "benchmarks" / "results.json"


class Row(NamedTuple):
    """A figure of qtorch, and the peers it is put beside."""

    what: str
    scenario: str
    size: int
    peers: tuple[str, ...]
    figure: str = "time"
    unit: str = "second"
    ours: str = with_qtorch.NAME


ROWS = (
    Row("a job of a burst of 5,000, to the text of a label", "burst", 5_000,
        (hand_written.NAME, futures.NAME, superqt_workers.CREATE_WORKER)),
    Row("one job while nothing else runs, to the text of a label", "idle-job", 400,
        (hand_written.NAME, superqt_workers.CREATE_WORKER)),
    Row("a coroutine of a burst of 5,000 on qasync", "async-qasync", 5_000, (asyncio_tasks.QASYNC,)),
    Row("one field of ten changes, one label shows it", "field-same", 1, (states.EVENTED_MODEL, states.PROPERTY)),
    Row("one of 10,000 rows of a list changes", "rows-change", 10_000, (COMPARE,), figure="set", ours=LIST),
    Row("four threads report without a pause: a timer is late by (p99)", "flood", 4,
        (hand_written.NAME, superqt_workers.CREATE_WORKER), figure="p99"),
    Row("memory of a job that waits, of 100,000", "waiting-jobs", 100_000,
        (hand_written.NAME,), figure="memory", unit="byte"),
)  # fmt: skip


def lines(samples: Samples, facts: dict[str, Any]) -> Iterator[str]:
    """Give the table, and the machine it was measured on."""
    yield "| | qtorch | beside | qtorch takes (quartiles) |"
    yield "|---|---:|---|---|"
    for row in ROWS:
        ours = samples[Key(row.scenario, row.figure, row.size, row.ours)]
        for number, peer in enumerate(row.peers):
            theirs = samples[Key(row.scenario, row.figure, row.size, peer)]
            median, low, high = ratio(ours, theirs)
            what = (row.what, shown(statistics.median(ours), row.unit)) if number == 0 else ("", "")
            beside = f"{peer} {shown(statistics.median(theirs), row.unit)}"
            yield f"| {what[0]} | {what[1]} | {beside} | {median:.2f}x ({low:.2f}-{high:.2f}) |"
    yield ""
    yield f"Measured on {machine(facts)}."


if __name__ == "__main__":
    from benchmarks.results import load

    print("\n".join(lines(*load(RESULTS))))
