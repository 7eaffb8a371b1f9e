"""Results as JSON that pyperf reads: ``pyperf compare_to old.json new.json`` compares two runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Key, Samples, Scenario

if TYPE_CHECKING:
    from pathlib import Path

    import pyperf

_KEPT = {"cpu_count", "cpu_freq", "cpu_model_name", "date", "perf_version", "platform", "python_compiler",
         "python_implementation", "python_version", "timer"}  # fmt: skip
"""Of what pyperf collects: the rest is nobody's business (names, paths), or nothing of interest."""


def save(path: Path, scenarios: Sequence[Scenario], samples: Samples, facts: dict[str, str]) -> None:
    """Write one pyperf benchmark for each row of values, with what pyperf knows of the machine."""
    import pyperf

    units = {(scenario.key, figure): unit for scenario in scenarios for figure, unit in scenario.figures.items()}
    machine = {
        name: value for name, value in pyperf.Run([1.0], collect_metadata=True).get_metadata().items() if name in _KEPT
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    pyperf.BenchmarkSuite([_benchmark(key, values, units, machine | facts) for key, values in samples.items()]).dump(
        str(path), replace=True
    )


def _benchmark(
    key: Key, values: Sequence[float], units: dict[tuple[str, str], str], facts: dict[str, Any]
) -> pyperf.Benchmark:
    import pyperf

    metadata = facts | key._asdict() | {"name": name_of(key), "unit": units[key.scenario, key.figure]}
    return pyperf.Benchmark([pyperf.Run(values, metadata=metadata, collect_metadata=False)])


def name_of(key: Key) -> str:
    """Give the name under which pyperf lists it."""
    return f"{key.scenario} {key.size} {key.figure}: {key.contestant}"


def load(path: Path) -> tuple[Samples, dict[str, Any]]:
    """Read what :func:`save` wrote, and what is said of the machine."""
    import pyperf

    samples, facts = {}, dict[str, Any]()
    for benchmark in pyperf.BenchmarkSuite.load(str(path)):
        facts = benchmark.get_metadata()
        samples[Key(**{name: facts[name] for name in Key._fields})] = benchmark.get_values()
    return samples, facts
