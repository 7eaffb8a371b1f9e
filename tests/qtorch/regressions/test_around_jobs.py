"""Faults of the reference around its jobs: owners, look-up, results, state (audit, sections 2.C, 2.D, 2.F and 2.G)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import pytest

from qtorch import (
    MISSING,
    AsyncState,
    BaseExecutor,
    BaseJob,
    EventLog,
    InvalidateCacheJob,
    JobCancelled,
    JobFailure,
    JobResult,
    JobStatus,
    JobSuccess,
    JobTimeout,
    SignalBus,
    executes,
)
from tests.qtorch.execution.rig import NoState, Owner, Rig, ThreadJob, drive

pytestmark = pytest.mark.realtime

T = TypeVar("T")


class UserJob(BaseJob[str]):
    """A family of jobs."""


class FetchJob(UserJob):
    pass


class SaveJob(UserJob):
    pass


# C1 (critical)
def test_a_hook_that_raises_leaves_no_job_running_for_ever_and_the_next_hook_is_called(rig: Rig, qtbot: Any) -> None:
    called: list[str] = []

    class Bad(Owner):
        def on_active_success(self, event: Any) -> None:
            raise ValueError("in the hook")

        def on_active_event(self, event: Any) -> None:
            called.append(type(event).__name__)

    bad = Bad(NoState(), runtime=rig.runtime)
    rig.work(is_open=True)
    with qtbot.captureExceptions():
        rig.end(bad.dispatch(ThreadJob()))
    assert not bad.has_active_jobs
    assert not bad.is_job_type_running(ThreadJob)
    assert called == ["JobStartedEvent", "JobSuccessEvent"]


# C2 (critical)
def test_no_rate_of_events_makes_an_end_get_lost(rig: Rig) -> None:
    @executes(FetchJob)
    def fetch(job: FetchJob) -> str:
        return ""

    rig.runtime.register(fetch)
    others = [Owner(NoState(), runtime=rig.runtime) for _ in range(3)]
    handles = [owner.dispatch(FetchJob()) for _ in range(500) for owner in others]
    handles += rig.owner.dispatch_all(FetchJob() for _ in range(60))
    rig.end(*handles)
    assert not rig.owner.has_active_jobs
    assert not any(owner.has_active_jobs for owner in others)
    assert len(rig.log.terminal) == 1_560


# C6 (high)
def test_cancel_job_cancels_and_the_owner_hears_of_it_as_its_own(rig: Rig) -> None:
    heard: list[str] = []

    class Hearing(Owner):
        def on_active_event(self, event: Any) -> None:
            heard.append("active " + type(event).__name__)

        def on_passive_event(self, event: Any) -> None:
            heard.append("passive " + type(event).__name__)

    hearing = Hearing(NoState(), runtime=rig.runtime)
    work = rig.work()
    handle = hearing.dispatch(ThreadJob())
    drive(work.begun.is_set)
    rig.drain()
    hearing.cancel_job(handle.id)
    rig.quiet()
    assert heard == ["active JobStartedEvent", "active JobCancelledEvent"]
    assert work.tokens[0].is_cancelled, "the work was only forgotten"


# D1 (high)
def test_an_executor_of_a_family_does_every_member_and_a_generic_job_too(rig: Rig) -> None:
    class Page(BaseJob[T], Generic[T]):
        pass

    class Family(BaseExecutor[UserJob]):
        def process(self, job: UserJob) -> str:
            return type(job).__name__

    class Pages(BaseExecutor[Page[Any]]):
        def process(self, job: Page[Any]) -> str:
            return "page"

    rig.runtime.register(Family(), Pages())
    jobs: list[BaseJob[Any]] = [FetchJob(), SaveJob(), Page[int](), Page()]
    handles = rig.owner.dispatch_all(jobs)
    rig.end(*handles)
    assert [handle.outcome for handle in handles] == [
        JobSuccess("FetchJob"),
        JobSuccess("SaveJob"),
        JobSuccess("page"),
        JobSuccess("page"),
    ]


# D6 (critical)
@pytest.mark.parametrize(
    "helper",
    [
        lambda owner, job: owner.dispatch_all([job])[0],
        lambda owner, job: owner.dispatch_replacing_previous(job),
        lambda owner, job: owner.dispatch_if_not_running(job),
    ],
    ids=["dispatch_all", "dispatch_replacing_previous", "dispatch_if_not_running"],
)
def test_every_helper_dispatches_on_the_owners_bus_and_as_its_own(
    rig: Rig, helper: Callable[[Owner, BaseJob[Any]], Any]
) -> None:
    scoped = SignalBus.scoped()
    log = EventLog(scoped)
    heard: list[str] = []

    class Hearing(Owner):
        def on_active_success(self, event: Any) -> None:
            heard.append("active")

        def on_passive_event(self, event: Any) -> None:
            heard.append("passive")

    hearing = Hearing(NoState(), runtime=rig.runtime, bus=scoped)
    rig.work(is_open=True)
    handle = helper(hearing, ThreadJob())
    assert hearing.is_job_running(handle)
    drive(lambda: handle.status.is_final and len(log) == 2)
    assert heard == ["active"]
    assert len(rig.log) == 0
    scoped.close()


# D7 (high)
def test_the_replaced_job_is_really_cancelled_and_its_late_answer_never_shows(rig: Rig) -> None:
    shown: list[object] = []

    class Searching(Owner):
        def on_active_success(self, event: Any) -> None:
            shown.append(event.data)

    searching = Searching(NoState(), runtime=rig.runtime)
    slow = rig.work("a", "answer to a", is_deaf=True)
    rig.work("ab", "answer to ab", is_open=True)
    first = searching.dispatch_replacing_previous(ThreadJob(name="a"))
    drive(slow.begun.is_set)
    second = searching.dispatch_replacing_previous(ThreadJob(name="ab"))
    rig.end(second)
    slow.gate.open()
    rig.quiet()
    assert slow.tokens[0].is_cancelled
    assert first.outcome == JobCancelled("superseded")
    assert shown == ["answer to ab"]


# F8 (high)
def test_invalidate_cache_job_works_without_registering_anything(rig: Rig) -> None:
    rig.runtime.cache.write("user:1", "Ada")
    rig.end(rig.owner.dispatch(InvalidateCacheJob(key="user:1")))
    assert rig.runtime.cache.read("user:1") is MISSING


# G1 (high)
def test_from_bus_never_misses_the_end_and_never_hangs(rig: Rig) -> None:
    rig.work("work", "data", is_open=True)
    handle = rig.dispatch("thread")
    rig.end(handle)
    bus = rig.runtime.bus
    assert asyncio.run(JobResult.from_bus(bus, handle)) == JobSuccess("data")
    assert asyncio.run(JobResult.from_bus(bus, handle.id)) == JobSuccess("data")
    rig.work("never")
    running = rig.dispatch("thread", "never")
    drive(rig.works["never"].begun.is_set)
    bus.close()
    assert asyncio.run(JobResult.from_bus(bus, running)) == JobCancelled("bus closed")


# G2 (critical)
@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (JobSuccess(None), "success"),
        (JobFailure(ValueError(), 2), "failure"),
        (JobCancelled("why"), "cancelled"),
        (JobTimeout(3.0), "timeout"),
    ],
)
def test_exactly_one_handler_runs_also_when_it_returns_none(outcome: JobResult[Any], expected: str) -> None:
    ran: list[str] = []

    def handler(name: str) -> Callable[..., None]:
        return lambda *_: ran.append(name)

    names = ("success", "failure", "cancelled", "timeout")
    assert outcome.when(**{name: handler(name) for name in names}) is None
    assert ran == [expected]
    ran.clear()
    outcome.maybe_when(**{expected: handler(expected)}, or_else=handler("or_else"))
    assert ran == [expected]
    ran.clear()
    outcome.maybe_when(or_else=handler("or_else"))
    assert ran == ["or_else"]


# G2 (critical), the same fault in AsyncState
def test_exactly_one_handler_of_an_async_state_runs() -> None:
    ran: list[str] = []
    AsyncState[int]().to_success(1).when(
        initial=lambda: ran.append("initial"),
        loading=lambda: ran.append("loading"),
        success=lambda _: ran.append("success"),
        failure=lambda _: ran.append("failure"),
    )
    assert ran == ["success"]


# G5 (high)
def test_every_transition_of_an_async_state_gives_the_same_subclass() -> None:
    class UserState(AsyncState[str]):
        tab: int = 3

    state = UserState()
    states = [
        state.to_loading(),
        state.to_success("Ada"),
        state.to_success("Ada").to_refreshing(),
        state.to_failure(ValueError()),
    ]
    assert {type(one) for one in states} == {UserState}
    assert {one.tab for one in states} == {3}


# A job never reports to a bus that its dispatcher did not name (audit A4, A12, D6 share this cause).
def test_two_owners_of_one_job_object_hear_their_own_run_only(rig: Rig) -> None:
    heard: dict[str, list[str]] = {"one": [], "two": []}

    class Hearing(Owner):
        name = ""

        def on_active_success(self, event: Any) -> None:
            heard[self.name].append(event.job_id)

    job = ThreadJob()
    rig.work(is_open=True)
    owners = []
    handles = []
    for name in heard:
        owner = Hearing(NoState(), runtime=rig.runtime)
        owner.name = name
        owners.append(owner)
        handles.append(owner.dispatch(job))
    rig.end(*handles)
    assert heard == {"one": [handles[0].id], "two": [handles[1].id]}
    assert handles[0].id != handles[1].id
    assert {handle.status for handle in handles} == {JobStatus.SUCCEEDED}
