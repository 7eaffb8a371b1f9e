"""Every scenario still runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.measure import Effort, Scenario, run
from benchmarks.scenarios import scenarios
from benchmarks.scenarios.pace import FULL, INSTANT

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

ALL = list(scenarios(INSTANT))


@pytest.mark.realtime
@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.key)
def test_every_contestant_does_the_smallest_size(scenario: Scenario, qtbot: QtBot) -> None:
    found = run(scenario, Effort(seconds=0, least_rounds=1, warm_up=0, is_smallest=True))
    assert {key.contestant for key in found} == {contestant.name for contestant in scenario.contestants}
    assert {key.figure for key in found} == set(scenario.figures)
    assert all(value > 0 for values in found.values() for value in values), "pyperf keeps no other values"


@pytest.mark.parametrize("scenario", list(scenarios(FULL)), ids=lambda scenario: scenario.key)
def test_every_scenario_has_three_sizes_and_budgets_of_what_it_measures(scenario: Scenario) -> None:
    assert len(scenario.sizes) >= 3
    assert list(scenario.sizes) == sorted(scenario.sizes)
    names = {contestant.name for contestant in scenario.contestants}
    for budget in scenario.budgets:
        assert {budget.contestant, budget.against or budget.contestant, budget.bare or budget.contestant} <= names
        assert {budget.size or scenario.sizes[0], budget.against_size or scenario.sizes[0]} <= set(scenario.sizes)
        assert budget.figure in scenario.figures


def test_no_two_scenarios_have_the_same_name() -> None:
    assert len({scenario.key for scenario in ALL}) == len(ALL)
