"""What type checkers infer of keyed models, checked by ``make types`` and run by pytest.

Each ``type: ignore`` marks what has to be an error; one that nothing needs is an error of ``mypy --strict`` itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_type

import pytest
from PySide6.QtCore import Qt

from qtorch import BaseOrchestrator, BaseState, KeyedListModel, bind
from qtorch.binding.column import Column
from qtorch.binding.keyed_table_model import KeyedTableModel

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from qtorch.testing.hygiene import TestRuntime


class User(BaseState):
    id: int
    name: str = ""
    age: int = 0


class UsersState(BaseState):
    users: tuple[User, ...] = ()
    names: tuple[str, ...] = ()


class Users(BaseOrchestrator[UsersState]):
    def rename(self, user_id: int, name: str) -> None:
        self.update(users=(User(id=user_id, name=name),))


@pytest.fixture
def users(qtorch_runtime: TestRuntime, qtbot: QtBot) -> Users:
    return Users(UsersState(users=(User(id=1, name="Ada"),)))


def test_a_table_knows_the_type_of_its_values(users: Users) -> None:
    model = KeyedTableModel[User](
        key=lambda user: user.id,
        columns=[
            Column("Name", lambda user: user.name, text=str.upper, edit=lambda user, name: users.rename(user.id, name)),
            Column("Age", lambda user: user.age, roles={Qt.ItemDataRole.ToolTipRole: lambda user: user.name}),
        ],
    )
    assert_type(model, KeyedTableModel[User])
    bind(model.set_items, users.select(lambda s: s.users))
    assert_type(model.item(0), User)
    assert_type(model.row_of(1), int | None)
    assert model.setData(model.index(0, 0), "Bob")
    with pytest.raises(AttributeError):
        model.set_items(("Ada",))  # type: ignore[arg-type]


def test_the_columns_of_a_table_are_typed_by_its_annotation_too(users: Users) -> None:
    model: KeyedTableModel[User] = KeyedTableModel(
        key=lambda user: user.id, columns=[Column("Name", lambda user: user.name, edit=lambda user, name: name.upper())]
    )
    model.set_items(users.state.users)
    assert_type(model.item(0), User)


def test_what_is_misspelt_or_does_not_fit_in_a_column_is_an_error_of_the_type_checker(users: Users) -> None:
    KeyedTableModel[User](
        key=lambda user: user.id,
        columns=[
            Column("Age", lambda user: user.agee),  # type: ignore[attr-defined]
            Column("Age", lambda user: user.age, edit=lambda user, age: users.rename(user.id, age)),  # type: ignore[arg-type]
            Column("Age", lambda user: user.age, edit=users.rename),  # type: ignore[arg-type]
            Column("Age", lambda user: user.age, text=str.upper),  # type: ignore[misc]
            Column("Age", lambda user: user.age, roles={3: lambda user: user.nmae}),  # type: ignore[attr-defined]
        ],
    )
    KeyedTableModel[User](key=lambda user: user.idd, columns=[Column("Age", age_of)])  # type: ignore[attr-defined]
    KeyedTableModel[User](key=lambda user: user.id, columns=[Column("Length", len)])  # type: ignore[arg-type]


def age_of(user: User) -> int:
    return user.age


def test_a_column_made_elsewhere_says_whose_it_is() -> None:
    column: Column[User] = Column("Age", lambda user: user.age)
    assert_type(column, Column[User])
    assert_type(Column("Age", age_of), Column[User])
    assert_type(column.title, str)


def test_an_edit_of_a_list_knows_the_type_of_its_values(users: Users) -> None:
    model = KeyedListModel[User](
        key=lambda user: user.id,
        roles={"name": lambda user: user.name},
        edit={"name": lambda user, name: users.rename(user.id, name)},
    )
    assert_type(model, KeyedListModel[User])
    KeyedListModel[User](key=lambda user: user.id, edit=lambda user, name: users.rename(user.idd, name))  # type: ignore[attr-defined]
