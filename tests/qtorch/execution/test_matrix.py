"""Every way of ending, at every stage of a job's life, on every runner: one terminal event, and the right one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import QTimer

from qtorch import (
    KEEP_LATEST,
    RESTARTABLE,
    SEQUENTIAL,
    CachePolicy,
    CancellationToken,
    EventLog,
    JobHandle,
    JobStatus,
    RetryPolicy,
    SignalBus,
)
from qtorch.events import JobEvent
from tests.qtorch.execution.rig import Rig, SlowCache, Work, drive, elsewhere, run_of

pytestmark = pytest.mark.realtime

TIMEOUT = 5.0
DEADLINE = 30.0
RETRY_DELAY = 1.0


class Situation:
    """One job at one stage, about to end in one way."""

    def __init__(self, rig: Rig, runner: str, stage: str, ending: str) -> None:
        self.rig, self.runner, self.stage, self.ending = rig, runner, stage, ending
        self.token = CancellationToken()
        self.other_bus = SignalBus.scoped()
        self.other_log = EventLog(self.other_bus)
        self.options: dict[str, Any] = {}
        gives: list[object] = [ValueError("on purpose")] if ending == "error" else [42]
        if ending == "timeout":
            self.options["timeout"] = TIMEOUT
        elif ending == "deadline":
            self.options["deadline"] = DEADLINE
        elif ending.startswith("token"):
            self.options["token"] = self.token
            if ending == "token shared with a job that ended":
                rig.work("other", is_open=True)
                rig.end(rig.dispatch(runner, "other", token=self.token))
        elif ending == "linked token":
            self.options["token"] = CancellationToken.linked(CancellationToken(), self.token)
        elif ending == "superseded" and stage != "waiting in its lane":
            self.options |= {"lane": "the lane", "policy": RESTARTABLE}
        if stage == "waiting to be retried":
            gives = [OSError("the first time"), *gives]
            self.options["retry"] = RetryPolicy(max_retries=1, base_delay=RETRY_DELAY)
        if stage in ("reading the cache", "writing the cache"):
            self.options["cache"] = CachePolicy(key="the key")
        self.work: Work = rig.work("work", *gives)
        self.handle: JobHandle[Any] = self.reach()
        self.run = run_of(self.handle)

    @property
    def cache(self) -> SlowCache:
        provider = self.rig.runtime.cache.provider
        assert isinstance(provider, SlowCache)
        return provider

    def dispatch(self) -> JobHandle[Any]:
        return self.rig.dispatch(self.runner, **self.options)

    # -- how a job comes to a stage ---------------------------------------------------------------------------------

    def reach(self) -> JobHandle[Any]:
        rig, runner = self.rig, self.runner
        match self.stage:
            case "dispatched just now":
                return self.dispatch()
            case "dispatched elsewhere":
                handles: list[JobHandle[Any]] = []
                job = rig.job(runner)
                elsewhere(lambda: handles.append(rig.runtime.dispatcher.dispatch(job, **self.options)))
                return handles[0]
            case "waiting for a thread":
                for name in ("a", "b"):
                    rig.work(name)
                    rig.dispatch(runner, name)
                handle = self.dispatch()
            case "waiting for its executor":
                rig.work("first")
                rig.dispatch(runner, "first")
                handle = self.dispatch()
            case "waiting in its lane":
                self.options |= {
                    "lane": "the lane",
                    "policy": KEEP_LATEST if self.ending == "superseded" else SEQUENTIAL,
                }
                rig.work("first")
                rig.dispatch(runner, "first", lane="the lane", policy=self.options["policy"])
                handle = self.dispatch()
            case "running":
                handle = self.dispatch()
                drive(self.work.begun.is_set)
            case "waiting to be retried":
                self.work.gate.open()
                handle = self.dispatch()
                drive(lambda: handle.status is JobStatus.WAITING)
                self.work.gate = type(self.work.gate)()
            case "its result is queued":
                handle = self.dispatch()
                drive(self.work.begun.is_set)
                rig.drain()
                self.work.gate.open()
                self.await_offer(handle)
                return handle
            case "reading the cache":
                handle = self.dispatch()
                drive(self.cache.reading.is_set)
            case _:
                assert self.stage == "writing the cache"
                self.cache.read_gate.open()
                self.work.gate.open()
                handle = self.dispatch()
                drive(self.cache.writing.is_set)
        rig.drain()
        return handle

    def await_offer(self, handle: JobHandle[Any]) -> None:
        """Wait until the result lies in the bus's queue, without letting it be delivered."""
        queue, run = self.rig.runtime.bus.core.mailbox.queue, run_of(handle)

        def is_offered() -> bool:
            return any(take in (run.take_data, run.take_error) for take, _ in tuple(queue))

        if self.runner == "qasync":
            drive(is_offered)  # its task needs Qt's loop, which calls timers and posted events in turns
        else:
            pause = threading.Event()
            while not is_offered():
                pause.wait(0.0002)
        assert not run.is_settled

    # -- how it is ended --------------------------------------------------------------------------------------------

    def end(self) -> None:
        rig = self.rig
        match self.ending:
            case "success" | "error":
                return
            case "timeout":
                rig.clock.advance(TIMEOUT)
            case "deadline":
                rig.clock.advance(DEADLINE)
                if self.stage == "dispatched elsewhere":  # the bus has not heard of it yet
                    rig.drain()
                    rig.clock.advance(0)
            case "cancel":
                self.handle.cancel("enough")
                if self.stage != "writing the cache":
                    assert self.handle.status is JobStatus.CANCELLED, "a cancel on the bus's thread holds at once"
            case "cancel elsewhere":
                elsewhere(lambda: self.handle.cancel("enough"))
            case "token" | "linked token" | "token shared with a job that ended":
                self.token.cancel("enough")
            case "token elsewhere":
                elsewhere(lambda: self.token.cancel("enough"))
            case "superseded":
                rig.work("newer", is_open=True)
                rig.dispatch(self.runner, "newer", lane="the lane")
            case "owner closed":
                rig.owner.close()
            case "owner gone":
                rig.drop_owner()
            case "bus closed":
                QTimer.singleShot(0, self.release)
                rig.runtime.bus.close()
            case "runtime closed":
                QTimer.singleShot(0, self.release)
                rig.runtime.close()

    def release(self) -> None:
        """Let everything that waits go on."""
        self.rig.open_all()
        if isinstance(self.rig.runtime.cache.provider, SlowCache):
            self.cache.read_gate.open()
            self.cache.write_gate.open()

    def let_end(self) -> None:
        rig = self.rig
        self.release()
        if self.stage == "waiting to be retried" and not self.run.is_settled:
            rig.clock.advance(RETRY_DELAY)
        rig.quiet()

    @property
    def expected(self) -> JobStatus:
        has_result = self.stage in ("its result is queued", "writing the cache")
        match self.ending:
            case "error":
                return JobStatus.FAILED
            case "success":
                return JobStatus.SUCCEEDED
            case "timeout":
                has_begun = self.stage in ("dispatched just now", "running")
                return JobStatus.TIMED_OUT if has_begun else JobStatus.SUCCEEDED
            case "deadline":
                return JobStatus.SUCCEEDED if has_result else JobStatus.TIMED_OUT
            case "cancel elsewhere" | "token elsewhere":
                return JobStatus.SUCCEEDED if has_result else JobStatus.CANCELLED
        return JobStatus.SUCCEEDED if self.stage == "writing the cache" else JobStatus.CANCELLED


