"""Lanes of every kind against a small model of what they promise, step by step."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qtorch import (
    CONCURRENT,
    DROPPABLE,
    KEEP_LATEST,
    RESTARTABLE,
    SEQUENTIAL,
    JobCancelled,
    JobHandle,
    JobStatus,
    Lane,
    LanePolicy,
    QueueFullError,
)
from qtorch.execution.waiting_line import AGEING, WaitingLine, queue_key
from tests.qtorch.execution.rig import Rig, drive, holds_no_place, run_of

STEP = 0.5
"""Seconds that pass at a time, so that what is due is due between two steps."""

_next_lane = itertools.count().__next__


@dataclass
class Job:
    """A job as the model sees it."""

    name: str
    key: tuple[float, int]
    debounce: float | None
    throttle: float | None
    state: str = "queued"
    due: float = 0.0


@dataclass
class Model:
    """What a lane promises, said as plainly as can be: every list is small, and nothing happens later."""

    policy: LanePolicy
    limit: int | None
    max_queue: int | None
    now: float = 0.0
    is_paused: bool = False
    window_ends: float = 0.0
    jobs: list[Job] = field(default_factory=list)

    def of(self, state: str) -> list[Job]:
        return [job for job in self.jobs if job.state == state]

    @property
    def room(self) -> float:
        """How many more may begin now."""
        if self.is_paused:
            return 0
        return float("inf") if self.limit is None else self.limit - len(self.of("running"))

    def is_full_for(self, job: Job) -> bool:
        if self.max_queue is None or self.policy is DROPPABLE or (self.policy is RESTARTABLE and not self.is_paused):
            return False
        would_wait = len(self.of("queued")) + 1 - self.room  # any new one supersedes who is "waiting"
        return (min(would_wait, 1) if self.policy in (KEEP_LATEST, RESTARTABLE) else would_wait) > self.max_queue

    def dispatch(self, job: Job) -> None:
        self.jobs.append(job)
        for before in self.of("waiting"):
            before.state = "superseded"
        if job.debounce is not None:
            job.state, job.due = "waiting", self.now + job.debounce
        elif job.throttle is not None and self.now < self.window_ends:
            job.state, job.due = "waiting", self.window_ends
        else:
            self._enter(job)

    def _enter(self, job: Job) -> None:
        job.state = "new"
        if job.throttle is not None:
            self.window_ends = self.now + job.throttle
        match self.policy:
            case LanePolicy.RESTARTABLE:
                self._supersede("queued", "running")
            case LanePolicy.KEEP_LATEST if self.room < 1:
                self._supersede("queued")
            case LanePolicy.DROPPABLE if self.room < 1:
                job.state = "dropped"
                return
            case _:
                pass
        job.state = "queued"
        self.settle()

    def _supersede(self, *states: str) -> None:
        for state in states:
            for job in self.of(state):
                job.state = "superseded"

    def settle(self) -> None:
        """Let in whom there is room for."""
        while self.room >= 1 and (queued := self.of("queued")):
            min(queued, key=lambda job: job.key).state = "running"

    def advance(self) -> None:
        self.now += STEP
        for job in self.of("waiting"):
            if job.due <= self.now:
                self._enter(job)


class Real:
    """The lane itself, with jobs on a real loop."""

    def __init__(self, rig: Rig, policy: LanePolicy, limit: int | None, max_queue: int | None) -> None:
        self.rig = rig
        self.lane: Lane = rig.runtime.lane(f"lane {_next_lane()}", policy=policy, limit=limit, max_queue=max_queue)
        self.handles: dict[str, JobHandle[Any]] = {}

    def dispatch(self, name: str, **options: Any) -> None:
        self.rig.work(name)
        self.handles[name] = self.rig.dispatch("loop", name, lane=self.lane, **options)

    def come_to_rest(self) -> None:
        """Wait until whoever was let in has begun, and the work of whoever has ended is over."""
        self.rig.drain()
        inside = [run for run in map(run_of, self.handles.values()) if run in self.lane._inside]
        drive(lambda: all(run.is_settled or run.status is JobStatus.RUNNING for run in inside))
        drive(lambda: all(not handle.is_working for handle in self.handles.values() if handle.status.is_final))
        self.rig.drain()

    def states(self) -> dict[str, str]:
        return {name: state_of(handle) for name, handle in self.handles.items()}


def state_of(handle: JobHandle[Any]) -> str:
    outcome = handle.outcome
    return str(outcome.reason) if isinstance(outcome, JobCancelled) else handle.status.value


PACES = st.sampled_from([{}, {}, {"debounce": 0.5}, {"debounce": 1.0}, {"throttle": 1.0}, {"throttle": 1.5}])
STEPS = st.one_of(
    st.tuples(st.just("dispatch"), st.integers(-1, 1), PACES),
    st.tuples(st.just("dispatch"), st.integers(-1, 1), PACES),
    st.tuples(st.sampled_from(["finish", "cancel"]), st.integers(0, 5), st.just({})),
    st.tuples(st.sampled_from(["advance", "advance", "pause", "resume"]), st.just(0), st.just({})),
)
LANES = st.one_of(
    st.tuples(st.sampled_from([SEQUENTIAL, RESTARTABLE]), st.just(1)),
    st.tuples(st.sampled_from([DROPPABLE, KEEP_LATEST]), st.integers(1, 2)),
    st.tuples(st.just(CONCURRENT), st.sampled_from([None, 1, 2, 3])),
)


@pytest.mark.realtime
@settings(
    max_examples=300,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(lane=LANES, max_queue=st.sampled_from([None, None, 0, 1, 2]), steps=st.lists(STEPS, min_size=3, max_size=25))
def test_a_lane_does_what_its_model_says(
    rig: Rig,
    lane: tuple[LanePolicy, int | None],
    max_queue: int | None,
    steps: list[tuple[str, int, dict[str, float]]],
) -> None:
    policy, limit = lane
    model = Model(policy, limit, max_queue, now=rig.clock.now())
    real = Real(rig, policy, limit, max_queue)
    for number, step in enumerate(steps):
        take(step, str(number), model, real)
        real.come_to_rest()
        assert real.states() == {job.name: job.state for job in model.jobs}
        counts = real.lane.counts
        assert (counts["running"], counts["queued"], counts["waiting"], counts["still_working"]) == (
            len(model.of("running")),
            len(model.of("queued")),
            len(model.of("waiting")),
            0,
        )
    real.lane.resume()
    rig.owner.cancel_all()
    rig.quiet()
    assert not any(real.lane.counts.values())
    assert real.lane._pending is None, "a lane that nobody is in keeps a job alive"
    assert holds_no_place(real.lane)
    assert rig.clock.pending == 0


def take(step: tuple[str, int, dict[str, float]], name: str, model: Model, real: Real) -> None:
    """Do one thing to both."""
    what, number, pace = step
    match what:
        case "dispatch":
            key = (model.now / AGEING - number, len(model.jobs))
            job = Job(name, key, pace.get("debounce"), pace.get("throttle"))
            if model.is_full_for(job):
                with pytest.raises(QueueFullError):
                    real.dispatch(name, priority=number, **pace)
            else:
                model.dispatch(job)
                real.dispatch(name, priority=number, **pace)
        case "finish" if running := model.of("running"):
            job = running[number % len(running)]
            job.state = "succeeded"
            model.settle()
            real.rig.works[job.name].gate.open()
            real.rig.end(real.handles[job.name])
        case "cancel" if alive := [job for job in model.jobs if job.state in ("waiting", "queued", "running")]:
            job = alive[number % len(alive)]
            job.state = "cancelled here"
            model.settle()
            real.handles[job.name].cancel("cancelled here")
        case "advance":
            model.advance()
            real.rig.clock.advance(STEP)
        case "pause":
            model.is_paused = True
            real.lane.pause()
        case "resume":
            model.is_paused = False
            model.settle()
            real.lane.resume()
        case _:
            pass


@settings(derandomize=True, database=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.sampled_from(["pop", -3, -1, 0, 1, 4])), max_size=60))
def test_who_waits_goes_by_priority_and_every_five_seconds_count_as_a_step_of_it(
    moves: list[tuple[int, int | str]],
) -> None:
    line = WaitingLine()
    waiting: dict[int, tuple[float, int]] = {}
    now = 0.0
    for number, (quarters, what) in enumerate(moves):
        now += quarters * AGEING / 4
        if isinstance(what, int):
            line.add(number, queue_key(now, what))
            waiting[number] = (now, what)
            continue

        def standing(one: int, now: float = now) -> tuple[float, int]:
            came, priority = waiting[one]
            return (priority + (now - came) / AGEING, -one)  # of equals the first

        expected = max(waiting, key=standing, default=None)
        assert line.pop() == expected
        waiting.pop(expected, None)  # type: ignore[arg-type]
    assert len(line) == len(waiting)
