"""Time that passes when a test says so."""

from __future__ import annotations

import threading

import pytest

from qtorch.testing import FakeClock


def test_time_stands_still_until_it_is_advanced() -> None:
    clock = FakeClock()
    heard: list[float] = []
    clock.call_later(0, lambda: heard.append(clock.now()))
    assert (clock.now(), clock.pending, heard) == (0.0, 1, [])
    clock.advance(0)
    assert (clock.now(), clock.pending, heard) == (0.0, 0, [0.0])


def test_calls_are_made_in_order_each_at_its_own_time() -> None:
    clock = FakeClock(100)
    heard: list[tuple[str, float]] = []
    for name, delay in (("c", 3), ("a", 1), ("b", 1), ("d", 9)):
        clock.call_later(delay, lambda name=name: heard.append((name, clock.now())))
    clock.advance(5)
    assert heard == [("a", 101), ("b", 101), ("c", 103)]
    assert (clock.now(), clock.pending) == (105, 1)


def test_what_a_call_adds_is_made_in_the_same_advance_if_it_falls_due() -> None:
    clock = FakeClock()
    heard: list[float] = []

    def again() -> None:
        heard.append(clock.now())
        clock.call_later(2, again)

    clock.call_later(2, again)
    clock.advance(7)
    assert heard == [2, 4, 6]


@pytest.mark.parametrize("start", [0.0, 1e6, 1.7e9, 1e12])
def test_sums_of_fractions_reach_what_they_mean(start: float) -> None:
    clock = FakeClock(start)
    heard: list[str] = []
    clock.call_later(30, lambda: heard.append("x"))
    clock.advance(29.9)
    assert heard == []
    clock.advance(0.1)
    assert heard == ["x"]


def test_cancelled_calls_are_neither_pending_nor_made() -> None:
    clock = FakeClock()
    heard: list[str] = []
    calls = [clock.call_later(1, lambda: heard.append("x")) for _ in range(200)]
    for call in calls[:-1]:
        call.cancel()
    assert clock.pending == 1
    clock.advance(1)
    assert heard == ["x"]


def test_a_call_that_raises_is_raised_to_the_test_and_the_others_are_still_to_come() -> None:
    clock = FakeClock()
    heard: list[str] = []
    clock.call_later(1, lambda: 1 / 0)
    clock.call_later(2, lambda: heard.append("x"))
    with pytest.raises(ZeroDivisionError):
        clock.advance(5)
    assert (clock.now(), heard) == (1, [])
    clock.advance(1)
    assert heard == ["x"]


def test_a_call_may_advance_the_clock_itself() -> None:
    clock = FakeClock()
    heard: list[tuple[str, float]] = []

    def inner() -> None:
        clock.advance(5)
        heard.append(("inner", clock.now()))

    clock.call_later(1, inner)
    clock.call_later(3, lambda: heard.append(("three", clock.now())))
    clock.advance(2)
    assert heard == [("three", 3), ("inner", 6)]
    assert clock.now() == 6


def test_time_does_not_go_back() -> None:
    with pytest.raises(ValueError, match=r"advance\(-1\)"):
        FakeClock().advance(-1)


def test_fake_time_is_never_late() -> None:
    assert FakeClock().lateness() == 0


@pytest.mark.realtime
def test_calls_are_added_from_any_thread_and_made_by_the_one_that_made_the_clock() -> None:
    clock = FakeClock()
    heard: list[int] = []
    raised: list[Exception] = []

    def elsewhere() -> None:
        clock.call_later(1, lambda: heard.append(threading.get_ident()))
        try:
            clock.advance(1)
        except RuntimeError as error:
            raised.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert "on the thread that made it" in str(raised[0])
    clock.advance(1)
    assert heard == [threading.get_ident()]
