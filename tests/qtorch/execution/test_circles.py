"""Jobs that would wait for each other for ever: one of them fails at once, and says why."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from qtorch import KEEP_LATEST, SEQUENTIAL, DeadlockError, JobFailure, JobHandle, JobStatus, JobSuccess, LanePolicy
from tests.qtorch.execution.family import Parent, ParentJob
from tests.qtorch.execution.rig import LoopJob, ThreadJob, drive

pytestmark = pytest.mark.realtime


def send(parent: Parent, name: str, script: Any, **options: Any) -> JobHandle[object]:
    """Dispatch by the dispatcher, in whose lanes the children are too."""
    parent.scripts[name] = script
    return parent.rig.runtime.dispatcher.dispatch(ParentJob(name=name), **options)


def deadlock_of(handle: JobHandle[Any]) -> str:
    assert isinstance(handle.outcome, JobFailure), handle.outcome
    error = handle.outcome.error
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, DeadlockError), error
    return str(error)


def limited(parent: Parent, limit: int) -> None:
    parent.max_concurrency = limit
    parent.rig.runtime.dispatcher.register(parent, replace=True)


@pytest.mark.parametrize("policy", [SEQUENTIAL, KEEP_LATEST])
def test_a_child_in_its_parents_own_lane_fails_at_once(parent: Parent, policy: LanePolicy) -> None:
    rig = parent.rig
    rig.work("child")

    async def script(executor: Parent, job: ParentJob) -> object:
        return await executor.run(rig.job("thread", "child"), lane="pages", policy=policy)

    handle = send(parent, "p", script, lane="pages", policy=policy)
    rig.end(handle)
    (child,) = {event.job_id for event in rig.log.children_of(handle.id)}
    assert deadlock_of(handle) == (
        f"ThreadJob {child} would wait for itself, and so for ever:\n"
        f"    ThreadJob {child} waits for lane 'pages', which ParentJob {handle.id} holds\n"
        f"    ParentJob {handle.id} waits for its child ThreadJob {child}\n"
        f"  Give the child a lane of its own (lane=...), raise max_concurrency, or call the work itself instead of "
        f"self.run()."
    )
    assert rig.works["child"].calls == 0
    assert [type(event).__name__ for event in rig.log.for_job(child)] == ["JobFailureEvent"]
    rig.quiet()
    after = send(parent, "after", lambda *_: asyncio.sleep(0, 1), lane="pages", policy=policy)
    rig.end(after)
    assert after.outcome == JobSuccess(1), "the lane is free again"


def test_a_grandchild_in_its_grandparents_lane_fails(parent: Parent) -> None:
    rig = parent.rig

    async def grandparent(executor: Parent, job: ParentJob) -> object:
        executor.scripts["middle"] = middle
        return await executor.run(ParentJob(name="middle"))

    async def middle(executor: Parent, job: ParentJob) -> object:
        return await executor.run(ThreadJob(name="never"), lane="pages", policy=SEQUENTIAL)

    handle = send(parent, "p", grandparent, lane="pages", policy=SEQUENTIAL)
    rig.end(handle)
    assert deadlock_of(handle).count("waits for its child") == 2


def test_a_child_that_its_parents_limit_lets_wait_fails(parent: Parent) -> None:
    limited(parent, 1)
    rig = parent.rig

    async def script(executor: Parent, job: ParentJob) -> object:
        executor.scripts["child"] = script
        return await executor.run(ParentJob(name="child"))

    handle = send(parent, "p", script)
    rig.end(handle)
    assert "waits for max_concurrency of Parent, which ParentJob" in deadlock_of(handle)
    rig.quiet()


def test_recursion_goes_as_deep_as_the_limit_and_then_fails(parent: Parent) -> None:
    limited(parent, 5)
    depth: list[int] = []

    async def script(executor: Parent, job: ParentJob) -> object:
        depth.append(1)
        return await executor.run(ParentJob(name="p"))

    handle = send(parent, "p", script)
    parent.rig.end(handle)
    deadlock_of(handle)
    assert len(depth) == 5


def test_a_child_waits_for_a_limit_that_others_will_free(parent: Parent) -> None:
    """Two at work: its own parent, which waits for it, and a job that does not."""
    limited(parent, 2)
    rig = parent.rig
    go = asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def other(executor: Parent, job: ParentJob) -> object:
        loops.append(asyncio.get_running_loop())
        await go.wait()
        return "other"

    async def script(executor: Parent, job: ParentJob) -> object:
        executor.scripts["child"] = lambda *_: asyncio.sleep(0, "child")
        return await executor.run(ParentJob(name="child"))

    first = send(parent, "other", other)
    drive(lambda: loops)
    second = send(parent, "p", script)
    drive(lambda: any(child.status is JobStatus.QUEUED for child in parent.children()))
    rig.drain()
    assert second.status is JobStatus.RUNNING
    loops[0].call_soon_threadsafe(go.set)
    rig.end(first, second)
    assert second.outcome == JobSuccess("child")


def test_a_child_waits_for_a_limit_that_another_parent_will_free(parent: Parent) -> None:
    """Two at work, and both wait for children; that of one is at work."""
    limited(parent, 2)
    rig = parent.rig
    work = rig.work("elsewhere")

    async def other(executor: Parent, job: ParentJob) -> object:
        return await executor.run(rig.job("thread", "elsewhere"))

    async def script(executor: Parent, job: ParentJob) -> object:
        executor.scripts["child"] = lambda *_: asyncio.sleep(0, "child")
        return await executor.run(ParentJob(name="child"))

    first = send(parent, "other", other)
    drive(work.begun.is_set)
    second = send(parent, "p", script)
    drive(lambda: any(child.status is JobStatus.QUEUED for child in parent.children()))
    rig.drain()
    assert second.status is JobStatus.RUNNING
    work.gate.open()
    rig.end(first, second)
    assert second.outcome == JobSuccess("child")


def test_when_all_that_a_limit_lets_work_wait_for_children_the_last_fails(parent: Parent) -> None:
    limited(parent, 2)
    rig = parent.rig
    both = asyncio.Event()
    begun: list[int] = []
    parent.scripts["child"] = lambda *_: asyncio.sleep(0, "child")

    async def script(executor: Parent, job: ParentJob) -> object:
        begun.append(1)
        if len(begun) == 2:
            both.set()
        await both.wait()
        return await executor.run(ParentJob(name="child"))

    handles = [send(parent, name, script) for name in ("a", "b")]
    rig.end(*handles)
    statuses = sorted(handle.status for handle in handles)
    assert statuses == [JobStatus.FAILED, JobStatus.SUCCEEDED], "the failure of one lets the other's child in"
    deadlock_of(next(handle for handle in handles if handle.status is JobStatus.FAILED))


def test_a_circle_through_two_lanes_and_two_parents(parent: Parent) -> None:
    rig = parent.rig
    both = asyncio.Event()
    begun: list[int] = []
    rig.work("child", "child", is_open=True)

    def wants(lane: str) -> Any:
        async def script(executor: Parent, job: ParentJob) -> object:
            begun.append(1)
            if len(begun) == 2:
                both.set()
            await both.wait()
            return await executor.run(LoopJob(name="child"), lane=lane, policy=SEQUENTIAL)

        return script

    one = send(parent, "one", wants("B"), lane="A", policy=SEQUENTIAL)
    two = send(parent, "two", wants("A"), lane="B", policy=SEQUENTIAL)
    rig.end(one, two)
    failed = one if one.status is JobStatus.FAILED else two
    text = deadlock_of(failed)
    assert text.count("\n    ") == 4, "both parents and both children are shown"
    assert "lane 'A'" in text
    assert "lane 'B'" in text
    assert {one.status, two.status} == {JobStatus.FAILED, JobStatus.SUCCEEDED}


def test_one_child_of_a_fan_out_that_cannot_begin_fails_the_parent(parent: Parent) -> None:
    rig = parent.rig
    work = rig.work("other")

    async def script(executor: Parent, job: ParentJob) -> object:
        async with asyncio.TaskGroup() as group:
            group.create_task(executor.run(rig.job("loop", "other")))
            while not work.begun.is_set():
                await asyncio.sleep(0.001)
            group.create_task(executor.run(rig.job("thread", "never"), lane="pages", policy=SEQUENTIAL))

    handle = send(parent, "p", script, lane="pages", policy=SEQUENTIAL)
    rig.end(handle)
    deadlock_of(handle)
    rig.quiet()


def test_a_job_that_is_nobodys_child_and_closes_the_circle_is_not_the_one_that_fails(parent: Parent) -> None:
    """It holds the lane that the child waits for, and comes to wait for the limit that the parent holds."""
    limited(parent, 1)
    rig = parent.rig
    work = rig.work("first")

    async def script(executor: Parent, job: ParentJob) -> object:
        return await executor.run(rig.job("thread", "child"), lane="pages", policy=SEQUENTIAL)

    rig.work("child", is_open=True)
    first = rig.runtime.dispatcher.dispatch(LoopJob(name="first"), lane="pages", policy=SEQUENTIAL)
    drive(work.begun.is_set)
    ordinary = send(parent, "ordinary", lambda *_: asyncio.sleep(0, "ordinary"), lane="pages", policy=SEQUENTIAL)
    handle = send(parent, "p", script)
    drive(lambda: any(child.status is JobStatus.QUEUED for child in parent.children()))
    rig.drain()
    work.gate.open()  # the ordinary job comes into the lane, and waits for its executor's limit
    rig.end(first, ordinary, handle)
    assert ordinary.outcome == JobSuccess("ordinary")
    text = deadlock_of(handle)
    assert "ThreadJob" in text.splitlines()[0]
    assert f"ParentJob {ordinary.id} waits for max_concurrency of Parent, which ParentJob {handle.id} holds" in text


def test_children_in_a_lane_of_their_own_wait_for_each_other_and_all_succeed(parent: Parent) -> None:
    rig = parent.rig
    rig.work("child", 1, is_open=True)

    async def script(executor: Parent, job: ParentJob) -> object:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(executor.run(rig.job("loop", "child"), lane="parts", policy=SEQUENTIAL))
                for _ in range(30)
            ]
        return sum(int(str(task.result())) for task in tasks)

    handle = send(parent, "p", script, lane="pages", policy=SEQUENTIAL)
    behind = send(parent, "behind", lambda *_: asyncio.sleep(0, 1), lane="pages", policy=SEQUENTIAL)
    rig.end(handle, behind)
    assert handle.outcome == JobSuccess(30)


@pytest.mark.parametrize("is_paused", [False, True])
def test_a_shared_lane_that_parents_fill_is_no_place_for_their_children(parent: Parent, is_paused: bool) -> None:
    rig = parent.rig
    rig.work("child", is_open=True)
    lane = rig.runtime.lane("shared", limit=2, max_queue=5)
    both = asyncio.Event()
    begun: list[int] = []

    async def script(executor: Parent, job: ParentJob) -> object:
        begun.append(1)
        if len(begun) == 2:
            both.set()
        await both.wait()
        return await executor.run(ThreadJob(name="child"), lane=lane)

    parent.scripts |= {"a": script, "b": script}
    handles = [rig.owner.dispatch(ParentJob(name=name), lane="shared") for name in ("a", "b")]
    if is_paused:
        lane.pause()
    drive(lambda: any(handle.status is JobStatus.FAILED for handle in handles))
    lane.resume()
    rig.end(*handles)
    assert sorted(handle.status for handle in handles) == [JobStatus.FAILED, JobStatus.SUCCEEDED]
    failed = next(handle for handle in handles if handle.status is JobStatus.FAILED)
    assert "waits for lane 'shared'" in deadlock_of(failed)
    rig.quiet()
    for _ in range(7):  # as many as it takes: the failed child gave its place back
        rig.runtime.dispatcher.dispatch(ThreadJob(name="child"), lane=lane)
    rig.quiet()


def test_a_debounced_child_that_could_not_enter_its_lane_fails_when_it_is_due(parent: Parent) -> None:
    rig = parent.rig

    async def script(executor: Parent, job: ParentJob) -> object:
        return await executor.run(ThreadJob(name="never"), lane="pages", debounce=1)

    handle = send(parent, "p", script, lane="pages", policy=SEQUENTIAL)
    drive(lambda: rig.clock.pending)
    rig.clock.advance(1)
    rig.end(handle)
    deadlock_of(handle)


def test_a_child_that_would_share_its_own_parents_work_fails(parent: Parent) -> None:
    async def script(executor: Parent, job: ParentJob) -> object:
        return await executor.run(ParentJob(name=job.name), dedupe=True)

    handle = send(parent, "p", script, dedupe=True)
    parent.rig.end(handle)
    text = deadlock_of(handle)
    assert "shares the work of ParentJob" in text
    assert "waits for its child ParentJob" in text
    parent.rig.quiet()


@pytest.mark.parametrize("options", [{}, {"debounce": 1}], ids=["at once", "debounced"])
def test_a_child_that_shares_work_which_waits_for_its_parent_fails_alone(
    parent: Parent, options: dict[str, Any]
) -> None:
    """The work waits in the parent's lane for another job, which goes on to wait, and gets its result."""
    rig = parent.rig
    rig.work("same", "same", is_open=True)
    go = asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def script(executor: Parent, job: ParentJob) -> object:
        loops.append(asyncio.get_running_loop())
        await go.wait()
        return await executor.run(ThreadJob(name="same"), dedupe=True, lane="pages", **options)

    handle = send(parent, "p", script, lane="pages", policy=SEQUENTIAL)
    drive(lambda: loops)
    other: list[JobHandle[Any]] = []
    if not options:
        other.append(rig.runtime.dispatcher.dispatch(ThreadJob(name="same"), dedupe=True, lane="pages"))
        rig.drain()
    loops[0].call_soon_threadsafe(go.set)
    if options:
        drive(lambda: rig.clock.pending)
        rig.clock.advance(1)
    rig.end(handle, *other)
    assert "shares the work of ThreadJob" in deadlock_of(handle)
    assert [one.outcome for one in other] == [JobSuccess("same")] * len(other)
    rig.quiet()
