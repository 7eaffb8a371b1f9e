"""Jobs on threads, from the call to the text of a label."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.measure import Budget, Contestant, Scenario
from benchmarks.peers import floor, futures, hand_written, pool_callable, superqt_workers, with_qtorch
from benchmarks.peers.tasks import NAP, Peer, Work, nap, work

if TYPE_CHECKING:
    from benchmarks.scenarios.pace import Pace

THREADS = 4
"""What a Runtime has on a small machine."""

SLEEPERS = 8

_PEERS: dict[str, Peer] = {
    with_qtorch.NAME: with_qtorch.with_qtorch,
    hand_written.NAME: hand_written.hand_written,
    pool_callable.NAME: pool_callable.pool_callable,
    futures.NAME: futures.futures,
    superqt_workers.CREATE_WORKER: superqt_workers.superqt_create_worker,
    superqt_workers.THREAD_WORKER: superqt_workers.superqt_thread_worker,
}
_FLOOR: dict[str, Peer] = {
    floor.QUEUED_SIGNAL: floor.queued_signals,
    floor.POSTED_EVENT: floor.posted_events,
}


@contextmanager
def at_once(peer: Peer, threads: int, function: Work, size: int) -> Iterator[Callable[[], float]]:
    """Ask for ``size`` jobs at once."""
    with peer(threads) as run:
        run(function, threads)  # its threads are started

        def sample() -> float:
            started = perf_counter()
            run(function, size)
            return perf_counter() - started

        yield sample


@contextmanager
def one_by_one(peer: Peer, size: int) -> Iterator[Callable[[], float]]:
    """Ask for ``size`` jobs, each when the one before is shown: nothing else is under way."""
    with peer(THREADS) as run:
        run(work, THREADS)

        def sample() -> float:
            started = perf_counter()
            for _ in range(size):
                run(work, 1)
            return perf_counter() - started

        yield sample


@contextmanager
def nothing_but_sleep(size: int) -> Iterator[Callable[[], float]]:
    """Give what the naps of ``size`` jobs take if all else takes nothing."""
    yield lambda: -(-size // SLEEPERS) * NAP


def beside_orchestrators(size: int) -> AbstractContextManager[Callable[[], float]]:
    """Ask for 1,000 jobs where ``size`` orchestrators are alive."""
    return at_once(partial(with_qtorch.with_qtorch, others=size - 1), THREADS, work, _JOBS)


_JOBS = 1_000


def scenarios(pace: Pace) -> Iterator[Scenario]:  # noqa: ARG001
    """Give the scenarios of this family."""
    yield Scenario(
        "burst",
        "burst of trivial jobs, to label text; a job",
        "jobs at once",
        (500, 1_500, 5_000),
        tuple(Contestant(name, partial(at_once, peer, THREADS, work)) for name, peer in (_PEERS | _FLOOR).items()),
        quick_sizes=(500, 1_500),
        is_of_all=True,
        budgets=(Budget(0.4, against=hand_written.NAME, bare=floor.QUEUED_SIGNAL),),
    )
    yield Scenario(
        "idle-job",
        "one job while nothing else runs, to label text",
        "jobs one after another",
        (25, 100, 400),
        tuple(Contestant(name, partial(one_by_one, peer)) for name, peer in (_PEERS | _FLOOR).items()),
        is_of_all=True,
        budgets=(Budget(1.5, against=hand_written.NAME, bare=hand_written.NAME),),
    )
    yield Scenario(
        "naps",
        f"jobs that sleep {NAP * 1000:g} ms, on {SLEEPERS} threads; all of them",
        "jobs at once",
        (100, 300, 1_000),
        (
            *(Contestant(name, partial(at_once, peer, SLEEPERS, nap)) for name, peer in _PEERS.items()),
            Contestant("floor: the naps alone", nothing_but_sleep),
        ),
        most_rounds=3,
        warms_up=False,
        quick_sizes=(100, 300),
    )
    yield Scenario(
        "orchestrators",
        f"{_JOBS:,} trivial jobs beside other orchestrators; all of them",
        "orchestrators alive",
        (1, 100, 1_000),
        (Contestant(with_qtorch.NAME, beside_orchestrators),),
        budgets=(Budget(1.2, against=with_qtorch.NAME, against_size=1),),
    )
