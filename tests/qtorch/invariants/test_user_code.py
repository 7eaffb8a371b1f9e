"""Invariant 5: whatever raises, outcomes and tracking stay, everybody else is heard, and it is reported once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from qtorch import (
    MISSING,
    BaseExecutor,
    BaseJob,
    BaseOrchestrator,
    BaseState,
    CachePolicy,
    ErrorReport,
    JobStatus,
    JobSuccessEvent,
    on,
)
from tests.qtorch.execution.rig import Rig, drive

pytestmark = pytest.mark.realtime


class DoJob(BaseJob[int]):
    pass


class Doing(BaseExecutor[DoJob]):
    def process(self, job: DoJob) -> int:
        return 42


class CountState(BaseState):
    count: int = 0


class Broken(BaseOrchestrator[CountState]):
    """Everything that can raise does."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(CountState(), runtime=rig.runtime)
        self.heard: list[str] = []

    def on_change(self, new: CountState, old: CountState) -> None:
        raise ValueError("on_change")

    @on(JobSuccessEvent, DoJob)
    def handler(self, event: Any) -> None:
        raise ValueError("handler")

    def on_active_success(self, event: Any) -> None:
        self.update(count=1)
        self.heard.append("success")
        raise ValueError("hook")

    def on_active_event(self, event: Any) -> None:
        self.heard.append(type(event).__name__)
        raise ValueError("every")

    def on_passive_event(self, event: Any) -> None:
        raise ValueError("passive")


class BrokenCache:
    def read(self, key: str) -> Any:
        raise OSError("read")

    def write(self, key: str, value: Any, ttl: float | None = None) -> None:
        raise OSError("write")

    delete = delete_matching = clear = read


class BrokenHandler(logging.Handler):
    """A logger of the user's that is broken itself."""

    def emit(self, record: logging.LogRecord) -> None:
        raise RuntimeError("the log is full")


@pytest.fixture
def broken_logging() -> Iterator[None]:
    handler = BrokenHandler()
    logger = logging.getLogger("qtorch")
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)


@pytest.fixture
def one_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a drain take all the time it wants, so that the order does not depend on the machine."""
    monkeypatch.setattr("qtorch.bus.mailbox.BUDGET", 60.0)


def texts(reports: list[ErrorReport]) -> list[str]:
    return sorted(str(report.error) for report in reports)


def raise_(text: str) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise ValueError(text)

    return fail


@pytest.mark.usefixtures("one_drain")
@pytest.mark.parametrize("cache", ["in memory", "slow"])
def test_all_that_raises_at_once_changes_nothing_and_is_reported_once_each(
    make_rig: Callable[..., Rig], qtbot: Any, cache: str
) -> None:
    provider: Any = BrokenCache()
    provider.in_memory = cache == "in memory"
    rig = make_rig(cache=provider)
    rig.runtime.register(Doing())
    broken, bystander = Broken(rig), Broken(rig)
    heard: list[str] = []
    bus = rig.runtime.bus
    bus.subscribe(raise_("listener"), event_type=JobSuccessEvent)
    bus.subscribe(lambda event: heard.append(type(event).__name__))
    broken.select(lambda s: s.count).subscribe(raise_("effect"))
    broken.select(lambda s: s.count).subscribe(lambda value: heard.append(f"count {value}"))
    with qtbot.captureExceptions() as hooked:
        handle = broken.dispatch(DoJob(), cache=CachePolicy(key="k"), placeholder=None)
        handle.add_done_callback(raise_("done"))
        handle.add_done_callback(lambda _: heard.append("done"))
        rig.end(handle)
        drive(lambda: "count 1" in heard)

    assert handle.status is JobStatus.SUCCEEDED
    assert handle.outcome is not None
    assert handle.outcome.unwrap() == 42
    assert rig.types(handle) == ["Started", "Placeholder", "Success"]
    assert not broken.has_active_jobs
    assert not bystander.has_active_jobs
    assert heard == ["JobStartedEvent", "JobPlaceholderEvent", "JobSuccessEvent", "done", "count 1"]
    assert broken.heard == ["JobStartedEvent", "JobPlaceholderEvent", "success", "JobSuccessEvent"]
    user_code = [*["every"] * 3, *["passive"] * 3, "done", "effect", "handler", "hook", "listener", "on_change"]
    assert texts(rig.reports) == sorted([*user_code, "read", "write"])
    assert sorted(str(error) for _, error, _ in hooked) == sorted(user_code), "the cache is no user code"


@pytest.mark.usefixtures("broken_logging")
@pytest.mark.parametrize("in_memory", [True, False])
def test_a_logger_that_raises_changes_no_outcome(make_rig: Callable[..., Rig], in_memory: bool) -> None:
    provider: Any = BrokenCache()
    provider.in_memory = in_memory
    rig = make_rig(cache=provider)
    rig.runtime.register(Doing())
    handle = rig.owner.dispatch(DoJob(), cache=CachePolicy(key="k"))
    rig.end(handle)
    drive(lambda: len(rig.reports) == 2)
    assert rig.types(handle) == ["Started", "Success"]
    following = rig.owner.dispatch(DoJob())
    rig.end(following)
    assert following.status is JobStatus.SUCCEEDED


@pytest.mark.usefixtures("broken_logging")
def test_a_logger_that_raises_silences_no_listener(make_rig: Callable[..., Rig]) -> None:
    import time

    rig = make_rig(strict=False)
    rig.runtime.register(Doing())
    heard: list[str] = []
    rig.runtime.bus.subscribe(lambda event: time.sleep(0.06))  # slow enough to be named in a warning
    rig.runtime.bus.subscribe(lambda event: heard.append(type(event).__name__))
    rig.end(rig.owner.dispatch(DoJob()))
    assert heard == ["JobStartedEvent", "JobSuccessEvent"]
    owner = Broken(rig)
    owner.close()
    owner.update(count=1)  # a late one is logged


def test_a_selector_that_raises_silences_no_other_and_recovers(rig: Rig, qtbot: Any) -> None:
    class PlainState(BaseState):
        count: int = 0

    class Plain(BaseOrchestrator[PlainState]):
        pass

    plain = Plain(PlainState(), runtime=rig.runtime)
    bad: list[float] = []
    good: list[int] = []
    plain.select(lambda s: 1 / (s.count - 1)).subscribe(bad.append)
    plain.select(lambda s: s.count).subscribe(good.append)
    with qtbot.captureExceptions() as hooked:
        plain.update(count=1)
    assert [type(report.error) for report in rig.reports] == [ZeroDivisionError]
    assert len(hooked) == 1
    plain.update(count=3)
    assert (bad, good) == ([0.5], [1, 3])


def test_what_is_reported_says_where_and_with_what(rig: Rig, qtbot: Any) -> None:
    rig.runtime.register(Doing())
    rig.runtime.bus.subscribe(raise_("listener"), event_type=JobSuccessEvent)
    with qtbot.captureExceptions():
        handle = rig.owner.dispatch(DoJob())
        rig.end(handle)
    [report] = rig.reports
    assert "raise_" in report.where
    assert report.job is handle.job
    assert isinstance(report.event, JobSuccessEvent)
    assert MISSING is not report.event
