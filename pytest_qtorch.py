"""The pytest plugin of qtorch. It imports neither Qt nor qtorch until a test asks for a fixture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from qtorch.testing import FakeClock
    from qtorch.testing.hygiene import TestRuntime


@pytest.fixture
def qtorch_clock() -> FakeClock:
    """Time that passes when the test says so; ``qtorch_runtime`` follows it if a test asks for both."""
    from qtorch.testing import FakeClock

    return FakeClock()


@pytest.fixture
def qtorch_runtime(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[TestRuntime]:
    """A fresh, strict Runtime, the default one of its test; closed at the end, where running jobs fail the test."""
    from qtorch.testing.hygiene import runtime_of_a_test

    clock = request.getfixturevalue("qtorch_clock") if "qtorch_clock" in request.fixturenames else None
    with runtime_of_a_test(clock) as runtime:
        yield runtime
