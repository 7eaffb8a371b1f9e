"""Invariants 1 to 4 and 7 as one property: whatever happens to jobs, in whatever order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QCoreApplication

from qtorch import (
    CachePolicy,
    CancellationToken,
    EventLog,
    JobHandle,
    JobStatus,
    LanePolicy,
    RetryPolicy,
    SignalBus,
)
from qtorch.events import JobEvent, JobProgressEvent
from tests.qtorch.execution.rig import Rig, drive, elsewhere, run_of

pytestmark = pytest.mark.realtime

TERMINAL = {
    JobStatus.SUCCEEDED: "Success",
    JobStatus.FAILED: "Failure",
    JobStatus.CANCELLED: "Cancelled",
    JobStatus.TIMED_OUT: "Timeout",
}

JOBS = st.fixed_dictionaries(
    {"runner": st.sampled_from(["thread", "loop"]), "is_deaf": st.booleans(), "fails": st.integers(0, 2)},
    optional={
        "timeout": st.just(5.0),
        "deadline": st.just(12.0),
        "retries": st.integers(1, 2),
        "policy": st.sampled_from(LanePolicy),
        "is_cached": st.booleans(),
        "placeholder": st.none(),
        "priority": st.integers(-1, 1),
        "has_token": st.just(True),
        "from_elsewhere": st.just(True),
    },
)
# What is done next, and to which of the jobs there are.
STEPS = st.tuples(
    st.sampled_from(
        ["dispatch", "finish", "cancel", "cancel elsewhere", "cancel token", "progress", "advance", "drain", "turn"]
    ),
    JOBS,
    st.integers(0, 20),
)


@dataclass
class World:
    """A rig, its jobs, and what has been asked of them."""

    rig: Rig
    shared: CancellationToken = field(default_factory=CancellationToken)
    handles: list[JobHandle[Any]] = field(default_factory=list)

    def dispatch(self, job: dict[str, Any]) -> None:
        rig, name = self.rig, str(len(self.handles))
        gives: list[object] = [OSError("on purpose")] * job["fails"]
        rig.work(name, *gives, 42, is_deaf=job["is_deaf"])
        options: dict[str, Any] = {
            key: job[key] for key in ("timeout", "deadline", "placeholder", "priority") if key in job
        }
        if "retries" in job:
            options["retry"] = RetryPolicy(max_retries=job["retries"], base_delay=2.0)
        if job.get("is_cached"):
            options["cache"] = CachePolicy(key="one", revalidate=False)
        if "policy" in job:
            options |= {"lane": f"lane of {job['policy']}", "policy": job["policy"]}
        if "has_token" in job:
            options["token"] = self.shared
        what = rig.job(job["runner"], name)
        if "from_elsewhere" in job:
            elsewhere(lambda: self.handles.append(rig.runtime.dispatcher.dispatch(what, **options)))
        else:
            self.handles.append(rig.owner.dispatch(what, **options))

    def step(self, what: str, job: dict[str, Any], number: int) -> None:
        rig = self.rig
        if what == "dispatch" or not self.handles:
            self.dispatch(job)
            return
        number %= len(self.handles)
        handle = self.handles[number]
        match what:
            case "finish":
                rig.works[str(number)].gate.open()
            case "cancel":
                handle.cancel("here")
            case "cancel elsewhere":
                elsewhere(lambda: handle.cancel("elsewhere"))
            case "cancel token":
                self.shared.cancel("shared")
                self.shared = CancellationToken()
            case "progress":
                rig.worker.emit_progress(handle.job, 0.5)  # type: ignore[arg-type]
            case "advance":
                rig.clock.advance(1.0 + number)
            case "drain":
                rig.drain()
            case "turn":
                QCoreApplication.processEvents()

    def end(self) -> None:
        """Let everything come to its end."""
        rig = self.rig
        rig.open_all()
        services = rig.runtime.dispatcher.services

        def is_quiet() -> bool:
            return not services.running and not services.working

        def is_waiting() -> bool:
            return any(run.status is JobStatus.WAITING for run in services.running.values())

        while not is_quiet():
            drive(lambda: is_quiet() or is_waiting(), "the end of all work, or a retry wait")
            if is_waiting():
                rig.clock.advance(2.0)
        rig.drain()


@given(st.lists(STEPS, min_size=2, max_size=25))
@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # each failure takes seconds, and shrinking would take hundreds of them
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_job_ends_once_whatever_happens(
    qapp: QCoreApplication, steps: list[tuple[str, dict[str, Any], int]]
) -> None:
    world = World(Rig(threads=2))
    other_bus = SignalBus.scoped()
    other_log = EventLog(other_bus)
    try:
        for step in steps:
            world.step(*step)
        world.end()
        world.rig.clock.advance(0.016)  # the frame in which progress would have been shown
        world.rig.drain()
        assert not world.rig.reports, [str(report.error) for report in world.rig.reports]
        for handle in world.handles:
            check(world.rig, handle)
        assert not other_log, "an event went to a bus that the job was not dispatched on"
        assert not world.rig.owner.has_active_jobs
        assert world.rig.clock.pending == 0, "a timer was left behind"
    finally:
        world.rig.close()


def check(rig: Rig, handle: JobHandle[Any]) -> None:
    events = [event for event in rig.log.for_job(handle.id) if isinstance(event, JobEvent)]
    names = rig.types(handle)
    run = run_of(handle)
    # 1: exactly one terminal event, and the outcome it tells of
    assert [name for name, event in zip(names, events, strict=True) if event.is_terminal] == [TERMINAL[handle.status]]
    # 2: nothing after it
    assert events[-1].is_terminal, names
    # 3: all on one bus, in the order of delivery, carrying job, id, type and attempt
    assert [event.seq for event in events] == sorted({event.seq for event in events})
    assert all(event.job is handle.job and event.correlation_id == handle.id for event in events)
    assert all(event.job_type is type(handle.job) for event in events)
    attempts = [event.attempt for event in events]
    assert attempts == sorted(attempts)
    assert attempts[-1] <= (run.options.retry.max_retries if run.options.retry else 0) + 1
    # started at most once, and first
    assert "Started" not in names[1:], names
    # 4: the work has ended, and no more attempts were made than were told of
    assert not handle.is_working
    work = rig.works[handle.job.name]  # type: ignore[attr-defined]
    assert work.calls <= names.count("Retrying") + 1
    assert len(work.tokens) == len(set(map(id, work.tokens))), "every attempt has a token of its own"
    # 7: of progress only, something may be missing
    assert [event for event in events if isinstance(event, JobProgressEvent)][2:] == []


def test_two_thousand_ends_are_all_told_beside_a_flood_of_progress(make_rig: Any) -> None:
    import threading

    from qtorch import BaseExecutor, BaseJob, executes

    class FloodJob(BaseJob[None]):
        pass

    class QuickJob(BaseJob[None]):
        pass

    stop = threading.Event()

    class Flooding(BaseExecutor[FloodJob]):
        def process(self, job: FloodJob) -> None:
            while not stop.is_set():
                self.emit_progress(job, 0.5)

    @executes(QuickJob)
    def quick(job: QuickJob) -> None:
        quick.emit_progress(job, 1.0)

    rig = make_rig(threads=3)
    rig.runtime.register(Flooding(), quick)
    ended: dict[str, int] = {}
    rig.runtime.bus.subscribe(
        lambda event: (
            ended.update({event.correlation_id: ended.get(event.correlation_id, 0) + 1}) if event.is_terminal else None
        )
    )
    rig.owner.dispatch(FloodJob())
    for _ in range(4):
        handles = [rig.owner.dispatch(QuickJob()) for _ in range(500)]
        rig.end(*handles)
    stop.set()
    rig.quiet()
    assert len(ended) == 2_001
    assert set(ended.values()) == {1}
