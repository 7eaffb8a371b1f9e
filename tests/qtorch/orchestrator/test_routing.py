"""Which method hears which event, in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from qtorch import (
    BaseEvent,
    BaseJob,
    BaseOrchestrator,
    CachePolicy,
    JobCancelledEvent,
    JobEvent,
    JobFailureEvent,
    JobItemsEvent,
    JobProgressEvent,
    JobStartedEvent,
    JobSuccessEvent,
    JobTimeoutEvent,
    RetryPolicy,
    executes,
    on,
)
from tests.qtorch.execution.rig import LoopJob, NoState, Owner, Rig, ThreadJob, WorkJob, drive

pytestmark = pytest.mark.realtime


@dataclass(frozen=True)
class LoggedIn(BaseEvent):
    user: str


class Noting(BaseOrchestrator[NoState]):
    """Notes every call."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(NoState(), runtime=rig.runtime)
        self.calls: list[str] = []

    def note(self, what: str) -> None:
        self.calls.append(what)


class AllHooks(Noting):
    def on_job_started(self, event: Any) -> None:
        self.note("on_job_started")

    def on_progress(self, event: Any) -> None:
        self.note("on_progress")

    def on_job_retrying(self, event: Any) -> None:
        self.note("on_job_retrying")

    def on_placeholder(self, event: Any) -> None:
        self.note("on_placeholder")

    def on_cache_hit(self, event: Any) -> None:
        self.note("on_cache_hit")

    def on_active_success(self, event: Any) -> None:
        self.note("on_active_success")

    def on_active_failure(self, event: Any) -> None:
        self.note("on_active_failure")

    def on_active_timeout(self, event: Any) -> None:
        self.note("on_active_timeout")

    def on_active_cancelled(self, event: Any) -> None:
        self.note("on_active_cancelled")

    def on_active_event(self, event: JobEvent) -> None:
        self.note("on_active_event")

    def on_passive_event(self, event: BaseEvent) -> None:
        self.note("on_passive_event")


# -- hooks ------------------------------------------------------------------------------------------------------------


def ends_well(rig: Rig, owner: Owner) -> None:
    rig.work(is_open=True)
    rig.end(owner.dispatch(ThreadJob()))


def fails(rig: Rig, owner: Owner) -> None:
    rig.work("work", ValueError(), is_open=True)
    rig.end(owner.dispatch(ThreadJob()))


def times_out(rig: Rig, owner: Owner) -> None:
    work = rig.work()
    handle = owner.dispatch(ThreadJob(), timeout=5)
    drive(work.begun.is_set)
    rig.drain()
    rig.clock.advance(5)
    rig.end(handle)


def is_cancelled(rig: Rig, owner: Owner) -> None:
    work = rig.work()
    handle = owner.dispatch(ThreadJob())
    drive(work.begun.is_set)
    rig.drain()
    handle.cancel()
    rig.end(handle)


def is_retried(rig: Rig, owner: Owner) -> None:
    rig.work("work", OSError(), 1, is_open=True)
    handle = owner.dispatch(ThreadJob(), retry=RetryPolicy(max_retries=1, base_delay=1), placeholder="...")
    drive(lambda: handle.status.value == "waiting")
    rig.clock.advance(1)
    rig.end(handle)


def is_cached(rig: Rig, owner: Owner) -> None:
    rig.runtime.cache.write("k", 1)
    rig.work(is_open=True)
    rig.end(owner.dispatch(ThreadJob(), cache=CachePolicy(key="k", revalidate=False)))


@pytest.mark.parametrize(
    ("happens", "hooks"),
    [
        (ends_well, ["on_job_started", "on_active_success"]),
        (fails, ["on_job_started", "on_active_failure"]),
        (times_out, ["on_job_started", "on_active_timeout"]),
        (is_cancelled, ["on_job_started", "on_active_cancelled"]),
        (is_retried, ["on_job_started", "on_placeholder", "on_job_retrying", "on_active_success"]),
        (is_cached, ["on_job_started", "on_cache_hit", "on_active_success"]),
    ],
)
def test_each_event_of_an_own_job_calls_its_hook_and_then_on_active_event(
    rig: Rig, happens: Callable[[Rig, Any], None], hooks: list[str]
) -> None:
    owner = AllHooks(rig)
    happens(rig, owner)
    assert owner.calls == [call for hook in hooks for call in (hook, "on_active_event")]
    rig.quiet()


