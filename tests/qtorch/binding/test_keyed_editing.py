"""Edits in the cells of keyed models, which the state takes and gives back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import shiboken6
from pydantic import Field, field_validator
from PySide6.QtCore import QModelIndex, QPoint, Qt, QUrl
from PySide6.QtQml import QQmlComponent, QQmlEngine
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemDelegate, QLineEdit, QListView, QTableView

from qtorch import BaseOrchestrator, BaseState, KeyedListModel, bind
from qtorch.binding.column import Column
from qtorch.binding.keyed_table_model import KeyedTableModel

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from qtorch.testing.hygiene import TestRuntime

Role = Qt.ItemDataRole


class Person(BaseState):
    id: int
    name: str = ""
    age: int = Field(default=0, ge=0)
    is_vip: bool = False

    @field_validator("name")
    @classmethod
    def _not_empty(cls, name: str) -> str:
        if not name:
            raise ValueError("A name is needed")
        return name.strip()


class PeopleState(BaseState):
    people: tuple[Person, ...] = ()


class People(BaseOrchestrator[PeopleState]):
    def change(self, person: Person, **fields: Any) -> None:
        changed = person.copy_with(**fields)
        self.update(people=tuple(changed if one.id == person.id else one for one in self.state.people))

    def remove(self, *ids: int) -> None:
        self.update(people=tuple(one for one in self.state.people if one.id not in ids))

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.state.people]


@pytest.fixture
def people(qtorch_runtime: TestRuntime) -> People:
    return People(PeopleState(people=tuple(Person(id=n, name=name) for n, name in enumerate(("Ada", "Bob", "Cleo")))))


@pytest.fixture
def table(people: People) -> KeyedTableModel[Person]:
    model = KeyedTableModel[Person](
        key=lambda person: person.id,
        columns=[
            Column("Name", lambda person: person.name, edit=lambda person, name: people.change(person, name=name)),
            Column("Age", lambda person: person.age, edit=lambda person, age: people.change(person, age=age)),
            Column(
                "VIP",
                lambda person: person.is_vip,
                check=True,
                edit=lambda person, is_vip: people.change(person, is_vip=is_vip),
            ),
            Column("Id", lambda person: person.id),
        ],
    )
    bind(model.set_items, people.select(lambda s: s.people))
    return model


def a_list(people: People) -> KeyedListModel[Person]:
    model = KeyedListModel[Person](
        key=lambda person: person.id,
        roles={Role.DisplayRole: lambda person: person.name},
        edit=lambda person, name: people.change(person, name=name),
    )
    bind(model.set_items, people.select(lambda s: s.people))
    return model


def refusals_of(model: KeyedTableModel[Person] | KeyedListModel[Person]) -> list[tuple[int, int, str]]:
    refused: list[tuple[int, int, str]] = []
    model.editRefused.connect(lambda index, message: refused.append((index.row(), index.column(), message)))
    return refused


def test_an_edit_changes_the_state_and_the_model_follows(people: People, table: KeyedTableModel[Person]) -> None:
    assert table.setData(table.index(1, 0), "Bill ")
    assert people.names == ["Ada", "Bill", "Cleo"]
    assert table.index(1, 0).data() == "Bill"
    assert table.setData(table.index(0, 1), "41")
    assert people.state.people[0].age == 41


def test_the_model_stays_as_it_is_if_the_state_does(qtbot: QtBot) -> None:
    model = KeyedTableModel[Person](
        key=lambda person: person.id,
        columns=[Column("Name", lambda person: person.name, edit=lambda person, name: None)],
    )
    model.set_items((Person(id=1, name="Ada"),))
    assert model.setData(model.index(0, 0), "x")
    assert model.index(0, 0).data() == "Ada"


def test_a_check_box_gives_a_bool(people: People, table: KeyedTableModel[Person]) -> None:
    for state in (Qt.CheckState.Checked, Qt.CheckState.Checked.value):
        assert table.setData(table.index(1, 2), state, Role.CheckStateRole)
        assert people.state.people[1].is_vip is True
        assert table.setData(table.index(1, 2), Qt.CheckState.Unchecked, Role.CheckStateRole)
        assert people.state.people[1].is_vip is False


def test_what_cannot_be_edited_takes_no_edit(people: People, table: KeyedTableModel[Person]) -> None:
    before = people.state
    assert not table.setData(table.index(0, 3), 7)
    assert not table.setData(table.index(0, 2), True)
    assert not table.setData(table.index(0, 0), "x", Role.ToolTipRole)
    assert not table.setData(QModelIndex(), "x")
    stale = table.index(2, 0)
    people.remove(2)
    assert not table.setData(stale, "x")
    assert people.state.people == before.people[:2]


def test_a_refused_edit_tells_why_in_words_for_the_user(people: People, table: KeyedTableModel[Person]) -> None:
    refused = refusals_of(table)
    assert not table.setData(table.index(2, 0), "")
    assert not table.setData(table.index(1, 1), -1)
    assert refused == [(2, 0, "A name is needed"), (1, 1, "Input should be greater than or equal to 0")]
    assert people.names == ["Ada", "Bob", "Cleo"]


def test_what_else_an_edit_raises_is_reported_once_and_no_refusal(
    people: People, qtbot: QtBot, qtorch_runtime: TestRuntime
) -> None:
    model = KeyedTableModel[Person](
        key=lambda person: person.id,
        columns=[Column("Name", lambda person: person.name, edit=lambda person, name: person.rename(name))],  # type: ignore[attr-defined]
    )
    model.set_items(people.state.people)
    refused = refusals_of(model)
    with qtbot.captureExceptions() as raised:
        assert not model.setData(model.index(1, 0), "x")
    assert (len(raised), refused) == (1, [])
    (report,) = qtorch_runtime.reports
    assert report.where == "KeyedTableModel, edit of column 'Name', row 1"


def test_an_edit_may_take_its_own_row_away(people: People, qtbot: QtBot) -> None:
    def remove(person: Person, name: str) -> None:
        people.remove(person.id)
        if not name:
            raise ValueError("gone")

    model = KeyedTableModel[Person](
        key=lambda person: person.id, columns=[Column("Name", lambda person: person.name, edit=remove)]
    )
    bind(model.set_items, people.select(lambda s: s.people))
    refused = refusals_of(model)
    assert model.setData(model.index(0, 0), "x")
    assert not model.setData(model.index(1, 0), "")
    assert people.names == ["Bob"]
    assert refused == [(-1, -1, "gone")]


def test_a_refused_edit_names_its_row_where_it_is_by_then(people: People, qtbot: QtBot) -> None:
    def refuse(person: Person, name: str) -> None:
        people.remove(0)
        raise ValueError("no")

    model = KeyedTableModel[Person](
        key=lambda person: person.id, columns=[Column("Name", lambda person: person.name, edit=refuse)]
    )
    bind(model.set_items, people.select(lambda s: s.people))
    refused = refusals_of(model)
    assert not model.setData(model.index(2, 0), "x")
    assert refused == [(1, 0, "no")]


def test_an_edit_may_delete_its_model(people: People, qtbot: QtBot) -> None:
    def end(person: Person, name: str) -> None:
        shiboken6.delete(model)
        raise ValueError("too late")

    model = KeyedTableModel[Person](
        key=lambda person: person.id, columns=[Column("Name", lambda person: person.name, edit=end)]
    )
    model.set_items(people.state.people)
    assert not model.setData(model.index(0, 0), "x")


def test_an_edit_in_the_middle_of_a_change_is_taken_after_it(people: People, table: KeyedTableModel[Person]) -> None:
    def edit(_: QModelIndex, first: int, __: int) -> None:
        if people.state.people[first].name == "Dan":
            assert table.setData(table.index(first, 0), "Dana")
            assert table.setData(table.index(0, 0), "Eve")

    table.rowsInserted.connect(edit)
    people.update(people=(*people.state.people[1:], Person(id=9, name="Dan")))
    assert people.names == ["Eve", "Cleo", "Dana"]
    assert [table.index(row, 0).data() for row in range(3)] == people.names


# -- with real editors ------------------------------------------------------------------------------------------------


@pytest.fixture
def view(table: KeyedTableModel[Person], qtbot: QtBot) -> Iterator[QTableView]:
    view = QTableView()
    qtbot.addWidget(view)
    view.resize(600, 400)
    view.setModel(table)
    view.show()
    qtbot.waitExposed(view)
    yield view
    view.setModel(None)


def editor_in(view: QTableView | QListView, index: QModelIndex) -> QLineEdit:
    view.setCurrentIndex(index)
    view.edit(index)
    editor = view.viewport().findChild(QLineEdit)
    assert isinstance(editor, QLineEdit)
    return editor


def commit(view: QTableView | QListView, editor: QLineEdit) -> None:
    view.commitData(editor)
    view.closeEditor(editor, QAbstractItemDelegate.EndEditHint.NoHint)


def test_an_open_editor_stays_on_its_row_while_rows_come_and_go_above(
    people: People, table: KeyedTableModel[Person], view: QTableView
) -> None:
    editor = editor_in(view, table.index(1, 0))
    editor.selectAll()
    QTest.keyClicks(editor, "Bo")
    people.update(people=(Person(id=7, name="New"), Person(id=8, name="Newer"), *people.state.people))
    people.remove(0)
    people.update(people=tuple(reversed(people.state.people)))
    QTest.keyClicks(editor, "b 2")
    assert editor.text() == "Bob 2"
    commit(view, editor)
    assert people.names == ["Cleo", "Bob 2", "Newer", "New"]


def test_an_open_editor_keeps_what_was_typed_while_other_cells_of_its_row_change(
    people: People, table: KeyedTableModel[Person], view: QTableView
) -> None:
    editor = editor_in(view, table.index(1, 0))
    editor.selectAll()
    QTest.keyClicks(editor, "Bobby")
    people.change(people.state.people[1], age=50, is_vip=True)
    assert editor.text() == "Bobby"
    commit(view, editor)
    assert people.state.people[1] == Person(id=1, name="Bobby", age=50, is_vip=True)


def test_a_row_may_go_while_its_editor_is_open(
    people: People, table: KeyedTableModel[Person], view: QTableView, qtbot: QtBot
) -> None:
    editor = editor_in(view, table.index(1, 0))
    QTest.keyClicks(editor, "x")
    people.remove(1)
    qtbot.waitUntil(lambda: not shiboken6.isValid(editor) or not editor.isVisible())
    assert people.names == ["Ada", "Cleo"]


def test_a_refused_edit_leaves_the_state_and_shows_it_again(
    people: People, table: KeyedTableModel[Person], view: QTableView
) -> None:
    refused = refusals_of(table)
    editor = editor_in(view, table.index(1, 0))
    editor.clear()
    commit(view, editor)
    assert refused == [(1, 0, "A name is needed")]
    assert table.index(1, 0).data() == "Bob"


def test_a_click_on_a_check_box_ticks_it(people: People, table: KeyedTableModel[Person], view: QTableView) -> None:
    cell = view.visualRect(table.index(1, 2))
    for expected in (True, False):
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(cell.left() + 10, cell.center().y()))
        assert people.state.people[1].is_vip is expected


def test_a_list_is_edited_where_it_shows(people: People, qtbot: QtBot) -> None:
    model, view = a_list(people), QListView()
    qtbot.addWidget(view)
    view.setModel(model)
    editor = editor_in(view, model.index(2, 0))
    assert editor.text() == "Cleo"
    people.remove(0)
    editor.setText("Clea")
    commit(view, editor)
    assert people.names == ["Bob", "Clea"]
    view.setModel(None)


# -- lists by role ----------------------------------------------------------------------------------------------------


def test_a_list_without_edit_is_read_only(qtbot: QtBot) -> None:
    model: KeyedListModel[str] = KeyedListModel(key=str)
    model.set_items(("a",))
    assert not model.index(0).flags() & Qt.ItemFlag.ItemIsEditable
    assert not model.setData(model.index(0), "b")


def test_an_edit_of_a_role_by_name_that_is_not_shown_is_refused(qtbot: QtBot) -> None:
    with pytest.raises(ValueError, match=r"has no role 'nmae' to edit; its names are .*, name\."):
        KeyedListModel[Person](
            key=lambda person: person.id,
            roles={"name": lambda person: person.name},
            edit={"nmae": lambda person, name: None},
        )


def test_qml_writes_a_role_by_its_name(people: People, qtbot: QtBot) -> None:
    model = KeyedListModel[Person](
        key=lambda person: person.id,
        roles={"name": lambda person: person.name, "age": lambda person: person.age},
        edit={"name": lambda person, name: people.change(person, name=name)},
    )
    bind(model.set_items, people.select(lambda s: s.people))
    engine = QQmlEngine()
    component = QQmlComponent(engine)
    component.setData(
        b"""
        import QtQml
        Instantiator {
            delegate: QtObject {
                readonly property string shown: model.name + " " + model.age
                function rename(name) { model.name = name }
            }
            function rename(row, name) { objectAt(row).rename(name) }
            function shown(row) { return objectAt(row).shown }
        }
        """,
        QUrl(),
    )
    rows: Any = component.createWithInitialProperties({"model": model})
    assert rows is not None, component.errorString()
    assert rows.shown(1) == "Bob 0"
    rows.rename(1, "Bill")
    assert people.names == ["Ada", "Bill", "Cleo"]
    assert rows.shown(1) == "Bill 0"
    people.remove(0)
    assert rows.shown(0) == "Bill 0"
    for one in (component, engine):  # a component may not outlive its engine
        shiboken6.delete(one)
