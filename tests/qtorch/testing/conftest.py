"""What does the work of the searching orchestrator."""

from __future__ import annotations

from typing import Any

import pytest

from qtorch.testing import FakeExecutor, Gate, TestRuntime, fail, gate, ok
from tests.qtorch.testing.searching import SearchJob


@pytest.fixture
def works(qtorch_runtime: TestRuntime) -> FakeExecutor[Any]:
    executor = FakeExecutor(SearchJob, steps=[ok(("a",))])
    qtorch_runtime.register(executor)
    return executor


@pytest.fixture
def fails_once(qtorch_runtime: TestRuntime) -> None:
    qtorch_runtime.register(FakeExecutor(SearchJob, steps=[fail(OSError("down")), ok(("a",))]))


@pytest.fixture
def held(qtorch_runtime: TestRuntime) -> Gate:
    door = gate()
    qtorch_runtime.register(FakeExecutor(SearchJob, steps=[door, ok(("a",))]))
    return door