def test_a_timeout_calls_on_active_failure_unless_on_active_timeout_is_overridden(rig: Rig) -> None:
    class Plain(Noting):
        def on_active_failure(self, event: JobFailureEvent) -> None:
            self.note(type(event).__name__)

    plain = Plain(rig)
    times_out(rig, plain)  # type: ignore[arg-type]
    assert plain.calls == ["JobTimeoutEvent"]


def test_an_overridden_on_active_timeout_may_pass_on(rig: Rig) -> None:
    class Both(Noting):
        def on_active_timeout(self, event: JobTimeoutEvent) -> None:
            self.note("timeout")
            super().on_active_timeout(event)

        def on_active_failure(self, event: JobFailureEvent) -> None:
            self.note("failure")

    both = Both(rig)
    times_out(rig, both)  # type: ignore[arg-type]
    assert both.calls == ["timeout", "failure"]


def test_progress_reaches_its_hook(rig: Rig) -> None:
    class ReportJob(BaseJob[None]):
        pass

    @executes(ReportJob)
    def report(job: ReportJob) -> None:
        report.emit_progress(job, 0.5)

    rig.runtime.register(report)
    owner = AllHooks(rig)
    rig.end(owner.dispatch(ReportJob()))
    assert owner.calls.count("on_progress") == 1


# -- @on --------------------------------------------------------------------------------------------------------------


def test_handlers_are_called_in_the_order_of_definition_before_the_hooks(rig: Rig) -> None:
    class Ordered(Noting):
        @on(JobSuccessEvent)
        def zebra(self, event: Any) -> None:
            self.note("zebra")

        @on(JobSuccessEvent, WorkJob)
        def apple(self, event: Any) -> None:
            self.note("apple")

        @on(JobEvent, ThreadJob)
        def mango(self, event: JobEvent) -> None:
            self.note("mango " + type(event).__name__)

        @on(JobSuccessEvent, LoopJob)
        def another_class(self, event: Any) -> None:
            self.note("another class")

        def on_active_success(self, event: Any) -> None:
            self.note("hook")

        def on_active_event(self, event: Any) -> None:
            self.note("every")

    ordered = Ordered(rig)
    rig.work(is_open=True)
    rig.end(ordered.dispatch(ThreadJob()))
    assert ordered.calls == [
        "mango JobStartedEvent",
        "every",
        "zebra",
        "apple",
        "mango JobSuccessEvent",
        "hook",
        "every",
    ]


def test_a_handler_for_timeouts_is_called_instead_of_the_one_for_failures(rig: Rig) -> None:
    class Handling(Noting):
        @on(JobFailureEvent, ThreadJob)
        def failed(self, event: JobFailureEvent) -> None:
            self.note("failed")

        @on(JobTimeoutEvent, ThreadJob)
        def late(self, event: JobTimeoutEvent) -> None:
            self.note("late")

        @on(JobEvent)
        def anything(self, event: JobEvent) -> None:
            if event.is_terminal:
                self.note("anything")

    handling = Handling(rig)
    times_out(rig, handling)  # type: ignore[arg-type]
    assert handling.calls == ["late", "anything"]
    fails(rig, handling)  # type: ignore[arg-type]
    assert handling.calls[2:] == ["failed", "anything"]


def test_without_a_handler_for_timeouts_of_its_class_a_job_calls_the_one_for_failures(rig: Rig) -> None:
    class Handling(Noting):
        @on(JobFailureEvent)
        def failed(self, event: JobFailureEvent) -> None:
            self.note("failed")

        @on(JobTimeoutEvent, LoopJob)
        def late(self, event: JobTimeoutEvent) -> None:
            self.note("late")

    handling = Handling(rig)
    times_out(rig, handling)  # type: ignore[arg-type]
    assert handling.calls == ["failed"]


def test_one_method_may_hear_several_kinds_and_is_called_once_for_each_event(rig: Rig) -> None:
    class Several(Noting):
        @on(JobSuccessEvent, ThreadJob)  # type: ignore[arg-type]
        @on(JobFailureEvent, ThreadJob)
        @on(JobEvent, ThreadJob)
        def ended(self, event: JobEvent) -> None:
            self.note(type(event).__name__)

    several = Several(rig)
    ends_well(rig, several)  # type: ignore[arg-type]
    fails(rig, several)  # type: ignore[arg-type]
    assert several.calls == ["JobStartedEvent", "JobSuccessEvent", "JobStartedEvent", "JobFailureEvent"]


