"""What is measured: one file for each family of scenarios."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from benchmarks.scenarios import async_jobs, fields, floods, jobs, processes, rows

if TYPE_CHECKING:
    from benchmarks.measure import Scenario
    from benchmarks.scenarios.pace import Pace


def scenarios(pace: Pace) -> Iterator[Scenario]:
    """Give all of them, in the order of the table."""
    for family in (jobs, async_jobs, fields, floods, rows, processes):
        yield from family.scenarios(pace)
