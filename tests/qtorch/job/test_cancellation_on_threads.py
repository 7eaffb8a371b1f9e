"""Tokens that are cancelled on one thread and waited for on another."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from qtorch import CancellationToken
from qtorch.testing import FakeClock

if TYPE_CHECKING:
    from qtorch import ErrorReport


class Sink:
    """Collects what is reported."""

    def __init__(self) -> None:
        self.reports: list[ErrorReport] = []

    def report(self, report: ErrorReport, *, user_code: bool = True) -> None:
        assert user_code
        self.reports.append(report)


def spin_until(condition: Callable[[], bool]) -> None:
    """Wait for another thread, at most as long as anybody would."""
    reached = threading.Event()
    for _ in range(20_000):
        if condition():
            return
        reached.wait(0.001)
    raise AssertionError("what was waited for did not happen in 20 s")


@pytest.mark.realtime
def test_callbacks_run_on_the_canceller_s_thread() -> None:
    heard: list[int] = []
    token = CancellationToken()
    token.on_cancel(lambda: heard.append(threading.get_ident()))
    thread = threading.Thread(target=token.cancel)
    thread.start()
    thread.join()
    assert heard == [thread.ident]


@pytest.mark.realtime
def test_of_many_threads_that_cancel_at_once_one_wins_and_callbacks_hear_once() -> None:
    for _ in range(50):
        token, heard, start = CancellationToken(), list[str | None](), threading.Barrier(4)
        token.on_cancel(lambda token=token, heard=heard: heard.append(token.reason))

        def cancel(name: str, token: CancellationToken = token, start: threading.Barrier = start) -> None:
            start.wait()
            token.cancel(name)

        threads = [threading.Thread(target=cancel, args=(str(number),)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert heard == [token.reason]


@pytest.mark.realtime
def test_a_callback_registered_while_another_thread_cancels_is_called_exactly_once() -> None:
    for _ in range(50):
        token, heard, start = CancellationToken(), list[int](), threading.Barrier(2)

        def cancel(token: CancellationToken = token, start: threading.Barrier = start) -> None:
            start.wait()
            token.cancel()

        thread = threading.Thread(target=cancel)
        thread.start()
        start.wait()
        for number in range(100):
            token.on_cancel(lambda number=number, heard=heard: heard.append(number))
        thread.join()
        assert sorted(heard) == list(range(100))


@pytest.mark.realtime
def test_wait_returns_as_soon_as_another_thread_cancels() -> None:
    token = CancellationToken()
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(token.wait(60)))
    thread.start()
    spin_until(lambda: bool(token._callbacks))
    token.cancel()
    thread.join(20)
    assert answers == [True]


def test_wait_on_a_cancelled_token_does_not_wait() -> None:
    token = CancellationToken()
    token.cancel()
    assert token.wait(60)
    assert token.wait()


@pytest.mark.realtime
def test_wait_says_no_when_the_time_is_up_and_leaves_no_callback_behind() -> None:
    token = CancellationToken()
    assert not token.wait(0.001)
    assert not token.wait(0)
    assert not token._callbacks


@pytest.mark.realtime
def test_the_token_of_a_run_waits_on_the_runtime_s_clock() -> None:
    clock = FakeClock()
    token = CancellationToken.of_run(clock, Sink())
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(token.wait(3_600)))
    thread.start()
    spin_until(lambda: clock.pending == 1)
    clock.advance(3_599)
    assert thread.is_alive()
    clock.advance(1)
    thread.join(20)
    assert answers == [False]


@pytest.mark.realtime
def test_a_cancel_ends_a_wait_on_a_clock_that_stands_still_and_its_timer_with_it() -> None:
    clock = FakeClock()
    token = CancellationToken.of_run(clock, Sink())
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(token.wait(3_600)))
    thread.start()
    spin_until(lambda: clock.pending == 1)
    token.cancel()
    thread.join(20)
    assert (answers, clock.pending) == ([True], 0)
