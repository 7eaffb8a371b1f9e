"""Faults are injected in front of real executors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from qtorch import (
    BaseExecutor,
    BaseJob,
    EventLog,
    ExecutorNotFoundError,
    JobCancelled,
    JobFailure,
    JobItemsEvent,
    JobRetryingEvent,
    JobSuccess,
    RetryPolicy,
)
from qtorch.testing.fake_executor import FakeExecutor
from qtorch.testing.faults import inject

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from qtorch import JobHandle
    from qtorch.testing import FakeClock
    from qtorch.testing.hygiene import TestRuntime

pytestmark = pytest.mark.realtime

AT_ONCE = RetryPolicy(max_retries=5, base_delay=0)


class FetchUserJob(BaseJob[str]):
    pass


class FetchAdminJob(FetchUserJob):
    pass


class InThread(BaseExecutor[FetchUserJob]):
    def process(self, job: FetchUserJob) -> str:
        return "Ada"


class InCoroutine(BaseExecutor[FetchUserJob]):
    async def process(self, job: FetchUserJob) -> str:
        return "Ada"


class Streaming(BaseExecutor[FetchUserJob]):
    def process(self, job: FetchUserJob) -> Iterator[str]:
        yield "Ada"


class StreamingInCoroutine(BaseExecutor[FetchUserJob]):
    async def process(self, job: FetchUserJob) -> AsyncIterator[str]:
        yield "Ada"


each_kind = pytest.mark.parametrize("kind", [InThread, InCoroutine, Streaming, StreamingInCoroutine])


class Jobs:
    def __init__(self, runtime: TestRuntime, qtbot: QtBot) -> None:
        self.runtime = runtime
        self.qtbot = qtbot

    def start(self, job: BaseJob[Any] | None = None, **options: Any) -> JobHandle[Any]:
        return self.runtime.dispatcher.dispatch(job or FetchUserJob(), **options)

    def outcome(self, job: BaseJob[Any] | None = None, **options: Any) -> Any:
        handle = self.start(job, **options)
        self.qtbot.waitUntil(lambda: handle.outcome is not None)
        return handle.outcome


@pytest.fixture
def jobs(qtorch_runtime: TestRuntime, qtbot: QtBot) -> Jobs:
    return Jobs(qtorch_runtime, qtbot)


@each_kind
def test_the_attempts_that_are_named_fail_and_the_others_do_their_work(jobs: Jobs, kind: Any) -> None:
    jobs.runtime.register(kind())
    first, third = OSError("down"), TimeoutError()
    log = EventLog(jobs.runtime.bus)
    with inject(jobs.runtime, FetchUserJob, fail={1: first, 2: third}):
        assert jobs.outcome(retry=AT_ONCE) == JobSuccess("Ada")
        assert jobs.outcome() == JobFailure(first)
    assert [(one.attempt, one.last_error) for one in log.of(JobRetryingEvent)] == [(1, first), (2, third)]
    log.close()


@each_kind
def test_the_faults_end_with_their_block(jobs: Jobs, kind: Any) -> None:
    jobs.runtime.register(kind())
    with inject(jobs.runtime, FetchUserJob, fail={1: OSError}):
        assert isinstance(jobs.outcome(), JobFailure)
    assert jobs.outcome() == JobSuccess("Ada")


@each_kind
def test_what_streams_still_streams(jobs: Jobs, kind: Any) -> None:
    jobs.runtime.register(kind())
    log = EventLog(jobs.runtime.bus)
    with inject(jobs.runtime, FetchUserJob, latency=0.001):
        assert jobs.outcome() == JobSuccess("Ada")
    is_stream = kind in (Streaming, StreamingInCoroutine)
    assert [one.items for one in log.of(JobItemsEvent)] == ([("Ada",)] if is_stream else [])
    log.close()


@each_kind
def test_the_latency_is_that_of_the_clock_of_the_test(
    qtorch_clock: FakeClock, jobs: Jobs, qtbot: QtBot, kind: Any
) -> None:
    jobs.runtime.register(kind())
    with inject(jobs.runtime, FetchUserJob, latency=3600, fail={1: OSError("down")}):
        handle = jobs.start()
        qtbot.waitUntil(lambda: qtorch_clock.pending == 1)
        qtorch_clock.advance(3599)
        assert qtorch_clock.pending == 1
        qtorch_clock.advance(1)
        qtbot.waitUntil(lambda: isinstance(handle.outcome, JobFailure))


@each_kind
def test_a_job_cancelled_during_the_latency_does_no_work(
    qtorch_clock: FakeClock, jobs: Jobs, qtbot: QtBot, kind: Any
) -> None:
    jobs.runtime.register(kind())
    with inject(jobs.runtime, FetchUserJob, latency=3600):
        handle = jobs.start()
        qtbot.waitUntil(lambda: qtorch_clock.pending == 1)
        handle.cancel("enough")
        qtbot.waitUntil(lambda: not handle.is_working)
    assert handle.outcome == JobCancelled("enough")
    assert qtorch_clock.pending == 0


def test_the_work_of_a_thread_cancelled_meanwhile_never_begins(
    qtorch_clock: FakeClock, jobs: Jobs, qtbot: QtBot
) -> None:
    done: list[FetchUserJob] = []

    class Noting(BaseExecutor[FetchUserJob]):
        def process(self, job: FetchUserJob) -> None:
            done.append(job)

    jobs.runtime.register(Noting())
    with inject(jobs.runtime, FetchUserJob, latency=3600):
        handle = jobs.start()
        qtbot.waitUntil(lambda: qtorch_clock.pending == 1)
        handle.cancel()
        qtbot.waitUntil(lambda: not handle.is_working)
    assert done == []


def test_only_the_named_class_and_its_subclasses_are_affected(jobs: Jobs) -> None:
    jobs.runtime.register(InThread())
    with inject(jobs.runtime, FetchAdminJob, fail={1: OSError}):
        assert jobs.outcome(FetchUserJob()) == JobSuccess("Ada")
        assert isinstance(jobs.outcome(FetchAdminJob()), JobFailure)
    with inject(jobs.runtime, FetchUserJob, fail={1: OSError}):
        assert isinstance(jobs.outcome(FetchAdminJob()), JobFailure)


def test_faults_lie_over_each_other_and_end_in_any_order(jobs: Jobs) -> None:
    jobs.runtime.register(FakeExecutor(FetchUserJob, result="Ada"))
    outer = inject(jobs.runtime, FetchUserJob, fail={1: OSError})
    inner = inject(jobs.runtime, FetchUserJob, fail={1: KeyError})
    assert type(jobs.outcome().error) is KeyError
    outer.close()
    assert type(jobs.outcome().error) is KeyError
    inner.close()
    assert jobs.outcome() == JobSuccess("Ada")


# -- messages -------------------------------------------------------------------------------------------------------


def test_an_executor_in_another_process_is_refused(jobs: Jobs) -> None:
    class InProcess(BaseExecutor[FetchUserJob]):
        runner = "process"

        def process(self, job: FetchUserJob) -> str:
            return "Ada"

    jobs.runtime.register(InProcess())
    with pytest.raises(TypeError) as caught:
        inject(jobs.runtime, FetchUserJob, latency=1)
    assert str(caught.value) == (
        'InProcess has runner = "process", and no faults can be injected there.\n'
        "  Register a FakeExecutor(FetchUserJob, steps=[..]) in its place, with replace=True."
    )


def test_jobs_that_nobody_does_are_refused(jobs: Jobs) -> None:
    with pytest.raises(ExecutorNotFoundError, match="no executor for FetchUserJob"):
        inject(jobs.runtime, FetchUserJob)


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"latency": -1}, ValueError, "a latency of -1 s would be time that goes back"),
        ({"fail": {0: OSError}}, ValueError, "fail= names attempt 0, and a job's first attempt is number 1"),
        ({"fail": {1: "x"}}, TypeError, "fail={1: ..} takes an exception or a class of them, not 'x'"),
    ],
)
def test_wrong_faults_are_refused(jobs: Jobs, given: Any, error: type[Exception], text: str) -> None:
    jobs.runtime.register(InThread())
    with pytest.raises(error) as caught:
        inject(jobs.runtime, FetchUserJob, **given)
    assert str(caught.value) == text


def test_a_runner_that_does_not_say_whose_attempt_it_works_for_is_named(jobs: Jobs) -> None:
    class Here:
        def submit(self, attempt: Any, process: Any) -> bool:
            attempt.take()
            try:
                attempt.offer_data(process(attempt.job))
            except RuntimeError as error:
                attempt.offer_error(error, "")
            return True

        def stop(self, attempt: Any) -> None: ...

        def ended(self, attempt: Any) -> None: ...

    class Elsewhere(BaseExecutor[FetchUserJob]):
        runner: Any = Here()

        def process(self, job: FetchUserJob) -> str:
            return "Ada"

    jobs.runtime.register(Elsewhere())
    with inject(jobs.runtime, FetchUserJob, latency=1):
        assert str(jobs.outcome().error) == (
            "faults were injected into jobs whose Runner does not say for which attempt it calls process().\n"
            "  Call attempt.do(process) there, or current_attempt.set(attempt) before."
        )
