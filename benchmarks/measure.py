"""Timing two things in turn, so that a machine whose speed drifts is unfair to neither."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Contest:
    """qtorch and a peer at the same task, with the budget for their ratio."""

    name: str
    ours: Callable[[], float]
    """Does the task once and gives seconds per operation."""
    peer: Callable[[], float]
    peer_name: str
    budget: float
    rounds: int = 15
    warm_up: int = 2


@dataclass(frozen=True)
class Result:
    """What came of a contest; times in microseconds per operation."""

    contest: Contest
    ours: float
    peer: float
    ratio: float
    spread: tuple[float, float]

    @property
    def is_met(self) -> bool:
        """Whether the median ratio is within the budget."""
        return self.ratio <= self.contest.budget

    def row(self) -> str:
        """Give the line of the table."""
        contest, low, high = self.contest, *self.spread
        verdict = "met" if self.is_met else f"MISSED by {self.ratio / contest.budget - 1:.0%}"
        return (
            f"{contest.name:<46} {self.ours:9.1f} {self.peer:9.1f}  {contest.peer_name:<26} "
            f"{self.ratio:5.2f}x ({low:.2f}-{high:.2f})  <= {contest.budget:.2f}x  {verdict}"
        )


HEADER = f"{'task':<46} {'qtorch us':>9} {'peer us':>9}  {'peer':<26} ratio (quartiles)    budget"


def run(contest: Contest) -> Result:
    """Let both do the task in turn; each round gives one ratio, and their median counts."""
    for _ in range(contest.warm_up):
        contest.ours()
        contest.peer()
    ours: list[float] = []
    peer: list[float] = []
    for _ in range(contest.rounds):
        gc.collect()
        ours.append(contest.ours())
        gc.collect()
        peer.append(contest.peer())
    ratios = [a / b for a, b in zip(ours, peer, strict=True)]
    low, _, high = statistics.quantiles(ratios, n=4)
    return Result(
        contest,
        statistics.median(ours) * 1e6,
        statistics.median(peer) * 1e6,
        statistics.median(ratios),
        (low, high),
    )