STAGES = (
    "dispatched just now",
    "dispatched elsewhere",
    "waiting for a thread",
    "waiting for its executor",
    "waiting in its lane",
    "running",
    "waiting to be retried",
    "its result is queued",
    "reading the cache",
    "writing the cache",
)
ENDINGS = (
    "success",
    "error",
    "timeout",
    "deadline",
    "cancel",
    "cancel elsewhere",
    "token",
    "token elsewhere",
    "linked token",
    "token shared with a job that ended",
    "superseded",
    "owner closed",
    "owner gone",
    "bus closed",
    "runtime closed",
)
EXPECTED_EVENT = {
    JobStatus.SUCCEEDED: "Success",
    JobStatus.FAILED: "Failure",
    JobStatus.CANCELLED: "Cancelled",
    JobStatus.TIMED_OUT: "Timeout",
}


def is_possible(runner: str, stage: str, ending: str) -> bool:
    if stage == "waiting for a thread" and runner != "thread":
        return False
    if stage == "dispatched elsewhere" and ending in ("superseded", "owner closed", "owner gone"):
        return False  # no orchestrator owns it, and its lane is not the orchestrator's
    if stage == "waiting to be retried" and ending == "timeout":
        return False  # nothing runs
    return not (stage == "writing the cache" and ending == "error")


