"""Rows of people in views: qtorch's keyed models, and list models written by hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QListView, QTableView

from qtorch import BaseState, Column, KeyedListModel, KeyedTableModel

RESET = "hand-written: reset"
COMPARE = "hand-written: compare row by row"

_Index: TypeAlias = QModelIndex | QPersistentModelIndex
_DISPLAY = Qt.ItemDataRole.DisplayRole


class Person(BaseState):
    """One row."""

    id: int
    name: str
    age: int = 30
    city: str = "Paris"
    is_vip: bool = False


People: TypeAlias = tuple[Person, ...]
SetRows: TypeAlias = Callable[[People], None]


@lru_cache(maxsize=4)  # the sizes of a scenario
def people(rows: int) -> People:
    """Make so many people."""
    return tuple(Person(id=number, name=f"Person {number}") for number in range(rows))


def keyed_list() -> tuple[SetRows, QAbstractItemView, Any]:
    """Show names in a list."""
    view = QListView()
    view.setUniformItemSizes(True)  # else it asks the model for the size of every row after every change
    model = KeyedListModel[Person](key=lambda person: person.id, roles={_DISPLAY: lambda person: person.name})
    return model.set_items, view, model


def keyed_table() -> tuple[SetRows, QAbstractItemView, Any]:
    """Show four columns in a table."""
    columns = [
        Column[Person]("Name", lambda person: person.name, edit=lambda person, name: person.copy_with(name=name)),
        Column[Person]("Age", lambda person: person.age, align=Qt.AlignmentFlag.AlignRight),
        Column[Person]("City", lambda person: person.city, text=str.upper),
        Column[Person]("VIP", lambda person: person.is_vip, check=True),
    ]
    model = KeyedTableModel[Person](key=lambda person: person.id, columns=columns)
    return model.set_items, QTableView(), model


class ResettingModel(QAbstractListModel):
    """Resets itself at every change: selection, current row and scroll position are lost."""

    def __init__(self) -> None:
        super().__init__()
        self.people: People = ()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - as Qt has it
        return 0 if parent.isValid() else len(self.people)

    def data(self, index: _Index, role: int = _DISPLAY) -> Any:
        return self.people[index.row()].name if role == _DISPLAY else None

    def set_people(self, new: People) -> None:
        self.beginResetModel()
        self.people = new
        self.endResetModel()


class ComparingModel(ResettingModel):
    """Tells the rows that differ if as many are there as before, else resets itself."""

    def set_people(self, new: People) -> None:
        if len(new) != len(self.people):
            super().set_people(new)
            return
        old, self.people = self.people, new
        for row, (before, after) in enumerate(zip(old, new, strict=True)):
            if before is not after and before != after:
                index = self.index(row)
                self.dataChanged.emit(index, index)


def by_hand(make: type[ResettingModel]) -> tuple[SetRows, QAbstractItemView, Any]:
    """Show names in a list."""
    model, view = make(), QListView()
    view.setUniformItemSizes(True)
    return model.set_people, view, model
