"""What type checkers infer of bindings, checked by ``make types`` and run by pytest.

Each ``type: ignore`` marks what has to be an error; one that nothing needs is an error of ``mypy --strict`` itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_type

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QProgressBar, QPushButton

from qtorch import (
    BaseOrchestrator,
    BaseState,
    Binding,
    Command,
    Field,
    KeyedListModel,
    Source,
    bind,
    bind_command,
    bind_two_way,
)
from qtorch.binding.two_way_binding import TwoWayBinding

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from qtorch.testing.hygiene import TestRuntime


class User(BaseState):
    id: int
    name: str


class UsersState(BaseState):
    text: str = ""
    age: int = 0
    is_vip: bool = False
    users: tuple[User, ...] = ()


class Users(BaseOrchestrator[UsersState]):
    pass


@pytest.fixture
def users(qtorch_runtime: TestRuntime, qtbot: QtBot) -> Users:
    return Users(UsersState())


def test_a_binding_by_name_takes_any_source_and_a_converter_of_its_value(users: Users) -> None:
    label, age = QLabel(), users.select(lambda s: s.age)
    assert_type(age, Source[int])
    assert_type(bind(label, "text", age, to=str), Binding)
    bind(label, "text", age, lambda value: f"{value + 1}")
    bind(QProgressBar(), "value", source=age)
    with pytest.raises(AttributeError):
        bind(label, "text", age, to=lambda value: value.upper())  # type: ignore[attr-defined]


def test_a_setter_has_to_take_what_its_source_gives(users: Users) -> None:
    label, age = QLabel(), users.select(lambda s: s.age)
    assert_type(bind(label.setText, users.select(lambda s: s.text)), Binding)
    bind(label.setNum, age)
    bind(label.setText, age, to=str)
    bind(print, age, owner=label)
    with pytest.raises(TypeError):
        bind(label.setText, age)  # type: ignore[arg-type]


def test_a_misspelt_field_is_an_error_of_the_type_checker(users: Users) -> None:
    with pytest.raises(AttributeError):
        bind(QLabel(), "text", users.select(lambda s: s.txet))  # type: ignore[attr-defined]


def test_a_parser_gives_what_the_field_holds(users: Users) -> None:
    age, edit = users.field(lambda s: s.age), QLineEdit()
    assert_type(age, Field[int])
    assert_type(bind_two_way(edit, age, parse=int, format=str, debounce=0.3, commit="finish"), TwoWayBinding)
    bind_two_way(QLineEdit(), age, parse=str)  # type: ignore[arg-type]
    bind_two_way(QCheckBox(), users.field(lambda s: s.is_vip))
    bind_two_way(QComboBox(), age, items=[("one", 1)])
    assert_type(bind_two_way(QComboBox(), age, items=users.select(lambda s: s.users)).flush(), bool)
    with pytest.raises(TypeError):
        bind_two_way(QLabel(), age)  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        bind_two_way(QLineEdit(), users.select(lambda s: s.text))  # type: ignore[call-overload]


def test_the_properties_of_a_command_have_the_types_of_their_values(users: Users) -> None:
    command = Command(lambda name: name, can=users.select(lambda s: s.is_vip), parent=users)
    assert_type(command.enabled, bool)
    assert_type(command.running, bool)
    assert_type(command.cancellable, bool)
    assert_type(command.progress, float)
    assert_type(command.error, BaseException | None)
    assert_type(bind_command(QPushButton(), command), Binding)


def test_a_keyed_model_knows_the_type_of_its_values(users: Users) -> None:
    model: KeyedListModel[User] = KeyedListModel(
        key=lambda user: user.id, roles={Qt.ItemDataRole.DisplayRole: lambda user: user.name}
    )
    model.set_items((User(id=1, name="Ada"),))
    assert_type(model.item(0), User)
    assert_type(model.row_of(1), int | None)
    bind(model.set_items, users.select(lambda s: s.users))
    with pytest.raises(AttributeError):
        model.set_items(("Ada",))  # type: ignore[arg-type]
