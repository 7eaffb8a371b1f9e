"""Testing applications that use qtorch, with pytest-qt."""

from qtorch.testing.diff import differences
from qtorch.testing.facts import FactsError
from qtorch.testing.fake_clock import FakeClock, StuckError
from qtorch.testing.fake_executor import FakeExecutor
from qtorch.testing.gates import Gate, gate
from qtorch.testing.hygiene import TestBus, TestRuntime
from qtorch.testing.job_case import JobCase, JobCaseResult
from qtorch.testing.left_behind import LeftBehindError
from qtorch.testing.matchers import Matcher, anything, event, having, matches
from qtorch.testing.mock_orchestrator import MockOrchestrator
from qtorch.testing.orch_case import CaseResult, OrchCase
from qtorch.testing.step import Step
from qtorch.testing.steps import fail, items, ok, progress, wait
from qtorch.testing.tester import Tester

__all__ = [
    "CaseResult",
    "FactsError",
    "FakeClock",
    "FakeExecutor",
    "Gate",
    "JobCase",
    "JobCaseResult",
    "LeftBehindError",
    "Matcher",
    "MockOrchestrator",
    "OrchCase",
    "Step",
    "StuckError",
    "TestBus",
    "TestRuntime",
    "Tester",
    "anything",
    "differences",
    "event",
    "fail",
    "gate",
    "having",
    "items",
    "matches",
    "ok",
    "progress",
    "wait",
]
