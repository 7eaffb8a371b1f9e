"""Rows that follow a tuple, in a list and in a table."""

from __future__ import annotations

import gc
import random
import threading
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import shiboken6
from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QAbstractItemView, QListView, QTableView

from qtorch import BaseOrchestrator, BaseState, KeyedListModel, WrongThreadError, bind
from qtorch.binding.column import Column
from qtorch.binding.keyed_table_model import KeyedTableModel

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from qtorch.testing.hygiene import TestRuntime

TEXT = Qt.ItemDataRole.DisplayRole
FATAL = QAbstractItemModelTester.FailureReportingMode.Fatal


class Row(BaseState):
    id: int
    name: str = ""


class Rows(BaseState):
    rows: tuple[Row, ...] = ()


class RowsOrchestrator(BaseOrchestrator[Rows]):
    pass


Model: TypeAlias = KeyedListModel[Row] | KeyedTableModel[Row]


def row_id(row: Row) -> int:
    return row.id


def row_name(row: Row) -> str:
    return row.name


def numbered(*numbers: int) -> tuple[Row, ...]:
    return tuple(Row(id=number, name=str(number)) for number in numbers)


def a_list() -> KeyedListModel[Row]:
    return KeyedListModel(key=row_id, roles={TEXT: row_name})


def a_table() -> KeyedTableModel[Row]:
    return KeyedTableModel(key=row_id, columns=[Column("Name", row_name), Column("Number", row_id)])


class Watched:
    """A model in a view, under Qt's tester, with everything it told; and a view of it sorted by a proxy."""

    def __init__(self, model: Model, view: QAbstractItemView, sorted_view: QAbstractItemView) -> None:
        self.model, self.view, self.sorted_view = model, view, sorted_view
        self.proxy = QSortFilterProxyModel()
        self.proxy.setSourceModel(model)
        self.proxy.sort(0)
        self.testers = [QAbstractItemModelTester(one, FATAL) for one in (model, self.proxy)]
        for shown, source in ((view, model), (sorted_view, self.proxy)):
            shown.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
            shown.setModel(source)
        self.told: list[tuple[Any, ...]] = []
        model.rowsInserted.connect(lambda _, first, last: self.told.append(("insert", first, last)))
        model.rowsRemoved.connect(lambda _, first, last: self.told.append(("remove", first, last)))
        model.rowsMoved.connect(lambda _, first, last, __, to: self.told.append(("move", first, to)))
        model.dataChanged.connect(lambda a, b, _: self.told.append(("change", a.row(), b.row())))
        model.layoutChanged.connect(lambda *_: self.told.append(("layout",)))
        model.modelReset.connect(lambda: self.told.append(("reset",)))

    def set(self, items: tuple[Row, ...]) -> list[tuple[Any, ...]]:
        """Set the items and give what was told."""
        self.told.clear()
        self.model.set_items(items)
        return self.told

    @property
    def shown(self) -> list[str]:
        return [self.model.data(self.model.index(row, 0)) for row in range(self.model.rowCount())]

    @property
    def items(self) -> list[Row]:
        return [self.model.item(row) for row in range(self.model.rowCount())]

    def current_id(self, view: QAbstractItemView) -> int | None:
        index = view.currentIndex()
        row = index.row() if view is self.view else self.proxy.mapToSource(index).row()
        return self.model.item(row).id if row >= 0 else None

    def end(self) -> None:
        for view in (self.view, self.sorted_view):
            view.setModel(None)
        for tester in self.testers:
            shiboken6.delete(tester)
        self.proxy.setSourceModel(None)  # type: ignore[arg-type]  # the stubs know no None


@pytest.fixture(params=["list", "table"])
def watched(request: pytest.FixtureRequest, qtbot: QtBot) -> Iterator[Watched]:
    is_list = request.param == "list"
    views = [QListView() if is_list else QTableView() for _ in range(2)]
    for view in views:
        qtbot.addWidget(view)
    watched = Watched(a_list() if is_list else a_table(), *views)
    yield watched
    watched.end()


@pytest.fixture(params=[a_list, a_table])
def model(request: pytest.FixtureRequest, qtbot: QtBot) -> Model:
    made: Model = request.param()
    return made


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
    view = watched.view
    view.setCurrentIndex(watched.model.index(30, 0))
    view.selectionModel().select(watched.model.index(60, 0), QItemSelectionModel.SelectionFlag.Select)
    kept = QPersistentModelIndex(watched.model.index(7, 0))
    assert watched.set(tuple(reversed(items))) == [("layout",)]
    assert view.currentIndex().row() == 69
    assert sorted(one.row() for one in view.selectionModel().selectedIndexes()) == [39, 69]
    assert watched.set(items[5:]) == [("remove", 95, 99), ("layout",)]
    assert (kept.row(), view.currentIndex().row()) == (2, 25)


