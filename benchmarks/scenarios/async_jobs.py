"""Coroutine jobs: on a qasync loop, and on the Runtime's own thread."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias

import qasync
from PySide6.QtWidgets import QApplication

from benchmarks.measure import Contestant, Scenario
from benchmarks.peers import asyncio_tasks, with_qtorch
from benchmarks.peers.tasks import Work, work_async
from benchmarks.scenarios.jobs import at_once

if TYPE_CHECKING:
    from benchmarks.scenarios.pace import Pace

_SIZES = (500, 1_500, 5_000)
_WARM_UP = 10

RunAsync: TypeAlias = Callable[[Work, int], Coroutine[Any, Any, None]]


@contextmanager
def bare(loop: object) -> Iterator[RunAsync]:  # noqa: ARG001
    """Start tasks."""
    yield asyncio_tasks.on_this_loop


@contextmanager
def qtorch_on_loop(loop: object) -> Iterator[RunAsync]:
    """Dispatch jobs."""
    with with_qtorch.a_runtime(loop=loop) as runtime:
        yield partial(with_qtorch.on_loop_of, runtime)


@contextmanager
def on_qasync(make: Callable[[object], AbstractContextManager[RunAsync]], size: int) -> Iterator[Callable[[], float]]:
    """Ask for ``size`` jobs at once from a coroutine of a qasync loop."""

    async def whole(run: RunAsync) -> float:
        await run(work_async, _WARM_UP)
        started = perf_counter()
        await run(work_async, size)
        return perf_counter() - started

    with qasync.QEventLoop(QApplication.instance()) as loop, make(loop) as run:
        yield lambda: loop.run_until_complete(whole(run))


def scenarios(pace: Pace) -> Iterator[Scenario]:  # noqa: ARG001
    """Give the scenarios of this family."""
    yield Scenario(
        "async-qasync",
        "burst of trivial coroutines on a qasync loop; a job",
        "jobs at once",
        _SIZES,
        (
            Contestant(with_qtorch.NAME, partial(on_qasync, qtorch_on_loop)),
            Contestant(asyncio_tasks.QASYNC, partial(on_qasync, bare)),
        ),
        quick_sizes=_SIZES[:2],
        is_of_all=True,
    )
    yield Scenario(
        "async-thread",
        "burst of trivial coroutines on a loop in a thread; a job",
        "jobs at once",
        _SIZES,
        (
            Contestant(with_qtorch.NAME, partial(at_once, with_qtorch.with_qtorch, 1, work_async)),
            Contestant(asyncio_tasks.OWN_THREAD, partial(at_once, asyncio_tasks.asyncio_thread, 1, work_async)),
        ),
        quick_sizes=_SIZES[:2],
        is_of_all=True,
    )
