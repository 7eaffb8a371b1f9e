"""The cache that ends with the process."""

from __future__ import annotations

import math
import threading
import weakref
from datetime import timedelta
from typing import Any

import pytest

from qtorch import MISSING, InMemoryCacheProvider
from qtorch.testing import FakeClock


class Ticking:
    """A clock on which every look at it takes a second."""

    def __init__(self) -> None:
        self.looks = 0

    def now(self) -> float:
        self.looks += 1
        return float(self.looks)

    def call_later(self, delay: float, callback: Any) -> Any:
        raise NotImplementedError

    def lateness(self) -> float:
        return 0.0

    def wait(self, event: Any, seconds: float | None) -> None:
        raise NotImplementedError


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def provider(clock: FakeClock) -> InMemoryCacheProvider:
    return InMemoryCacheProvider(max_entries=3, clock=clock)


def keys_of(provider: InMemoryCacheProvider, among: str = "abcdef") -> str:
    return "".join(key for key in among if provider.read(key) is not MISSING)


# -- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, 0, "", (), MISSING.name, False])
def test_every_value_is_one_none_too(provider: InMemoryCacheProvider, value: object) -> None:
    provider.write("a", value)
    assert provider.read("a") is value


def test_what_was_never_written_is_missing(provider: InMemoryCacheProvider) -> None:
    assert provider.read("a") is MISSING
    assert not MISSING
    assert repr(MISSING) == "MISSING"


def test_a_value_is_the_very_object_and_the_last_one_written(provider: InMemoryCacheProvider) -> None:
    value = object()
    provider.write("a", 1)
    provider.write("a", value)
    assert provider.read("a") is value
    assert len(provider) == 1


# -- least recently used -----------------------------------------------------------------------------------------------


def test_the_least_recently_read_or_written_goes_first(provider: InMemoryCacheProvider) -> None:
    for key in "abc":
        provider.write(key, key)
    provider.read("a")
    provider.write("b", "again")
    provider.write("d", "d")
    assert keys_of(provider) == "abd"
    assert len(provider) == 3


def test_a_miss_and_a_delete_make_nothing_recent(provider: InMemoryCacheProvider) -> None:
    for key in "abc":
        provider.write(key, key)
    provider.read("x")
    provider.delete("y")
    provider.write("d", "d")
    assert keys_of(provider) == "bcd"


def test_expired_values_go_before_live_ones(provider: InMemoryCacheProvider, clock: FakeClock) -> None:
    provider.write("a", "old but alive")
    provider.write("b", "short", ttl=1)
    provider.write("c", "new")
    clock.advance(1)
    provider.write("d", "d")
    assert keys_of(provider) == "acd"


def test_a_cache_of_one_holds_the_last(clock: FakeClock) -> None:
    provider = InMemoryCacheProvider(max_entries=1, clock=clock)
    for key in "abc":
        provider.write(key, key)
    assert keys_of(provider) == "c"


# -- lifetimes ---------------------------------------------------------------------------------------------------------


def test_a_value_lives_for_its_ttl_and_not_longer(provider: InMemoryCacheProvider, clock: FakeClock) -> None:
    provider.write("a", 1, ttl=10)
    clock.advance(9.999)
    assert provider.read("a") == 1
    clock.advance(0.001)
    assert provider.read("a") is MISSING
    assert len(provider) == 0


def test_reading_does_not_lengthen_a_life_and_writing_does(provider: InMemoryCacheProvider, clock: FakeClock) -> None:
    provider.write("a", 1, ttl=10)
    provider.write("b", 1, ttl=10)
    clock.advance(6)
    provider.read("a")
    provider.write("b", 2, ttl=10)
    clock.advance(6)
    assert provider.read("a") is MISSING
    assert provider.read("b") == 2


def test_without_a_ttl_a_value_lives_for_ever_or_as_long_as_the_default(clock: FakeClock) -> None:
    endless = InMemoryCacheProvider(clock=clock)
    brief = InMemoryCacheProvider(default_ttl=timedelta(minutes=1), clock=clock)
    for provider in (endless, brief):
        provider.write("a", 1)
        provider.write("b", 1, ttl=3_600)
    clock.advance(60)
    assert keys_of(endless) == "ab"
    assert keys_of(brief) == "b"
    clock.advance(10**9)
    assert keys_of(endless) == "a"


