"""Jobs that run others as their children, for a World."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from qtorch import BaseExecutor, LanePolicy, RetryPolicy
from tests.qtorch.execution.rig import WorkJob

if TYPE_CHECKING:
    from tests.qtorch.execution.rig import Rig, Work

ATTEMPTS = 3
"""As many as a drawn job can have: each runs children whose work is its own."""


def _child(runner: str, *, is_deaf: bool = False, fails: int = 0, **options: Any) -> dict[str, Any]:
    return {"runner": runner, "is_deaf": is_deaf, "fails": fails, **options}


CHILDREN = [
    _child("thread"),
    _child("loop"),
    _child("thread", is_deaf=True),
    _child("loop", is_deaf=True),
    _child("thread", fails=1),
    _child("loop", fails=1, retries=1),
    _child("thread", timeout=5.0),
    _child("thread", dedupe=True),
    _child("loop", dedupe=True, policy=LanePolicy.SEQUENTIAL),
    _child("loop", deadline=12.0),
    *(_child("thread", policy=policy) for policy in LanePolicy),
    _child("loop", children=[_child("thread"), _child("loop", timeout=5.0)]),
    _child("loop", policy=LanePolicy.SEQUENTIAL, children=[_child("loop", policy=LanePolicy.KEEP_LATEST)]),
    _child("loop", policy=LanePolicy.KEEP_LATEST, children=[_child("thread", policy=LanePolicy.SEQUENTIAL)]),
]
"""Kinds of children to draw from: to draw each of their options takes longer than all the rest."""


class ParentJob(WorkJob):
    """Runs the children that were planned under its name, then does its own work."""


class ParentWorker(BaseExecutor[ParentJob]):
    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.plans: dict[str, list[dict[str, Any]]] = {}

    def plan(self, name: str, children: list[dict[str, Any]]) -> None:
        """Make the work of children, and of theirs, before any of it begins."""
        self.plans[name] = children
        for attempt in range(1, ATTEMPTS + 1):
            for number, child in enumerate(children):
                child_name = name_of(f"{name}.{attempt}.{number}", child)
                if child_name not in self.rig.works:
                    add_work(self.rig, child_name, child)
                if child.get("children"):
                    self.plan(child_name, child["children"])

    async def process(self, job: ParentJob) -> object:
        work: Work = self.rig.works[job.name]
        work.begin(self.token(job))
        try:
            async with asyncio.TaskGroup() as group:
                for number, child in enumerate(self.plans[job.name]):
                    name = name_of(f"{job.name}.{work.calls}.{number}", child)
                    group.create_task(self.run(child_job(self.rig, name, child), share=0.5, **given(child)))
            await work.gate.wait_in_loop()
            return work.give()
        finally:
            work.ended.set()


def add_work(rig: Rig, name: str, drawn: dict[str, Any]) -> None:
    """Make the work of a drawn job."""
    rig.work(name, *[OSError("on purpose")] * drawn["fails"], 42, is_deaf=drawn["is_deaf"])


def name_of(own: str, drawn: dict[str, Any]) -> str:
    """Name a child: by itself, or as jobs that share their work are."""
    return "shared 0" if drawn.get("dedupe") else own


def child_job(rig: Rig, name: str, drawn: dict[str, Any]) -> WorkJob:
    """Make a drawn job."""
    return ParentJob(name=name) if drawn.get("children") else rig.job(drawn["runner"], name)


def given(drawn: dict[str, Any]) -> dict[str, Any]:
    """Give the options of a drawn child."""
    options: dict[str, Any] = {key: drawn[key] for key in ("timeout", "deadline", "dedupe") if key in drawn}
    if "retries" in drawn:
        options["retry"] = RetryPolicy(max_retries=drawn["retries"], base_delay=2.0)
    if "policy" in drawn:
        # The lane that jobs of nobody are in too, parents among them: there can be circles.
        options |= {"lane": f"lane of {drawn['policy']}", "policy": LanePolicy(drawn["policy"])}
    return options
