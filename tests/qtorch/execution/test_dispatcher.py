"""Which executor does a job, and how it gets there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from qtorch import (
    BaseExecutor,
    BaseJob,
    CancellationToken,
    ClosedError,
    Dispatcher,
    DuplicateExecutorError,
    EventLog,
    ExecutorNotFoundError,
    JobBuilder,
    JobOptions,
    JobStartedEvent,
    JobStatus,
    RetryPolicy,
    SignalBus,
    executes,
)
from tests.qtorch.execution.rig import Rig, drive, elsewhere, run_of

pytestmark = pytest.mark.realtime


class AnimalJob(BaseJob[str]):
    pass


class CatJob(AnimalJob):
    pass


class LionJob(CatJob):
    pass


class FetchUserJob(BaseJob[str]):
    user_id: str = "1"


class Answering(BaseExecutor[AnimalJob]):
    def __init__(self, answer: str) -> None:
        self.answer = answer

    def process(self, job: AnimalJob) -> str:
        return self.answer


@executes(FetchUserJob)
def fetch_user(job: FetchUserJob) -> str:
    return job.user_id


def answer(rig: Rig, job: BaseJob[Any], **options: Any) -> Any:
    handle = rig.owner.dispatch(job, **options)
    rig.end(handle)
    assert handle.outcome is not None
    return handle.outcome.unwrap()


# -- look-up ----------------------------------------------------------------------------------------------------------


def test_an_executor_does_the_subclasses_of_its_job_too(rig: Rig) -> None:
    rig.runtime.register(Answering("animal"))
    assert answer(rig, LionJob()) == "animal"


def test_the_nearest_class_wins_also_when_it_is_registered_later(rig: Rig) -> None:
    rig.runtime.register(Answering("animal"))
    assert answer(rig, LionJob()) == "animal"

    @executes(CatJob)
    def cat(job: CatJob) -> str:
        return "cat"

    rig.runtime.register(cat)
    assert answer(rig, LionJob()) == "cat"
    assert answer(rig, AnimalJob()) == "animal"


def test_a_parametrised_generic_job_finds_the_executor_of_its_origin(rig: Rig) -> None:
    from typing import Generic, TypeVar

    T = TypeVar("T")

    class FetchJob(BaseJob[T], Generic[T]):
        pass

    class Fetcher(BaseExecutor[FetchJob[Any]]):
        def process(self, job: FetchJob[Any]) -> str:
            return "any"

    class NumberFetcher(BaseExecutor[FetchJob[int]]):
        def process(self, job: FetchJob[int]) -> str:
            return "int"

    rig.runtime.register(Fetcher(), NumberFetcher())
    assert answer(rig, FetchJob[str]()) == "any"
    assert answer(rig, FetchJob[int]()) == "int"
    assert answer(rig, FetchJob[Any]()) == "any"


def test_a_job_without_an_executor_is_told_what_there_is(rig: Rig) -> None:
    class FetchUsersJob(BaseJob[str]):
        pass

    rig.runtime.register(fetch_user)
    with pytest.raises(ExecutorNotFoundError) as caught:
        rig.owner.dispatch(FetchUsersJob())
    text = str(caught.value)
    assert "FetchUsersJob" in text
    assert __name__ in text
    assert "Registered:" in text
    assert "Nearest name: FetchUserJob" in text
    assert "Runtime(executors=" in text
    assert not rig.owner.has_active_jobs


def test_a_second_executor_of_a_class_is_refused_unless_it_replaces(rig: Rig) -> None:
    rig.runtime.register(Answering("first"))
    with pytest.raises(DuplicateExecutorError, match=r"(?s)AnimalJob.*replace=True"):
        rig.runtime.register(Answering("second"))
    assert answer(rig, AnimalJob()) == "first"
    rig.runtime.dispatcher.register(Answering("second"), replace=True)
    assert answer(rig, AnimalJob()) == "second"
    assert answer(rig, LionJob()) == "second", "the look-up of a subclass was remembered"


def test_unregister_gives_the_executor_and_forgets_it_for_subclasses_too(rig: Rig) -> None:
    executor = Answering("x")
    rig.runtime.register(executor)
    answer(rig, LionJob())
    assert rig.runtime.dispatcher.registered_executors[AnimalJob] is executor
    assert rig.runtime.dispatcher.unregister(AnimalJob) is executor
    with pytest.raises(ExecutorNotFoundError):
        rig.owner.dispatch(LionJob())
    with pytest.raises(ExecutorNotFoundError):
        rig.runtime.dispatcher.unregister(AnimalJob)


@pytest.mark.parametrize("wrong", [Answering, object(), BaseExecutor])
def test_what_is_no_executor_is_refused_with_what_to_write(rig: Rig, wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"BaseExecutor\[MyJob\]"):
        rig.runtime.register(wrong)


def test_an_executor_inherits_its_job_class(rig: Rig) -> None:
    class Polite(Answering):
        pass

    rig.runtime.register(Polite("please"))
    assert answer(rig, AnimalJob()) == "please"


def test_instance_is_the_dispatcher_of_the_default_runtime(rig: Rig) -> None:
    assert Dispatcher.instance() is rig.runtime.dispatcher


# -- dispatch ---------------------------------------------------------------------------------------------------------


def test_nobody_is_told_anything_before_dispatch_returns(rig: Rig, own_runner: str) -> None:
    heard: list[object] = []
    rig.runtime.bus.subscribe(heard.append)
    rig.runtime.bus.event_emitted.connect(heard.append)
    work = rig.work(is_open=True)
    handle = rig.dispatch(own_runner)
    work.ended.wait(10)
    assert heard == []
    assert rig.owner.is_job_running(handle)
    rig.end(handle)
    assert heard != []


def test_a_job_is_tracked_before_it_starts(rig: Rig) -> None:
    seen: list[bool] = []
    rig.runtime.bus.subscribe(
        lambda event: seen.append(rig.owner.is_job_running(event.correlation_id)), event_type=JobStartedEvent
    )
    rig.work(is_open=True)
    rig.end(rig.dispatch("thread"))
    assert seen == [True]


def test_the_same_job_object_dispatched_twice_at_once_is_two_jobs(rig: Rig) -> None:
    rig.runtime.register(fetch_user)
    job = FetchUserJob(user_id="7")
    first, second = rig.owner.dispatch(job), rig.owner.dispatch(job)
    assert first.id == job.id
    assert second.id != job.id
    assert second.job == job
    rig.end(first, second)
    for handle in (first, second):
        assert rig.types(handle) == ["Started", "Success"]


def test_a_built_job_is_done_like_the_original(rig: Rig) -> None:
    rig.runtime.register(fetch_user)
    job = JobBuilder(FetchUserJob(user_id="7")).with_timeout(3).with_metadata({"a": 1}).build()
    handle = rig.owner.dispatch(job, metadata={"b": 2})
    options = run_of(handle).options
    assert (options.timeout, options.metadata) == (3.0, {"a": 1, "b": 2})
    rig.end(handle)
    assert handle.outcome is not None
    assert handle.outcome.unwrap() == "7"


def test_options_hold_class_then_builder_then_keywords(rig: Rig) -> None:
    class ThoroughJob(FetchUserJob):
        default_options = JobOptions(timeout=30, retry=RetryPolicy(max_retries=2), priority=1)

    rig.runtime.register(fetch_user)
    job = JobBuilder(ThoroughJob()).with_timeout(20).build()
    handle = rig.owner.dispatch(job, retry=None)
    options = run_of(handle).options
    assert (options.timeout, options.retry, options.priority) == (20.0, None, 1)
    rig.end(handle)


def test_tokens_of_all_layers_cancel_the_job(rig: Rig) -> None:
    built, given = CancellationToken(), CancellationToken()
    rig.work()
    for token in (built, given):
        job = JobBuilder(rig.job("thread")).with_cancellation(built).build()
        handle = rig.owner.dispatch(job, token=given)
        if token is given:
            token.cancel("from there")
            rig.end(handle)
            assert handle.status is JobStatus.CANCELLED
        else:
            handle.cancel()
    other = CancellationToken()
    job = JobBuilder(rig.job("thread")).with_cancellation(built).build()
    handle = rig.owner.dispatch(job, token=other)
    built.cancel("from here")
    rig.end(handle)
    assert rig.log.cancelled[-1].reason == "from here"
    rig.quiet()


@pytest.mark.parametrize(
    "options", [{"timeout": -1}, {"retry": -1}, {"no_such_option": 1}, {"priority": "high"}, {"policy": "nonsense"}]
)
def test_options_that_do_not_fit_are_refused_and_dispatch_nothing(rig: Rig, options: dict[str, Any]) -> None:
    rig.work()
    with pytest.raises(ValidationError):
        rig.dispatch("thread", **options)
    assert not rig.runtime.running_jobs
    assert not rig.owner.has_active_jobs


def test_events_go_to_the_bus_that_is_given(rig: Rig) -> None:
    rig.runtime.register(fetch_user)
    scoped = SignalBus.scoped()
    log = EventLog(scoped)
    handle = rig.runtime.dispatcher.dispatch(FetchUserJob(), bus=scoped)
    drive(lambda: handle.status.is_final and len(log) == 2)
    assert len(rig.log) == 0
    scoped.close()


def test_dispatch_on_a_closed_bus_is_refused(rig: Rig) -> None:
    rig.runtime.register(fetch_user)
    scoped = SignalBus.scoped()
    scoped.close()
    with pytest.raises(ClosedError, match="FetchUserJob"):
        rig.runtime.dispatcher.dispatch(FetchUserJob(), bus=scoped)


def test_dispatch_on_a_closed_runtime_is_refused_on_every_thread(rig: Rig) -> None:
    rig.runtime.register(fetch_user)
    rig.runtime.close()
    with pytest.raises(ClosedError, match="FetchUserJob"):
        rig.runtime.dispatcher.dispatch(FetchUserJob())
    with pytest.raises(ClosedError, match="FetchUserJob"):
        elsewhere(lambda: rig.runtime.dispatcher.dispatch(FetchUserJob()))


def test_the_dispatcher_handles_and_tokens_work_from_any_thread(rig: Rig) -> None:
    work = rig.work()
    token = CancellationToken()
    handles: list[Any] = []

    def from_a_thread() -> None:
        handle = rig.runtime.dispatcher.dispatch(rig.job("thread"), token=token)
        handles.append(handle)
        assert not handle.status.is_final
        assert handle.progress == 0.0
        handle.add_done_callback(lambda _: handles.append(threading.get_ident()))

    elsewhere(from_a_thread)
    drive(work.begun.is_set)
    elsewhere(token.cancel)
    rig.end(handles[0])
    drive(lambda: len(handles) == 2)
    assert handles[1] == threading.get_ident()


def test_one_executor_serves_two_runtimes_at_once(make_rig: Callable[..., Rig]) -> None:
    class Stepping(BaseExecutor[FetchUserJob]):
        def process(self, job: FetchUserJob) -> str:
            done = threading.Thread(target=self.emit_progress, args=(job, 0.5))  # found by id
            done.start()
            done.join()
            return job.user_id

    executor = Stepping()
    one, two = make_rig(), make_rig()
    one.runtime.register(executor)
    two.runtime.register(executor)
    first, second = one.owner.dispatch(FetchUserJob(user_id="1")), two.owner.dispatch(FetchUserJob(user_id="2"))
    one.end(first)
    two.end(second)
    assert one.types(first) == two.types(second) == ["Started", "Progress", "Success"]


def test_an_executor_needs_no_super_init(rig: Rig) -> None:
    class Bare(BaseExecutor[FetchUserJob]):
        def __init__(self) -> None:
            self.answer = "bare"

        def process(self, job: FetchUserJob) -> str:
            self.checkpoint(job)
            return self.answer

    rig.runtime.register(Bare())
    assert answer(rig, FetchUserJob()) == "bare"


def test_a_callable_object_can_be_made_an_executor(rig: Rig) -> None:
    class Adder:
        def __call__(self, job: FetchUserJob) -> str:
            return job.user_id * 2

    rig.runtime.register(executes(FetchUserJob)(Adder()))
    assert answer(rig, FetchUserJob(user_id="ab")) == "abab"
