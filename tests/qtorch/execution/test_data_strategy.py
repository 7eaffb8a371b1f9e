"""What is shown before the result: placeholders, cached data, and the order of it all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from qtorch import (
    MISSING,
    BaseExecutor,
    BaseJob,
    CachePolicy,
    InMemoryCacheProvider,
    InvalidateCacheJob,
    JobBuilder,
    JobCacheHitEvent,
    JobHandle,
    JobPlaceholderEvent,
    JobStatus,
    RetryPolicy,
)
from tests.qtorch.execution.rig import Rig, SlowCache, drive, elsewhere

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

pytestmark = pytest.mark.realtime

SWR = CachePolicy(key="user:1")
CACHE_FIRST = CachePolicy(key="user:1", revalidate=False)
REFRESH = CachePolicy(key="user:1", force_refresh=True)


class RaisingCache:
    """A cache whose every call fails."""

    def __init__(self, in_memory: bool) -> None:
        self.in_memory = in_memory
        self.error = OSError("the disk is gone")

    def read(self, key: str) -> Any:
        raise self.error

    def write(self, key: str, value: Any, ttl: float | None = None) -> None:
        raise self.error

    delete = delete_matching = clear = read


@pytest.fixture(params=["in memory", "slow"])
def cached(request: pytest.FixtureRequest, make_rig: Callable[..., Rig]) -> Rig:
    """A rig whose cache is the one in memory, or one that is read and written on pool threads."""
    cache: Any = None
    if request.param == "slow":
        cache = SlowCache()
        cache.read_gate.open()
        cache.write_gate.open()
    return make_rig(cache=cache)


def fetch(rig: Rig, gives: object = "fresh", runner: str = "thread", **options: Any) -> JobHandle[Any]:
    rig.work("work", gives, is_open=True)
    handle = rig.dispatch(runner, **options)
    rig.end(handle)
    return handle


def told(rig: Rig, handle: JobHandle[Any]) -> list[Any]:
    """Events by name, those with data with it."""
    return [
        (name, getattr(event, "data")) if hasattr(event, "data") else name  # noqa: B009 - not every event has it
        for name, event in zip(rig.types(handle), rig.log.for_job(handle.id), strict=True)
    ]


# -- the orders -------------------------------------------------------------------------------------------------------


def test_a_miss_is_started_placeholder_work_success_and_is_written(cached: Rig) -> None:
    handle = fetch(cached, cache=SWR, placeholder="...")
    assert told(cached, handle) == ["Started", ("Placeholder", "..."), ("Success", "fresh")]
    assert not cached.log.successes[0].is_from_cache
    assert cached.runtime.cache.read("user:1") == "fresh"


def test_a_hit_is_shown_and_then_revalidated(cached: Rig) -> None:
    cached.runtime.cache.write("user:1", "stale")
    handle = fetch(cached, cache=SWR, placeholder="...")
    assert told(cached, handle) == ["Started", ("CacheHit", "stale"), ("Success", "fresh")]
    assert not cached.log.successes[0].is_from_cache
    assert cached.runtime.cache.read("user:1") == "fresh"


def test_cache_first_ends_at_a_hit_without_any_work(cached: Rig) -> None:
    cached.runtime.cache.write("user:1", "stale")
    handle = fetch(cached, cache=CACHE_FIRST, placeholder="...")
    assert told(cached, handle) == ["Started", ("CacheHit", "stale"), ("Success", "stale")]
    assert cached.log.successes[0].is_from_cache
    assert cached.works["work"].calls == 0
    assert handle.outcome is not None
    assert handle.outcome.unwrap() == "stale"


def test_cache_first_works_at_a_miss(cached: Rig) -> None:
    handle = fetch(cached, cache=CACHE_FIRST)
    assert told(cached, handle) == ["Started", ("Success", "fresh")]
    assert cached.runtime.cache.read("user:1") == "fresh"


def test_force_refresh_does_not_read_but_writes(cached: Rig) -> None:
    cached.runtime.cache.write("user:1", "stale")
    handle = fetch(cached, cache=REFRESH)
    assert told(cached, handle) == ["Started", ("Success", "fresh")]
    assert cached.runtime.cache.read("user:1") == "fresh"


def test_a_placeholder_without_a_cache_is_told_before_the_work(rig: Rig, own_runner: str) -> None:
    handle = fetch(rig, runner=own_runner, placeholder="...")
    assert told(rig, handle) == ["Started", ("Placeholder", "..."), ("Success", "fresh")]


def test_a_failure_after_a_hit_is_a_failure_and_writes_nothing(cached: Rig) -> None:
    cached.runtime.cache.write("user:1", "stale")
    handle = fetch(cached, OSError("offline"), cache=SWR)
    assert cached.types(handle) == ["Started", "CacheHit", "Failure"]
    assert cached.runtime.cache.read("user:1") == "stale"


def test_a_placeholder_is_told_once_for_all_attempts(cached: Rig) -> None:
    work = cached.work("work", OSError(), OSError(), "fresh", is_open=True)
    handle = cached.dispatch(
        "thread",
        cache=SWR,
        placeholder="...",
        retry=RetryPolicy(max_retries=2, base_delay=1, exponential_backoff=False),
    )
    drive(lambda: handle.status is JobStatus.WAITING and work.calls == 1)
    cached.clock.advance(1)
    # By the calls too: until the timer's offer is taken the status is still that of the first wait.
    drive(lambda: handle.status is JobStatus.WAITING and work.calls == 2)
    cached.clock.advance(1)
    cached.end(handle)
    assert cached.types(handle) == ["Started", "Placeholder", "Retrying", "Retrying", "Success"]


def test_a_job_that_was_cancelled_before_shows_nothing_but_that(cached: Rig) -> None:
    from qtorch import CancellationToken

    token = CancellationToken()
    token.cancel("before")
    cached.runtime.cache.write("user:1", "stale")
    handle = fetch(cached, cache=SWR, placeholder="...", token=token)
    assert cached.types(handle) == ["Cancelled"]
    assert cached.log.cancelled[0].reason == "before"


# -- values -----------------------------------------------------------------------------------------------------------


def test_none_is_a_value_in_the_cache(cached: Rig) -> None:
    fetch(cached, None, cache=SWR)
    assert cached.runtime.cache.read("user:1") is None
    handle = fetch(cached, "unused", cache=CACHE_FIRST)
    assert told(cached, handle) == ["Started", ("CacheHit", None), ("Success", None)]


def test_none_is_a_placeholder(cached: Rig) -> None:
    handle = fetch(cached, cache=SWR, placeholder=None)
    [event] = cached.log.of(JobPlaceholderEvent)
    assert event.data is None
    assert cached.types(handle) == ["Started", "Placeholder", "Success"]


def test_a_written_value_expires_after_its_ttl(rig: Rig) -> None:
    policy = CachePolicy(key="user:1", ttl=300, revalidate=False)
    fetch(rig, cache=policy)
    rig.clock.advance(299)
    assert rig.types(fetch(rig, cache=policy)) == ["Started", "CacheHit", "Success"]
    rig.clock.advance(2)
    assert rig.types(fetch(rig, cache=policy)) == ["Started", "Success"]


def test_the_ttl_reaches_any_provider(make_rig: Callable[..., Rig]) -> None:
    cache = SlowCache()
    cache.read_gate.open()
    cache.write_gate.open()
    rig = make_rig(cache=cache)
    fetch(rig, cache=CachePolicy(key="k", ttl=7))
    fetch(rig, cache=CachePolicy(key="k"))
    assert cache.written == [("k", "fresh", 7.0), ("k", "fresh", None)]


def test_a_provider_without_a_word_about_memory_is_called_on_pool_threads(make_rig: Callable[..., Rig]) -> None:
    threads: list[int] = []

    class Recording(SlowCache):
        def read(self, key: str) -> Any:
            threads.append(threading.get_ident())
            return MISSING

        def write(self, key: str, value: Any, ttl: float | None = None) -> None:
            threads.append(threading.get_ident())

    rig = make_rig(cache=Recording())
    fetch(rig, cache=SWR)
    assert len(threads) == 2
    assert threading.get_ident() not in threads


def test_a_provider_in_memory_is_read_before_dispatch_returns(rig: Rig) -> None:
    rig.runtime.cache.write("user:1", "stale")
    rig.work("work")
    handle = rig.dispatch("thread", cache=CACHE_FIRST)
    assert rig.log.for_job(handle.id) == [], "nobody is told before dispatch returns"
    rig.end(handle)
    assert rig.types(handle) == ["Started", "CacheHit", "Success"]


# -- faults of the cache ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_cache_that_fails_never_fails_a_job_and_is_reported_without_the_excepthook(
    make_rig: Callable[..., Rig], qtbot: QtBot, caplog: pytest.LogCaptureFixture, in_memory: bool
) -> None:
    cache = RaisingCache(in_memory)
    rig = make_rig(cache=cache)
    with qtbot.captureExceptions() as seen:
        handle = fetch(rig, cache=SWR, placeholder="...")
    drive(lambda: len(rig.reports) == 2)
    assert told(rig, handle) == ["Started", ("Placeholder", "..."), ("Success", "fresh")]
    assert [report.error for report in rig.reports] == [cache.error, cache.error]
    assert ["reading" in rig.reports[0].where, "writing" in rig.reports[1].where] == [True, True]
    assert all("RaisingCache" in report.where and report.job is handle.job for report in rig.reports)
    assert seen == []
    records = [record for record in caplog.records if record.name.startswith("qtorch") and record.levelname == "ERROR"]
    assert len(records) == 2
    assert records[0].__dict__["job_id"] == handle.id


def test_a_read_that_is_late_is_a_miss_at_the_timeout_and_its_answer_is_dropped(make_rig: Callable[..., Rig]) -> None:
    cache = SlowCache()
    cache.entries["user:1"] = "stale"
    rig = make_rig(cache=cache)
    work = rig.work("work", "fresh")
    handle = rig.dispatch("thread", cache=SWR, placeholder="...", timeout=5)
    drive(cache.reading.is_set)
    rig.clock.advance(4.9)
    rig.drain()
    assert rig.types(handle) == ["Started"]
    rig.clock.advance(0.1)
    drive(work.begun.is_set)
    rig.drain()
    assert rig.types(handle) == ["Started", "Placeholder"]
    cache.read_gate.open()
    cache.write_gate.open()
    work.gate.open()
    rig.end(handle)
    assert rig.types(handle) == ["Started", "Placeholder", "Success"]
    assert not rig.log.of(JobCacheHitEvent)


def test_the_attempt_after_a_late_read_has_its_whole_timeout(make_rig: Callable[..., Rig]) -> None:
    cache = SlowCache()
    cache.write_gate.open()
    rig = make_rig(cache=cache)
    work = rig.work("work", "fresh")
    handle = rig.dispatch("thread", cache=SWR, timeout=5)
    drive(cache.reading.is_set)
    rig.clock.advance(5)
    drive(work.begun.is_set)
    rig.drain()
    rig.clock.advance(4.9)
    work.gate.open()
    rig.end(handle)
    assert handle.status is JobStatus.SUCCEEDED


@pytest.mark.parametrize("timeout", [None, 50])
@pytest.mark.parametrize("end", ["answer", "cancel"])
def test_a_slow_read_leaves_no_timer_behind(make_rig: Callable[..., Rig], timeout: float | None, end: str) -> None:
    cache = SlowCache()
    rig = make_rig(cache=cache)
    rig.work("work", is_open=True)
    handle = rig.dispatch("thread", cache=SWR, timeout=timeout)
    drive(cache.reading.is_set)
    if end == "cancel":
        handle.cancel()
    cache.read_gate.open()
    cache.write_gate.open()
    rig.end(handle)
    drive(lambda: rig.runtime.snapshot()["runners"]["threads"]["idle"] > 0)
    rig.drain()
    assert rig.clock.pending == 0


def test_a_cancel_during_the_write_comes_too_late(make_rig: Callable[..., Rig]) -> None:
    cache = SlowCache()
    cache.read_gate.open()
    rig = make_rig(cache=cache)
    rig.work("work", "fresh", is_open=True)
    handle = rig.dispatch("thread", cache=SWR)
    drive(cache.writing.is_set)
    handle.cancel("too late")
    assert handle.status is JobStatus.SUCCEEDED
    assert rig.types(handle) == ["Started"], "the success is told once it is written"
    cache.write_gate.open()
    rig.end(handle)
    assert rig.types(handle) == ["Started", "Success"]


# -- invalidation -----------------------------------------------------------------------------------------------------


def test_what_was_fetched_before_an_invalidation_is_not_written(cached: Rig) -> None:
    work = cached.work("work", "out of date")
    handle = cached.dispatch("thread", cache=SWR)
    drive(work.begun.is_set)
    cached.end(cached.owner.dispatch(InvalidateCacheJob(prefix="user:")))
    work.gate.open()
    cached.end(handle)
    assert handle.outcome is not None
    assert handle.outcome.unwrap() == "out of date"
    assert cached.runtime.cache.read("user:1") is MISSING


def test_an_invalidation_of_another_key_does_not_stop_the_write(cached: Rig) -> None:
    work = cached.work("work", "fresh")
    handle = cached.dispatch("thread", cache=SWR)
    drive(work.begun.is_set)
    cached.end(cached.owner.dispatch(InvalidateCacheJob(key="user:2")))
    work.gate.open()
    cached.end(handle)
    assert cached.runtime.cache.read("user:1") == "fresh"


def test_an_invalidation_while_a_slow_cache_writes_wins(make_rig: Callable[..., Rig]) -> None:
    cache = SlowCache()
    cache.read_gate.open()
    rig = make_rig(cache=cache)
    rig.work("work", "out of date", is_open=True)
    handle = rig.dispatch("thread", cache=SWR)
    drive(cache.writing.is_set)
    elsewhere(lambda: rig.runtime.cache.delete("user:1"))
    cache.write_gate.open()
    rig.end(handle)
    assert rig.runtime.cache.read("user:1") is MISSING


def test_an_invalidation_is_a_job_like_any_other(rig: Rig) -> None:
    for key in ("user:1", "user:2", "team:1", "other"):
        rig.runtime.cache.write(key, key)
    handle = rig.owner.dispatch(InvalidateCacheJob(key="other", prefix="team", predicate=lambda key: key.endswith("2")))
    rig.end(handle)
    assert rig.types(handle) == ["Started", "Success"]
    kept = [key for key in ("user:1", "user:2", "team:1", "other") if rig.runtime.cache.read(key) is not MISSING]
    assert kept == ["user:1"]


# -- by hand ----------------------------------------------------------------------------------------------------------


class KeepJob(BaseJob[str]):
    pass


def test_an_executor_reaches_the_runtimes_cache_in_process_only(rig: Rig) -> None:
    class Keeper(BaseExecutor[KeepJob]):
        def process(self, job: KeepJob) -> str:
            self.cache.write("by hand", 1)
            return str(self.cache.read("by hand"))

    keeper = Keeper()
    rig.runtime.register(keeper)
    rig.end(rig.owner.dispatch(KeepJob()))
    assert rig.runtime.cache.read("by hand") == 1
    with pytest.raises(RuntimeError, match=r"Keeper\.cache.*outside process"):
        _ = keeper.cache


# -- the flagship -----------------------------------------------------------------------------------------------------


def test_timeout_retries_cache_and_placeholder_together_on_one_job(make_rig: Callable[..., Rig], runner: str) -> None:
    rig = make_rig(runner)
    work = rig.work("work", OSError("first"), OSError("second"), "data", is_open=True)
    job = (
        JobBuilder(rig.job(runner))
        .with_timeout(timedelta(seconds=30))
        .with_retry(max_retries=3, base_delay=1)
        .with_cache(key="user:1", ttl=timedelta(minutes=5))
        .with_placeholder("skeleton")
        .build()
    )
    handle = rig.owner.dispatch(job)
    drive(lambda: handle.status is JobStatus.WAITING)
    rig.clock.advance(1)
    drive(lambda: handle.status is JobStatus.WAITING and work.calls == 2)
    work.gate = type(work.gate)()
    rig.clock.advance(2)
    drive(lambda: work.calls == 3)
    drive(lambda: handle.status is JobStatus.RUNNING)
    rig.clock.advance(30)  # the third attempt takes too long
    drive(lambda: handle.status is JobStatus.WAITING and not handle.is_working)
    work.gives = ["data"]
    work.gate.open()
    rig.clock.advance(4)
    rig.end(handle)

    assert told(rig, handle) == [
        "Started",
        ("Placeholder", "skeleton"),
        "Retrying",
        "Retrying",
        "Retrying",
        ("Success", "data"),
    ]
    assert rig.log.successes[0].attempt == 4
    assert isinstance(rig.runtime.cache.provider, InMemoryCacheProvider)
    assert rig.runtime.cache.read("user:1") == "data"

    again = rig.owner.dispatch(job)
    rig.end(again)
    assert told(rig, again) == ["Started", ("CacheHit", "data"), ("Success", "data")]
    rig.clock.advance(301)
    assert rig.runtime.cache.read("user:1") is MISSING