def test_a_current_row_that_went_away_is_current_no_more(watched: Watched) -> None:
    watched.set(numbered(1, 2, 3))
    kept = QPersistentModelIndex(watched.model.index(1, 0))
    watched.set(numbered(1, 3))
    assert not kept.isValid()


def changed_at_random(items: list[Row], chance: random.Random) -> tuple[Row, ...]:
    """Give another tuple: rows that came, went, moved, turned round, were shuffled, changed, or all of it."""
    new = list(items)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        match chance.randrange(7):
            case 0:
                at = chance.randrange(len(new) + 1)
                new[at:at] = numbered(*chance.sample(range(1_000_000), chance.choice((1, 1, 25))))
            case 1:
                at = chance.randrange(len(new) + 1)
                del new[at : at + chance.choice((1, 1, 6))]
            case 2 if new:
                new.insert(chance.randrange(len(new)), new.pop(chance.randrange(len(new))))
            case 3:
                new.reverse()
            case 4:
                chance.shuffle(new)
            case 5:
                new = [row.copy_with(name=chance.choice("abc")) if chance.random() < 0.2 else row for row in new]
            case _:
                new = [row for row in new if chance.random() < 0.8]
    return tuple({row.id: row for row in new[:40]}.values())


@pytest.mark.parametrize("changes", [150, pytest.param(1_000, marks=pytest.mark.stress)])
def test_random_changes_keep_model_and_proxy_sound_and_current_and_selection_on_their_values(
    watched: Watched, changes: int
) -> None:
    chance = random.Random(2)
    views = (watched.view, watched.sorted_view)
    kinds: set[str] = set()
    for _ in range(changes):
        current = [watched.current_id(view) for view in views]
        selected = {watched.items[one.row()].id for one in watched.view.selectionModel().selectedIndexes()}
        new = changed_at_random(watched.items, chance)
        kinds |= {kind for kind, *_ in watched.set(new)}
        ids = [row.id for row in new]
        assert watched.items == list(new)
        assert [watched.model.row_of(number) for number in ids] == list(range(len(new)))
        assert [watched.proxy.index(row, 0).data() for row in range(len(new))] == sorted(row.name for row in new)
        for view, current_id in zip(views, current, strict=True):
            if current_id in ids:
                assert watched.current_id(view) == current_id
        if current[0] in ids:  # else the view makes another row current, and selects that
            still = {new[one.row()].id for one in watched.view.selectionModel().selectedIndexes()}
            assert still == selected & set(ids)
        if new:
            for view in views:
                view.setCurrentIndex(view.model().index(chance.randrange(len(new)), 0))
                view.selectionModel().select(
                    view.model().index(chance.randrange(len(new)), 0), QItemSelectionModel.SelectionFlag.Select
                )
    assert kinds == {"insert", "remove", "move", "layout", "change"}


def test_two_values_with_one_key_are_refused_and_nothing_is_changed(watched: Watched) -> None:
    watched.model.setObjectName("people")
    watched.set(numbered(1, 2, 3))
    for twice in (numbered(1, 2, 3, 1), numbered(4, 4), numbered(2, 2, 3), numbered(1, 2, 3, 4, 4)):
        watched.told.clear()
        with pytest.raises(ValueError, match=r"Model 'people' was given two values with the key \d"):
            watched.model.set_items(twice)
        assert (watched.shown, watched.told) == (["1", "2", "3"], [])


def test_a_key_that_went_may_come_again(watched: Watched) -> None:
    watched.set(numbered(1, 2, 3))
    watched.set(numbered(1, 3))
    watched.set(numbered(3, 2, 1))
    assert watched.shown == ["3", "2", "1"]


def test_a_key_function_that_raises_changes_nothing(model: Model) -> None:
    model.set_items(numbered(1, 2))
    with pytest.raises(AttributeError):
        model.set_items((*numbered(3), "no row"))  # type: ignore[arg-type]
    assert [model.item(row).id for row in range(model.rowCount())] == [1, 2]
    model.set_items(numbered(3))
    assert model.row_of(3) == 0


def test_a_value_is_found_by_its_key_and_by_its_row(watched: Watched) -> None:
    watched.set(numbered(5, 6))
    assert watched.model.row_of(6) == 1
    assert watched.model.row_of(7) is None
    assert watched.model.item(1).id == 6
    for row in (-1, 2):
        with pytest.raises(IndexError, match=f"Model has no row {row}"):
            watched.model.item(row)


