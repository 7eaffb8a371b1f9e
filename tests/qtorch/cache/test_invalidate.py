"""Forgetting cached values by a job, and providers that fail, inside a Runtime."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from qtorch import (
    MISSING,
    BaseJob,
    CachePolicy,
    EventLog,
    InMemoryCacheProvider,
    InvalidateCacheJob,
    JobCacheHitEvent,
    JobHandle,
    JobSuccessEvent,
    Runtime,
    executes,
)
from qtorch.testing import FakeClock

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

# -- the job -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [{}, {"key": None}, {"key": None, "prefix": None, "predicate": None}])
def test_an_invalidation_of_nothing_is_refused_with_how_to_forget_all(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"needs a key, a prefix or a predicate; to forget all use prefix=''"):
        InvalidateCacheJob(**given)


@pytest.mark.parametrize(
    ("job", "names"),
    [
        (InvalidateCacheJob(key="user:1"), {"user:1"}),
        (InvalidateCacheJob(key=""), set()),
        (InvalidateCacheJob(prefix="user:"), {"user:1", "user:2"}),
        (InvalidateCacheJob(prefix=""), {"user:1", "user:2", "page:1"}),
        (InvalidateCacheJob(predicate=lambda key: key.endswith("1")), {"user:1", "page:1"}),
        (InvalidateCacheJob(key="user:2", predicate=lambda key: key == "page:1"), {"user:2", "page:1"}),
        (InvalidateCacheJob(prefix="user:", predicate=lambda key: key == "page:1"), {"user:1", "user:2", "page:1"}),
    ],
)
def test_everything_that_any_condition_names_goes(job: InvalidateCacheJob, names: set[str]) -> None:
    assert {key for key in ("user:1", "user:2", "page:1") if job.names(key)} == names


# -- in a Runtime ------------------------------------------------------------------------------------------------------


class FetchJob(BaseJob[str]):
    user: str = "1"


class Provider(InMemoryCacheProvider):
    """Called on a pool thread; raises or waits where a test says so."""

    in_memory = False

    def __init__(self) -> None:
        super().__init__()
        self.on_read: Callable[[], object] = lambda: None
        self.on_write: Callable[[], object] = lambda: None

    def read(self, key: str) -> Any:
        self.on_read()
        return super().read(key)

    def write(self, key: str, value: Any, ttl: float | None = None) -> None:
        self.on_write()
        super().write(key, value, ttl)


def spoil() -> None:
    raise OSError("disk full")


Made = Callable[..., Runtime]


@pytest.fixture
def make_runtime(qapp: QApplication) -> Iterator[Made]:
    """Make runtimes that fetch ``answer N``, N counting the calls."""
    made: list[Runtime] = []

    def make(**options: Any) -> Runtime:
        calls: list[str] = []

        @executes(FetchJob)
        def fetch(job: FetchJob) -> str:
            calls.append(job.user)
            return f"answer {len(calls)}"

        made.append(Runtime(executors=[fetch], **options))
        return made[-1]

    yield make
    for runtime in made:
        runtime.close()


def ended(handle: JobHandle[Any], qtbot: QtBot) -> Any:
    qtbot.waitUntil(lambda: handle.status.is_final)
    return handle.outcome.unwrap() if handle.outcome is not None else None


USER = CachePolicy(key="user:1", revalidate=False)


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize(
    "job",
    [InvalidateCacheJob(key="user:1"), InvalidateCacheJob(prefix="user:"), InvalidateCacheJob(prefix="")],
    ids=["key", "prefix", "all"],
)
@pytest.mark.realtime
def test_every_runtime_does_the_job(make_runtime: Made, qtbot: QtBot, job: InvalidateCacheJob, in_memory: bool) -> None:
    runtime = make_runtime(cache=None if in_memory else Provider())
    dispatch = runtime.dispatcher.dispatch
    assert ended(dispatch(FetchJob(), cache=USER), qtbot) == "answer 1"
    assert ended(dispatch(FetchJob(), cache=USER), qtbot) == "answer 1"
    assert ended(dispatch(job), qtbot) is None
    assert runtime.cache.read("user:1") is MISSING
    assert ended(dispatch(FetchJob(), cache=USER), qtbot) == "answer 2"


@pytest.mark.realtime
def test_a_job_under_way_when_its_key_is_forgotten_does_not_bring_the_old_value_back(
    make_runtime: Made, qtbot: QtBot
) -> None:
    runtime = make_runtime()
    started, go_on = threading.Event(), threading.Event()

    class SlowJob(BaseJob[str]):
        pass

    @executes(SlowJob)
    def slow(job: SlowJob) -> str:
        started.set()
        assert go_on.wait(20)
        return "old"

    runtime.register(slow)
    handle = runtime.dispatcher.dispatch(SlowJob(), cache=USER)
    qtbot.waitUntil(started.is_set)
    ended(runtime.dispatcher.dispatch(InvalidateCacheJob(key="user:1")), qtbot)
    go_on.set()
    assert ended(handle, qtbot) == "old"
    assert runtime.cache.read("user:1") is MISSING


@pytest.mark.realtime
def test_a_value_that_expired_is_fetched_anew(make_runtime: Made, qtbot: QtBot) -> None:
    clock = FakeClock()
    dispatch = make_runtime(clock=clock).dispatcher.dispatch
    policy = CachePolicy(key="user:1", revalidate=False, ttl=60)
    assert ended(dispatch(FetchJob(), cache=policy), qtbot) == "answer 1"
    clock.advance(59)
    assert ended(dispatch(FetchJob(), cache=policy), qtbot) == "answer 1"
    clock.advance(1)
    assert ended(dispatch(FetchJob(), cache=policy), qtbot) == "answer 2"


@pytest.mark.realtime
def test_a_provider_that_raises_while_reading_is_a_miss_and_reported_once(
    make_runtime: Made, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    provider = Provider()
    provider.write("user:1", "cached")
    provider.on_read = spoil
    runtime = make_runtime(cache=provider)
    reports: list[Any] = []
    runtime.error_occurred.connect(reports.append)
    assert ended(runtime.dispatcher.dispatch(FetchJob(), cache=USER), qtbot) == "answer 1"
    assert [type(report.error) for report in reports] == [OSError]
    assert reports[0].where == "Provider, reading 'user:1'"
    assert isinstance(reports[0].job, FetchJob)
    assert [record.levelno for record in caplog.records if record.name.startswith("qtorch")] == [logging.ERROR]


@pytest.mark.realtime
def test_a_provider_that_raises_while_writing_fails_no_job(make_runtime: Made, qtbot: QtBot) -> None:
    provider = Provider()
    provider.on_write = spoil
    runtime = make_runtime(cache=provider)
    reports: list[Any] = []
    runtime.error_occurred.connect(reports.append)
    assert ended(runtime.dispatcher.dispatch(FetchJob(), cache=USER), qtbot) == "answer 1"
    assert [report.where for report in reports] == ["Provider, writing 'user:1'"]


@pytest.mark.realtime
def test_a_provider_slower_than_the_timeout_is_a_miss(make_runtime: Made, qtbot: QtBot) -> None:
    clock, provider, go_on = FakeClock(), Provider(), threading.Event()
    provider.write("user:1", "cached")
    provider.on_read = lambda: go_on.wait(20)
    runtime = make_runtime(cache=provider, clock=clock)
    log = EventLog(runtime.bus)
    handle = runtime.dispatcher.dispatch(FetchJob(), cache=USER, timeout=5)
    clock.advance(5)
    assert ended(handle, qtbot) == "answer 1"
    go_on.set()
    ended(runtime.dispatcher.dispatch(FetchJob()), qtbot)
    assert log.of(JobCacheHitEvent) == []
    assert [event.is_from_cache for event in log.of(JobSuccessEvent)] == [False, False]
