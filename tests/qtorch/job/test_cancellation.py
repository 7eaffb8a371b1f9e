"""How work is asked to stop."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from qtorch import CancellationToken, ErrorReport, JobCancelledError
from qtorch.testing import FakeClock


class Sink:
    """Collects what is reported."""

    def __init__(self) -> None:
        self.reports: list[ErrorReport] = []

    def report(self, report: ErrorReport, *, user_code: bool = True) -> None:
        assert user_code
        self.reports.append(report)


@pytest.fixture
def no_cyclic_collector() -> Iterator[None]:
    """What dies in such a test dies by its last reference."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


# -- cancel ------------------------------------------------------------------------------------------------------------


def test_a_fresh_token_lets_work_go_on() -> None:
    token = CancellationToken()
    token.raise_if_cancelled()
    assert (token.is_cancelled, token.reason) == (False, None)
    assert repr(token) == "<CancellationToken not cancelled>"


def test_a_cancelled_token_raises_with_its_reason() -> None:
    token = CancellationToken()
    token.cancel("window closed")
    with pytest.raises(JobCancelledError, match="window closed") as caught:
        token.raise_if_cancelled()
    assert caught.value.reason == token.reason == "window closed"
    assert "window closed" in repr(token)


def test_the_first_reason_stands_and_callbacks_hear_once() -> None:
    heard: list[str | None] = []
    token = CancellationToken()
    token.on_cancel(lambda: heard.append(token.reason))
    token.cancel()
    token.cancel("too late")
    assert (token.reason, heard) == (None, [None])


def test_a_callback_sees_the_token_cancelled_already() -> None:
    token = CancellationToken()
    seen: list[tuple[bool, str | None]] = []
    token.on_cancel(lambda: seen.append((token.is_cancelled, token.reason)))
    token.cancel("stop")
    assert seen == [(True, "stop")]


def test_callbacks_are_called_in_the_order_of_registration() -> None:
    heard: list[int] = []
    token = CancellationToken()
    for number in range(5):
        token.on_cancel(lambda number=number: heard.append(number))
    token.cancel()
    assert heard == [0, 1, 2, 3, 4]


def test_a_callback_registered_after_the_cancel_is_called_at_once() -> None:
    heard: list[str] = []
    token = CancellationToken()
    token.cancel()
    unregister = token.on_cancel(lambda: heard.append("now"))
    assert heard == ["now"]
    unregister()


def test_one_callback_registered_twice_is_two_registrations() -> None:
    heard: list[str] = []

    def callback() -> None:
        heard.append("x")

    token = CancellationToken()
    unregister = token.on_cancel(callback)
    token.on_cancel(callback)
    unregister()
    unregister()
    token.cancel()
    assert heard == ["x"]


# -- unregister --------------------------------------------------------------------------------------------------------


def test_a_job_that_ends_leaves_the_listeners_of_others_on_a_shared_token_alone() -> None:
    heard: list[str] = []
    shared = CancellationToken()
    first = shared.on_cancel(lambda: heard.append("first job"))
    shared.on_cancel(lambda: heard.append("second job"))
    first()
    shared.cancel()
    assert heard == ["second job"]


def test_a_callback_that_an_earlier_one_unregisters_is_not_called() -> None:
    heard: list[str] = []
    token = CancellationToken()
    token.on_cancel(lambda: later())
    later = token.on_cancel(lambda: heard.append("called all the same"))
    token.on_cancel(lambda: heard.append("last"))
    token.cancel()
    assert heard == ["last"]


def test_a_callback_may_cancel_its_own_token_and_register_on_it() -> None:
    heard: list[str] = []
    token = CancellationToken()

    def callback() -> None:
        token.cancel("again")
        token.on_cancel(lambda: heard.append("inner"))

    token.on_cancel(callback)
    token.cancel("once")
    assert (token.reason, heard) == ("once", ["inner"])


def test_what_a_callback_held_is_let_go_after_unregister_and_after_cancel(no_cyclic_collector: None) -> None:
    class Window:
        def close(self) -> None: ...

    unregistered, called, token = Window(), Window(), CancellationToken()
    gone = [weakref.ref(unregistered), weakref.ref(called)]
    token.on_cancel(unregistered.close)()
    token.on_cancel(called.close)
    token.cancel()
    del unregistered, called
    assert [ref() for ref in gone] == [None, None]


