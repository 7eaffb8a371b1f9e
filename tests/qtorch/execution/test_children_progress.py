"""The progress of children, summed into their parent's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from qtorch import BaseExecutor, BaseJob, JobHandle, JobProgressEvent, JobStatus, JobSuccess, RetryPolicy
from tests.qtorch.execution.family import Parent, ParentJob
from tests.qtorch.execution.rig import PATIENCE, Rig, drive

pytestmark = pytest.mark.realtime

FRAME = 0.016


class PartJob(BaseJob[object]):
    name: str


class Parts(BaseExecutor[PartJob]):
    """Children that report what the test says, on a thread each."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.steps: dict[str, threading.Semaphore] = {}
        self.values: dict[str, list[float | BaseException | None]] = {}
        self.begun: set[str] = set()
        rig.runtime.register(self)

    def add(self, name: str) -> PartJob:
        self.steps[name], self.values[name] = threading.Semaphore(0), []
        return PartJob(name=name)

    def process(self, job: PartJob) -> object:
        self.begun.add(job.name)
        while True:
            assert self.steps[job.name].acquire(timeout=PATIENCE)
            value = self.values[job.name].pop(0)
            if value is None:
                return job.name
            if isinstance(value, BaseException):
                raise value
            self.emit_progress(job, value)

    def say(self, name: str, *values: float | BaseException | None) -> None:
        """Report values, fail, or (None) succeed."""
        self.values[name].extend(values)
        for _ in values:
            self.steps[name].release()


class Summing:
    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.parent, self.parts = Parent(rig), Parts(rig)

    def told(self, handle: JobHandle[Any]) -> list[float]:
        return [e.progress for e in self.rig.log.of(JobProgressEvent) if e.job_id == handle.id]

    def reaches(self, handle: JobHandle[Any], progress: float) -> None:
        """Wait until that was told, frame by frame."""

        def is_there() -> bool:
            self.rig.clock.advance(FRAME)
            return handle.progress == pytest.approx(progress)

        drive(is_there, f"{progress}, not {handle.progress}")

    def fan_out(self, shares: dict[str, float | None], **options: Any) -> JobHandle[object]:
        jobs = {name: self.parts.add(name) for name in shares}

        async def script(executor: Parent, job: ParentJob) -> object:
            async with asyncio.TaskGroup() as group:
                for name, share in shares.items():
                    group.create_task(executor.run(jobs[name], share=share, **options))

        return self.parent.dispatch(script)


@pytest.fixture(params=["loop", "qasync"])
def summing(request: pytest.FixtureRequest, make_rig: Callable[..., Rig]) -> Summing:
    return Summing(make_rig(request.param, threads=4))


def test_a_share_of_what_children_report_is_added_up(summing: Summing) -> None:
    handle = summing.fan_out({"a": 0.25, "b": 0.75})
    summing.parts.say("a", 0.4)
    summing.reaches(handle, 0.1)
    summing.parts.say("b", 0.2)
    summing.reaches(handle, 0.25)
    summing.parts.say("a", None)
    summing.reaches(handle, 0.4)
    summing.parts.say("b", None)
    summing.rig.end(handle)
    assert handle.progress == 1.0
    told = summing.told(handle)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_ten_tenths_make_one(summing: Summing) -> None:
    names = [str(n) for n in range(10)]
    handle = summing.fan_out(dict.fromkeys(names, 0.1))
    for name in names:
        summing.parts.say(name, None)
    summing.rig.end(handle)
    assert handle.progress == 1.0


def test_without_a_share_a_child_adds_nothing(summing: Summing) -> None:
    handle = summing.fan_out({"a": None})
    summing.parts.say("a", 0.5, None)
    summing.rig.end(handle)
    assert summing.told(handle) == []


def test_what_the_parent_reports_itself_is_added_to(summing: Summing) -> None:
    rig, parts = summing.rig, summing.parts
    part = parts.add("a")

    async def script(executor: Parent, job: ParentJob) -> object:
        executor.emit_progress(job, 0.2, message="parts")
        await executor.run(part, share=0.5)
        executor.emit_progress(job, 0.5, message="last")
        return "done"

    handle = summing.parent.dispatch(script)
    summing.reaches(handle, 0.2)
    parts.say("a", 0.5)
    summing.reaches(handle, 0.45)
    parts.say("a", None)
    rig.end(handle)
    events = [event for event in rig.log.of(JobProgressEvent) if event.job_id == handle.id]
    assert events[-1].progress == 1.0
    assert events[-1].message == "last"
    assert {event.message for event in events[:-1]} == {"parts"}, "the parent's words stay while children get on"


