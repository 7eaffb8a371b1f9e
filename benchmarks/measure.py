"""Timing contestants in turn, so that a machine whose speed drifts is unfair to none."""

from __future__ import annotations

import gc
import math
import random
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import NamedTuple, TypeAlias

Figures: TypeAlias = Mapping[str, float]
"""What one sample gave, by the names in ``Scenario.figures``."""

Prepare: TypeAlias = Callable[[int], AbstractContextManager[Callable[[], float | Figures]]]
"""For a size, makes all that the sample needs and takes it away again; a bare float is the scenario's only figure."""


class Key(NamedTuple):
    """What a row of values is of."""

    scenario: str
    figure: str
    size: int
    contestant: str


Samples: TypeAlias = Mapping[Key, Sequence[float]]
"""One value a round, so that those of one round can be compared with each other."""


@dataclass(frozen=True)
class Contestant:
    """Somebody who does the scenario's task.

    Nothing of it lives while another is measured: whatever it needs is made before its sample and closed after it.
    """

    name: str
    prepare: Prepare
    largest: int = 10**9
    """The largest size it can be asked for."""


@dataclass(frozen=True)
class Budget:
    """What a contestant may cost at most.

    Without ``against`` and ``against_size`` the figure itself is limited, with them its ratio to another one of the
    same rounds. ``is_added`` limits the difference instead of the ratio.
    """

    at_most: float
    against: str = ""
    against_size: int = 0
    size: int = 0
    """0 is the largest that was measured."""
    contestant: str = "qtorch"
    figure: str = "time"
    is_added: bool = False
    bare: str = ""
    """The contestant that does the same work in bare PySide6: if it is above the budget too, a miss is accepted."""


@dataclass(frozen=True)
class Scenario:
    """One task, done by qtorch and by what users would pick instead, at several sizes."""

    key: str
    """What ``--only`` finds."""
    title: str
    size_is: str
    sizes: tuple[int, ...]
    contestants: tuple[Contestant, ...]
    """Ratios are those of the first one."""
    quick_sizes: tuple[int, ...] = ()
    """For ``--quick``; empty if all sizes are quick."""
    figures: Mapping[str, str] = field(default_factory=lambda: {"time": "second"})
    """Units by name: second, byte or integer, as pyperf has them."""
    is_of_all: bool = False
    """Whether a figure is of ``size`` things, so that one of them costs that share of it."""
    budgets: tuple[Budget, ...] = ()
    growth: str = ""
    """Why it grows with the size as it does; needed where it grows faster than the size."""
    most_rounds: int = 21
    warms_up: bool = True
    """Whether the first round is not counted; of no use where each sample is a new process, or lasts for seconds."""


@dataclass(frozen=True)
class Effort:
    """How long a scenario is measured: for so many seconds, but at least and at most so many rounds."""

    seconds: float
    least_rounds: int
    is_quick: bool = False
    is_smallest: bool = False
    warm_up: int = 1

    def sizes(self, scenario: Scenario) -> tuple[int, ...]:
        """Give the sizes to measure."""
        if self.is_smallest:
            return scenario.sizes[:1]
        return scenario.quick_sizes if self.is_quick and scenario.quick_sizes else scenario.sizes


def run(scenario: Scenario, effort: Effort) -> Samples:
    """Let every contestant do the task at every size, all of them in every round and in another order each time."""
    turns = [
        (size, contestant)
        for size in effort.sizes(scenario)
        for contestant in scenario.contestants
        if size <= contestant.largest
    ]
    order = random.Random(1)
    found: dict[Key, list[float]] = defaultdict(list)
    started = perf_counter()
    least = effort.least_rounds if scenario.warms_up or not effort.is_quick else 1
    for number in range(-effort.warm_up if scenario.warms_up else 0, scenario.most_rounds):
        if number >= least and perf_counter() - started > effort.seconds:
            break
        order.shuffle(turns)
        for size, contestant in turns:
            figures = _sample(contestant, size, scenario)
            if number < 0:
                continue
            for figure in scenario.figures:
                share = size if scenario.is_of_all else 1
                found[Key(scenario.key, figure, size, contestant.name)].append(figures[figure] / share)
    return found


def _sample(contestant: Contestant, size: int, scenario: Scenario) -> Figures:
    with contestant.prepare(size) as sample, _without_automatic_collection():
        found = sample()
    return found if isinstance(found, Mapping) else {next(iter(scenario.figures)): found}


@contextmanager
def _without_automatic_collection() -> Iterator[None]:
    """Let nobody pay for what another left, and let no peer crash.

    A collection on a worker's thread may take a peer's QObjects along, and then the process. qtorch collects for
    itself where it is safe, inside its samples; so this is in favour of the peers.
    """
    gc.collect()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class Spread(NamedTuple):
    """A median and the quartiles around it."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Give median and quartiles; of a single value, itself."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(median, low, high)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Compare two round by round: what slows the machine down for a while slows both."""
    return spread([one / other for one, other in zip(ours, theirs, strict=True)])


def exponent(points: Iterable[tuple[int, float]]) -> float:
    """Give the k of ``cost ~ size ** k`` by least squares on logarithms; nan for fewer than two sizes."""
    logs = [(math.log(size), math.log(cost)) for size, cost in points]
    if len(logs) < 2:
        return math.nan
    return statistics.linear_regression(*zip(*logs, strict=True)).slope


def growth(scenario: Scenario, samples: Samples, figure: str, contestant: str) -> float:
    """Give the exponent by which the whole figure, not the share of one thing, grows with the size."""
    medians = {
        key.size: statistics.median(values)
        for key, values in samples.items()
        if (key.scenario, key.figure, key.contestant) == (scenario.key, figure, contestant)
    }
    return exponent((size, cost * (size if scenario.is_of_all else 1)) for size, cost in medians.items())
