"""What type checkers infer, checked by ``make types`` and run by pytest.

``assert_type`` does nothing when it is run; each ``type: ignore`` marks what has to be an error, and an ignore that
nothing needs is an error of ``mypy --strict`` itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, assert_never, assert_type

import pytest
from pydantic import BaseModel

from qtorch import (
    RESTARTABLE,
    AsyncState,
    Attempt,
    BaseEvent,
    BaseExecutor,
    BaseJob,
    BaseOrchestrator,
    BaseState,
    CachePolicy,
    CancellationToken,
    EventLog,
    Field,
    JobBuilder,
    JobCacheHitEvent,
    JobCancelled,
    JobFailure,
    JobFailureEvent,
    JobHandle,
    JobItemsEvent,
    JobOptions,
    JobOutcome,
    JobPlaceholderEvent,
    JobResult,
    JobStatus,
    JobSuccess,
    JobSuccessEvent,
    JobTimeout,
    Lane,
    LanePolicy,
    RetryPolicy,
    Runner,
    SignalBus,
    Source,
    Subscription,
    combine,
    executes,
    on,
)

if TYPE_CHECKING:
    from qtorch.testing.hygiene import TestRuntime


class User(BaseModel, frozen=True):
    name: str


class FetchUserJob(BaseJob[User]):
    default_options = JobOptions(timeout=timedelta(seconds=30), retry=3)

    user_id: str = ""


class CountJob(BaseJob[int]):
    pass


class UserState(BaseState):
    user: User | None = None
    count: int = 0


class LoadState(AsyncState[User]):
    tab: int = 0


class FetchUserExecutor(BaseExecutor[FetchUserJob]):
    async def process(self, job: FetchUserJob) -> User:
        assert_type(self.token(job), CancellationToken)
        return User(name=job.user_id)


class PageJob(BaseJob[str]):
    pass


class PageExecutor(BaseExecutor[PageJob]):
    async def process(self, job: PageJob) -> str:
        user = await self.run(FetchUserJob(user_id="1"), share=0.5, timeout=3)
        assert_type(user, User)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.run(CountJob(), share=0.5))
        assert_type(task.result(), int)
        self.run(CountJob(), sahre=0.5)  # type: ignore[call-arg,unused-coroutine]  # pyright: ignore
        return user.name


@executes(CountJob)
def count(job: CountJob) -> int:
    return 1


@executes(CountJob)
async def count_later(job: CountJob) -> int:
    return 1


@executes(CountJob)
def count_up(job: CountJob) -> Iterator[int]:
    yield 1


@executes(CountJob)
async def count_up_later(job: CountJob) -> AsyncIterator[int]:
    yield 1


class StreamUsersExecutor(BaseExecutor[FetchUserJob]):
    async def process(self, job: FetchUserJob) -> AsyncIterator[User]:
        yield User(name=job.user_id)


class Users(BaseOrchestrator[UserState]):
    @on(JobSuccessEvent, FetchUserJob)
    def _loaded(self, event: JobSuccessEvent[User]) -> None:
        assert_type(event.data, User)
        self.update(user=event.data)

    @on(JobSuccessEvent, CountJob)  # type: ignore[arg-type]  # a CountJob gives an int
    def _wrong(self, event: JobSuccessEvent[User]) -> None: ...

    @on(JobCacheHitEvent, FetchUserJob)
    def _cached(self, event: JobCacheHitEvent[User]) -> None:
        assert_type(event.data, User)

    @on(JobPlaceholderEvent, FetchUserJob)
    def _shown(self, event: JobPlaceholderEvent[User]) -> None:
        assert_type(event.data, User)

    @on(JobItemsEvent, FetchUserJob)
    def _more(self, event: JobItemsEvent[User]) -> None:
        assert_type(event.items, tuple[User, ...])

    @on(JobItemsEvent, CountJob)  # type: ignore[arg-type]  # a CountJob gives ints
    def _wrong_items(self, event: JobItemsEvent[User]) -> None: ...

    @on(JobFailureEvent)
    def _failed(self, event: JobFailureEvent) -> None:
        assert_type(event.error, BaseException)

    @on(JobFailureEvent)  # type: ignore[arg-type]  # a failure is no success
    def _wrong_too(self, event: JobSuccessEvent[User]) -> None: ...

    def fetch(self, user_id: str) -> JobHandle[User]:
        return self.dispatch(FetchUserJob(user_id=user_id), policy=RESTARTABLE, timeout=timedelta(seconds=3), retry=1)


@pytest.fixture
def users(qtorch_runtime: TestRuntime) -> Users:
    qtorch_runtime.register(FetchUserExecutor(), count)
    return Users(UserState())


# -- jobs --------------------------------------------------------------------------------------------------------------


def test_options_take_what_their_validators_take() -> None:
    assert JobOptions(timeout=timedelta(minutes=1), deadline=90, retry=2).timeout == 60
    assert CachePolicy(key="a", ttl=timedelta(minutes=1)).ttl == 60
    assert RetryPolicy(base_delay=timedelta(seconds=2)).base_delay == 2
    with pytest.raises(ValueError, match="timout"):
        JobOptions(timout=3)  # type: ignore[call-arg]  # the nearest is timeout
    assert_type(JobOptions().timeout, float | None)
    assert_type(JobOptions().retry, RetryPolicy | None)
    assert JobOptions(debounce=timedelta(milliseconds=300)).debounce == 0.3
    assert_type(JobOptions().throttle, float | None)


@pytest.mark.realtime
def test_a_lane_is_known_by_its_name_and_as_an_object(qtorch_runtime: TestRuntime, users: Users) -> None:
    lane = qtorch_runtime.lane("fetching", limit=2, max_queue=10)
    assert_type(lane, Lane)
    assert_type(lane.policy, LanePolicy)
    assert_type(lane.limit, int | None)
    assert_type(lane.counts, dict[str, int])
    assert users.dispatch(FetchUserJob(), lane=lane, debounce=timedelta(seconds=1)).status is JobStatus.WAITING
    newer = users.dispatch(FetchUserJob(), lane="fetching", throttle=0.5)
    assert newer.status is not JobStatus.WAITING
    asyncio.run(newer.result())
    with pytest.raises(ValueError, match="lane"):
        users.dispatch(FetchUserJob(), lane=7)  # type: ignore[arg-type]


def test_a_builder_gives_the_class_of_its_job() -> None:
    job = (
        JobBuilder(FetchUserJob(user_id="42")).with_timeout(timedelta(seconds=3)).with_retry(2).with_cache(None).build()
    )
    assert_type(job, FetchUserJob)
    assert job.user_id == "42"


def test_an_outcome_is_told_apart_completely() -> None:
    def text(outcome: JobOutcome[User]) -> str:
        match outcome:
            case JobSuccess(data):
                assert_type(data, User)
                return data.name
            case JobFailure(error, attempts):
                assert_type(error, BaseException)
                assert_type(attempts, int)
                return str(error)
            case JobCancelled(reason):
                assert_type(reason, str | None)
                return reason or ""
            case JobTimeout(timeout):
                assert_type(timeout, float)
                return str(timeout)
            case _:
                assert_never(outcome)

    def incomplete(outcome: JobOutcome[User]) -> str:
        match outcome:
            case JobSuccess() | JobFailure() | JobCancelled():
                return ""
            case _:
                assert_never(outcome)  # type: ignore[arg-type]  # the timeout is missing

    assert text(JobSuccess(User(name="Ann"))) == "Ann"
    with pytest.raises(AssertionError):
        incomplete(JobTimeout(1))


def test_when_gives_what_its_handlers_give() -> None:
    outcome: JobOutcome[User] = JobSuccess(User(name="Ann"))
    length = outcome.when(
        success=lambda user: len(user.name),
        failure=lambda error, attempts: attempts,
        cancelled=lambda reason: 0,
        timeout=lambda timeout: -1,
    )
    assert_type(length, int)
    some = outcome.maybe_when(success=lambda user: user.name, or_else=lambda: "")
    assert_type(some, str)
    assert_type(outcome.unwrap(), User)
    assert_type(outcome.data_or_none, User | None)
    assert (length, some) == (3, "Ann")


# -- events ------------------------------------------------------------------------------------------------------------


def test_the_helpers_of_events_give_the_type_that_was_asked_for() -> None:
    job = FetchUserJob()
    event: JobSuccessEvent[Any] = JobSuccessEvent(job.id, job, data=User(name="Ann"))
    assert_type(event.data_as(User), User)
    assert_type(event.data_or_none(User), User | None)
    assert_type(event.data_or(int, "none"), int | str)
    assert_type(event.map_data(User, lambda user: len(user.name)), int | None)
    assert event.map_data(User, lambda user: len(user.name)) == 3
    failure = JobFailureEvent(job.id, job, error=OSError("no"))
    assert_type(failure.error_as(OSError), OSError | None)


def test_a_log_gives_events_of_the_class_that_was_asked_for() -> None:
    log = EventLog()
    assert_type(log.of(JobFailureEvent), list[JobFailureEvent])
    assert_type(log[0:1], list[BaseEvent])
    assert_type(log.latest_for_job("x"), BaseEvent | None)
    assert log.of(JobFailureEvent) == []


def test_a_subscriber_is_given_events_of_the_class_it_asked_for(qtorch_runtime: TestRuntime) -> None:
    bus: SignalBus = qtorch_runtime.bus

    def failed(event: JobFailureEvent) -> None: ...

    assert_type(bus.subscribe(failed, event_type=JobFailureEvent), Subscription)
    bus.subscribe(lambda event: event.error_message, event_type=JobFailureEvent)
    bus.subscribe(failed, event_type=JobSuccessEvent)  # type: ignore[arg-type]  # a success is no failure


# -- state -------------------------------------------------------------------------------------------------------------


def test_copies_and_transitions_keep_the_class() -> None:
    assert_type(UserState().copy_with(count=1), UserState)
    state = LoadState()
    assert_type(state.to_loading(), LoadState)
    assert_type(state.to_success(User(name="Ann")), LoadState)
    assert_type(state.to_failure(OSError()), LoadState)
    assert_type(state.data, User | None)
    shown = state.when(
        initial=lambda: "",
        loading=lambda: "...",
        success=lambda user: user.name,
        failure=lambda error: str(error),
    )
    assert_type(shown, str)
    assert_type(state.maybe_when(success=lambda user: len(user.name), or_else=lambda: 0), int)
    assert shown == ""


def test_sources_have_the_type_of_what_they_give(users: Users) -> None:
    name = users.select(lambda s: s.user.name if s.user else "-")
    assert_type(name, Source[str])
    assert_type(name.get(), str)
    assert_type(name.map(len), Source[int])
    assert_type(users.select(lambda s: s.user), Source[User | None])
    assert_type(users.running(FetchUserJob), Source[bool])
    count = users.field(lambda s: s.count)
    assert_type(count, Field[int])
    assert_type(combine(name, count, lambda text, number: text * number), Source[str])
    shown: list[str] = []
    hear: Callable[[str], object] = shown.append
    assert_type(name.subscribe(hear), Subscription)
    with pytest.raises(ValueError, match="count"):
        count.set("many")  # type: ignore[arg-type]  # an int is wanted
    users.update(user=User(name="Ann"))
    assert shown == ["Ann"]


def test_the_state_of_an_orchestrator_is_that_of_its_brackets(users: Users) -> None:
    assert_type(users.state, UserState)
    assert_type(users.state.user, User | None)


# -- handles -----------------------------------------------------------------------------------------------------------


@pytest.mark.realtime
def test_a_handle_gives_the_result_of_its_job(users: Users, qtorch_runtime: TestRuntime) -> None:
    handle = users.fetch("Ann")
    assert_type(users.dispatch(CountJob()), JobHandle[int])
    assert_type(users.dispatch_all([CountJob()]), list[JobHandle[int]])
    assert_type(users.dispatch_if_not_running(CountJob()), JobHandle[int] | None)
    assert_type(qtorch_runtime.dispatcher.dispatch(CountJob()), JobHandle[int])

    async def wait() -> User:
        assert_type(await handle.result(), JobOutcome[User])
        assert_type(await JobResult.from_bus(qtorch_runtime.bus, handle), JobOutcome[User])
        user = await handle
        assert_type(user, User)
        for left in qtorch_runtime.running_jobs:
            await left.result()
        return user

    assert asyncio.run(wait()) == User(name="Ann")


# -- runners -----------------------------------------------------------------------------------------------------------


def test_a_runner_inherits_what_it_does_not_write() -> None:
    class Here(Runner):
        def submit(self, attempt: Attempt, process: Callable[[Any], Any]) -> bool:
            assert_type(attempt.job, BaseJob[Any])
            assert_type(attempt.token, CancellationToken)
            attempt.do(process)
            return attempt.take()

    class Alike:
        def submit(self, attempt: Attempt, process: Callable[[Any], Any]) -> bool:
            return False

        def stop(self, attempt: Attempt) -> None: ...
        def withdrawn(self, attempt: Attempt) -> None: ...
        def ended(self, attempt: Attempt) -> None: ...

    class Elsewhere(BaseExecutor[CountJob]):
        runner = "process"

        def process(self, job: CountJob) -> int:
            return 1

    class Anywhere(BaseExecutor[CountJob]):
        def process(self, job: CountJob) -> int:
            return 1

    assert Elsewhere().runner == "process"
    executor = Anywhere()
    executor.runner = Here()
    executor.runner = Alike()
    executor.runner = None
    executor.runner = "thread"  # type: ignore[assignment]  # there is no such runner
    with pytest.raises(TypeError, match="abstract"):
        Runner()  # type: ignore[misc]  # submit has to be written
