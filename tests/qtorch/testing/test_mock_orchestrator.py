"""A MockOrchestrator shows a view the states it is given."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QMetaObject, Qt, Signal, Slot
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton

from qtorch import (
    BaseJob,
    BaseOrchestrator,
    BaseState,
    Command,
    JobSuccessEvent,
    bind,
    bind_command,
    bind_two_way,
    on,
    ports,
)
from qtorch.testing.mock_orchestrator import MockOrchestrator

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

pytestmark = pytest.mark.usefixtures("qapp")


class LoginJob(BaseJob[str]):
    user: str = ""


class LoginState(BaseState):
    user: str = ""
    tries: int = 0


class OtherState(BaseState):
    pass


class Login(BaseOrchestrator[LoginState]):
    refused = Signal(str)

    def __init__(self, api: object) -> None:
        raise AssertionError("is not run")

    @Slot(str)
    def login(self, user: str, *, again: bool = False) -> None:
        raise AssertionError("is not called")

    @Slot()
    def logout(self) -> None:
        raise AssertionError("is not called")

    async def fetch(self) -> None:
        raise AssertionError("is not called")

    @on(JobSuccessEvent, LoginJob)
    def _done(self, event: JobSuccessEvent[str]) -> None: ...

    def on_change(self, new: LoginState, old: LoginState) -> None:
        raise AssertionError("is not called")


class AdminLogin(Login):
    @Slot()
    def promote(self) -> None:
        raise AssertionError("is not called")


ANN = LoginState(user="ann")


def test_it_needs_no_runtime() -> None:
    assert ports.open_runtimes == []
    assert MockOrchestrator([ANN]).state is ANN


def test_it_shows_one_state_after_the_other() -> None:
    mock = MockOrchestrator([LoginState(), ANN, LoginState(user="bob", tries=2)])
    seen: list[Any] = []
    mock.changed("user").connect(seen.append)
    mock.changed("tries").connect(seen.append)
    mock.show_next()
    mock.show_next()
    assert seen == ["ann", "bob", 2]


@pytest.mark.parametrize("of", [None, Login, AdminLogin])
def test_qt_sees_the_properties_and_their_signals(of: Any) -> None:
    mock = MockOrchestrator([LoginState(), ANN], of=of)
    meta = mock.metaObject()
    names: list[Any] = [meta.property(number).name() for number in range(meta.propertyCount())]
    assert {"user", "tries", "busy"} <= set(names)
    assert meta.property(names.index("user")).notifySignal().name() == b"userChanged"
    mock.emit(LoginState(user="bob"))
    assert (mock.property("user"), mock.user) == ("bob", "bob")  # type: ignore[attr-defined]
    assert mock.calls == []  # hooks of the class, on_change among them, are neither called nor noted


def test_widgets_can_be_bound_to_it(qtbot: QtBot) -> None:
    mock, label = MockOrchestrator([LoginState(), ANN], of=Login), QLabel()
    qtbot.addWidget(label)
    bind(label, "text", mock.select(lambda state: state.user))
    mock.show_next()
    assert label.text() == "ann"
    mock.update(user="bob")
    assert label.text() == "bob"


def test_edits_of_the_view_are_written(qtbot: QtBot) -> None:
    mock, edit = MockOrchestrator([LoginState()]), QLineEdit()
    qtbot.addWidget(edit)
    bind_two_way(edit, mock.field(lambda state: state.user))
    edit.insert("ann")
    assert mock.state == ANN


def test_it_is_an_instance_of_the_class_it_stands_in_for() -> None:
    mock: Any = MockOrchestrator([ANN], of=AdminLogin)
    assert isinstance(mock, AdminLogin)
    assert isinstance(mock, Login)
    assert isinstance(mock, MockOrchestrator)
    assert type(mock).__name__ == "MockAdminLogin"


def test_the_methods_of_that_class_do_nothing_and_are_noted() -> None:
    mock: Any = MockOrchestrator([ANN], of=AdminLogin)
    assert mock.login("ann", again=True) is None
    mock.promote()
    asyncio.run(mock.fetch())
    assert mock.calls == [("login", ("ann",), {"again": True}), ("promote", (), {}), ("fetch", (), {})]


def test_slots_are_noted_however_they_are_called(qtbot: QtBot) -> None:
    mock: Any = MockOrchestrator([ANN], of=Login)
    button = QPushButton()
    qtbot.addWidget(button)
    button.clicked.connect(mock.logout)
    button.click()
    QMetaObject.invokeMethod(mock, "logout", Qt.ConnectionType.DirectConnection)
    assert mock.calls == [("logout", (), {})] * 2


def test_signals_of_that_class_are_there(qtbot: QtBot) -> None:
    mock: Any = MockOrchestrator([ANN], of=Login)
    with qtbot.waitSignal(mock.refused) as waiting:
        mock.refused.emit("no")
    assert waiting.args == ["no"]


def test_what_asks_for_work_is_noted() -> None:
    mock = MockOrchestrator([ANN])
    job = LoginJob(user="ann")
    mock.dispatch(job, timeout=3)
    mock.cancel_all("enough")
    mock.cancel_job("id")
    assert mock.calls == [
        ("dispatch", (job,), {"timeout": 3}),
        ("cancel_all", ("enough",), {}),
        ("cancel_job", ("id",), {}),
    ]


def test_commands_can_be_set_and_bound(qtbot: QtBot) -> None:
    mock: Any = MockOrchestrator([ANN], of=Login)
    mock.save = Command(mock.logout)
    button = QPushButton()
    qtbot.addWidget(button)
    bind_command(button, mock.save)
    button.click()
    assert mock.calls == [("logout", (), {})]


def test_jobs_can_be_shown_as_running(qtbot: QtBot) -> None:
    mock, spinner, seen = MockOrchestrator([ANN]), QLabel(), list[bool]()
    qtbot.addWidget(spinner)
    bind(spinner, "enabled", mock.running(LoginJob))
    mock.busyChanged.connect(seen.append)
    assert not spinner.isEnabled()
    mock.show_running(LoginJob())
    assert (spinner.isEnabled(), mock.busy, mock.is_job_type_running(LoginJob)) == (True, True, True)
    mock.show_running()
    assert (spinner.isEnabled(), mock.busy) == (False, False)
    assert seen == [True, False]
    mock.show_running(LoginJob())
    mock.close()
    assert not spinner.isEnabled()


def test_two_mocks_of_one_class_are_two() -> None:
    first: Any = MockOrchestrator([ANN], of=Login)
    second: Any = MockOrchestrator([LoginState()], of=Login)
    first.logout()
    assert (second.calls, second.state) == ([], LoginState())
    assert Login.logout is not type(first).logout


# -- messages -------------------------------------------------------------------------------------------------------


def test_no_state_comes_after_the_last() -> None:
    mock = MockOrchestrator([ANN], of=Login)
    with pytest.raises(LookupError) as caught:
        mock.show_next()
    assert str(caught.value) == (
        "MockLogin shows the last of its states already, LoginState(user='ann', tries=0).\n"
        "  Give it more of them, or write mock.emit(state) or mock.update(field=value)."
    )


@pytest.mark.parametrize(("states", "text"), [([], "[]"), ([3], "[3]")])
def test_it_shows_states(states: Any, text: str) -> None:
    with pytest.raises(TypeError) as caught:
        MockOrchestrator(states)
    assert str(caught.value) == (
        f"MockOrchestrator shows states, at least one, and was given {text}.\n"
        f"  Write MockOrchestrator([LoginState(), LoginState(user='ann')])."
    )


def test_states_of_another_class_are_refused() -> None:
    wrong: Any = [ANN, OtherState()]
    with pytest.raises(TypeError, match=r"^MockLogin cannot show OtherState\(\): its states are of another class$"):
        MockOrchestrator(wrong, of=Login)


def test_a_class_with_a_member_of_a_name_that_is_needed_is_refused() -> None:
    class CallState(BaseState):
        calls: int = 0

    with pytest.raises(TypeError) as caught:
        MockOrchestrator([CallState()])
    assert str(caught.value) == (
        "CallOrchestrator has a member 'calls', and so has MockOrchestrator, for the test.\n"
        "  Make a subclass of CallOrchestrator for the test that does what you need."
    )


def test_an_attribute_that_the_class_would_have_made_is_named() -> None:
    mock: Any = MockOrchestrator([ANN], of=Login)
    with pytest.raises(AttributeError) as caught:
        mock.save
    assert str(caught.value) == (
        "MockLogin has no attribute 'save'; what an __init__ makes is missing, for that was not run.\n"
        "  If the view needs it, set it: mock.save = ..."
    )
