"""An executor is tried alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from qtorch import (
    BaseExecutor,
    BaseJob,
    JobCancelledError,
    JobFailure,
    JobProgressEvent,
    JobRetryingEvent,
    JobStartedEvent,
    JobSuccess,
    JobSuccessEvent,
    JobTimeoutError,
)
from qtorch.testing import job_case
from qtorch.testing.fake_executor import FakeExecutor
from qtorch.testing.gates import gate
from qtorch.testing.job_case import JobCase
from qtorch.testing.matchers import event, having
from qtorch.testing.steps import fail, ok, progress

if TYPE_CHECKING:
    from qtorch.testing.hygiene import TestRuntime

pytestmark = pytest.mark.realtime

DOWN = OSError("down")


class FetchUserJob(BaseJob[str]):
    user_id: str = "42"


class HalfExecutor(BaseExecutor[FetchUserJob]):
    async def process(self, job: FetchUserJob) -> str:
        self.emit_progress(job, 0.5, message="half")
        return f"user {job.user_id}"


class BrokenExecutor(BaseExecutor[FetchUserJob]):
    def process(self, job: FetchUserJob) -> str:
        raise OSError("down")


def failure(runtime: TestRuntime, executor: BaseExecutor[Any], **expected: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        JobCase(runtime)(executor, FetchUserJob(), **expected)
    return str(caught.value)


@pytest.mark.parametrize("result", ["user 42", str, lambda text: text.endswith("42"), having(str)])
def test_the_result_is_compared(qtorch_runtime: TestRuntime, result: Any) -> None:
    JobCase(qtorch_runtime)(HalfExecutor(), FetchUserJob(), result=result)


def test_it_gives_the_outcome_and_the_events(qtorch_runtime: TestRuntime) -> None:
    case = JobCase(qtorch_runtime)(
        HalfExecutor(),
        FetchUserJob(),
        events=[JobStartedEvent, event(JobProgressEvent, progress=0.5, message="half"), JobSuccessEvent],
    )
    assert case.outcome == JobSuccess("user 42")
    assert [type(one) for one in case.events] == [JobStartedEvent, JobProgressEvent, JobSuccessEvent]


@pytest.mark.parametrize("error", [OSError, OSError("down"), having(OSError, args=("down",))])
def test_the_error_is_compared(qtorch_runtime: TestRuntime, error: Any) -> None:
    case = JobCase(qtorch_runtime)(BrokenExecutor(), FetchUserJob(), error=error)
    assert isinstance(case.outcome, JobFailure)


def test_options_are_those_of_dispatch(qtorch_runtime: TestRuntime) -> None:
    held = FakeExecutor(FetchUserJob, steps=[gate(), ok()])
    JobCase(qtorch_runtime)(held, FetchUserJob(), error=JobTimeoutError, timeout=0.01)


def test_a_cancelled_job_has_an_error_too(qtorch_runtime: TestRuntime) -> None:
    class Asking(BaseExecutor[FetchUserJob]):
        def process(self, job: FetchUserJob) -> str:
            qtorch_runtime.running_jobs[0].cancel("enough")
            self.token(job).wait()
            return ""

    JobCase(qtorch_runtime)(Asking(), FetchUserJob(), error=JobCancelledError("enough"))


def test_several_jobs_may_be_tried_with_one_executor(qtorch_runtime: TestRuntime) -> None:
    executor = HalfExecutor()
    for user_id in ("1", "2"):
        JobCase(qtorch_runtime)(executor, FetchUserJob(user_id=user_id), result=f"user {user_id}")


# -- messages -------------------------------------------------------------------------------------------------------


def test_another_result_is_shown(qtorch_runtime: TestRuntime) -> None:
    assert failure(qtorch_runtime, HalfExecutor(), result="user 43") == (
        "FetchUserJob(user_id='42') by HalfExecutor:\nit gave another result:\n- 'user 43'\n+ 'user 42'"
    )


def test_another_error_is_shown(qtorch_runtime: TestRuntime) -> None:
    assert failure(qtorch_runtime, BrokenExecutor(), error=OSError("up")) == (
        "FetchUserJob(user_id='42') by BrokenExecutor:\n"
        "it failed with another error:\n- OSError('up')\n+ OSError('down')"
    )


def test_a_success_in_place_of_an_error_is_shown(qtorch_runtime: TestRuntime) -> None:
    assert failure(qtorch_runtime, HalfExecutor(), error=OSError) == (
        "FetchUserJob(user_id='42') by HalfExecutor:\nit succeeded with 'user 42', and was to fail with OSError"
    )


def test_an_error_that_nobody_expects_is_shown_with_its_traceback(qtorch_runtime: TestRuntime) -> None:
    text = failure(qtorch_runtime, BrokenExecutor())
    assert text.startswith(
        "FetchUserJob(user_id='42') by BrokenExecutor:\n"
        "it ended with JobFailure(error=OSError('down'), attempts=1), and was to succeed\nTraceback"
    )
    assert text.endswith('raise OSError("down")\nOSError: down')


def test_other_events_are_shown_beside_the_result(qtorch_runtime: TestRuntime) -> None:
    executor = FakeExecutor(FetchUserJob, steps=[fail(DOWN), progress(0.5), ok("Ada")])
    text = failure(
        qtorch_runtime,
        executor,
        result="Bob",
        events=[JobStartedEvent, event(JobRetryingEvent, delay=0.5), JobSuccessEvent],
        retry=1,
    )
    assert text == (
        "FetchUserJob(user_id='42') by FakeExecutor:\n"
        "it gave another result:\n"
        "- 'Bob'\n"
        "+ 'Ada'\n"
        "its events are not those expected:\n"
        "- expected   + came   [n] its place among the expected, or among what came\n"
        "    [0] JobStartedEvent FetchUserJob(user_id='42') #1\n"
        "    [1] event(JobRetryingEvent, delay=0.5)\n"
        "      - delay: 0.5\n"
        "      + delay: 1.0\n"
        "  + [2] JobProgressEvent FetchUserJob(user_id='42') #2 progress=0.5\n"
        "    [3] JobSuccessEvent FetchUserJob(user_id='42') #2 data='Ada'"
    )


def test_result_and_error_are_not_both_expected(qtorch_runtime: TestRuntime) -> None:
    with pytest.raises(TypeError) as caught:
        JobCase(qtorch_runtime)(HalfExecutor(), FetchUserJob(), result=1, error=OSError)
    assert str(caught.value) == (
        "result= and error= were both given, and a job ends in one way.\n  Leave one of them out."
    )


def test_a_job_that_does_not_end_is_given_up_and_named(
    qtorch_runtime: TestRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_case, "_LIMIT", 0.05)
    text = failure(qtorch_runtime, FakeExecutor(FetchUserJob, steps=[gate(), ok()]))
    first, second = text.split("\n")
    assert first.startswith("fetch-user-")
    assert first.endswith(" has not ended, though it was given 0.05 s; it is running.")
    assert second == "  Release what holds it before job_case(...), or give it a timeout."
    assert qtorch_runtime.running_jobs == ()  # so its test is not blamed for them as well
