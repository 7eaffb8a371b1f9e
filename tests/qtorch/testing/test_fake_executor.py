"""A FakeExecutor does what the test says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from qtorch import (
    BaseJob,
    EventLog,
    JobCancelled,
    JobFailure,
    JobItemsEvent,
    JobProgressEvent,
    JobSuccess,
    JobTimeout,
    RetryPolicy,
)
from qtorch.testing.fake_executor import FakeExecutor
from qtorch.testing.gates import gate
from qtorch.testing.steps import fail, items, ok, progress, wait

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from qtorch.testing import FakeClock
    from qtorch.testing.hygiene import TestRuntime

pytestmark = pytest.mark.realtime


class FetchUserJob(BaseJob[str]):
    user_id: str = "42"


class FetchAdminJob(FetchUserJob):
    pass


@pytest.fixture
def do(qtorch_runtime: TestRuntime, qtbot: QtBot) -> Any:
    """Dispatch a job and give its outcome."""

    def do(job: BaseJob[Any] | None = None, **options: Any) -> Any:
        handle = qtorch_runtime.dispatcher.dispatch(job or FetchUserJob(), **options)
        qtbot.waitUntil(lambda: handle.outcome is not None)
        return handle.outcome

    return do


def test_every_job_gives_the_result(qtorch_runtime: TestRuntime, do: Any) -> None:
    fake = FakeExecutor(FetchUserJob, result="Ada")
    qtorch_runtime.register(fake)
    assert [do(), do(FetchUserJob(user_id="7"))] == [JobSuccess("Ada"), JobSuccess("Ada")]
    assert fake.calls == [FetchUserJob(), FetchUserJob(user_id="7")]


def test_a_result_can_be_made_of_the_job(qtorch_runtime: TestRuntime, do: Any) -> None:
    qtorch_runtime.register(FakeExecutor(FetchUserJob, result=lambda job: f"user {job.user_id}"))
    assert do() == JobSuccess("user 42")


def test_none_is_a_result(qtorch_runtime: TestRuntime, do: Any) -> None:
    qtorch_runtime.register(FakeExecutor(FetchUserJob, result=None))
    assert do() == JobSuccess(None)


def test_every_attempt_raises_the_error_with_frames_of_its_own(qtorch_runtime: TestRuntime, do: Any) -> None:
    error = OSError("down")
    fake = FakeExecutor(FetchUserJob, error=error)
    qtorch_runtime.register(fake)
    log = EventLog(qtorch_runtime.bus)
    assert do(retry=RetryPolicy(max_retries=2, base_delay=0)) == JobFailure(error, 3)
    assert len(fake.calls) == 3
    assert log.failures[0].traceback.count("raise fresh(error)") == 1
    log.close()


def test_a_class_of_errors_is_made_anew_for_each_attempt(qtorch_runtime: TestRuntime, do: Any) -> None:
    qtorch_runtime.register(FakeExecutor(FetchUserJob, error=KeyError))
    first, second = do(), do()
    assert type(first.error) is type(second.error) is KeyError
    assert first.error is not second.error


def test_attempts_go_on_after_the_ending_of_the_one_before_and_the_last_part_repeats(
    qtorch_runtime: TestRuntime, do: Any
) -> None:
    fake = FakeExecutor(FetchUserJob, steps=[fail(OSError("a")), fail(OSError("b")), progress(0.5), ok("Ada")])
    qtorch_runtime.register(fake)
    log = EventLog(qtorch_runtime.bus)
    assert isinstance(do(), JobFailure)
    assert do(retry=RetryPolicy(max_retries=1, base_delay=0)) == JobSuccess("Ada")
    assert do() == JobSuccess("Ada")
    assert [one.progress for one in log.of(JobProgressEvent)] == [0.5, 0.5]
    log.close()


def test_progress_is_told_with_its_message(qtorch_runtime: TestRuntime, do: Any) -> None:
    qtorch_runtime.register(FakeExecutor(FetchUserJob, steps=[progress(0.5, "half"), ok()]))
    log = EventLog(qtorch_runtime.bus)
    do()
    assert [(one.progress, one.message) for one in log.of(JobProgressEvent)] == [(0.5, "half")]
    log.close()


@pytest.mark.parametrize(("ending", "result"), [(ok(), "c"), (ok("all"), "all")])
def test_items_are_streamed(qtorch_runtime: TestRuntime, do: Any, ending: Any, result: str) -> None:
    qtorch_runtime.register(FakeExecutor(FetchUserJob, steps=[items("a", "b"), items("c"), ending]))
    log = EventLog(qtorch_runtime.bus)
    assert do() == JobSuccess(result)
    assert [item for one in log.of(JobItemsEvent) for item in one.items] == ["a", "b", "c"]
    log.close()


def test_a_wait_follows_the_clock_of_the_test(
    qtorch_clock: FakeClock, qtorch_runtime: TestRuntime, qtbot: QtBot
) -> None:
    qtorch_runtime.register(FakeExecutor(FetchUserJob, steps=[wait(3600), ok("Ada")]))
    handle = qtorch_runtime.dispatcher.dispatch(FetchUserJob())
    qtorch_clock.advance(3600)
    qtbot.waitUntil(lambda: handle.outcome == JobSuccess("Ada"))


@pytest.mark.parametrize("step", [wait(3600), gate("held")])
def test_a_cancelled_job_stops_in_the_middle_of_a_step(qtorch_runtime: TestRuntime, qtbot: QtBot, step: Any) -> None:
    made: list[Any] = []
    fake = FakeExecutor(FetchUserJob, steps=[step, ok(made.append)])
    qtorch_runtime.register(fake)
    handle = qtorch_runtime.dispatcher.dispatch(FetchUserJob())
    qtbot.waitUntil(lambda: bool(fake.calls))
    handle.cancel("enough")
    qtbot.waitUntil(lambda: not handle.is_working)
    assert (handle.outcome, made) == (JobCancelled("enough"), [])


def test_a_job_that_times_out_stops_too(qtorch_runtime: TestRuntime, do: Any) -> None:
    qtorch_runtime.register(FakeExecutor(FetchUserJob, steps=[gate(), ok("Ada")]))
    assert do(timeout=0.01) == JobTimeout(0.01)


def test_a_gate_holds_the_job_between_two_steps(qtorch_runtime: TestRuntime, qtbot: QtBot) -> None:
    held = gate()
    qtorch_runtime.register(FakeExecutor(FetchUserJob, steps=[progress(0.5), held, ok("Ada")]))
    handle = qtorch_runtime.dispatcher.dispatch(FetchUserJob())
    qtbot.waitUntil(lambda: held.waiting == 1 and handle.progress == 0.5)
    held.release()
    qtbot.waitUntil(lambda: handle.outcome == JobSuccess("Ada"))


# -- whose jobs it does ---------------------------------------------------------------------------------------------


class Fake(FakeExecutor[FetchUserJob]):
    pass


@pytest.mark.parametrize(
    "fake", [FakeExecutor(FetchUserJob, result=1), FakeExecutor[FetchUserJob](result=1), Fake(result=1)]
)
def test_the_class_of_the_jobs_is_an_argument_or_in_brackets(
    qtorch_runtime: TestRuntime, do: Any, fake: FakeExecutor[Any]
) -> None:
    qtorch_runtime.register(fake)
    assert do(FetchAdminJob()) == JobSuccess(1)
    assert fake.job_type is FetchUserJob


def test_one_does_not_change_the_others() -> None:
    FakeExecutor[FetchUserJob](result=1)
    assert FakeExecutor(FetchAdminJob, result=1).job_type is FetchAdminJob
    assert FakeExecutor[FetchAdminJob](result=1).job_type is FetchAdminJob
    assert FakeExecutor(result=1).job_type is None


# -- messages -------------------------------------------------------------------------------------------------------


def test_a_fake_is_written_as_it_is_made() -> None:
    steps = [progress(0.5, "half"), progress(0.6), items(1, "a"), wait(2.0), gate("x"), fail(OSError), ok(len)]
    assert repr(FakeExecutor(FetchUserJob, steps=steps)) == (
        "FakeExecutor(FetchUserJob, steps=[progress(0.5, 'half'), progress(0.6), items(1, 'a'), wait(2.0), gate('x'), "
        "fail(OSError), ok(len)])"
    )
    assert repr(FakeExecutor(result=1)) == "FakeExecutor(?, steps=[ok(1)])"


@pytest.mark.parametrize(
    ("given", "named"),
    [({}, "nothing to do"), ({"result": 1, "error": OSError}, "result= and error="), ({"steps": [], "result": None},
     "result= and steps=")],
)  # fmt: skip
def test_exactly_one_of_result_error_and_steps_is_given(given: Any, named: str) -> None:
    with pytest.raises(TypeError) as caught:
        FakeExecutor(FetchUserJob, **given)
    assert str(caught.value) == (
        f"FakeExecutor was given {named}.\n"
        f"  Give exactly one: result=, error=, or for both and more steps=[progress(.5), fail(..), ok(..)]."
    )


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        (
            [progress(0.5), "Ada"],
            "steps[1] is 'Ada', which is no step.\n"
            "  Write progress(..), items(..), wait(..), gate(), fail(..) or ok(..); did you mean ok('Ada')?",
        ),
        (
            [OSError("x")],
            "steps[0] is OSError('x'), which is no step.\n"
            "  Write progress(..), items(..), wait(..), gate(), fail(..) or ok(..); did you mean fail(OSError('x'))?",
        ),
        (
            [ok(1), progress(0.5)],
            "the steps are [ok(1), progress(0.5)], and it is not said how the work ends.\n"
            "  Write ok(result) or fail(error) as the last.",
        ),
        (
            [],
            "the steps are empty, and it is not said how the work ends.\n"
            "  Write ok(result) or fail(error) as the last.",
        ),
    ],
)
def test_wrong_steps_are_refused(steps: Any, text: str) -> None:
    with pytest.raises(TypeError) as caught:
        FakeExecutor(FetchUserJob, steps=steps)
    assert str(caught.value) == text


def test_its_first_argument_is_a_class_of_jobs() -> None:
    wrong: Any = FetchUserJob()
    with pytest.raises(TypeError) as caught:
        FakeExecutor(wrong, result=1)
    assert str(caught.value) == (
        "FakeExecutor takes the class of its jobs first, not FetchUserJob(user_id='42').\n"
        "  Write FakeExecutor(FetchUserJob, result=...)."
    )


def test_what_cannot_be_raised_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^fail\(\) takes an exception or a class of them, not 'down'$"):
        FakeExecutor(FetchUserJob, error="down")


def test_time_does_not_go_back() -> None:
    with pytest.raises(ValueError, match=r"^time does not go back: wait\(-1\)$"):
        wait(-1)