# -- raising callbacks -------------------------------------------------------------------------------------------------


def test_a_raising_callback_is_reported_once_and_stops_nobody() -> None:
    sink, heard = Sink(), list[str]()
    token = CancellationToken.of_run(FakeClock(), sink)
    error = ValueError("no")

    def spoil() -> None:
        raise error

    token.on_cancel(lambda: heard.append("before"))
    token.on_cancel(spoil)
    token.on_cancel(lambda: heard.append("after"))
    token.cancel()
    assert heard == ["before", "after"]
    assert [report.error for report in sink.reports] == [error]
    assert "on_cancel" in sink.reports[0].where


def test_a_callback_that_asks_to_exit_is_obeyed_once_all_have_heard() -> None:
    heard: list[str] = []
    token = CancellationToken()
    token.on_cancel(lambda: sys.exit(3))
    token.on_cancel(lambda: heard.append("after"))
    with pytest.raises(SystemExit):
        token.cancel()
    assert heard == ["after"]
    assert token.is_cancelled


def test_a_callback_that_raises_when_registered_too_late_is_reported_not_raised() -> None:
    sink = Sink()
    token = CancellationToken.of_run(FakeClock(), sink)
    token.cancel()
    token.on_cancel(lambda: 1 / 0)
    assert [type(report.error) for report in sink.reports] == [ZeroDivisionError]


def test_a_token_without_a_runtime_reports_to_the_excepthook(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "excepthook", lambda cls, error, trace: told.append(cls))
    token = CancellationToken()
    token.on_cancel(lambda: 1 / 0)
    token.cancel()
    assert told == [ZeroDivisionError]


def test_a_raising_excepthook_stops_no_callback_either(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("the crash reporter crashed")

    heard: list[str] = []
    monkeypatch.setattr(sys, "excepthook", crash)
    token = CancellationToken()
    token.on_cancel(lambda: 1 / 0)
    token.on_cancel(lambda: heard.append("after"))
    token.cancel()
    assert heard == ["after"]


def test_a_token_of_the_user_reports_to_the_default_runtime(
    qtorch_runtime: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "excepthook", lambda *_: None)
    token = CancellationToken()
    token.on_cancel(lambda: 1 / 0)
    token.cancel()
    qtorch_runtime.bus.core.mailbox.drain()
    assert [type(report.error) for report in qtorch_runtime.reports] == [ZeroDivisionError]


# -- linked ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_linked_token_is_cancelled_by_each_of_its_parents_and_cancels_none(number: int) -> None:
    parents = [CancellationToken() for _ in range(3)]
    child = CancellationToken.linked(*parents)
    parents[number].cancel("by parent")
    assert (child.is_cancelled, child.reason) == (True, "by parent")
    assert [parent.is_cancelled for parent in parents].count(True) == 1

    lonely = CancellationToken()
    CancellationToken.linked(lonely).cancel()
    assert not lonely.is_cancelled


def test_linking_to_a_cancelled_token_cancels_at_once_with_its_reason() -> None:
    parent = CancellationToken()
    parent.cancel("long ago")
    child = CancellationToken.linked(CancellationToken(), parent)
    assert (child.is_cancelled, child.reason) == (True, "long ago")


def test_a_linked_token_hears_only_the_first_of_its_parents() -> None:
    first, second, heard = CancellationToken(), CancellationToken(), list[str | None]()
    child = CancellationToken.linked(first, second)
    child.on_cancel(lambda: heard.append(child.reason))
    second.cancel("second")
    first.cancel("first")
    assert heard == ["second"]


def test_a_token_that_lives_long_collects_no_dead_links(no_cyclic_collector: None) -> None:
    window = CancellationToken()
    for _ in range(100):
        CancellationToken.linked(window)
    assert not window._callbacks
    window.cancel()


def test_a_linked_token_outlives_its_parents_and_does_not_keep_them_for_ever(no_cyclic_collector: None) -> None:
    parent = CancellationToken()
    gone = weakref.ref(parent)
    child = CancellationToken.linked(parent)
    del parent
    child.cancel()
    assert child.is_cancelled
    del child
    assert gone() is None


def test_links_of_links_pass_the_cancel_on() -> None:
    first = CancellationToken()
    tokens = [first]
    for _ in range(50):
        tokens.append(CancellationToken.linked(tokens[-1]))
    first.cancel("all")
    assert {token.reason for token in tokens} == {"all"}
