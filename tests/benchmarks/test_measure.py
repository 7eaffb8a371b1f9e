"""Rounds, ratios, spreads and growth."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from benchmarks.measure import Contestant, Effort, Figures, Key, Scenario, exponent, growth, ratio, run, spread


class Recorder:
    """Contestants that say when they live and are measured."""

    def __init__(self) -> None:
        self.alive: list[str] = []
        self.measured: list[str] = []

    def contestant(self, name: str, largest: int = 10**9) -> Contestant:
        @contextmanager
        def prepare(size: int) -> Iterator[Callable[[], float | Figures]]:
            self.alive.append(name)

            def sample() -> float:
                assert self.alive == [name]
                assert not gc.isenabled()
                self.measured.append(f"{name}{size}")
                return float(size)

            yield sample
            self.alive.remove(name)

        return Contestant(name, prepare, largest)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def scenario(recorder: Recorder, **options: object) -> Scenario:
    contestants = (recorder.contestant("a"), recorder.contestant("b", largest=10))
    return Scenario("race", "a race", "runners", (10, 100), contestants, **options)  # type: ignore[arg-type]


def test_every_round_has_every_contestant_at_every_size_it_can_do(recorder: Recorder) -> None:
    run(scenario(recorder), Effort(seconds=0, least_rounds=3, warm_up=0))
    rounds = [sorted(recorder.measured[start : start + 3]) for start in range(0, 9, 3)]
    assert rounds == [["a10", "a100", "b10"]] * 3
    assert len(recorder.measured) == 9


def test_the_order_changes_from_round_to_round(recorder: Recorder) -> None:
    run(scenario(recorder), Effort(seconds=0, least_rounds=10, warm_up=0))
    assert len({tuple(recorder.measured[start : start + 3]) for start in range(0, 30, 3)}) > 1


def test_what_warms_up_is_not_counted_and_some_do_not_warm_up(recorder: Recorder) -> None:
    found = run(scenario(recorder), Effort(seconds=0, least_rounds=2, warm_up=1))
    assert (len(recorder.measured), len(found[Key("race", "time", 10, "b")])) == (9, 2)
    recorder.measured.clear()
    run(scenario(recorder, warms_up=False), Effort(seconds=0, least_rounds=2, warm_up=1))
    assert len(recorder.measured) == 6


def test_no_more_rounds_than_the_scenario_wants(recorder: Recorder) -> None:
    found = run(scenario(recorder, most_rounds=4), Effort(seconds=60, least_rounds=1))
    assert len(found[Key("race", "time", 10, "a")]) == 4


def test_a_quick_run_has_the_quick_sizes(recorder: Recorder) -> None:
    found = run(scenario(recorder, quick_sizes=(5,)), Effort(seconds=0, least_rounds=1, is_quick=True))
    assert {key.size for key in found} == {5}


def test_the_share_of_one_is_kept_and_growth_is_that_of_all(recorder: Recorder) -> None:
    race = scenario(recorder, is_of_all=True)
    found = run(race, Effort(seconds=0, least_rounds=1))
    assert found[Key("race", "time", 100, "a")] == [1.0]
    assert growth(race, found, "time", "a") == pytest.approx(1.0)
    assert growth(scenario(recorder), found, "time", "a") == pytest.approx(0.0)


def test_automatic_collection_is_on_again_after_a_sample(recorder: Recorder) -> None:
    gc.enable()
    run(scenario(recorder), Effort(seconds=0, least_rounds=1))
    assert gc.isenabled()


def test_a_ratio_compares_within_rounds() -> None:
    # The machine was ten times slower in the second round: to compare medians would say 2x or 20x.
    assert ratio([2.0, 20.0, 2.0], [1.0, 10.0, 1.0]) == (2.0, 2.0, 2.0)
    assert ratio([1.0, 2.0, 3.0], [1.0, 1.0, 1.0]) == (2.0, 1.5, 2.5)
    with pytest.raises(ValueError, match="shorter"):
        ratio([1.0, 1.0], [1.0])


def test_a_single_value_has_no_spread() -> None:
    assert spread([3.0]) == (3.0, 3.0, 3.0)


@pytest.mark.parametrize(
    ("costs", "expected"),
    [((7, 7, 7), 0.0), ((1, 10, 100), 1.0), ((1, 100, 10_000), 2.0), ((100, 10, 1), -1.0)],
)
def test_the_exponent_is_the_slope_of_the_logarithms(costs: tuple[float, ...], expected: float) -> None:
    assert exponent(zip((10, 100, 1_000), costs, strict=True)) == pytest.approx(expected)


def test_one_size_has_no_exponent() -> None:
    assert math.isnan(exponent([(10, 1.0)]))
