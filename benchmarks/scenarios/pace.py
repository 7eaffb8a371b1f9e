"""How long those samples take that last as long as they are told to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """Seconds of a flood and of idling, of how many labels, and how many jobs are done in a row."""

    flood: float
    idling: float
    idle_sizes: tuple[int, ...]
    many_jobs: tuple[int, ...]


FULL = Pace(flood=2.0, idling=10.0, idle_sizes=(1, 100, 1_000), many_jobs=(100_000, 300_000, 1_000_000))
QUICK = Pace(flood=0.5, idling=2.0, idle_sizes=(1, 100), many_jobs=(10_000, 30_000, 100_000))
"""For ``--quick``."""
INSTANT = Pace(flood=0.1, idling=0.3, idle_sizes=(1,), many_jobs=(500, 1_000, 2_000))
"""To see that everything still runs."""
