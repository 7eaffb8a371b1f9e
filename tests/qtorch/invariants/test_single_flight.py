"""Invariant 1 for jobs that share their work: whoever joins and leaves, each ends once, and rightly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from qtorch import (
    SEQUENTIAL,
    CancellationToken,
    JobCancelled,
    JobFailure,
    JobHandle,
    JobOutcome,
    JobSuccess,
    JobTimeout,
    RetryPolicy,
)
from qtorch.execution.flight import SharedWork
from tests.qtorch.execution.rig import Gate, Rig, drive, elsewhere, run_of

if TYPE_CHECKING:
    from PySide6.QtCore import QCoreApplication

pytestmark = pytest.mark.realtime

# A second is the step of time, and no two of these end in the same part of it.
DEADLINE, TIMEOUT, DELAY, SECOND = 2.25, 4.5, 1.5, 1.0

FLIGHTS = st.fixed_dictionaries({"retries": st.integers(0, 2), "is_timed": st.booleans()})
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["join", "join", "join", "leave", "leave", "succeed", "fail", "pass", "block", "unblock"]),
        st.integers(0, 11),
        FLIGHTS,
    ),
    min_size=4,
    max_size=30,
)


class Crowd:
    """Equal jobs beside a model of what their one flight does."""

    def __init__(self, rig: Rig, runner: str, *, is_laned: bool) -> None:
        self.rig, self.runner, self.is_laned = rig, runner, is_laned
        self.work = rig.work()
        self.handles: list[JobHandle[Any]] = []
        self.expected: dict[JobHandle[Any], JobOutcome[Any] | None] = {}
        self.tokens: dict[JobHandle[Any], CancellationToken] = {}
        self.deadlines: dict[JobHandle[Any], float] = {}
        self.members: list[JobHandle[Any]] = []
        self.lane: list[str] = []
        self.options: dict[str, Any] = {}
        self.blocker: JobHandle[Any] | None = None
        self.calls = self.attempt = 0
        self.now = self.times_out_at = 0.0
        self.retries_at: float | None = None

    # -- the model ------------------------------------------------------------------------------------------------

    @property
    def is_working(self) -> bool:
        return bool(self.members) and self.attempt > 0 and self.retries_at is None

    def try_again(self) -> None:
        self.attempt += 1
        self.calls += 1
        self.retries_at = None
        self.times_out_at = self.now + TIMEOUT

    def look_at_the_lane(self) -> None:
        if self.members and not self.attempt and self.lane[:1] in ([], ["flight"]):
            self.try_again()

    def end(self, outcome: JobOutcome[Any] | None) -> None:
        """End the flight, with an outcome for those that are left."""
        self.expected |= dict.fromkeys(self.members, outcome)
        self.members, self.attempt, self.retries_at = [], 0, None
        if self.is_laned:
            self.lane.remove("flight")

    def fail(self, outcome: JobOutcome[Any]) -> None:
        if self.attempt <= self.options["retries"]:
            self.retries_at = self.now + DELAY
        else:
            self.end(outcome)

    def part(self, handle: JobHandle[Any], outcome: JobOutcome[Any]) -> None:
        """Take a member out that ends on its own."""
        self.expected[handle] = outcome
        self.members.remove(handle)
        if not self.members:
            self.end(None)

    # -- what can be done -----------------------------------------------------------------------------------------

    def do(self, what: str, number: int, options: dict[str, Any]) -> None:
        match what:
            case "join":
                self.join(number, options)
            case "leave" if self.members:
                self.leave(number)
            case "succeed" | "fail" if self.is_working:
                error = OSError("on purpose")
                self.work.gives = [error if what == "fail" else number]
                self.work.gate.open()
                if what == "fail":
                    self.fail(JobFailure(error, self.attempt))
                else:
                    self.end(JobSuccess(number))
            case "pass":
                self.pass_time()
            case "block" if self.is_laned and self.blocker is None:
                self.rig.work("blocker")
                job = self.rig.job(self.runner, "blocker")
                self.blocker = self.rig.runtime.dispatcher.dispatch(job, lane="lane", policy=SEQUENTIAL)
                self.lane.append("blocker")
            case "unblock" if self.blocker is not None and self.lane[0] == "blocker":
                self.rig.works["blocker"].gate.open()
                self.rig.end(self.blocker)
                self.blocker = None
                self.lane.remove("blocker")
            case _:
                return
        self.look_at_the_lane()
        self.check()

    def join(self, number: int, options: dict[str, Any]) -> None:
        given: dict[str, Any] = {"token": CancellationToken()}
        if number % 3 == 0:
            given["deadline"] = DEADLINE
        # Those of who joins a flight that there is are drawn too, and count for nothing.
        given["retry"] = RetryPolicy(max_retries=options["retries"], base_delay=DELAY, exponential_backoff=False)
        if options["is_timed"]:
            given["timeout"] = TIMEOUT
        if self.is_laned:
            given |= {"lane": "lane", "policy": SEQUENTIAL}
        # Not the orchestrator's: lanes are private to each, and the model knows one.
        job, dispatch, new = self.rig.job(self.runner), self.rig.runtime.dispatcher.dispatch, list[JobHandle[Any]]()
        if number % 2:
            elsewhere(lambda: new.append(dispatch(job, dedupe=True, **given)))
            self.rig.drain()
        else:
            new.append(dispatch(job, dedupe=True, **given))
        (handle,) = new
        self.handles.append(handle)
        self.tokens[handle] = given["token"]
        self.expected[handle] = None
        if number % 3 == 0:
            self.deadlines[handle] = self.now + DEADLINE
        if not self.members:
            self.options = options
            if self.is_laned:
                self.lane.append("flight")
        self.members.append(handle)

    def leave(self, number: int) -> None:
        handle = self.members[number % len(self.members)]
        match number % 3:
            case 0:
                handle.cancel("leaves")
            case 1:
                elsewhere(lambda: handle.cancel("leaves"))
            case _:
                self.tokens[handle].cancel("leaves")
        self.part(handle, JobCancelled("leaves"))

    def pass_time(self) -> None:
        self.rig.clock.advance(SECOND)
        self.now += SECOND
        for handle in [one for one in self.members if self.deadlines.get(one, self.now) < self.now]:
            self.part(handle, JobTimeout(DEADLINE, "deadline"))
        if self.is_working and self.options["is_timed"] and self.times_out_at < self.now:
            self.fail(JobTimeout(TIMEOUT))
        elif self.retries_at is not None and self.retries_at < self.now:
            self.try_again()

    # -- what has to hold -----------------------------------------------------------------------------------------

    def check(self) -> None:
        rig, services = self.rig, self.rig.runtime.dispatcher.services

        def is_at_work() -> bool:
            return any(isinstance(attempt.run, SharedWork) for attempt in services.working)

        drive(lambda: self.work.calls >= self.calls, f"call {self.calls}, there were {self.work.calls}")
        rig.drain()
        drive(lambda: is_at_work() == self.is_working, f"work that goes on: {self.is_working}")
        rig.drain()
        if not self.is_working:
            self.work.gate = Gate()  # before anybody can begin: that one was opened
        assert self.work.calls == self.calls
        assert {handle: handle.outcome for handle in self.handles} == self.expected
        assert len(services.flights) == len(services.shared) == bool(self.members)
        if self.is_working:
            assert not self.work.tokens[-1].is_cancelled
        assert all(handle.is_working == self.is_working for handle in self.members)
        for handle in self.handles:
            names = rig.types(handle)
            ends = [event.is_terminal for event in rig.log.for_job(handle.id)]
            assert ends.count(True) == (handle.outcome is not None)
            assert True not in ends[:-1], f"{names}: something came after the end"
            assert "Started" not in names[1:]
            assert names[:1] == ["Started"] or names in ([], ["Cancelled"], ["Timeout"])
            assert run_of(handle).is_ended == (handle.outcome is not None)


@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.generate],  # as for the other properties: a failure takes seconds
)
@given(steps=STEPS, runner=st.sampled_from(["thread", "loop"]), is_laned=st.booleans())
def test_members_join_and_leave_in_any_order(
    qapp: QCoreApplication, steps: list[tuple[str, int, dict[str, Any]]], runner: str, is_laned: bool
) -> None:
    rig = Rig()
    try:
        crowd = Crowd(rig, runner, is_laned=is_laned)
        for step in steps:
            crowd.do(*step)
        rig.open_all()
        for handle in list(crowd.members):
            handle.cancel()
        rig.quiet()
        assert rig.clock.pending == 0
        assert not rig.runtime.dispatcher.services.flights
        assert not rig.reports
    finally:
        rig.close()