def test_more_than_all_is_all(summing: Summing) -> None:
    handle = summing.fan_out({"a": 0.8, "b": 0.8})
    summing.parts.say("a", None)
    summing.parts.say("b", None)
    summing.rig.end(handle)
    assert handle.progress == 1.0


def test_a_second_attempt_of_a_child_neither_counts_twice_nor_takes_back(summing: Summing) -> None:
    rig, parts = summing.rig, summing.parts
    handle = summing.fan_out({"a": 0.5}, retry=RetryPolicy(max_retries=1, base_delay=1))
    parts.say("a", 0.6)
    summing.reaches(handle, 0.3)
    parts.say("a", OSError())
    drive(lambda: any(child.status is JobStatus.WAITING for child in summing.parent.children()))
    parts.begun.clear()
    rig.clock.advance(1)
    drive(lambda: "a" in parts.begun)
    parts.say("a", 0.2)
    drive(lambda: any(e.progress == 0.2 for e in rig.log.of(JobProgressEvent)))
    assert handle.progress == pytest.approx(0.3)
    parts.say("a", 0.8)
    summing.reaches(handle, 0.4)
    parts.say("a", None)
    rig.end(handle)
    assert handle.progress == 0.5
    assert summing.told(handle) == sorted(summing.told(handle))


def test_a_failed_child_that_is_run_again_counts_once(summing: Summing) -> None:
    parts = summing.parts
    first, second = parts.add("first"), parts.add("second")

    async def script(executor: Parent, job: ParentJob) -> object:
        try:
            await executor.run(first, share=0.5)
        except OSError:
            await executor.run(second, share=0.5)
        return "done"

    handle = summing.parent.dispatch(script)
    parts.say("first", 0.8)
    summing.reaches(handle, 0.4)
    parts.say("first", OSError())
    parts.say("second", 0.4)
    summing.reaches(handle, 0.2)
    parts.say("second", None)
    summing.rig.end(handle)
    assert handle.progress == 0.5


def test_the_next_attempt_of_the_parent_begins_at_nothing(summing: Summing) -> None:
    rig, parts = summing.rig, summing.parts
    jobs = [parts.add("one"), parts.add("two")]

    async def script(executor: Parent, job: ParentJob) -> object:
        if len(jobs) == 2:
            executor.emit_progress(job, 0.1)
        await executor.run(jobs.pop(0), share=0.5)
        if jobs:
            raise OSError
        return "done"

    handle = summing.parent.dispatch(script, retry=RetryPolicy(max_retries=1, base_delay=1))
    parts.say("one", None)
    drive(lambda: handle.status is JobStatus.WAITING)
    assert handle.progress == pytest.approx(0.6)
    rig.clock.advance(1)
    parts.say("two", 0.5)
    summing.reaches(handle, 0.25)
    parts.say("two", None)
    rig.end(handle)
    assert handle.progress == pytest.approx(0.5)


def test_a_grandchilds_progress_reaches_the_top(summing: Summing) -> None:
    rig, parts = summing.rig, summing.parts
    part = parts.add("part")

    async def top(executor: Parent, job: ParentJob) -> object:
        executor.scripts["middle"] = middle
        return await executor.run(ParentJob(name="middle"), share=0.5)

    async def middle(executor: Parent, job: ParentJob) -> object:
        return await executor.run(part, share=0.5)

    handle = summing.parent.dispatch(top)
    parts.say("part", 0.4)
    summing.reaches(handle, 0.1)
    parts.say("part", None)
    rig.end(handle)
    assert handle.outcome == JobSuccess("part")
    assert handle.progress == 0.5


def test_many_reports_of_many_children_are_told_once_a_frame(summing: Summing) -> None:
    rig, parts = summing.rig, summing.parts
    handle = summing.fan_out({"a": 0.5, "b": 0.5})
    summing.parts.say("a", 0.1)
    summing.reaches(handle, 0.05)
    rig.clock.advance(FRAME)
    rig.drain()
    before = len(summing.told(handle))
    for value in range(2, 10):
        parts.say("a", value / 10)
        parts.say("b", value / 10)
    drive(lambda: not parts.values["a"] and not parts.values["b"])
    rig.drain()
    for _ in range(3):
        rig.clock.advance(FRAME)
        rig.drain()
    assert handle.progress == pytest.approx(0.9)
    assert len(summing.told(handle)) - before <= 4
    parts.say("a", None)
    parts.say("b", None)
    rig.end(handle)
