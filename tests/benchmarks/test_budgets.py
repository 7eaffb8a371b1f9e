"""Met, missed by how much, and accepted."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.budgets import Judged, Verdict, judge
from benchmarks.measure import Budget, Key, Scenario


def judged(budget: Budget, **costs: list[float]) -> Judged:
    """Judge by values of contestants, each at size 10, or at the size after an underscore."""
    samples: dict[Key, list[float]] = {}
    for name, values in costs.items():
        contestant, _, size = name.partition("_")
        samples[Key("race", "time", int(size or 10), contestant)] = values
    (found,) = judge([Scenario("race", "a race", "runners", (1, 10), (), budgets=(budget,))], samples)
    return found


@pytest.mark.parametrize(
    ("ours", "verdict", "said"),
    [(0.39, Verdict.MET, "met"), (0.40, Verdict.MET, "met"), (0.44, Verdict.MISSED, "missed by 10%")],
)
def test_a_ratio_is_met_up_to_the_budget(ours: float, verdict: Verdict, said: str) -> None:
    found = judged(Budget(0.4, against="peer"), qtorch=[ours], peer=[1.0])
    assert (found.verdict, found.said) == (verdict, said)


def test_a_budget_without_a_peer_is_of_the_figure_itself() -> None:
    assert judged(Budget(0.060), qtorch=[0.050, 0.055, 0.9]).verdict is Verdict.MET
    assert judged(Budget(0.060), qtorch=[0.090, 0.090, 0.1]).said == "missed by 50%"


def test_a_budget_may_be_of_itself_at_another_size() -> None:
    found = judged(Budget(1.2, against="qtorch", against_size=1), qtorch=[3.0, 3.0], qtorch_1=[2.0, 2.0])
    assert (found.size, found.value, found.verdict) == (10, 1.5, Verdict.MISSED)


def test_nothing_may_be_added() -> None:
    budget = Budget(0.0, against="plain", is_added=True)
    assert judged(budget, qtorch=[7.0], plain=[7.0]).verdict is Verdict.MET
    assert judged(budget, qtorch=[9.0], plain=[7.0]).said == "missed by 2"


@pytest.mark.parametrize(("bare", "verdict"), [(0.3, Verdict.MISSED), (0.5, Verdict.ACCEPTED)])
def test_a_miss_is_accepted_only_where_bare_pyside6_misses_too(bare: float, verdict: Verdict) -> None:
    found = judged(Budget(0.4, against="peer", bare="bare"), qtorch=[0.6], peer=[1.0], bare=[bare])
    assert found.verdict is verdict
    assert found.said.startswith("missed by 50%")


@pytest.mark.parametrize("costs", [{}, {"qtorch": [1.0]}, {"peer": [1.0]}])
def test_what_was_not_measured_is_neither_met_nor_missed(costs: dict[str, Any]) -> None:
    assert judged(Budget(0.4, against="peer"), **costs).verdict is Verdict.UNKNOWN
