"""The pytest plugin of qtorch. It imports neither Qt nor qtorch until a test asks for a fixture."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from qtorch.testing import FakeClock, JobCase, OrchCase, TestBus, Tester, TestRuntime

_failed = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note whether the test has failed: what it leaves behind then is a consequence of that."""
    report = yield
    if report.failed:
        item.stash[_failed] = True
    return report


@pytest.fixture
def qtorch_clock(qapp: QApplication) -> Iterator[FakeClock]:
    """Time that passes when the test says so, for ``qtorch_runtime`` and for asyncio."""
    from qtorch.testing.asyncio_time import loops_follow
    from qtorch.testing.fake_clock import FakeClock

    clock = FakeClock(settles=True)
    with loops_follow(clock):
        yield clock


@pytest.fixture
def qtorch_runtime(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[TestRuntime]:
    """A fresh, strict Runtime, the default one of its test; the test fails for what it leaves behind on it.

    It follows ``qtorch_clock`` if the test asks for that, or for ``orch_case`` or ``tester``; else real time.
    """
    from qtorch.testing.hygiene import runtime_of_a_test

    has_clock = not {"qtorch_clock", "orch_case", "tester"}.isdisjoint(request.fixturenames)
    clock = request.getfixturevalue("qtorch_clock") if has_clock else None
    fixtures: dict[str, Any] = getattr(request.node, "funcargs", {})
    with runtime_of_a_test(
        clock, has_failed=lambda: request.node.stash.get(_failed, False), fixtures=fixtures
    ) as runtime:
        yield runtime


@pytest.fixture
def qtorch_bus(qtorch_runtime: TestRuntime) -> TestBus:
    """The bus of ``qtorch_runtime``, with a log of its events: ``qtorch_bus.log``."""
    qtorch_runtime.bus.log  # noqa: B018 - it listens from now on
    return qtorch_runtime.bus


@pytest.fixture
def orch_case(qtorch_runtime: TestRuntime, qtorch_clock: FakeClock) -> OrchCase:
    """Make an orchestrator, do something with it, and compare all that came of it."""
    from qtorch.testing.orch_case import OrchCase

    return OrchCase(qtorch_runtime, qtorch_clock)


@pytest.fixture
def job_case(qtorch_runtime: TestRuntime) -> JobCase:
    """Have an executor do one job, and compare what comes of it."""
    from qtorch.testing.job_case import JobCase

    return JobCase(qtorch_runtime)


@pytest.fixture
def tester(request: pytest.FixtureRequest, qtorch_runtime: TestRuntime, qtorch_clock: FakeClock) -> Iterator[Any]:
    """Follow an orchestrator step by step, so that nothing that it does goes unasserted."""
    from qtorch.testing.tester import Tester

    testers: list[Tester] = []

    def make(orchestrator: Any, *, exhaustive: Any = True) -> Tester:
        testers.append(Tester(orchestrator, qtorch_runtime, qtorch_clock, exhaustive=exhaustive))
        return testers[-1]

    yield make
    for one in testers:
        if request.node.stash.get(_failed, False):
            one.stop()
        else:
            one.finish()
