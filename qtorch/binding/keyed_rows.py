"""Rows that follow a tuple: what the keyed models have in common."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import compress, count
from operator import is_not
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

import shiboken6
from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from qtorch.binding.affinity import lives_here
from qtorch.binding.home import Home
from qtorch.binding.keyed_diff import MOST_MOVES, Insert, Move, Operation, Remove, Reorder, operations
from qtorch.binding.naming import name_of_object
from qtorch.binding.refusals import REFUSALS, message_of
from qtorch.errors import WrongThreadError
from qtorch.orchestrator.qml import keep_from_engines

T = TypeVar("T")
U = TypeVar("U")

Index: TypeAlias = QModelIndex | QPersistentModelIndex
Show: TypeAlias = Callable[[T], Any]
Edit: TypeAlias = Callable[[T, Any], object]
Cells: TypeAlias = tuple[int, int, tuple[int, ...]]
"""Of a row that changed: the first and the last of neighbouring columns, and the roles that changed in them."""

NOWHERE = QModelIndex()

# At run time no class of Qt's: for two of them among the bases of a model PySide would make two C++ objects.
if TYPE_CHECKING:
    _Model = QAbstractItemModel
else:

    class _Model:
        pass


class KeyedRows(_Model, Generic[T]):
    """The rows of a keyed model: told apart by their key, changed by the difference to what is wanted.

    A subclass names what its columns show (:meth:`_show`) and tells which cells of a row changed (:meth:`_changed`).
    """

    editRefused = Signal(QModelIndex, str)

    def __init__(self, key: Callable[[T], Hashable], parent: QObject | None) -> None:
        super().__init__(parent)
        keep_from_engines(self)
        self._key = key
        self._most_moves = MOST_MOVES
        self._shows: dict[int, tuple[Show[T] | None, ...]] = {}
        self._edits: dict[int, tuple[Edit[T] | None, ...]] = {}
        self._flags: tuple[Qt.ItemFlag, ...] = ()
        self._items: list[T] = []
        self._keys: list[Hashable] = []
        self._known: set[Hashable] = set()
        self._rows: dict[Hashable, int] | None = {}
        self._wanted: tuple[T, ...] | None = None
        self._is_changing = False
        self._reported: set[tuple[int, int, type[Exception]]] = set()

    def _set_columns(self, shows: Sequence[dict[int, Show[T]]], edits: Sequence[dict[int, Edit[T]]]) -> None:
        self._shows = _by_role(shows)
        self._edits = _by_role(edits)
        self._flags = tuple(_flags_of(one) for one in edits)

    def _changed(self, old: T, new: T) -> tuple[Cells, ...]:
        raise NotImplementedError

    def _name_of_column(self, column: int) -> str:
        raise NotImplementedError

    # -- what is in it ----------------------------------------------------------------------------------------------

    def item(self, row: int) -> T:
        """Give the value of ``row``.

        Raises
        ------
        IndexError
            There is no such row.
        """
        if not 0 <= row < len(self._items):
            raise IndexError(f"{name_of_object(self)} has no row {row}")
        return self._items[row]

    def row_of(self, key: Hashable) -> int | None:
        """Give the row of the value with ``key``, None if there is none."""
        if self._rows is None:
            self._rows = dict(zip(self._keys, count(), strict=False))
        return self._rows.get(key)

    def rowCount(self, parent: Index = NOWHERE) -> int:
        """Give the number of values; see QAbstractItemModel."""
        return 0 if parent.isValid() else len(self._items)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give what to show of a value; see QAbstractItemModel. What a function of yours raises is reported once."""
        shows = self._shows.get(role)
        if shows is None or not index.isValid():
            return None
        row, column = index.row(), index.column()
        show = shows[column]
        if show is None or row >= len(self._items):
            return None
        try:
            return show(self._items[row])
        except Exception as error:  # noqa: BLE001 - user code; a view asks for it at every paint
            fault = (role, column, type(error))
            if fault not in self._reported:
                self._reported.add(fault)
                Home().report(error, f"{name_of_object(self)}, {self._name_of_column(column)}role {role} of row {row}")
            return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Give what can be done with a value; see QAbstractItemModel."""
        return self._flags[index.column()] if index.isValid() else Qt.ItemFlag.NoItemFlags

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Have your ``edit`` change the state; see QAbstractItemModel. The model changes when new items are set.

        Returns
        -------
        bool
            Whether the edit was accepted. If not, ``editRefused`` tells why, or what it raised is reported.
        """
        edits = self._edits.get(role)
        edit = edits[index.column()] if edits is not None and index.isValid() else None
        if edit is None or index.row() >= len(self._items):
            return False
        place = QPersistentModelIndex(index)  # the edit may move the row, or take it away
        name = f"{name_of_object(self)}, edit of {self._name_of_column(index.column())}row {index.row()}"
        try:
            edit(self._items[index.row()], value)
        except REFUSALS as error:
            if shiboken6.isValid(self):
                self.editRefused.emit(self.index(place.row(), place.column()), message_of(error, ""))
            return False
        except Exception as error:  # noqa: BLE001 - user code; the user sees that it is not in
            Home().report(error, name)
            return False
        return True

    # -- how it changes -----------------------------------------------------------------------------------------------

    def set_items(self, items: Iterable[T]) -> None:
        """Show ``items`` from now on.

        Raises
        ------
        ValueError
            Two of them have the same key; nothing was changed.
        WrongThreadError
            Called on another thread than the model's.
        """
        if not lives_here(self):
            raise WrongThreadError(
                f"the items of {name_of_object(self)} were set outside its own thread, where views read them.\n"
                f"  Write bind(model.set_items, orchestrator.select(...)): states change on the GUI thread."
            )
        self._wanted = tuple(items)
        if self._is_changing:  # a slot of one of the signals below; a change inside a change would corrupt the rows
            return
        self._is_changing = True
        try:
            while self._wanted is not None and shiboken6.isValid(self):
                wanted, self._wanted = self._wanted, None
                self._change_to(wanted)
        finally:
            self._is_changing = False
            self._wanted = None

    def _change_to(self, new: tuple[T, ...]) -> None:
        old, key = self._items, self._key
        # Most changes put a few new values among thousands that are the very same objects.
        if len(old) == len(new):
            rows = _differing(old, new)
            if all(key(new[row]) == self._keys[row] for row in rows):
                self._replace(rows, new)
                return
        fewer = min(len(old), len(new))
        first = next(compress(range(fewer), map(is_not, old, new)), fewer)
        rest = fewer - first
        same_at_end = next(compress(range(rest), map(is_not, reversed(old), reversed(new))), rest)
        end = len(new) - same_at_end
        old_keys = self._keys[first : len(old) - same_at_end]
        keys = [key(item) for item in new[first:end]]
        self._take_keys(keys, old_keys)
        for operation in operations(old_keys, keys, self._most_moves):
            self._carry_out(operation, first, new, keys)
            if not shiboken6.isValid(self):
                return
        self._replace(compress(range(first, end), map(is_not, self._items[first:end], new[first:end])), new)

    def _take_keys(self, keys: list[Hashable], old_keys: list[Hashable]) -> None:
        going = set(old_keys)
        coming: set[Hashable] = set()
        for key in keys:
            if key in coming or (key in self._known and key not in going):
                raise ValueError(
                    f"{name_of_object(self)} was given two values with the key {key!r}, so nobody could tell their "
                    f"rows apart; it stays as it was.\n"
                    f"  Give it key=... that differs from row to row, such as an id."
                )
            coming.add(key)
        self._known -= going
        self._known |= coming

    def _carry_out(self, operation: Operation, offset: int, new: Sequence[T], keys: list[Hashable]) -> None:
        items, known = self._items, self._keys
        match operation:
            case Remove(first, last):
                first, last = first + offset, last + offset
                self.beginRemoveRows(NOWHERE, first, last)
                del items[first : last + 1], known[first : last + 1]
                self._rows = None
                self.endRemoveRows()
            case Move(row, before):
                row, before = row + offset, before + offset
                self.beginMoveRows(NOWHERE, row, row, NOWHERE, before)
                to = before - (before > row)
                items.insert(to, items.pop(row))
                known.insert(to, known.pop(row))
                self._rows = None
                self.endMoveRows()
            case Reorder(rows):
                self._reorder(rows, offset)
            case Insert(first, last):
                self.beginInsertRows(NOWHERE, first + offset, last + offset)
                items[first + offset : first + offset] = new[first + offset : last + offset + 1]
                known[first + offset : first + offset] = keys[first : last + 1]
                self._rows = None
                self.endInsertRows()

    def _reorder(self, rows: tuple[int, ...], offset: int) -> None:
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        now_at = {old + offset: new + offset for new, old in enumerate(rows)}
        end = offset + len(rows)
        self._items[offset:end] = [self._items[row + offset] for row in rows]
        self._keys[offset:end] = [self._keys[row + offset] for row in rows]
        self._rows = None
        after = [self.index(now_at.get(index.row(), index.row()), index.column()) for index in before]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _replace(self, rows: Iterable[int], new: Sequence[T]) -> None:
        """Put new values in for those of the same keys in ``rows``, and tell of the cells that differ, in ranges.

        Each range is told before the next is put in: a sorting proxy finds a row's new place among rows that it takes
        for sorted.
        """
        begin = end = 0
        cells: tuple[Cells, ...] = ()
        for row in rows:
            changed = self._changed(self._items[row], new[row])
            if row != end or changed != cells:
                self._tell(begin, end, cells)
                begin, cells = row, changed
            self._items[row] = new[row]
            end = row + 1
        self._tell(begin, end, cells)

    def _tell(self, begin: int, end: int, cells: tuple[Cells, ...]) -> None:
        for first, last, roles in cells:
            if shiboken6.isValid(self):
                self.dataChanged.emit(self.index(begin, first), self.index(end - 1, last), roles)


def _differing(old: Sequence[object], new: Sequence[object]) -> list[int]:
    """Give the places that hold other objects; compress() over ten thousand takes a quarter longer to find the one."""
    flags = list(map(is_not, old, new))
    places: list[int] = []
    place = -1
    try:
        while True:
            place = flags.index(True, place + 1)
            places.append(place)
    except ValueError:
        return places


def _by_role(columns: Sequence[Mapping[int, U]]) -> dict[int, tuple[U | None, ...]]:
    """Put by role first what is given by column: of the roles that a view asks for at every paint, most are nowhere."""
    roles = dict.fromkeys(role for column in columns for role in column)
    return {role: tuple(column.get(role) for column in columns) for role in roles}


def _flags_of(edits: dict[int, Edit[Any]]) -> Qt.ItemFlag:
    flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemNeverHasChildren
    if Qt.ItemDataRole.EditRole in edits:
        flags |= Qt.ItemFlag.ItemIsEditable
    if Qt.ItemDataRole.CheckStateRole in edits:
        flags |= Qt.ItemFlag.ItemIsUserCheckable
    return flags