def test_an_override_in_a_subclass_keeps_the_mark_of_what_it_overrides(rig: Rig) -> None:
    class Base(Noting):
        @on(JobSuccessEvent, ThreadJob)
        def loaded(self, event: Any) -> None:
            self.note("base")

        @on(JobStartedEvent)
        def started(self, event: Any) -> None:
            self.note("started")

    class Derived(Base):
        def loaded(self, event: Any) -> None:
            self.note("derived")
            super().loaded(event)

        @on(JobCancelledEvent)
        def started(self, event: Any) -> None:  # type: ignore[override]
            self.note("marked anew")

    derived = Derived(rig)
    ends_well(rig, derived)  # type: ignore[arg-type]
    assert derived.calls == ["derived", "base"]
    is_cancelled(rig, derived)  # type: ignore[arg-type]
    assert derived.calls[2:] == ["marked anew"]


def test_handlers_of_a_base_class_come_before_those_of_the_subclass(rig: Rig) -> None:
    class Mixin:
        @on(JobSuccessEvent)
        def mixed_in(self, event: Any) -> None:
            self.note("mixin")  # type: ignore[attr-defined]

    class Derived(Mixin, Noting):
        @on(JobSuccessEvent)
        def own(self, event: Any) -> None:
            self.note("own")

    derived = Derived(rig)
    ends_well(rig, derived)  # type: ignore[arg-type]
    assert derived.calls == ["mixin", "own"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [((ThreadJob,), "event class"), ((JobSuccessEvent, JobFailureEvent), "job class"), (("JobSuccessEvent",), "event")],
)
def test_on_refuses_what_is_no_event_or_no_job_where_it_is_written(arguments: tuple[Any, ...], says: str) -> None:
    with pytest.raises(TypeError, match=says):
        on(*arguments)


# -- what is not one's own --------------------------------------------------------------------------------------------


class Listening(Noting):
    def on_passive_event(self, event: BaseEvent) -> None:
        self.note(type(event).__name__)

    @on(JobSuccessEvent, ThreadJob, passive=True)
    def other_succeeded(self, event: Any) -> None:
        self.note("passive handler")

    @on(JobSuccessEvent, ThreadJob)
    def own_succeeded(self, event: Any) -> None:
        self.note("active handler")


def test_jobs_of_others_are_heard_passively_handlers_first(rig: Rig) -> None:
    listening = Listening(rig)
    rig.work(is_open=True)
    rig.end(rig.dispatch("thread"))
    assert listening.calls == ["JobStartedEvent", "passive handler", "JobSuccessEvent"]


def test_own_jobs_are_never_heard_passively(rig: Rig) -> None:
    listening = Listening(rig)
    ends_well(rig, listening)  # type: ignore[arg-type]
    assert listening.calls == ["active handler"]


def test_jobs_that_no_orchestrator_dispatched_are_heard_passively(rig: Rig) -> None:
    listening = Listening(rig)
    rig.work(is_open=True)
    rig.end(rig.runtime.dispatcher.dispatch(ThreadJob()))
    assert listening.calls == ["JobStartedEvent", "passive handler", "JobSuccessEvent"]


def report_once(rig: Rig, owner: Any) -> None:
    class ReportJob(BaseJob[None]):
        pass

    @executes(ReportJob)
    def report(job: ReportJob) -> None:
        report.emit_progress(job, 0.5)

    rig.runtime.register(report)
    rig.end(owner.dispatch(ReportJob()))


def test_progress_of_others_is_heard_only_where_it_is_asked_for(rig: Rig) -> None:
    class Curious(Listening):
        passive_progress = True

    plain, curious = Listening(rig), Curious(rig)
    report_once(rig, rig.owner)
    assert plain.calls == ["JobStartedEvent", "JobSuccessEvent"]
    assert curious.calls == ["JobStartedEvent", "JobProgressEvent", "JobSuccessEvent"]


def test_a_passive_handler_of_progress_needs_passive_progress_too(rig: Rig) -> None:
    class Deaf(Noting):
        @on(JobProgressEvent, passive=True)
        def progress(self, event: Any) -> None:
            self.note("progress")

    class Hearing(Deaf):
        passive_progress = True

    deaf, hearing = Deaf(rig), Hearing(rig)
    report_once(rig, rig.owner)
    assert (deaf.calls, hearing.calls) == ([], ["progress"])


class CountJob(BaseJob[int]):
    pass


@executes(CountJob)
def count(job: CountJob) -> Iterator[int]:
    yield 1
    yield 2