CASES = [
    pytest.param(runner, stage, ending, id=f"{runner}-{stage}-{ending}".replace(" ", "_"))
    for stage in STAGES
    for ending in ENDINGS
    for runner in ("thread", "loop", "qasync")
    if is_possible(runner, stage, ending)
]


@pytest.mark.parametrize(("runner", "stage", "ending"), CASES)
def test_a_job_ends_once_and_as_it_should(make_rig: Callable[..., Rig], runner: str, stage: str, ending: str) -> None:
    cache = SlowCache() if "cache" in stage else None
    rig = make_rig(runner, cache=cache)
    if stage == "waiting for its executor":
        rig.limit_executors(1)
    situation = Situation(rig, runner, stage, ending)
    running: list[bool] = []
    subscription = rig.owner.running().subscribe(running.append)

    situation.end()
    situation.let_end()

    check_life(situation)
    if ending in ("owner closed", "owner gone"):
        return
    if ending not in ("bus closed", "runtime closed"):
        assert not rig.owner.running().get()
        assert not rig.owner.has_active_jobs
        assert running[-1:] in ([False], []), "the busy indicator stays on"
    subscription.close()


def check_life(situation: Situation) -> None:
    rig, handle, run = situation.rig, situation.handle, situation.run
    expected = situation.expected
    events = [event for event in rig.log.for_job(handle.id) if isinstance(event, JobEvent)]
    names = rig.types(handle)

    assert [name for event, name in zip(events, names, strict=True) if event.is_terminal] == [EXPECTED_EVENT[expected]]
    assert events[-1].is_terminal, f"something came after the end: {names}"
    assert handle.status is expected
    assert handle.outcome is not None
    assert names.count("Started") <= 1
    assert "Started" not in names[1:], f"it started late: {names}"
    if expected in (JobStatus.SUCCEEDED, JobStatus.FAILED):
        assert names[0] == "Started"
    seqs = [event.seq for event in events]
    assert seqs == sorted(set(seqs))
    assert all(event.job is handle.job and event.job_id == handle.id for event in events)
    assert all(event.attempt == (2 if event.is_terminal and run.number == 2 else 1) for event in events)
    assert len(situation.other_log) == 0, "an event went to another bus"
    assert handle.id not in rig.runtime.dispatcher.services.running
    assert not handle.is_working
    work_was_cut_off = situation.stage == "running" and expected in (JobStatus.CANCELLED, JobStatus.TIMED_OUT)
    result_was_beaten = situation.stage == "its result is queued" and expected is JobStatus.CANCELLED
    if work_was_cut_off or result_was_beaten:
        assert run.late == 1, "the late result was not counted"
    assert situation.work.calls <= 2
    assert not rig.reports, [str(report.error) for report in rig.reports]
