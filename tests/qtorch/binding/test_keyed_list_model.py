"""Rows that follow a tuple."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import shiboken6
from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QListView

from qtorch import BaseOrchestrator, BaseState, KeyedListModel, bind

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from qtorch.testing.hygiene import TestRuntime

TEXT = Qt.ItemDataRole.DisplayRole


class Row(BaseState):
    id: int
    name: str = ""


class Rows(BaseState):
    rows: tuple[Row, ...] = ()


class RowsOrchestrator(BaseOrchestrator[Rows]):
    pass


def row_id(row: Row) -> int:
    return row.id


def row_name(row: Row) -> str:
    return row.name


def numbered(*numbers: int) -> tuple[Row, ...]:
    return tuple(Row(id=number, name=str(number)) for number in numbers)


class Watched:
    """A model in a view, under Qt's tester, with everything it told."""

    def __init__(self) -> None:
        self.model = KeyedListModel(key=row_id, roles={TEXT: row_name})
        self.tester = QAbstractItemModelTester(self.model, QAbstractItemModelTester.FailureReportingMode.Fatal)
        self.view = QListView()
        self.view.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.view.setModel(self.model)
        self.told: list[tuple[Any, ...]] = []
        self.model.rowsInserted.connect(lambda _, first, last: self.told.append(("insert", first, last)))
        self.model.rowsRemoved.connect(lambda _, first, last: self.told.append(("remove", first, last)))
        self.model.rowsMoved.connect(lambda _, first, last, __, to: self.told.append(("move", first, to)))
        self.model.dataChanged.connect(lambda a, b, _: self.told.append(("change", a.row(), b.row())))
        self.model.layoutChanged.connect(lambda *_: self.told.append(("layout",)))
        self.model.modelReset.connect(lambda: self.told.append(("reset",)))

    def set(self, items: tuple[Row, ...]) -> list[tuple[Any, ...]]:
        """Set the items and give what was told."""
        self.told.clear()
        self.model.set_items(items)
        return self.told

    @property
    def shown(self) -> list[str]:
        return [self.model.data(self.model.index(row)) for row in range(self.model.rowCount())]


@pytest.fixture
def watched(qtbot: QtBot) -> Iterator[Watched]:
    watched = Watched()
    qtbot.addWidget(watched.view)
    yield watched
    watched.view.setModel(None)
    shiboken6.delete(watched.tester)


def test_the_values_are_rows_in_order(watched: Watched) -> None:
    assert watched.set(numbered(3, 1, 2)) == [("insert", 0, 2)]
    assert watched.shown == ["3", "1", "2"]


def test_a_value_that_differs_is_told_as_a_change_of_its_row_and_nothing_else(watched: Watched) -> None:
    items = numbered(*range(10))
    watched.set(items)
    assert watched.set((*items[:3], Row(id=3, name="three"), *items[4:])) == [("change", 3, 3)]
    assert watched.shown[3] == "three"


def test_neighbours_that_differ_are_told_in_one_range(watched: Watched) -> None:
    items = numbered(*range(10))
    watched.set(items)
    new = [Row(id=n, name="x") if n in (2, 3, 4, 8) else items[n] for n in range(10)]
    assert watched.set(tuple(new)) == [("change", 2, 4), ("change", 8, 8)]


def test_equal_values_in_new_objects_change_nothing_but_are_the_ones_given_back(watched: Watched) -> None:
    watched.set(numbered(1, 2))
    again = numbered(1, 2)
    assert watched.set(again) == []
    assert watched.model.item(1) is again[1]


def test_rows_come_go_and_move_one_by_one(watched: Watched) -> None:
    items = numbered(*range(10))
    watched.set(items)
    assert watched.set(items[2:]) == [("remove", 0, 1)]
    assert watched.set((items[9], *items[2:9])) == [("move", 7, 0)]
    assert watched.set((*numbered(99), items[9], *items[2:9])) == [("insert", 0, 0)]
    assert watched.set(()) == [("remove", 0, 8)]


def test_current_row_selection_and_persistent_indexes_follow_their_value(watched: Watched) -> None:
    items = numbered(*range(100))
    watched.set(items)
    index, view = watched.model.index, watched.view
    view.setCurrentIndex(index(30))
    view.selectionModel().select(index(60), QItemSelectionModel.SelectionFlag.Select)
    kept = QPersistentModelIndex(index(7))
    assert watched.set(tuple(reversed(items))) == [("layout",)]
    assert view.currentIndex().row() == 69
    assert sorted(one.row() for one in view.selectionModel().selectedIndexes()) == [39, 69]
    assert watched.set(items[5:]) == [("remove", 95, 99), ("layout",)]
    assert (kept.row(), view.currentIndex().row()) == (2, 25)


def test_a_current_row_that_went_away_is_current_no_more(watched: Watched) -> None:
    watched.set(numbered(1, 2, 3))
    kept = QPersistentModelIndex(watched.model.index(1))
    watched.set(numbered(1, 3))
    assert not kept.isValid()


