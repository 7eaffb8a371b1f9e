"""What is kept of jobs that have ended: nothing that grows with their number."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from qtorch import (
    KEEP_LATEST,
    RESTARTABLE,
    SEQUENTIAL,
    BaseExecutor,
    BaseJob,
    JobSuccessEvent,
    LanePolicy,
)
from qtorch.bus.ledger import REMEMBERED
from qtorch.execution.lane import Lane
from tests.qtorch.execution.rig import Rig, ThreadJob, drive, run_of

pytestmark = pytest.mark.realtime

FORGOTTEN = 300
"""So many more jobs than the ledger remembers are dispatched, and may not be alive any more."""


class Big:
    """Something that a coroutine holds."""


class HoldJob(BaseJob[None]):
    pass


class Holder(BaseExecutor[HoldJob]):
    def __init__(self) -> None:
        self.held: list[weakref.ref[Big]] = []

    async def process(self, job: HoldJob) -> None:
        big = Big()
        self.held.append(weakref.ref(big))
        await asyncio.sleep(3600)


def test_the_frames_of_a_cancelled_coroutine_are_not_kept(rig: Rig) -> None:
    holder = Holder()
    rig.runtime.register(holder)
    handles = [rig.runtime.dispatcher.dispatch(HoldJob()) for _ in range(20)]
    drive(lambda: len(holder.held) == 20)
    for handle in handles:
        handle.cancel()
    drive(lambda: not any(handle.is_working for handle in handles))
    rig.quiet()
    gc.collect()
    assert [big() for big in holder.held] == [None] * 20


def superseding(rig: Rig, policy: LanePolicy, at_work: int) -> list[weakref.ref[Any]]:
    """Dispatch jobs that supersede each other behind ``at_work`` deaf ones; weak references to their runs."""
    rig.work(is_deaf=True)
    held = []
    for number in range(at_work):
        held.append(rig.dispatch("thread", policy=policy))
        drive(lambda number=number: rig.works["work"].calls > number)
    rig.drain()
    runs = []
    for number in range(REMEMBERED + FORGOTTEN + 200):
        runs.append(weakref.ref(run_of(rig.dispatch("thread", policy=policy))))
        if number % 50 == 0:
            rig.drain()
    rig.drain()
    return runs


@pytest.mark.parametrize(("policy", "at_work"), [(KEEP_LATEST, 1), (RESTARTABLE, 4)])
def test_the_superseded_are_not_kept_by_the_line_they_waited_in(rig: Rig, policy: LanePolicy, at_work: int) -> None:
    runs = superseding(rig, policy, at_work)
    gc.collect()
    alive = sum(run() is not None for run in runs)
    assert sum(run() is not None for run in runs[:FORGOTTEN]) == 0, f"{alive} of {len(runs)} are alive"


def test_the_futures_of_cancelled_waits_are_not_kept(rig: Rig) -> None:
    rig.work()
    handle = rig.dispatch("thread")

    async def main() -> None:
        for _ in range(100):
            waiting = asyncio.ensure_future(handle.result())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

    asyncio.run(main())
    waiters = run_of(handle).waiters
    assert waiters is None or len(waiters.futures) == 0


def test_a_listener_to_one_job_is_let_go_with_the_job(rig: Rig) -> None:
    rig.work(is_open=True)
    job = ThreadJob()
    heard = Big()
    freed = weakref.ref(heard)
    subscription = rig.runtime.bus.subscribe(lambda event, heard=heard: None, job_id=job.id, event_type=JobSuccessEvent)
    del heard
    rig.end(rig.owner.dispatch(job))
    assert not subscription.is_active
    gc.collect()
    assert freed() is None


def lanes_of(prefix: str) -> list[str]:
    gc.collect()
    return [one.name for one in gc.get_objects() if type(one) is Lane and one.name.startswith(prefix)]


def test_lanes_that_are_empty_are_not_kept(rig: Rig) -> None:
    rig.work(is_open=True)
    rig.work("held")
    held = rig.dispatch("thread", "held", lane="kept-held", policy=SEQUENTIAL)
    rig.end(*[rig.dispatch("thread", lane=f"kept-{n}", policy=SEQUENTIAL) for n in range(100)])
    assert lanes_of("kept-") == ["kept-held"]
    rig.works["held"].gate.open()
    rig.end(held)
    assert lanes_of("kept-") == []


def test_a_lane_that_was_empty_in_between_has_the_policy_of_its_first_use(rig: Rig) -> None:
    rig.work(is_open=True)
    rig.end(rig.dispatch("thread", lane="one", policy=SEQUENTIAL))
    with pytest.raises(ValueError, match="lane 'one' is SEQUENTIAL"):
        rig.dispatch("thread", lane="one", policy=RESTARTABLE)
    rig.work("held")
    first, second = (rig.dispatch("thread", "held", lane="one") for _ in range(2))
    drive(rig.works["held"].begun.is_set)
    rig.drain()
    assert (first.status, second.status) == ("running", "queued")
    rig.works["held"].gate.open()
    rig.end(first, second)


def test_work_that_outlives_its_job_keeps_its_lane(rig: Rig) -> None:
    rig.work("deaf", is_deaf=True)
    rig.work(is_open=True)
    deaf = rig.dispatch("thread", "deaf", lane="one", policy=SEQUENTIAL)
    drive(rig.works["deaf"].begun.is_set)
    deaf.cancel()
    rig.end(deaf)
    gc.collect()
    following = rig.dispatch("thread", lane="one")
    rig.drain()
    assert following.status == "queued"
    rig.works["deaf"].gate.open()
    rig.end(following)


def test_what_was_dispatched_in_a_lane_of_many_threads_at_once_is_one_line(make_rig: Callable[..., Rig]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    rig = make_rig(threads=8)
    rig.work(is_open=True)
    dispatch = rig.runtime.dispatcher.dispatch
    with ThreadPoolExecutor(8) as threads:
        for number in range(30):
            name = f"many-{number}"
            rig.work(name)
            handles = list(
                threads.map(lambda _, name=name: dispatch(ThreadJob(name=name), lane=name, policy=SEQUENTIAL), range(8))
            )
            drive(rig.works[name].begun.is_set)
            rig.drain()
            assert rig.works[name].calls == 1
            rig.works[name].gate.open()
            rig.end(*handles)
