"""Child jobs end with their parent, in every stage, however it ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from qtorch import (
    RESTARTABLE,
    SEQUENTIAL,
    CachePolicy,
    CancellationToken,
    JobCancelled,
    JobCancelledError,
    JobCancelledEvent,
    JobHandle,
    JobStatus,
    JobSuccess,
    JobTimeout,
    JobTimeoutError,
    RetryPolicy,
)
from tests.qtorch.execution.family import Parent, ParentJob, begin_child, child_ids, ends
from tests.qtorch.execution.rig import (
    PATIENCE,
    Rig,
    SlowCache,
    ThreadJob,
    drive,
    run_of,
)

pytestmark = pytest.mark.realtime


def begin_in_stage(parent: Parent, stage: str, **options: Any) -> JobHandle[object]:
    """A parent whose child is in ``stage``."""
    rig = parent.rig
    given: dict[str, Any] = {}
    match stage:
        case "queued":
            rig.work("before")
            rig.runtime.dispatcher.dispatch(ThreadJob(name="before"), lane="lane", policy=SEQUENTIAL)
            given = {"lane": "lane", "policy": SEQUENTIAL}
        case "retry wait":
            given = {"retry": RetryPolicy(max_retries=3, base_delay=100)}
        case "cache read":
            given = {"cache": CachePolicy(key="key")}
    work = rig.work("child", OSError("once"), is_open=stage == "retry wait")

    async def script(executor: Parent, job: ParentJob) -> object:
        return await executor.run(rig.job("loop" if stage == "in loop" else "thread", "child"), **given)

    handle = parent.dispatch(script, **options)

    def is_there() -> bool:
        children = parent.children()
        match stage:
            case "queued":
                return bool(children)
            case "retry wait":
                return bool(children) and children[0].status is JobStatus.WAITING
            case "cache read":
                return rig.runtime.cache.provider.reading.is_set()  # type: ignore[attr-defined]
        return work.begun.is_set()

    drive(is_there, stage)
    rig.drain()
    return handle


@pytest.mark.parametrize("end", ["cancel", "token", "supersede", "timeout", "deadline", "close owner", "close bus"])
@pytest.mark.parametrize("stage", ["queued", "in thread", "in loop", "retry wait", "cache read"])
@pytest.mark.parametrize("loop", ["loop", "qasync"])
def test_a_child_ends_with_its_parent_in_every_stage(
    make_rig: Callable[..., Rig], loop: str, stage: str, end: str
) -> None:
    rig = make_rig(loop, cache=SlowCache() if stage == "cache read" else None)
    parent = Parent(rig)
    token = CancellationToken()
    options: dict[str, Any] = {}
    if end == "token":
        options = {"token": token}
    elif end == "supersede":
        options = {"lane": "mine", "policy": RESTARTABLE}
    elif end in ("timeout", "deadline"):
        options = {end: 50}
    handle = begin_in_stage(parent, stage, **options)
    (child,) = parent.children()
    match end:
        case "cancel":
            handle.cancel("cancel")
        case "token":
            token.cancel("token")
        case "supersede":
            rig.work("other", is_open=True)
            rig.dispatch("thread", "other", lane="mine")
        case "timeout" | "deadline":
            rig.clock.advance(50)
        case "close owner":
            rig.owner.close()
        case "close bus":
            rig.runtime.bus.close()
    rig.end(handle, child)
    reason = {
        "supersede": "superseded",
        "timeout": str(JobTimeoutError(50)),
        "deadline": "timed_out",
        "close owner": handle.outcome.reason if isinstance(handle.outcome, JobCancelled) else None,
        "close bus": "bus closed",
    }.get(end, end)
    assert child.outcome == JobCancelled(reason)
    if end in ("timeout", "deadline"):
        assert isinstance(handle.outcome, JobTimeout)
    else:
        assert handle.outcome == JobCancelled(reason)
    if end != "close bus":
        assert ends(rig, child.id) == ["JobCancelledEvent"]
        assert len(ends(rig, handle.id)) == 1
    rig.open_all()
    if isinstance(cache := rig.runtime.cache.provider, SlowCache):
        cache.read_gate.open()
    rig.quiet()
    assert not rig.runtime.dispatcher.services.families.of


def test_a_child_that_nobody_ever_awaits_ends_with_its_parent(parent: Parent) -> None:
    rig = parent.rig
    rig.work("child")
    tasks: list[asyncio.Task[object]] = []

    async def script(executor: Parent, job: ParentJob) -> object:
        tasks.append(asyncio.ensure_future(executor.run(rig.job("thread", "child"))))
        while not rig.works["child"].begun.is_set():
            await asyncio.sleep(0.001)
        return "done"

    handle = parent.dispatch(script)
    rig.end(handle)
    assert handle.outcome == JobSuccess("done")
    (child,) = child_ids(rig, handle)
    drive(lambda: ends(rig, child) == ["JobCancelledEvent"])
    assert [event.reason for event in rig.log.of(JobCancelledEvent)] == ["parent ended"]
    drive(lambda: tasks[0].done())
    assert isinstance(tasks[0].exception(), JobCancelledError)
    rig.quiet()


def test_after_the_end_of_its_parent_no_child_begins(parent: Parent) -> None:
    rig = parent.rig
    work = rig.work("child", is_open=True)
    tasks: list[asyncio.Task[object]] = []
    go = asyncio.Event()

    async def late(executor: Parent) -> object:
        await go.wait()
        return await executor.run(rig.job("thread", "child"))

    loops: list[asyncio.AbstractEventLoop] = []

    async def script(executor: Parent, job: ParentJob) -> object:
        loops.append(asyncio.get_running_loop())
        tasks.append(asyncio.ensure_future(late(executor)))
        return "done"

    handle = parent.dispatch(script)
    rig.end(handle)
    loops[0].call_soon_threadsafe(go.set)
    drive(lambda: tasks[0].done())
    error = tasks[0].exception()
    assert isinstance(error, JobCancelledError)
    assert error.reason == "parent ended"
    assert work.calls == 0
    assert child_ids(rig, handle) == []


def test_a_child_whose_dispatch_the_end_of_its_parent_overtakes_ends_at_once(
    own: Parent, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = own.rig
    work = rig.work("child", is_open=True)
    tasks: list[asyncio.Task[object]] = []
    loops: list[asyncio.AbstractEventLoop] = []
    go = asyncio.Event()
    # As if the parent's end came just after the look at it, on the other thread.
    monkeypatch.setattr("qtorch.execution.children._check_wanted", lambda attempt: None)

    async def late(executor: Parent) -> object:
        await go.wait()
        return await executor.run(rig.job("thread", "child"))

    async def script(executor: Parent, job: ParentJob) -> object:
        loops.append(asyncio.get_running_loop())
        tasks.append(asyncio.ensure_future(late(executor)))
        return "done"

    handle = own.dispatch(script)
    rig.end(handle)
    loops[0].call_soon_threadsafe(go.set)
    drive(lambda: tasks[0].done())
    (child,) = child_ids(rig, handle)
    assert ends(rig, child) == ["JobCancelledEvent"]
    assert work.calls == 0
    assert not rig.runtime.dispatcher.services.families.of


def test_once_stopped_a_parent_can_start_no_children(parent: Parent) -> None:
    rig = parent.rig
    work = rig.work("cleanup", is_open=True)
    begun = threading.Event()
    raised: list[BaseException] = []

    async def script(executor: Parent, job: ParentJob) -> object:
        begun.set()
        try:
            await asyncio.sleep(PATIENCE)
        finally:
            try:
                await executor.run(rig.job("thread", "cleanup"))
            except JobCancelledError as error:
                raised.append(error)

    handle = parent.dispatch(script)
    drive(begun.is_set)
    handle.cancel("stop")
    rig.end(handle)
    drive(lambda: raised)
    assert str(raised[0]) == "stop"
    assert work.calls == 0
    rig.quiet()
    assert child_ids(rig, handle) == []


def test_a_deaf_child_holds_up_no_parent(parent: Parent) -> None:
    handle, work = begin_child(parent, is_deaf=True)
    rig = parent.rig
    (child,) = parent.children()
    handle.cancel("stop")
    rig.end(handle, child)
    drive(lambda: not handle.is_working)
    (end,) = [event for event in rig.log.for_job(child.id) if isinstance(event, JobCancelledEvent)]
    assert end.still_running
    assert child.is_working
    work.gate.open()
    rig.quiet()
    assert not child.is_working


def test_the_children_of_one_attempt_have_ended_when_the_next_begins(parent: Parent) -> None:
    rig = parent.rig
    rig.work("1")
    rig.work("2", "second", is_open=True)
    tries: list[int] = []

    async def script(executor: Parent, job: ParentJob) -> object:
        tries.append(1)
        return await executor.run(rig.job("loop", str(len(tries))))

    handle = parent.dispatch(script, timeout=5, retry=RetryPolicy(max_retries=1, base_delay=1))
    drive(rig.works["1"].begun.is_set)
    rig.drain()
    rig.clock.advance(5)
    drive(lambda: handle.status is JobStatus.WAITING)
    rig.drain()
    (first,) = child_ids(rig, handle)
    assert ends(rig, first) == ["JobCancelledEvent"]
    drive(lambda: not handle.is_working)
    rig.clock.advance(1)
    rig.end(handle)
    assert handle.outcome == JobSuccess("second")
    assert len(child_ids(rig, handle)) == 2


def test_grandchildren_end_too(parent: Parent) -> None:
    rig = parent.rig
    work = rig.work("child")

    async def script(executor: Parent, job: ParentJob) -> object:
        depth = int(job.name)
        if depth == 3:
            return await executor.run(rig.job("thread", "child"))
        executor.scripts[str(depth + 1)] = script
        return await executor.run(ParentJob(name=str(depth + 1)))

    handle = parent.dispatch(script, "0")
    drive(work.begun.is_set)
    children = parent.children()
    assert len(children) == 4
    handle.cancel("all")
    rig.end(handle, *children)
    assert {child.outcome for child in children} == {JobCancelled("all")}
    rig.quiet()


@pytest.mark.parametrize("loop", ["loop", "qasync"])
def test_closing_the_runtime_in_the_middle_of_a_fan_out_ends_all(make_rig: Callable[..., Rig], loop: str) -> None:
    rig = make_rig(loop)
    parent = Parent(rig)
    for number in range(50):
        rig.work(str(number))

    async def script(executor: Parent, job: ParentJob) -> object:
        async with asyncio.TaskGroup() as group:
            for number in range(50):
                group.create_task(executor.run(rig.job(["thread", "loop"][number % 2], str(number))))
                await asyncio.sleep(0)

    handle = parent.dispatch(script)
    drive(lambda: len(parent.children()) > 10)
    rig.runtime.close()
    assert handle.outcome == JobCancelled("runtime closed")
    ids = child_ids(rig, handle)
    assert len(ids) > 10
    assert all(ends(rig, one) == ["JobCancelledEvent"] for one in ids)
    assert not rig.runtime.dispatcher.services.working


def test_a_parent_that_runs_on_refers_to_its_ended_children_no_more(parent: Parent) -> None:
    rig = parent.rig
    rig.work("child", is_open=True)
    last = rig.work("last")

    async def script(executor: Parent, job: ParentJob) -> object:
        await executor.run(rig.job("thread", "child"))
        return await executor.run(rig.job("thread", "last"))

    handle = parent.dispatch(script)
    drive(last.begun.is_set)
    rig.drain()
    attempt = run_of(handle).attempt
    assert attempt is not None
    assert len(rig.runtime.dispatcher.services.families.of[attempt].runs) == 1
    assert len(attempt.token._callbacks or ()) == 1
    last.gate.open()
    rig.end(handle)


def test_a_parent_that_cancels_itself_is_cancelled_though_a_group_says_so(parent: Parent) -> None:
    rig = parent.rig
    works = [rig.work("a"), rig.work("b")]

    async def script(executor: Parent, job: ParentJob) -> object:
        async with asyncio.TaskGroup() as group:
            for name in ("a", "b"):
                group.create_task(executor.run(rig.job("loop", name)))
            while not all(work.begun.is_set() for work in works):
                await asyncio.sleep(0.001)
            executor.token(job).cancel("myself")

    handle = parent.dispatch(script)
    rig.end(handle)
    assert handle.outcome == JobCancelled("myself")
    rig.quiet()
