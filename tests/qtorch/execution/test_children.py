"""Child jobs: what they give, whose they are, and where they can be run."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import pytest

from qtorch import (
    BaseExecutor,
    BaseJob,
    BaseOrchestrator,
    CachePolicy,
    ExecutorNotFoundError,
    JobCancelledError,
    JobCancelledEvent,
    JobEvent,
    JobFailure,
    JobItemsEvent,
    JobStatus,
    JobSuccess,
    JobTimeoutError,
    RetryPolicy,
)
from qtorch.job.base_job import parent_id_of
from tests.qtorch.execution.family import Parent, ParentJob, begin_child, child_ids, ends
from tests.qtorch.execution.rig import (
    LoopJob,
    NoState,
    Rig,
    ThreadJob,
    delete_later_now,
    drive,
    run_of,
)

pytestmark = pytest.mark.realtime


# -- what a child gives -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("runner", ["thread", "loop"])
def test_a_parent_gets_the_data_of_its_child(parent: Parent, runner: str) -> None:
    rig = parent.rig
    rig.work("child", 7, is_open=True)

    async def script(executor: Parent, job: ParentJob) -> object:
        return await executor.run(rig.job(runner, "child"))

    handle = parent.dispatch(script)
    rig.end(handle)
    assert handle.outcome == JobSuccess(7)


def test_a_fan_out_gives_all_results(parent: Parent) -> None:
    rig = parent.rig
    for number in range(20):
        rig.work(str(number), number, is_open=True)

    async def script(executor: Parent, job: ParentJob) -> object:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(executor.run(rig.job(["thread", "loop"][n % 2], str(n)))) for n in range(20)]
        return [task.result() for task in tasks]

    handle = parent.dispatch(script)
    rig.end(handle)
    assert handle.outcome == JobSuccess(list(range(20)))
    ids = child_ids(rig, handle)
    assert len(ids) == 20
    assert all(ends(rig, one) == ["JobSuccessEvent"] for one in ids)


def test_the_result_of_one_child_goes_into_the_next(parent: Parent) -> None:
    rig = parent.rig
    rig.work("first", "second", is_open=True)
    rig.work("second", "third", is_open=True)
    rig.work("third", 3, is_open=True)

    async def script(executor: Parent, job: ParentJob) -> object:
        name: Any = "first"
        while isinstance(name, str):
            name = await executor.run(rig.job("thread", name))
        return name

    handle = parent.dispatch(script)
    rig.end(handle)
    assert handle.outcome == JobSuccess(3)


def test_a_failed_child_raises_its_own_error_in_the_parent(parent: Parent) -> None:
    rig = parent.rig
    error = OSError("no disk")
    rig.work("child", error, is_open=True)
    caught: list[BaseException] = []

    async def script(executor: Parent, job: ParentJob) -> object:
        try:
            await executor.run(rig.job("thread", "child"))
        except OSError as raised:
            caught.append(raised)
            raise

    handle = parent.dispatch(script)
    rig.end(handle)
    assert caught == [error]
    assert caught[0] is error
    assert isinstance(handle.outcome, JobFailure)
    assert handle.outcome.error is error


def test_a_child_that_times_out_raises_in_the_parent(parent: Parent) -> None:
    rig = parent.rig

    async def script(executor: Parent, job: ParentJob) -> object:
        try:
            await executor.run(rig.job("loop", "child"), timeout=2)
        except JobTimeoutError as error:
            return error.timeout
        return None

    rig.work("child")
    handle = parent.dispatch(script)
    drive(rig.works["child"].begun.is_set)
    drive(lambda: rig.clock.pending)
    rig.clock.advance(2)
    rig.end(handle)
    assert handle.outcome == JobSuccess(2.0)


def test_the_cancellation_of_a_child_is_a_plain_failure_of_its_parent(parent: Parent) -> None:
    handle, _ = begin_child(parent)
    parent.children()[0].cancel("not wanted")
    parent.rig.end(handle)
    assert isinstance(handle.outcome, JobFailure)
    assert isinstance(handle.outcome.error, JobCancelledError)
    assert handle.outcome.error.reason == "not wanted"


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()])
def test_what_would_end_the_loop_or_hide_is_wrapped(parent: Parent, error: BaseException) -> None:
    rig = parent.rig
    rig.work("child", error, is_open=True)
    rig.work("next", 1, is_open=True)

    async def script(executor: Parent, job: ParentJob) -> object:
        async with asyncio.TaskGroup() as group:
            group.create_task(executor.run(rig.job("thread", "child")))

    handle = parent.dispatch(script)
    rig.end(handle)
    assert isinstance(handle.outcome, JobFailure)
    assert isinstance(handle.outcome.error, ExceptionGroup)
    raised = handle.outcome.error.exceptions[0]
    assert isinstance(raised, RuntimeError)
    assert raised.__cause__ is error
    following = rig.dispatch("loop", "next")
    rig.end(following)
    assert following.outcome == JobSuccess(1)


def test_a_child_keeps_its_own_options(own: Parent) -> None:
    rig = own.rig
    rig.work("child", OSError(), 5, is_open=True)
    rig.runtime.cache.write("key", 5)
    rig.work("cached", 1)

    async def script(executor: Parent, job: ParentJob) -> object:
        cached = await executor.run(ThreadJob(name="cached"), cache=CachePolicy(key="key", revalidate=False))
        return cached, await executor.run(ThreadJob(name="child"), retry=RetryPolicy(max_retries=1, base_delay=3))

    handle = own.dispatch(script)
    drive(lambda: any(child.status is JobStatus.WAITING for child in own.children()), "the retry wait")
    rig.clock.advance(3)
    rig.end(handle)
    assert handle.outcome == JobSuccess((5, 5))


def test_an_unknown_child_raises_in_the_parent(own: Parent) -> None:
    class UnknownJob(BaseJob[int]):
        pass

    async def script(executor: Parent, job: ParentJob) -> object:
        return await executor.run(UnknownJob())

    handle = own.dispatch(script)
    own.rig.end(handle)
    assert isinstance(handle.outcome, JobFailure)
    assert isinstance(handle.outcome.error, ExecutorNotFoundError)


# -- whose child --------------------------------------------------------------------------------------------------


def test_its_events_say_whose_child_it_is(parent: Parent) -> None:
    handle, work = begin_child(parent)
    rig = parent.rig
    (child,) = parent.children()
    work.gate.open()
    rig.end(handle)
    assert child.parent_id == handle.id
    assert handle.parent_id is None
    events = [event for event in rig.log.for_job(child.id) if isinstance(event, JobEvent)]
    assert [event.parent_id for event in events] == [handle.id] * 2
    assert rig.log.children_of(handle.id) == events
    assert {event.parent_id for event in rig.log.for_job(handle.id) if isinstance(event, JobEvent)} == {None}


def test_a_childs_job_is_an_ordinary_value(own: Parent) -> None:
    rig = own.rig
    job = ThreadJob(name="child")
    rig.work("child", is_open=True)

    async def script(executor: Parent, _: ParentJob) -> object:
        return await executor.run(job)

    rig.end(own.dispatch(script))
    assert parent_id_of(job) is not None
    assert job == ThreadJob(name="child")
    assert "parent" not in job.model_dump()
    assert "parent" not in repr(job)
    assert parent_id_of(pickle.loads(pickle.dumps(job))) is None
    again = rig.owner.dispatch(job)
    rig.end(again)
    assert again.parent_id is None, "dispatched again, it is nobody's child"


def test_a_child_is_not_its_orchestrators_own_job(parent: Parent) -> None:
    rig = parent.rig

    class Window(BaseOrchestrator[NoState]):
        def __init__(self) -> None:
            super().__init__(NoState(), runtime=rig.runtime)
            self.active: list[str] = []
            self.passive: list[str] = []

        def on_active_event(self, event: JobEvent) -> None:
            self.active.append(event.job_id)

        def on_passive_event(self, event: Any) -> None:
            self.passive.append(event.job_id)

    window = Window()
    work = rig.work("child")

    async def script(executor: Parent, job: ParentJob) -> object:
        return await executor.run(rig.job("thread", "child"))

    parent.scripts["parent"] = script
    handle = window.dispatch(ParentJob())
    drive(work.begun.is_set)
    assert not window.is_job_type_running(ThreadJob)
    assert window.is_job_type_running(ParentJob)
    work.gate.open()
    rig.end(handle)
    (child,) = child_ids(rig, handle)
    assert set(window.active) == {handle.id}
    assert set(window.passive) == {child}


# -- fail fast ----------------------------------------------------------------------------------------------------


def test_the_failure_of_one_cancels_the_others_and_fails_the_parent(parent: Parent) -> None:
    rig = parent.rig
    failing = rig.work("failing", OSError("first"))
    works = [rig.work(name) for name in ("a", "b")]

    async def script(executor: Parent, job: ParentJob) -> object:
        async with asyncio.TaskGroup() as group:
            group.create_task(executor.run(rig.job("thread", "failing")))
            group.create_task(executor.run(rig.job("thread", "a")))
            group.create_task(executor.run(rig.job("loop", "b")))

    handle = parent.dispatch(script)
    drive(lambda: all(work.begun.is_set() for work in (failing, works[1])))
    failing.gate.open()
    rig.end(handle)
    assert isinstance(handle.outcome, JobFailure)
    assert isinstance(handle.outcome.error, ExceptionGroup)
    assert [str(error) for error in handle.outcome.error.exceptions] == ["first"]
    assert sorted(ends(rig, one) for one in child_ids(rig, handle)) == [
        ["JobCancelledEvent"],
        ["JobCancelledEvent"],
        ["JobFailureEvent"],
    ]
    last = [event for event in rig.log.terminal if isinstance(event, JobEvent)][-1]
    assert last.job_id == handle.id, "children end before a parent that waits for them"
    rig.quiet()


@pytest.mark.parametrize("how", ["wait_for", "timeout", "cancel"])
def test_who_awaits_a_child_no_longer_cancels_it(parent: Parent, how: str) -> None:
    rig = parent.rig
    rig.work("child")

    async def script(executor: Parent, job: ParentJob) -> object:
        child = executor.run(rig.job("loop", "child"))
        if how == "cancel":
            task = asyncio.ensure_future(child)
            while not rig.works["child"].begun.is_set():
                await asyncio.sleep(0.001)
            task.cancel()
            await asyncio.wait([task])
            return "gone"
        try:
            if how == "wait_for":
                await asyncio.wait_for(child, 0.01)
            else:
                async with asyncio.timeout(0.01):
                    await child
        except TimeoutError:
            return "gone"
        return "there"

    handle = parent.dispatch(script)
    rig.end(handle)
    assert handle.outcome == JobSuccess("gone")
    (child,) = child_ids(rig, handle)
    (end,) = [event for event in rig.log.for_job(child) if isinstance(event, JobCancelledEvent)]
    assert end.reason == "no longer awaited"
    rig.quiet()


# -- where it can be called ---------------------------------------------------------------------------------------


def test_outside_a_job_it_says_what_to_write(own: Parent) -> None:
    with pytest.raises(RuntimeError, match=r"Parent\.run\(ThreadJob\) was called outside process\(\)"):
        _ = own.run(ThreadJob())


def test_in_a_plain_process_it_says_what_to_write(rig: Rig) -> None:
    class PlainJob(BaseJob[object]):
        pass

    class Plain(BaseExecutor[PlainJob]):
        def process(self, job: PlainJob) -> object:
            return self.run(ThreadJob())

    rig.runtime.register(Plain())
    handle = rig.owner.dispatch(PlainJob())
    rig.end(handle)
    assert isinstance(handle.outcome, JobFailure)
    assert "Plain.process is a plain def and cannot wait for a child" in str(handle.outcome.error)


def test_on_a_thread_beside_the_coroutine_it_says_what_to_write(parent: Parent) -> None:
    async def script(executor: Parent, job: ParentJob) -> object:
        return await asyncio.to_thread(lambda: executor.run(ThreadJob()))

    handle = parent.dispatch(script)
    parent.rig.end(handle)
    assert isinstance(handle.outcome, JobFailure)
    assert "on a thread that" in str(handle.outcome.error)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), 25])
def test_a_share_is_a_part_of_one(own: Parent, share: float) -> None:
    async def script(executor: Parent, job: ParentJob) -> object:
        return await executor.run(ThreadJob(), share=share)

    handle = own.dispatch(script)
    own.rig.end(handle)
    assert isinstance(handle.outcome, JobFailure)
    assert isinstance(handle.outcome.error, ValueError)
    assert "is not within 0..1" in str(handle.outcome.error)


# -- many ---------------------------------------------------------------------------------------------------------


def test_a_thousand_children(parent: Parent) -> None:
    rig = parent.rig
    rig.work("child", 1, is_open=True)

    async def script(executor: Parent, job: ParentJob) -> object:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(executor.run(LoopJob(name="child"), share=0.001)) for _ in range(1000)]
        return sum(int(str(task.result())) for task in tasks)

    handle = parent.dispatch(script)
    rig.end(handle)
    assert handle.outcome == JobSuccess(1000)
    assert handle.progress == 1.0


@pytest.mark.parametrize("end", ["success", "cancel"])
def test_a_hundred_and_fifty_generations(parent: Parent, end: str) -> None:
    rig = parent.rig
    work = rig.work("child", 1)

    async def script(executor: Parent, job: ParentJob) -> object:
        depth = int(job.name)
        if depth == 150:
            return await executor.run(LoopJob(name="child"))
        executor.scripts[str(depth + 1)] = script
        return await executor.run(ParentJob(name=str(depth + 1)))

    handle = parent.dispatch(script, "0")
    drive(work.begun.is_set)
    children = parent.children()
    if end == "success":
        work.gate.open()
    else:
        handle.cancel("all")
    rig.end(handle, *children)
    assert {child.status for child in (handle, *children)} == {
        JobStatus.SUCCEEDED if end == "success" else JobStatus.CANCELLED
    }
    rig.quiet()
    assert rig.reports == []


def test_an_ended_child_does_not_keep_its_parent(own: Parent) -> None:
    handle, work = begin_child(own)
    (child,) = own.children()
    work.gate.open()
    own.rig.end(handle)
    delete_later_now()
    assert run_of(child).parent is None
    assert not own.rig.runtime.dispatcher.services.families.of


def test_an_async_generator_streams_what_its_children_give(rig: Rig) -> None:
    class PagesJob(BaseJob[object]):
        pass

    class Pages(BaseExecutor[PagesJob]):
        async def process(self, job: PagesJob) -> Any:
            for name in ("a", "b"):
                yield await self.run(rig.job("thread", name))

    for name in ("a", "b"):
        rig.work(name, name, is_open=True)
    rig.runtime.register(Pages())
    handle = rig.owner.dispatch(PagesJob())
    rig.end(handle)
    assert handle.outcome == JobSuccess("b")
    items = [item for event in rig.log.of(JobItemsEvent) if event.job_id == handle.id for item in event.items]
    assert items == ["a", "b"]


def test_children_of_two_parents_share_their_work_and_end_with_their_own_parent(parent: Parent) -> None:
    rig = parent.rig
    work = rig.work("same", "same")

    async def script(executor: Parent, job: ParentJob) -> object:
        return await executor.run(rig.job("thread", "same"), dedupe=True, share=0.5)

    one, two = parent.dispatch(script, "one"), parent.dispatch(script, "two")
    drive(lambda: work.begun.is_set() and len(parent.children()) == 2)
    rig.drain()
    assert {child.parent_id for child in parent.children()} == {one.id, two.id}
    one.cancel("stop")
    rig.end(one)
    drive(lambda: len(parent.children()) == 1)
    work.gate.open()
    rig.end(two)
    assert two.outcome == JobSuccess("same")
    assert two.progress == 0.5
    assert work.calls == 1
    assert sorted(ends(rig, child)[0] for p in (one, two) for child in child_ids(rig, p)) == [
        "JobCancelledEvent",
        "JobSuccessEvent",
    ]
    rig.quiet()
    assert not rig.runtime.dispatcher.services.families.of