def test_a_thousand_random_changes_keep_the_model_sound_and_the_current_row_on_its_value(watched: Watched) -> None:
    chance = random.Random(2)
    view = watched.view
    for _ in range(1_000):
        ids = chance.sample(range(60), chance.randrange(45))
        new = tuple(Row(id=number, name=chance.choice("ab")) for number in ids)
        if chance.random() < 0.4 and watched.model.rowCount():  # a small change, as most are
            rows = [watched.model.item(row) for row in range(watched.model.rowCount())]
            rows.insert(chance.randrange(len(rows) + 1), rows.pop(chance.randrange(len(rows))))
            rows[chance.randrange(len(rows))] = chance.choice(rows).copy_with(name="c")
            new = tuple({row.id: row for row in rows}.values())
        current = view.currentIndex()
        current_id = watched.model.item(current.row()).id if current.isValid() else None
        watched.set(new)
        assert [watched.model.item(row) for row in range(watched.model.rowCount())] == list(new)
        assert [watched.model.row_of(row.id) for row in new] == list(range(len(new)))
        if current_id in [row.id for row in new]:
            assert watched.model.item(view.currentIndex().row()).id == current_id
        if new:
            view.setCurrentIndex(watched.model.index(chance.randrange(len(new))))
    assert ("reset",) not in watched.told


def test_two_values_with_one_key_are_refused_and_nothing_is_changed(watched: Watched) -> None:
    watched.model.setObjectName("people")
    watched.set(numbered(1, 2, 3))
    for twice in (numbered(1, 2, 3, 1), numbered(4, 4), numbered(2, 2, 3), numbered(1, 2, 3, 4, 4)):
        watched.told.clear()
        with pytest.raises(ValueError, match=r"KeyedListModel 'people' was given two values with the key \d"):
            watched.model.set_items(twice)
        assert (watched.shown, watched.told) == (["1", "2", "3"], [])


def test_a_value_is_found_by_its_key_and_by_its_row(watched: Watched) -> None:
    watched.set(numbered(5, 6))
    assert watched.model.row_of(6) == 1
    assert watched.model.row_of(7) is None
    assert watched.model.item(1).id == 6
    for row in (-1, 2):
        with pytest.raises(IndexError):
            watched.model.item(row)


def test_items_set_by_a_slot_in_the_middle_of_a_change_are_taken_after_it(watched: Watched) -> None:
    def answer(_: QModelIndex, first: int, last: int) -> None:
        if watched.model.rowCount() == 3:
            assert watched.model.row_of(3) == 2
            watched.model.set_items(numbered(7, 3))

    watched.model.rowsInserted.connect(answer)
    watched.set(numbered(1, 2, 3))
    assert watched.shown == ["7", "3"]


def test_values_whose_comparison_raises_count_as_changed(qtbot: QtBot) -> None:
    class Odd:
        def __init__(self, number: int) -> None:
            self.number = number

        def __eq__(self, other: object) -> bool:
            raise ValueError("the truth value of an array is ambiguous")

        __hash__ = None  # type: ignore[assignment]

    model: KeyedListModel[Odd] = KeyedListModel(key=lambda odd: odd.number)
    model.set_items((Odd(1), Odd(2)))
    with qtbot.waitSignal(model.dataChanged, timeout=100):
        model.set_items((Odd(1), Odd(2)))


def test_without_roles_the_text_is_the_value_itself(qtbot: QtBot) -> None:
    model: KeyedListModel[str] = KeyedListModel(key=lambda text: text)
    model.set_items(("a", "b"))
    assert model.index(1).data() == "b"
    assert model.index(1).data(Qt.ItemDataRole.ToolTipRole) is None


def test_roles_by_name_are_what_qml_asks_by(qtbot: QtBot) -> None:
    model = KeyedListModel(key=row_id, roles={"name": row_name, "number": row_id})
    model.set_items(numbered(5))
    roles = {bytes(name).decode(): role for role, name in model.roleNames().items()}
    assert model.index(0).data(roles["name"]) == "5"
    assert model.index(0).data(roles["number"]) == 5


def test_what_a_role_raises_is_reported_once_however_often_a_view_paints(
    qtbot: QtBot, qtorch_runtime: TestRuntime
) -> None:
    model = KeyedListModel(key=row_id, roles={TEXT: lambda row: row.nmae})  # type: ignore[attr-defined]
    model.set_items(numbered(1, 2))
    with qtbot.captureExceptions() as raised:
        assert [model.index(row).data() for row in (0, 1, 0)] == [None] * 3
    assert len(raised) == 1
    (report,) = qtorch_runtime.reports
    assert report.where == "KeyedListModel, role 0 of row 0"


def test_a_model_bound_to_a_source_follows_it(watched: Watched, qtorch_runtime: TestRuntime) -> None:
    rows = RowsOrchestrator(Rows(rows=numbered(1, 2)))
    bind(watched.model.set_items, rows.select(lambda s: s.rows))
    watched.told.clear()
    rows.update(rows=(*rows.state.rows, *numbered(3)))
    assert (watched.shown, watched.told) == (["1", "2", "3"], [("insert", 2, 2)])
