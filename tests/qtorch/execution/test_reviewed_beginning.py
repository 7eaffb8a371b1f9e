"""What dispatch, cancel and supersede start, and what they do not: user code inside them, and work nobody wants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qtorch import (
    RESTARTABLE,
    SEQUENTIAL,
    CachePolicy,
    JobCancelled,
    JobHandle,
    JobStartedEvent,
    JobStatus,
    RetryPolicy,
)
from tests.qtorch.execution.rig import Rig, drive, run_of

pytestmark = pytest.mark.realtime


class RaisingCache:
    in_memory = True

    def read(self, key: str) -> Any:
        raise OSError("the disk is gone")

    def write(self, key: str, value: Any, ttl: float | None = None) -> None:
        raise OSError("the disk is gone")

    def delete(self, key: str) -> None:
        return

    def delete_matching(self, predicate: Callable[[str], bool]) -> None:
        return

    def clear(self) -> None:
        return


def superseded_by(rig: Rig, callback: Callable[[], object]) -> JobHandle[object]:
    """A job on the only thread, deaf, whose token's callback is ``callback``; and the job that supersedes it."""
    first = rig.work("first", is_deaf=True)
    rig.work("second", is_open=True)
    rig.dispatch("thread", "first", policy=RESTARTABLE)
    drive(first.begun.is_set)
    rig.drain()
    first.tokens[0].on_cancel(callback)
    return rig.dispatch("thread", "second", policy=RESTARTABLE)


@pytest.mark.parametrize("how", ["cancel_all", "close the orchestrator", "close the Runtime", "cancel the job"])
def test_a_job_that_a_token_callback_of_the_superseded_one_cancels_never_begins(
    make_rig: Callable[..., Rig], how: str
) -> None:
    rig = make_rig(threads=1)
    handles: list[JobHandle[object]] = []

    def react() -> None:
        if how == "cancel_all":
            rig.owner.cancel_all("gone")
        elif how == "close the orchestrator":
            rig.owner.close()
        elif how == "cancel the job":
            for handle in handles or [rig.runtime.running_jobs[-1]]:
                handle.cancel()
        else:
            # The end of the superseded job is told once this has returned: there is nothing to wait for.
            rig.works["first"].gate.open()
            rig.runtime.close(0.1)

    handles.append(superseded_by(rig, react))
    drive(lambda: handles[0].status is JobStatus.CANCELLED)
    rig.open_all()
    rig.quiet()
    assert rig.works["second"].calls == 0


def test_a_job_that_a_token_callback_supersedes_again_never_begins(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(threads=1)
    rig.work("third", is_open=True)
    third: list[JobHandle[object]] = []
    second = superseded_by(rig, lambda: third.append(rig.dispatch("thread", "third", policy=RESTARTABLE)))
    drive(lambda: third)
    rig.open_all()
    rig.end(second, *third)
    assert second.outcome == JobCancelled("superseded")
    assert third[0].status is JobStatus.SUCCEEDED
    assert (rig.works["second"].calls, rig.works["third"].calls) == (0, 1)


def test_dispatch_calls_no_token_callback_of_the_job_it_supersedes(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(threads=1)
    called: list[str] = []
    superseded_by(rig, lambda: called.append("callback"))
    called.append("dispatch returned")
    drive(lambda: len(called) == 2)
    assert called == ["dispatch returned", "callback"]
    rig.open_all()
    rig.quiet()


def test_dispatch_tells_of_no_raising_cache_before_it_returns(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(cache=RaisingCache())
    rig.work(is_open=True)
    handle = rig.dispatch("thread", cache=CachePolicy(key="a"))
    assert rig.reports == []
    rig.end(handle)
    assert [str(report.error) for report in rig.reports] == ["the disk is gone"] * 2
    assert handle.status is JobStatus.SUCCEEDED


@pytest.mark.parametrize("how", ["cancel_all", "close the orchestrator", "close the Runtime"])
def test_ending_all_begins_none_of_those_that_waited(rig: Rig, own_runner: str, how: str) -> None:
    rig.work("first", OSError("again"), is_open=True)
    rig.work("others", is_open=True)
    first = rig.dispatch(own_runner, "first", lane="all", policy=SEQUENTIAL, retry=RetryPolicy(base_delay=60))
    drive(lambda: first.status is JobStatus.WAITING)
    waiting = [rig.dispatch(own_runner, "others", lane="all") for _ in range(200)]
    runs = [run_of(handle) for handle in waiting]
    if how == "cancel_all":
        rig.owner.cancel_all()
    elif how == "close the orchestrator":
        rig.owner.close()
    else:
        rig.runtime.close()
    drive(lambda: len(rig.log.cancelled) == 201)
    assert {run.number for run in runs} == {0}, "attempts were made"
    assert rig.works["others"].calls == 0
    assert len(rig.log.of(JobStartedEvent)) == 1