def test_streamed_items_of_own_jobs_are_heard_by_handlers_then_by_on_items(rig: Rig) -> None:
    class Counting(Noting):
        @on(JobItemsEvent, CountJob)
        def counted(self, event: JobItemsEvent[int]) -> None:
            self.note("handler")

        def on_items(self, event: JobItemsEvent[Any]) -> None:
            self.note("on_items")
            items.extend(event.items)

        def on_active_event(self, event: JobEvent) -> None:
            if isinstance(event, JobItemsEvent):
                self.note("on_active_event")

    items: list[int] = []
    rig.runtime.register(count)
    counting = Counting(rig)
    rig.end(counting.dispatch(CountJob()))
    assert items == [1, 2]
    assert counting.calls[:3] == ["handler", "on_items", "on_active_event"]
    assert rig.log.of(JobItemsEvent)


def test_streamed_items_of_others_are_heard_only_where_it_is_asked_for(rig: Rig) -> None:
    class Plain(Noting):
        @on(JobItemsEvent, passive=True)
        def counted(self, event: JobItemsEvent[Any]) -> None:
            self.note("handler")

        def on_items(self, event: JobItemsEvent[Any]) -> None:
            self.note("on_items")

        def on_passive_event(self, event: BaseEvent) -> None:
            if isinstance(event, JobItemsEvent):
                self.note("on_passive_event")

    class Curious(Plain):
        passive_progress = True

    rig.runtime.register(count)
    plain, curious = Plain(rig), Curious(rig)
    rig.end(rig.owner.dispatch(CountJob()))
    assert plain.calls == []
    assert curious.calls[:2] == ["handler", "on_passive_event"]
    assert "on_items" not in curious.calls


def test_domain_events_are_heard_by_their_class_and_by_on_passive_event(rig: Rig) -> None:
    class Session(Noting):
        @on(LoggedIn)
        def logged_in(self, event: LoggedIn) -> None:
            self.note(f"hello {event.user}")

    session, listening = Session(rig), Listening(rig)
    rig.runtime.bus.emit(LoggedIn("s", user="ada"))
    rig.runtime.bus.emit(BaseEvent("other"))
    rig.drain()
    assert session.calls == ["hello ada"]
    assert listening.calls == ["LoggedIn", "BaseEvent"]


def test_orchestrators_of_another_bus_hear_nothing(rig: Rig) -> None:
    from qtorch import SignalBus

    class Elsewhere(BaseOrchestrator[NoState]):
        heard: list[BaseEvent]

        def on_passive_event(self, event: BaseEvent) -> None:
            self.heard.append(event)

    scoped = SignalBus.scoped()
    elsewhere = Elsewhere(NoState(), runtime=rig.runtime, bus=scoped)
    elsewhere.heard = []
    rig.work(is_open=True)
    rig.end(rig.dispatch("thread"))
    assert elsewhere.heard == []
    own = elsewhere.dispatch(ThreadJob())
    drive(lambda: own.status.is_final)
    rig.drain()
    assert elsewhere.heard == []
    assert [event.correlation_id for event in rig.log.for_job(own.id)] == []


# -- faults -----------------------------------------------------------------------------------------------------------


def test_a_hook_that_raises_is_reported_once_and_silences_nobody(rig: Rig, qtbot: Any) -> None:
    error = ValueError("in the handler")

    class Bad(Noting):
        @on(JobSuccessEvent)
        def bad(self, event: Any) -> None:
            raise error

        @on(JobSuccessEvent)
        def good(self, event: Any) -> None:
            self.note("good")

        def on_active_success(self, event: Any) -> None:
            self.note("hook")

    bad, listening = Bad(rig), Listening(rig)
    rig.work(is_open=True)
    with qtbot.captureExceptions() as seen:
        handle = bad.dispatch(ThreadJob())
        rig.end(handle)
    assert bad.calls == ["good", "hook"]
    assert listening.calls[-1] == "JobSuccessEvent"
    assert handle.status.value == "succeeded"
    assert not bad.has_active_jobs
    [report] = rig.reports
    assert report.error is error
    assert report.where == "Bad.bad"
    assert report.job is handle.job
    assert isinstance(report.event, JobSuccessEvent)
    assert [caught for _, caught, _ in seen] == [error]


def test_a_hook_sees_its_job_untracked_at_the_end_and_tracked_before(rig: Rig) -> None:
    seen: list[Any] = []

    class Looking(Noting):
        def on_job_started(self, event: Any) -> None:
            seen.append((self.is_job_running(event.job_id), self.has_active_jobs, self.running().get()))

        on_active_success = on_job_started

    looking = Looking(rig)
    ends_well(rig, looking)  # type: ignore[arg-type]
    assert seen == [(True, True, True), (False, False, False)]
