"""What a table shows of its values, and which cells it tells of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QItemSelectionModel, QModelIndex, QSortFilterProxyModel, Qt
from PySide6.QtWidgets import QTableView

from qtorch import BaseState
from qtorch.binding.column import Column
from qtorch.binding.keyed_table_model import KeyedTableModel

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from qtorch.testing.hygiene import TestRuntime

Role = Qt.ItemDataRole
ACROSS, DOWN = Qt.Orientation.Horizontal, Qt.Orientation.Vertical


class Address(BaseState):
    city: str
    street: str = ""


class Person(BaseState):
    id: int
    name: str = ""
    age: int = 0
    is_vip: bool = False
    address: Address | None = Address(city="Paris", street="Rue de Rivoli")


def rename(person: Person, name: str) -> None:
    pass


def tick(person: Person, is_vip: bool) -> None:
    pass


def city_of(person: Person) -> str:
    return person.address.city if person.address else "-"


@pytest.fixture
def people(qtbot: QtBot) -> KeyedTableModel[Person]:
    return KeyedTableModel(
        key=lambda person: person.id,
        columns=[
            Column("Name", lambda person: person.name, edit=rename),
            Column("Age", lambda person: person.age, align=Qt.AlignmentFlag.AlignRight, tooltip="In years"),
            Column("VIP", lambda person: person.is_vip, check=True, edit=tick),
            Column(
                "City",
                city_of,
                text=str.upper,
                roles={Role.ToolTipRole: lambda person: person.address.street if person.address else ""},
            ),
        ],
    )


def told_by(model: KeyedTableModel[Person]) -> list[tuple[int, int, int, int, list[int]]]:
    told: list[tuple[int, int, int, int, list[int]]] = []

    def tell(first: QModelIndex, last: QModelIndex, roles: list[int]) -> None:
        told.append((first.row(), last.row(), first.column(), last.column(), [int(role) for role in roles]))

    model.dataChanged.connect(tell)
    return told


def shown(model: Any, column: int = 0, role: Role = Role.DisplayRole) -> list[Any]:
    return [model.index(row, column).data(role) for row in range(model.rowCount())]


ADA = Person(id=1, name="Ada", age=36, is_vip=True)
BOB = Person(id=2, name="Bob", age=9)
CLEO = Person(id=3, name="Cleo", age=100)


def test_a_value_without_text_is_shown_as_it_is_and_one_with_text_is_edited_as_it_is(
    people: KeyedTableModel[Person],
) -> None:
    people.set_items((ADA,))
    assert [people.index(0, column).data() for column in range(4)] == ["Ada", 36, None, "PARIS"]
    assert [people.index(0, column).data(Role.EditRole) for column in range(4)] == ["Ada", 36, True, "Paris"]
    assert people.index(0, 3).data(Role.ToolTipRole) == "Rue de Rivoli"
    assert people.index(0, 0).data(Role.ToolTipRole) is None


def test_a_check_box_shows_a_bool(people: KeyedTableModel[Person]) -> None:
    people.set_items((ADA, BOB))
    assert shown(people, 2, Role.CheckStateRole) == [Qt.CheckState.Checked, Qt.CheckState.Unchecked]
    assert shown(people, 1, Role.CheckStateRole) == [None, None]


def test_a_value_stands_where_its_column_says_and_in_the_middle_of_its_height(people: KeyedTableModel[Person]) -> None:
    people.set_items((ADA,))
    right = (Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter).value
    assert people.index(0, 1).data(Role.TextAlignmentRole) == right
    assert people.headerData(1, ACROSS, Role.TextAlignmentRole) == right
    assert people.index(0, 0).data(Role.TextAlignmentRole) is None


def test_headers_show_titles_and_tooltips_and_number_the_rows(people: KeyedTableModel[Person]) -> None:
    people.set_items((ADA, BOB))
    assert [people.headerData(column, ACROSS) for column in range(4)] == ["Name", "Age", "VIP", "City"]
    assert [people.headerData(column, ACROSS, Role.ToolTipRole) for column in (0, 1)] == [None, "In years"]
    assert [people.headerData(row, DOWN) for row in (0, 1)] == [1, 2]


def test_only_what_has_an_edit_can_be_edited(people: KeyedTableModel[Person]) -> None:
    people.set_items((ADA,))
    flags = [people.index(0, column).flags() for column in range(4)]
    assert [bool(flag & Qt.ItemFlag.ItemIsEditable) for flag in flags] == [True, False, False, False]
    assert [bool(flag & Qt.ItemFlag.ItemIsUserCheckable) for flag in flags] == [False, False, True, False]
    assert all(flag & Qt.ItemFlag.ItemIsEnabled and flag & Qt.ItemFlag.ItemIsSelectable for flag in flags)
    assert people.flags(QModelIndex()) == Qt.ItemFlag.NoItemFlags


def test_rows_have_no_rows_and_no_columns_of_their_own(people: KeyedTableModel[Person]) -> None:
    people.set_items((ADA,))
    assert (people.rowCount(), people.columnCount()) == (1, 4)
    assert (people.rowCount(people.index(0, 0)), people.columnCount(people.index(0, 0))) == (0, 0)


def test_only_the_cells_that_differ_are_told_with_their_roles(people: KeyedTableModel[Person]) -> None:
    people.set_items((ADA, BOB, CLEO))
    told = told_by(people)
    people.set_items((ADA, BOB.copy_with(age=10), CLEO))
    assert told == [(1, 1, 1, 1, [Role.EditRole, Role.DisplayRole])]
    told.clear()
    people.set_items((ADA.copy_with(name="A", is_vip=False), BOB.copy_with(age=10), CLEO))
    assert told == [
        (0, 0, 0, 0, [Role.EditRole, Role.DisplayRole]),
        (0, 0, 2, 2, [Role.EditRole, Role.CheckStateRole]),
    ]


def test_a_value_of_another_role_is_told_with_that_role(people: KeyedTableModel[Person]) -> None:
    people.set_items((ADA,))
    told = told_by(people)
    people.set_items((ADA.copy_with(address=Address(city="Paris", street="Rue Cler")),))
    assert told == [(0, 0, 3, 3, [Role.ToolTipRole])]


def test_neighbouring_rows_and_columns_that_differ_alike_are_told_in_one_range(people: KeyedTableModel[Person]) -> None:
    people.set_items((ADA, BOB, CLEO))
    told = told_by(people)
    people.set_items(tuple(one.copy_with(name="x", age=1) for one in (ADA, BOB, CLEO)))
    assert told == [(0, 2, 0, 1, [Role.EditRole, Role.DisplayRole])]


def test_what_no_cell_shows_is_not_told_but_given_back(qtbot: QtBot) -> None:
    model = KeyedTableModel[Person](key=lambda person: person.id, columns=[Column("Name", lambda person: person.name)])
    model.set_items((ADA,))
    told = told_by(model)
    older = ADA.copy_with(age=37)
    model.set_items((older,))
    assert told == []
    assert model.item(0) is older


def test_what_a_column_raises_is_reported_once_and_the_others_go_on(qtbot: QtBot, qtorch_runtime: TestRuntime) -> None:
    model = KeyedTableModel[Person](
        key=lambda person: person.id,
        columns=[
            Column("City", lambda person: person.address.city),  # type: ignore[union-attr]
            Column("Name", lambda person: person.name),
            Column("Text", lambda person: person.name, text=lambda name: name.uper()),  # type: ignore[attr-defined]
        ],
    )
    model.setObjectName("people")
    nowhere = [one.copy_with(address=None) for one in (ADA, BOB)]
    with qtbot.captureExceptions() as raised:
        for items in (nowhere, [one.copy_with(age=1) for one in nowhere]):
            model.set_items(items)
            assert (shown(model, 0), shown(model, 1), shown(model, 2)) == ([None] * 2, ["Ada", "Bob"], [None] * 2)
    assert len(raised) == 2
    assert [report.where for report in qtorch_runtime.reports] == [
        "KeyedTableModel 'people', column 'City', role 0 of row 0",
        "KeyedTableModel 'people', column 'Text', role 0 of row 0",
    ]


def test_a_table_needs_columns(qtbot: QtBot) -> None:
    with pytest.raises(ValueError, match="KeyedTableModel was given no columns"):
        KeyedTableModel[Person](key=lambda person: person.id, columns=[])


def test_a_column_takes_a_function_and_not_the_name_of_a_field() -> None:
    with pytest.raises(TypeError, match=r"Column 'Name' takes a function .*, not 'name'"):
        Column("Name", "name")  # type: ignore[arg-type]


def test_two_columns_may_have_one_title(qtbot: QtBot) -> None:
    model = KeyedTableModel[Person](
        key=lambda person: person.id,
        columns=[Column("", lambda person: person.name), Column("", lambda person: person.age)],
    )
    model.set_items((ADA,))
    assert (shown(model, 0), shown(model, 1)) == (["Ada"], [36])


# -- proxies ----------------------------------------------------------------------------------------------------------


def sorted_by(model: KeyedTableModel[Person], column: int) -> QSortFilterProxyModel:
    proxy = QSortFilterProxyModel()  # a child of its own source would be a cycle, at whose collection PySide crashes
    proxy.setSortRole(Role.EditRole)
    proxy.setSourceModel(model)
    proxy.sort(column)
    return proxy


def test_a_proxy_sorts_numbers_as_numbers_and_again_when_one_changes(people: KeyedTableModel[Person]) -> None:
    people.set_items((ADA, BOB, CLEO))
    proxy = sorted_by(people, 1)
    assert shown(proxy, 1) == [9, 36, 100]
    people.set_items((ADA, BOB.copy_with(age=50), CLEO, Person(id=4, name="Dan", age=40)))
    assert shown(proxy, 0) == ["Ada", "Dan", "Bob", "Cleo"]


def test_a_proxy_sorts_by_the_value_behind_a_text_and_behind_a_check_box(qtbot: QtBot) -> None:
    model = KeyedTableModel[Person](
        key=lambda person: person.id,
        columns=[
            Column("Age", lambda person: person.age, text=lambda age: f"{age} years"),
            Column("VIP", lambda person: person.is_vip, check=True),
        ],
    )
    model.set_items((ADA, BOB, CLEO))
    proxy = sorted_by(model, 0)
    assert shown(proxy) == ["9 years", "36 years", "100 years"]
    proxy.sort(1, Qt.SortOrder.DescendingOrder)
    assert shown(proxy)[0] == "36 years"


def test_selection_and_current_row_stay_on_their_values_in_a_sorted_view(
    people: KeyedTableModel[Person], qtbot: QtBot
) -> None:
    people.set_items((ADA, BOB, CLEO))
    proxy = sorted_by(people, 1)
    view = QTableView()
    qtbot.addWidget(view)
    view.setModel(proxy)
    view.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
    view.setCurrentIndex(proxy.index(1, 0))
    view.selectionModel().select(
        proxy.index(0, 0), QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
    )
    people.set_items((CLEO, *(Person(id=10 + n, age=n) for n in range(30)), BOB.copy_with(age=200), ADA))
    assert view.currentIndex().siblingAtColumn(0).data() == "Ada"
    assert {index.data() for index in view.selectionModel().selectedRows()} == {"Ada", "Bob"}
    view.setModel(None)


def test_a_filtering_proxy_takes_rows_in_and_out_as_their_values_change(people: KeyedTableModel[Person]) -> None:
    people.set_items((ADA, BOB, CLEO))
    proxy = QSortFilterProxyModel()
    proxy.setSourceModel(people)
    proxy.setFilterKeyColumn(0)
    proxy.setFilterFixedString("o")
    assert shown(proxy) == ["Bob", "Cleo"]
    people.set_items((ADA.copy_with(name="Zoe"), BOB.copy_with(name="Bill"), CLEO, Person(id=4, name="Tom")))
    assert shown(proxy) == ["Zoe", "Cleo", "Tom"]


def test_a_view_asks_for_no_row_that_it_does_not_show(qtbot: QtBot) -> None:
    asked: set[int] = set()

    def name(person: Person) -> str:
        asked.add(person.id)
        return person.name

    model = KeyedTableModel[Person](key=lambda person: person.id, columns=[Column("Name", name)])
    model.set_items(Person(id=number, name=str(number)) for number in range(10_000))
    view = QTableView()
    qtbot.addWidget(view)
    view.resize(300, 300)
    view.setModel(model)
    view.show()
    view.resize(300, 350)
    view.grab()
    assert asked <= set(range(30))
    asked.clear()
    view.verticalScrollBar().setValue(5_000)
    view.grab()
    assert asked <= set(range(4_999, 5_030))
    asked.clear()
    model.set_items(model.item(row) for row in reversed(range(10_000)))
    view.grab()
    assert len(asked) < 40
    view.setModel(None)
