"""The table, the JSON and the picture."""

from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING

import pyperf
import pytest

from benchmarks import results
from benchmarks.measure import Budget, Contestant, Key, Samples, Scenario
from benchmarks.picture import draw, groups
from benchmarks.report import page, shown, steep, table

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot


def contestant(name: str) -> Contestant:
    return Contestant(name, lambda size: pytest.fail(f"nobody asked {name} to run at {size}"))


RACE = Scenario(
    "race",
    "a race; a job",
    "runners",
    (10, 100, 1_000),
    (contestant("qtorch"), contestant("peer"), contestant("floor: nothing")),
    budgets=(Budget(0.4, against="peer"),),
)


def samples(exponent: float = 1.0) -> Samples:
    return {
        Key("race", "time", size, name): [factor * 1e-6 * size**exponent] * 3
        for size in RACE.sizes
        for name, factor in {"qtorch": 1.0, "peer": 2.0, "floor: nothing": 0.1}.items()
    }


def test_the_table_has_medians_growth_and_what_qtorch_takes_of_each() -> None:
    *_, ours, peer, floor = table(RACE, samples())
    assert ours == "| qtorch | 10.0 us | 100 us | 1.00 ms | n^1.00 |  |"
    assert peer == "| peer | 20.0 us | 200 us | 2.00 ms | n^1.00 | 0.50x (0.50-0.50) |"
    assert floor.endswith("| 10.00x (10.00-10.00) |")


def test_a_size_that_somebody_was_not_asked_for_is_a_dash() -> None:
    some = {key: values for key, values in samples().items() if (key.contestant, key.size) != ("peer", 1_000)}
    assert "| peer | 20.0 us | 200 us | - | n^1.00 | 0.50x" in "\n".join(table(RACE, some))


@pytest.mark.parametrize(("exponent", "is_named"), [(1.0, False), (1.1, False), (1.3, True), (2.0, True)])
def test_what_grows_faster_than_linearly_is_named(exponent: float, is_named: bool) -> None:
    assert bool(list(steep([RACE], samples(exponent)))) is is_named


def test_the_page_says_what_was_missed_and_where_it_was_measured() -> None:
    text = page([RACE], samples(), {"python_version": "3.11.7 (64-bit)", "cpu_model_name": "Abacus", "cpu_count": 2})
    assert "| 0.50x | 0.40x | - | missed by 25% |" in text
    assert "Python 3.11.7" in text
    assert "2 x Abacus" in text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.000_000_5, "second", "0.50 us"),
        (0.012_34, "second", "12.3 ms"),
        (2.5, "second", "2.50 s"),
        (1_500_000, "byte", "1.50 MB"),
        (12, "byte", "12.0 B"),
        (1_234, "integer", "1,234"),
    ],
)
def test_figures_are_shown_short(value: float, unit: str, text: str) -> None:
    assert shown(value, unit) == text


def test_pyperf_reads_what_is_written_and_so_do_we(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    results.save(path, [RACE], samples(), {"pyside6": "6.99"})
    assert not [one for one in (sys.prefix, sys.base_prefix, platform.node()) if one in path.read_text()], "of here"
    loaded, facts = results.load(path)
    assert {key: pytest.approx(values) for key, values in samples().items()} == loaded
    assert facts["pyside6"] == "6.99"
    assert not {"hostname", "load_avg_1min"} & facts.keys()
    benchmark = pyperf.BenchmarkSuite.load(str(path)).get_benchmark("race 10 time: peer")
    assert (benchmark.get_unit(), benchmark.median()) == ("second", pytest.approx(20e-6))


def test_the_picture_has_a_bar_for_each_peer_at_the_largest_size(qtbot: QtBot) -> None:
    (group,) = groups([RACE], samples())
    assert group.title == "a race (1,000 runners)"
    assert [(bar.name, bar.taken.median) for bar in group.bars] == [
        ("peer", pytest.approx(2.0)),
        ("floor: nothing", pytest.approx(0.1)),
    ]
    image = draw([RACE], samples(), "here")
    assert image.deviceIndependentSize().width() == 900
    assert image.pixelColor(2, 2).lightness() > 240
