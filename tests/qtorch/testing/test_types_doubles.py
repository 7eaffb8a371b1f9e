"""What type checkers know of the doubles."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_type

from qtorch import BaseJob, BaseState
from qtorch.testing.fake_executor import FakeExecutor
from qtorch.testing.mock_orchestrator import MockOrchestrator

if TYPE_CHECKING:
    from qtorch import JobOutcome, Runtime
    from qtorch.testing.job_case import JobCase, JobCaseResult


class CountState(BaseState):
    count: int = 0


class CountJob(BaseJob[int]):
    pass


def test_a_fake_executor_is_of_its_job() -> None:
    assert_type(FakeExecutor(CountJob, result=1), FakeExecutor[CountJob])
    assert_type(FakeExecutor[CountJob](result=1).calls, list[CountJob])


def test_a_mock_has_the_state_it_shows(qapp: object) -> None:
    assert_type(MockOrchestrator([CountState()]).state, CountState)


if TYPE_CHECKING:

    def outcome_of(runtime: Runtime) -> None:
        case = JobCase(runtime)(FakeExecutor(CountJob, result=1), CountJob())
        assert_type(case, JobCaseResult[int])
        assert_type(case.outcome, JobOutcome[int])
