"""The Runtime's cache: an old answer never overwrites an invalidation."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from qtorch import MISSING, InMemoryCacheProvider
from qtorch.cache.cache import Cache


class Recording:
    """A provider that notes what it is asked and lets a test step in while it writes."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.calls: list[tuple[Any, ...]] = []
        self.while_writing: Callable[[], object] = lambda: None

    def read(self, key: str) -> Any:
        return self.values.get(key, MISSING)

    def write(self, key: str, value: Any, ttl: float | None = None) -> None:
        self.calls.append(("write", key, value, ttl))
        self.while_writing()
        self.values[key] = value

    def delete(self, key: str) -> None:
        self.calls.append(("delete", key))
        self.values.pop(key, None)

    def delete_matching(self, predicate: Callable[[str], bool]) -> None:
        for key in [key for key in self.values if predicate(key)]:
            del self.values[key]

    def clear(self) -> None:
        self.values.clear()


@pytest.fixture
def provider() -> Recording:
    return Recording()


@pytest.fixture
def cache(provider: Recording) -> Cache:
    return Cache(provider)


INVALIDATIONS: list[Callable[[Cache], object]] = [
    lambda cache: cache.delete("a"),
    lambda cache: cache.delete_matching(lambda key: key.startswith("a")),
    lambda cache: cache.clear(),
]


def test_a_provider_is_in_memory_only_if_it_says_so(provider: Recording) -> None:
    assert not Cache(provider).in_memory
    assert Cache(InMemoryCacheProvider()).in_memory


def test_lifetimes_reach_the_provider_in_seconds(cache: Cache, provider: Recording) -> None:
    cache.write("a", 1)
    cache.write("b", 2, 3)
    cache.write("c", 3, timedelta(minutes=5))
    assert [call[3] for call in provider.calls] == [None, 3, 300]
    assert cache.read("c") == 3
    assert cache.read("x") is MISSING


def test_a_result_is_kept_for_its_ttl(cache: Cache, provider: Recording) -> None:
    cache.write_result(cache.begin("a"), None, 60)
    assert provider.calls == [("write", "a", None, 60)]
    assert cache.read("a") is None


@pytest.mark.parametrize("invalidate", INVALIDATIONS)
def test_what_was_begun_before_an_invalidation_is_not_written(cache: Cache, invalidate: Callable[[Cache], Any]) -> None:
    reading = cache.begin("a")
    invalidate(cache)
    cache.write_result(reading, "old", None)
    assert cache.read("a") is MISSING


@pytest.mark.parametrize("invalidate", INVALIDATIONS)
def test_what_was_begun_after_it_is(cache: Cache, invalidate: Callable[[Cache], Any]) -> None:
    invalidate(cache)
    cache.write_result(cache.begin("a"), "new", None)
    assert cache.read("a") == "new"


@pytest.mark.parametrize("invalidate", INVALIDATIONS[:2])
def test_other_keys_are_not_concerned(cache: Cache, invalidate: Callable[[Cache], Any]) -> None:
    reading = cache.begin("b")
    invalidate(cache)
    cache.write_result(reading, "other", None)
    assert cache.read("b") == "other"


@pytest.mark.parametrize("invalidate", INVALIDATIONS)
def test_an_invalidation_while_a_slow_provider_writes_takes_the_value_away_again(
    cache: Cache, provider: Recording, invalidate: Callable[[Cache], Any]
) -> None:
    reading = cache.begin("a")
    provider.while_writing = lambda: invalidate(cache)
    cache.write_result(reading, "old", None)
    assert cache.read("a") is MISSING


def test_every_reading_of_a_key_is_outdated_also_several(cache: Cache) -> None:
    readings = [cache.begin("a") for _ in range(3)]
    cache.delete("a")
    assert [reading.is_current for reading in readings] == [False] * 3


def test_readings_that_end_leave_nothing_behind(cache: Cache) -> None:
    gc.collect()
    for _ in range(100):
        cache.write_result(cache.begin("a"), 1, None)
    assert len(cache._readings) == 0


def test_a_value_written_by_hand_is_no_reading(cache: Cache) -> None:
    reading = cache.begin("a")
    cache.write("a", "by hand")
    cache.write_result(reading, "fetched", None)
    assert cache.read("a") == "fetched"


@pytest.mark.realtime
def test_readings_may_begin_and_end_on_other_threads_while_one_invalidates() -> None:
    cache = Cache(InMemoryCacheProvider())
    failures: list[BaseException] = []
    is_over = threading.Event()

    def fetch() -> None:
        try:
            while not is_over.is_set():
                cache.write_result(cache.begin("a"), 1, None)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=fetch) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(300):
            cache.delete("a")
            cache.delete_matching(lambda key: key == "a")
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert failures == []
    late = cache.begin("a")
    cache.delete("a")
    cache.write_result(late, "old", None)
    assert cache.read("a") is MISSING
