"""Whether qtorch costs no more than its budgets."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.measure import Budget, Key, Samples, Scenario, ratio


class Verdict(StrEnum):
    """What came of a budget."""

    MET = "met"
    MISSED = "missed"
    ACCEPTED = "accepted"
    """Missed, and the same work in bare PySide6 is above the budget too."""
    UNKNOWN = "not measured"


@dataclass(frozen=True)
class Judged:
    """A budget with what was measured; ratios are plain numbers, figures have the scenario's unit."""

    scenario: Scenario
    budget: Budget
    size: int
    value: float
    bare: float | None
    verdict: Verdict

    @property
    def said(self) -> str:
        """The verdict as the table has it."""
        if self.verdict not in (Verdict.MISSED, Verdict.ACCEPTED):
            return str(self.verdict)
        if not self.budget.at_most:
            text = f"missed by {self.value:,.0f}"
        else:
            text = f"missed by {self.value / self.budget.at_most - 1:.0%}"
        return text if self.verdict is Verdict.MISSED else f"{text}; accepted, bare PySide6 is above it too"


def judge(scenarios: Iterable[Scenario], samples: Samples) -> Iterator[Judged]:
    """Give every budget of these scenarios its verdict."""
    for scenario in scenarios:
        for budget in scenario.budgets:
            measured = [
                key.size
                for key in samples
                if (key.scenario, key.figure, key.contestant) == (scenario.key, budget.figure, budget.contestant)
            ]
            size = budget.size or max(measured, default=0)
            value = _value(scenario, budget, size, budget.contestant, samples)
            bare = _value(scenario, budget, size, budget.bare, samples) if budget.bare else None
            yield Judged(scenario, budget, size, value or 0.0, bare, _verdict(budget, value, bare))


def _verdict(budget: Budget, value: float | None, bare: float | None) -> Verdict:
    if value is None:
        return Verdict.UNKNOWN
    if value <= budget.at_most:
        return Verdict.MET
    return Verdict.ACCEPTED if bare is not None and bare > budget.at_most else Verdict.MISSED


def _value(scenario: Scenario, budget: Budget, size: int, contestant: str, samples: Samples) -> float | None:
    """Give what the budget limits, of this contestant; None if it was not measured."""
    ours = samples.get(Key(scenario.key, budget.figure, size, contestant))
    if not ours:
        return None
    if not budget.against:
        return statistics.median(ours)
    theirs = samples.get(Key(scenario.key, budget.figure, budget.against_size or size, budget.against))
    if not theirs:
        return None
    if budget.is_added:
        return statistics.median(one - other for one, other in zip(ours, theirs, strict=True))
    return ratio(ours, theirs).median
