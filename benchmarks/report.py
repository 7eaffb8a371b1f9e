"""The table of what was measured: ``python -m benchmarks.report results.json`` draws it again."""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.budgets import Judged, Verdict, judge
from benchmarks.measure import Key, Samples, Scenario, growth, ratio

STEEP = 1.15
"""An exponent above this one is more than linear, beyond what noise makes of linear."""

_UNITS = {"second": ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")), "byte": ((1e6, "MB"), (1e3, "kB"), (1.0, "B"))}


def shown(value: float, unit: str) -> str:
    """Give a figure with a unit that keeps it short."""
    for factor, name in _UNITS.get(unit, ()):
        if abs(value) >= factor or (factor, name) == _UNITS[unit][-1]:
            number = value / factor
            return f"{number:.{0 if number >= 100 else 1 if number >= 10 else 2}f} {name}"
    return f"{value:,.0f}"


def machine(facts: dict[str, Any]) -> str:
    """Name where it was measured."""
    parts = (
        f"Python {facts.get('python_version', '?')}".replace(" (64-bit)", "").partition(" revision")[0],
        f"PySide6 {facts.get('pyside6', '?')}",
        f"{facts.get('cpu_count', '?')} x {facts.get('cpu_model_name', 'unknown processor')}",
        str(facts.get("platform", "?")),
        str(facts.get("date", "")).partition(".")[0],
    )
    return ", ".join(part for part in parts if part)


def measured(scenario: Scenario, samples: Samples) -> tuple[int, ...]:
    """Give the sizes that there are values of."""
    return tuple(size for size in scenario.sizes if any(key[0] == scenario.key and key[2] == size for key in samples))


def table(scenario: Scenario, samples: Samples) -> Iterator[str]:
    """Give the lines of a Markdown table: medians by size, growth, and qtorch's ratio to each at the largest size."""
    sizes = measured(scenario, samples)
    yield f"### {scenario.key}: {scenario.title}"
    for figure, unit in scenario.figures.items():
        yield ""
        heads = [f"{size:,}" for size in sizes]
        yield f"| {figure}, by {scenario.size_is} | {' | '.join(heads)} | growth | qtorch takes (quartiles) |"
        yield f"|---|{'---:|' * len(sizes)}---|---|"
        ours = scenario.contestants[0].name
        for contestant in scenario.contestants:
            cells, common = list[str](), 0
            for size in sizes:
                values = samples.get(Key(scenario.key, figure, size, contestant.name))
                cells.append(shown(statistics.median(values), unit) if values else "-")
                common = size if values else common
            cells.append(_grown(growth(scenario, samples, figure, contestant.name)))
            cells.append(
                "" if contestant.name == ours else _compared(scenario, figure, common, contestant.name, samples)
            )
            yield f"| {contestant.name} | {' | '.join(cells)} |"
    if scenario.growth:
        yield f"\nGrowth: {scenario.growth}."


def _compared(scenario: Scenario, figure: str, size: int, contestant: str, samples: Samples) -> str:
    ours = samples.get(Key(scenario.key, figure, size, scenario.contestants[0].name))
    theirs = samples.get(Key(scenario.key, figure, size, contestant))
    if not ours or not theirs:
        return "-"
    median, low, high = ratio(ours, theirs)
    return f"{median:.2f}x ({low:.2f}-{high:.2f})"


def _grown(exponent: float) -> str:
    return "-" if math.isnan(exponent) else f"n^{exponent:.2f}"


def budget_table(judged: Iterable[Judged]) -> Iterator[str]:
    """Give the lines of the table of budgets."""
    yield "| budget | measured | at most | bare PySide6 | verdict |"
    yield "|---|---:|---:|---:|---|"
    for one in judged:
        budget, unit = one.budget, one.scenario.figures[one.budget.figure]
        against = budget.against
        if budget.against_size:
            who = "itself" if against == budget.contestant else against
            against = f"{who} at {budget.against_size:,}"
        figure = "" if budget.figure == "time" else f" {budget.figure},"
        what = (
            f"{one.scenario.key} {budget.contestant}:{figure} {one.scenario.title}, {one.size:,} {one.scenario.size_is}"
        )
        if against:
            what += f"; {'added to' if budget.is_added else 'against'} {against}"

        def said(value: float | None, budget=budget, unit=unit) -> str:  # type: ignore[no-untyped-def]
            if value is None:
                return "-"
            return f"{value:.2f}x" if budget.against and not budget.is_added else shown(value, unit)

        value = said(one.value) if one.verdict is not Verdict.UNKNOWN else "-"
        yield f"| {what} | {value} | {said(budget.at_most)} | {said(one.bare)} | {one.said} |"


def steep(scenarios: Iterable[Scenario], samples: Samples) -> Iterator[str]:
    """Name what of qtorch grows faster than its size and is not explained."""
    for scenario in scenarios:
        for figure in scenario.figures:
            for contestant in scenario.contestants:
                if "qtorch" in contestant.name and not scenario.growth:
                    exponent = growth(scenario, samples, figure, contestant.name)
                    if exponent > STEEP:
                        yield f"{scenario.key}, {figure}, {contestant.name}: n^{exponent:.2f}"


def page(scenarios: Sequence[Scenario], samples: Samples, facts: dict[str, Any]) -> str:
    """Give all of it as Markdown."""
    scenarios = [scenario for scenario in scenarios if measured(scenario, samples)]
    lines = ["# Results", "", f"Written by `make bench`: {machine(facts)}.", "", "## Budgets", ""]
    lines += budget_table(judge(scenarios, samples))
    lines += ["", "## Growth", ""]
    lines += [f"- Steeper than linear, and not explained: {line}" for line in steep(scenarios, samples)] or [
        "Nothing of qtorch grows faster than linearly without a reason that is given below."
    ]
    lines += ["", "## Scenarios"]
    for scenario in scenarios:
        lines += ["", *table(scenario, samples)]
    return "\n".join(lines) + "\n"


def write(folder: Path, scenarios: Sequence[Scenario], samples: Samples, facts: dict[str, Any]) -> None:
    """Write the page and the picture into the folder."""
    from benchmarks.picture import draw

    (folder / "results.md").write_text(page(scenarios, samples, facts), encoding="utf-8")
    draw(scenarios, samples, machine(facts)).save(str(folder / "ratios.png"))


if __name__ == "__main__":
    from PySide6.QtGui import QGuiApplication

    from benchmarks.results import load
    from benchmarks.scenarios import scenarios as all_scenarios
    from benchmarks.scenarios.pace import FULL

    app = QGuiApplication([])
    path = Path(sys.argv[1])
    write(path.parent, list(all_scenarios(FULL)), *load(path))