def test_a_life_of_no_length_takes_away_what_was_there(provider: InMemoryCacheProvider) -> None:
    for ttl in (0, -1, math.nan):
        provider.write("a", "old")
        provider.write("a", "new", ttl=ttl)
        assert provider.read("a") is MISSING


def test_a_value_that_expires_while_it_is_looked_at_is_no_error() -> None:
    provider = InMemoryCacheProvider(clock=Ticking())
    for number in range(1, 30):
        for use in (provider.read, provider.delete, lambda key: provider.delete_matching(lambda _: True)):
            provider.write("a", 1, ttl=number / 4)
            use("a")
        provider.write("a", 1, ttl=number / 4)
        provider.write("a", 2, ttl=0)
        assert len(provider) == 0


# -- deleting ----------------------------------------------------------------------------------------------------------


def test_deleting_takes_what_is_named_and_only_that(provider: InMemoryCacheProvider) -> None:
    for key in "abc":
        provider.write(key, key)
    provider.delete("a")
    provider.delete("never there")
    assert keys_of(provider) == "bc"
    provider.delete_matching(lambda key: key < "c")
    assert keys_of(provider) == "c"
    provider.clear()
    assert len(provider) == 0


def test_a_predicate_that_raises_deletes_nothing(provider: InMemoryCacheProvider) -> None:
    for key in "abc":
        provider.write(key, key)

    def spoil(key: str) -> bool:
        if key == "c":
            raise ValueError(key)
        return True

    with pytest.raises(ValueError, match="c"):
        provider.delete_matching(spoil)
    assert keys_of(provider) == "abc"


def test_a_predicate_may_look_into_the_cache_and_write_to_it(provider: InMemoryCacheProvider) -> None:
    provider.write("a", 1)
    provider.write("b", 2)

    def is_one(key: str) -> bool:
        provider.write("seen", True)
        return bool(provider.read(key) == 1)

    provider.delete_matching(is_one)
    assert keys_of(provider) == "b"


def test_what_was_deleted_or_pushed_out_is_let_go(clock: FakeClock) -> None:
    class Picture:
        """Something that takes memory."""

    provider = InMemoryCacheProvider(max_entries=2, clock=clock)
    pictures = [Picture() for _ in range(4)]
    gone = [weakref.ref(picture) for picture in pictures]
    for number in range(4):
        provider.write(str(number), pictures.pop(0))
    provider.delete("2")
    provider.write("3", None)
    assert [ref() for ref in gone] == [None] * 4


# -- values of its own -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [0, -1])
def test_a_cache_without_room_is_refused(bad: int) -> None:
    with pytest.raises(ValueError, match=f"at least 1, got {bad}"):
        InMemoryCacheProvider(max_entries=bad)


@pytest.mark.parametrize("bad", [0, -1, math.nan, timedelta(0)])
def test_a_default_life_of_no_length_is_refused(bad: Any) -> None:
    with pytest.raises(ValueError, match="longer than 0 s"):
        InMemoryCacheProvider(default_ttl=bad)


# -- threads -----------------------------------------------------------------------------------------------------------


@pytest.mark.realtime
def test_threads_that_write_read_and_delete_at_once_disturb_nobody() -> None:
    provider = InMemoryCacheProvider(max_entries=50)
    start = threading.Barrier(4)
    failures: list[BaseException] = []
    wrong: list[object] = []

    def use(thread: int) -> None:
        start.wait()
        try:
            for number in range(300):
                key = str(number % 70)
                provider.write(key, key, ttl=0.001 if number % 3 else None)
                found = provider.read(key)
                if found is not MISSING and found != key:
                    wrong.append(found)
                if number % 50 == thread:
                    provider.delete_matching(lambda key: key.endswith("7"))
                provider.delete(str(number % 13))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (failures, wrong) == ([], [])
    assert len(provider) <= 50


@pytest.mark.realtime
def test_a_slow_predicate_holds_up_no_reader() -> None:
    provider = InMemoryCacheProvider()
    provider.write("a", 1)
    asked, answered = threading.Event(), threading.Event()

    def slow(key: str) -> bool:
        asked.set()
        return answered.wait(20)

    thread = threading.Thread(target=provider.delete_matching, args=(slow,))
    thread.start()
    assert asked.wait(20)
    read: list[object] = []
    reader = threading.Thread(target=lambda: read.append(provider.read("a")))
    reader.start()
    reader.join(20)
    answered.set()
    thread.join()
    assert read == [1]
    assert provider.read("a") is MISSING