def test_an_index_of_a_row_that_went_shows_nothing(model: Model) -> None:
    model.set_items(numbered(1, 2))
    stale = model.index(1, 0)
    model.set_items(numbered(1))
    assert model.data(stale) is None


def test_items_set_by_a_slot_in_the_middle_of_a_change_are_taken_after_it(watched: Watched) -> None:
    def answer(_: QModelIndex, first: int, last: int) -> None:
        if watched.model.rowCount() == 3:
            assert watched.model.row_of(3) == 2
            watched.model.set_items(numbered(7, 3))

    watched.model.rowsInserted.connect(answer)
    watched.set(numbered(1, 2, 3))
    assert watched.shown == ["7", "3"]


@pytest.mark.parametrize("signal", ["rowsRemoved", "rowsMoved", "rowsInserted", "layoutChanged", "dataChanged"])
def test_a_slot_may_delete_the_model_in_the_middle_of_a_change(model: Model, signal: str) -> None:
    items = numbered(*range(50))
    model.set_items(items)
    changed = [Row(id=row.id, name="x") if row.id in (20, 30) else row for row in items]
    mixed = (*numbered(70), items[9], *items[2:9], *changed[20:], *numbered(99))
    wanted = tuple(reversed(items)) if signal == "layoutChanged" else mixed

    def delete(*_: object) -> None:
        model.set_items(numbered(5))
        shiboken6.delete(model)

    getattr(model, signal).connect(delete)
    model.set_items(wanted)
    assert not shiboken6.isValid(model)


def test_values_need_not_be_hashable_and_one_whose_comparison_raises_counts_as_changed(qtbot: QtBot) -> None:
    class Odd:
        def __init__(self, number: int) -> None:
            self.number = number

        def __eq__(self, other: object) -> bool:
            raise ValueError("the truth value of an array is ambiguous")

        __hash__ = None  # type: ignore[assignment]

    def itself(odd: Odd) -> Odd:
        return odd

    models: list[KeyedListModel[Odd] | KeyedTableModel[Odd]] = [
        KeyedListModel(key=lambda odd: odd.number),
        KeyedTableModel(key=lambda odd: odd.number, columns=[Column("Odd", itself)]),
    ]
    for model in models:
        model.set_items((Odd(1), Odd(2)))
        with qtbot.waitSignal(model.dataChanged, timeout=100):
            model.set_items((Odd(1), Odd(2)))


@pytest.mark.realtime
def test_items_set_on_another_thread_are_refused_with_the_name_of_the_model(model: Model) -> None:
    model.setObjectName("people")
    raised: list[Exception] = []

    def set_there() -> None:
        try:
            model.set_items(numbered(1))
        except WrongThreadError as error:
            raised.append(error)

    thread = threading.Thread(target=set_there)
    thread.start()
    thread.join()
    assert "Model 'people' were set outside its own thread" in str(raised[0])
    assert model.rowCount() == 0


def test_one_changed_value_among_ten_thousand_costs_one_key(qtbot: QtBot) -> None:
    asked: list[int] = []

    def key(row: Row) -> int:
        asked.append(row.id)
        return row.id

    items = numbered(*range(10_000))
    for model in (KeyedListModel(key=key), KeyedTableModel(key=key, columns=[Column("Name", row_name)])):
        model.set_items(items)
        asked.clear()
        changed = (*items[:5_000], Row(id=5_000, name="x"), *items[5_001:])
        model.set_items(changed)
        assert asked == [5_000]
        asked.clear()
        model.set_items((*changed[:5_000], *numbered(10_000), *changed[5_000:]))
        assert asked == [10_000]


def test_a_model_goes_with_its_last_reference_and_without_the_garbage_collector(
    qtbot: QtBot, qtorch_runtime: TestRuntime
) -> None:
    rows = RowsOrchestrator(Rows(rows=numbered(1, 2)))
    gc.collect()
    gc.disable()
    try:
        for make in (a_list, a_table):
            model: Any = make()
            bind(model.set_items, rows.select(lambda s: s.rows))
            gone = weakref.ref(model)
            del model
            assert gone() is None
            rows.update(rows=numbered(3))
    finally:
        gc.enable()


def test_a_model_bound_to_a_source_follows_it(watched: Watched, qtorch_runtime: TestRuntime) -> None:
    rows = RowsOrchestrator(Rows(rows=numbered(1, 2)))
    bind(watched.model.set_items, rows.select(lambda s: s.rows))
    watched.told.clear()
    rows.update(rows=(*rows.state.rows, *numbered(3)))
    assert (watched.shown, watched.told) == (["1", "2", "3"], [("insert", 2, 2)])
