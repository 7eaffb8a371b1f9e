"""The state of one thing that is loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from qtorch import AsyncState, AsyncStatus


class UserState(AsyncState[str]):
    tab: int = 0


ERROR = OSError("no route")
STATES: dict[str, UserState] = {
    "initial": UserState(),
    "loading": UserState().to_loading(),
    "success": UserState().to_success("Ann"),
    "failure": UserState().to_failure(ERROR),
    "refreshing": UserState().to_success("Ann").to_refreshing(),
}
HEARD: dict[str, tuple[Any, ...]] = {
    "initial": (),
    "loading": (),
    "success": ("Ann",),
    "failure": (ERROR,),
    "refreshing": ("Ann",),
}


class Handlers:
    """Handlers by name that note their calls and return None."""

    def __init__(self, *names: str) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.by_name: dict[str, Any] = {name: self._handler(name) for name in names}

    def _handler(self, name: str) -> Any:
        return lambda *args: self.calls.append((name, args))


class EmptyCallable(list[Any]):
    """A handler that is false, being a list without items."""

    def __call__(self, *args: Any) -> str:
        return "called"


# -- transitions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "transition",
    [
        lambda s: s.to_loading(),
        lambda s: s.to_refreshing(),
        lambda s: s.to_success("x"),
        lambda s: s.to_failure(ERROR),
    ],
    ids=["loading", "refreshing", "success", "failure"],
)
@pytest.mark.parametrize("name", STATES)
def test_every_transition_keeps_the_subclass_and_its_fields(
    name: str, transition: Callable[[UserState], UserState]
) -> None:
    new = transition(STATES[name].copy_with(tab=2))
    assert type(new) is UserState
    assert new.tab == 2


def test_loading_and_refreshing_keep_the_data_and_clear_the_error() -> None:
    failed = UserState().to_success("Ann").to_failure(ERROR)
    assert (failed.data, failed.error) == ("Ann", ERROR)
    for state in (failed.to_loading(), failed.to_refreshing()):
        assert (state.data, state.error) == ("Ann", None)


def test_success_replaces_the_data_and_clears_the_error() -> None:
    state = UserState().to_failure(ERROR).to_success("Bo")
    assert (state.status, state.data, state.error) == (AsyncStatus.SUCCESS, "Bo", None)


def test_the_data_is_validated() -> None:
    class Numbers(AsyncState[tuple[int, ...]]):
        pass

    assert Numbers().to_success(("1", 2)).data == (1, 2)  # type: ignore[arg-type]  # the point
    with pytest.raises(ValidationError):
        Numbers().to_success("many")  # type: ignore[arg-type]  # the point


@pytest.mark.parametrize(
    ("name", "is_loading", "has_data", "has_error", "message"),
    [
        ("initial", False, False, False, ""),
        ("loading", True, False, False, ""),
        ("success", False, True, False, ""),
        ("failure", False, False, True, "no route"),
        ("refreshing", True, True, False, ""),
    ],
)
def test_what_is_computed(name: str, is_loading: bool, has_data: bool, has_error: bool, message: str) -> None:
    state = STATES[name]
    assert (state.is_loading, state.has_data, state.has_error, state.error_message) == (
        is_loading,
        has_data,
        has_error,
        message,
    )
    assert state.status == name


def test_an_error_without_a_text_is_named_by_its_class_and_one_that_cannot_be_shown_too() -> None:
    class Speechless(Exception):
        def __str__(self) -> str:
            raise RuntimeError("broken __str__")

    assert UserState().to_failure(TimeoutError()).error_message == "TimeoutError"
    assert UserState().to_failure(Speechless()).error_message == "Speechless"


# -- the error ---------------------------------------------------------------------------------------------------------


def caught_with_a_cause() -> Exception:
    try:
        try:
            raise KeyError("inner")
        except KeyError:
            raise OSError("outer")  # noqa: B904 - its context is on trial
    except OSError as error:
        return error


@pytest.mark.parametrize(
    "fail",
    [
        lambda error: UserState().to_failure(error),
        lambda error: UserState(status=AsyncStatus.FAILURE, error=error),
        lambda error: UserState().copy_with(error=error),
        lambda error: UserState().copy_with(error=error, tab=3),
    ],
    ids=["to_failure", "constructor", "copy_with", "copy_with of several"],
)
def test_the_error_is_kept_without_its_frames_and_those_of_its_causes(fail: Callable[[Exception], UserState]) -> None:
    error = caught_with_a_cause()
    state = fail(error)
    assert state.error is error
    assert error.__traceback__ is None
    assert error.__context__ is not None
    assert error.__context__.__traceback__ is None


def test_the_error_is_in_neither_json_nor_dump() -> None:
    state = STATES["failure"]
    assert "error" not in state.model_dump()
    assert json.loads(state.model_dump_json())["status"] == "failure"
    assert "error" not in json.loads(state.model_dump_json())


# -- when --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STATES)
def test_when_runs_exactly_the_handler_that_fits_also_when_it_returns_none(name: str) -> None:
    handlers = Handlers(*STATES)
    assert STATES[name].when(**handlers.by_name) is None
    assert handlers.calls == [(name, HEARD[name])]


def test_without_a_handler_of_its_own_a_refresh_is_shown_as_success_if_there_is_data_else_as_loading() -> None:
    for state, expected in (
        (UserState().to_success("Ann").to_refreshing(), ("success", ("Ann",))),
        (UserState().to_refreshing(), ("loading", ())),
    ):
        handlers = Handlers("initial", "loading", "success", "failure")
        state.when(**handlers.by_name)
        assert handlers.calls == [expected]


def test_a_success_without_data_is_a_success() -> None:
    class MaybeState(AsyncState[str | None]):
        pass

    handlers = Handlers(*STATES)
    MaybeState().to_success(None).when(**handlers.by_name)
    assert handlers.calls == [("success", (None,))]


def test_a_failure_without_an_error_is_a_failure() -> None:
    handlers = Handlers(*STATES)
    UserState(status=AsyncStatus.FAILURE).when(**handlers.by_name)
    assert handlers.calls == [("failure", (None,))]


@pytest.mark.parametrize("name", STATES)
def test_maybe_when_runs_the_handler_and_not_or_else_also_when_it_returns_none(name: str) -> None:
    handlers = Handlers(name, "or_else")
    assert STATES[name].maybe_when(**handlers.by_name) is None
    assert handlers.calls == [(name, HEARD[name])]


@pytest.mark.parametrize("name", STATES)
def test_maybe_when_runs_or_else_alone_where_no_handler_was_given(name: str) -> None:
    handlers = Handlers("or_else")
    STATES[name].maybe_when(**handlers.by_name)
    assert handlers.calls == [("or_else", ())]


@pytest.mark.parametrize(
    ("given", "state", "expected"),
    [
        ("success", UserState().to_success("Ann").to_refreshing(), ("success", ("Ann",))),
        ("success", UserState().to_refreshing(), ("or_else", ())),
        ("loading", UserState().to_refreshing(), ("loading", ())),
        ("loading", UserState().to_success("Ann").to_refreshing(), ("or_else", ())),
        ("failure", UserState().to_success("Ann").to_refreshing(), ("or_else", ())),
    ],
)
def test_maybe_when_shows_a_refresh_as_when_does(given: str, state: UserState, expected: object) -> None:
    handlers = Handlers(given, "or_else")
    state.maybe_when(**handlers.by_name)
    assert handlers.calls == [expected]


@pytest.mark.parametrize("name", STATES)
def test_maybe_when_runs_a_handler_that_is_false_as_a_bool(name: str) -> None:
    empty: Any = EmptyCallable()
    assert STATES[name].maybe_when(**{name: empty}, or_else=lambda: "else") == "called"


def test_statuses_have_the_reference_s_names_too() -> None:
    assert AsyncStatus.refreshing is AsyncStatus.REFRESHING
    assert [str(status) for status in AsyncStatus] == ["initial", "loading", "success", "failure", "refreshing"]
