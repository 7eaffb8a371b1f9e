"""How late the GUI thread is while threads flood it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from benchmarks.measure import Budget, Contestant, Figures, Scenario
from benchmarks.peers import flooders, hand_written, superqt_workers, with_qtorch
from benchmarks.peers.flooders import Start
from benchmarks.scenarios.lateness import FIGURES, FRAME, lateness

if TYPE_CHECKING:
    from benchmarks.scenarios.pace import Pace

BARE_1_MS = "QRunnable, switch interval 1 ms"

_GROWTH = "more threads share the GIL with the GUI thread; below a frame nobody sees it"

Flood: TypeAlias = Callable[..., AbstractContextManager[Start]]


@contextmanager
def late(flood: Flood, options: dict[str, Any], threads: int) -> Iterator[Callable[[], Figures]]:
    """Measure a flood by so many threads."""
    with flood(threads, **options) as start:
        yield lambda: lateness(start)


def _contestant(name: str, flood: Flood, pace: Pace, **options: Any) -> Contestant:
    return Contestant(name, partial(late, flood, {"seconds": pace.flood, **options}))


def scenarios(pace: Pace) -> Iterator[Scenario]:
    """Give the scenarios of this family."""
    flood = partial(Scenario, figures=FIGURES, growth=_GROWTH, most_rounds=2, warms_up=False)
    yield flood(
        "flood",
        f"progress without a pause for {pace.flood:g} s: a {FRAME * 1000:g} ms timer of the GUI thread is late by",
        "threads that report",
        (1, 2, 4),
        (
            _contestant(with_qtorch.NAME, flooders.qtorch_flood, pace),
            _contestant(hand_written.NAME, flooders.hand_written_flood, pace),
            _contestant(BARE_1_MS, flooders.hand_written_flood, pace, interval=0.001),
            _contestant(superqt_workers.CREATE_WORKER, flooders.superqt_flood, pace),
            _contestant("floor: nothing runs", flooders.no_flood, pace),
        ),
        quick_sizes=(4,),
        budgets=(Budget(0.016, figure="p99", bare=BARE_1_MS),),
    )
    yield flood(
        "python-work",
        f"pure Python work with checkpoints for {pace.flood:g} s: the timer is late by",
        "threads that work",
        (1, 2, 4),
        (
            _contestant(with_qtorch.NAME, flooders.qtorch_flood, pace, how="work"),
            _contestant(hand_written.NAME, flooders.hand_written_flood, pace, is_work=True),
        ),
        quick_sizes=(4,),
        budgets=(Budget(0.016, figure="p99"),),
    )
    yield flood(
        "events",
        f"events of the application without a pause for {pace.flood:g} s: the timer is late by",
        "threads that emit",
        (1, 2, 4),
        (_contestant(with_qtorch.NAME, flooders.qtorch_flood, pace, how="events"),),
        quick_sizes=(4,),
        budgets=(Budget(0.016, figure="p99"),),
    )
    yield flood(
        "short-jobs",
        f"{flooders.SHORT_JOBS:,} short jobs a thread, dispatched without a pause: the timer is late by",
        "threads that dispatch",
        (1, 2, 4),
        (Contestant(with_qtorch.NAME, partial(late, flooders.qtorch_short_jobs, {})),),
        quick_sizes=(1,),
        budgets=(Budget(0.016, figure="p99"),),
        most_rounds=3,
    )
