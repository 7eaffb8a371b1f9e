"""Parents under a test's control: what they run as children is the test's script."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from typing import Any

from qtorch import BaseExecutor, BaseJob, JobHandle
from tests.qtorch.execution.rig import Rig, drive


class ParentJob(BaseJob[object]):
    """Does what the test says, by name."""

    name: str = "parent"


Script = Callable[["Parent", ParentJob], Awaitable[object]]


class Parent(BaseExecutor[ParentJob]):
    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.scripts: dict[str, Script] = {}
        self.ended = threading.Event()
        rig.runtime.register(self)

    async def process(self, job: ParentJob) -> object:
        try:
            return await self.scripts[job.name](self, job)
        finally:
            self.ended.set()

    def dispatch(self, script: Script, name: str = "parent", **options: Any) -> JobHandle[object]:
        self.scripts[name] = script
        return self.rig.owner.dispatch(ParentJob(name=name), **options)

    def children(self) -> list[JobHandle[Any]]:
        """The child jobs that run now."""
        return [handle for handle in self.rig.runtime.running_jobs if handle.parent_id is not None]


def ends(rig: Rig, job_id: str) -> list[str]:
    """The terminal events of a job."""
    return [type(event).__name__ for event in rig.log.for_job(job_id) if event.is_terminal]


def child_ids(rig: Rig, handle: JobHandle[Any]) -> list[str]:
    """The ids of the children of a job, in the order of their first events."""
    return list(dict.fromkeys(event.job_id for event in rig.log.children_of(handle.id)))


def begin_child(parent: Parent, runner: str = "thread", **work: Any) -> tuple[JobHandle[object], Any]:
    """A parent that awaits one child, which is at work."""
    rig = parent.rig
    what = rig.work("child", **work)

    async def script(executor: Parent, job: ParentJob) -> object:
        return await executor.run(rig.job(runner, "child"))

    handle = parent.dispatch(script)
    drive(what.begun.is_set, "the child's work")
    return handle, what
