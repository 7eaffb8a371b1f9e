"""A tuple of values as the rows of a view."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import compress
from operator import is_not
from typing import Any, Generic, TypeAlias, TypeVar

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from qtorch.binding.home import Home
from qtorch.binding.keyed_diff import Insert, Move, Operation, Remove, Reorder, operations
from qtorch.binding.naming import name_of_object
from qtorch.orchestrator.qml import keep_from_engines, to_qml
from qtorch.state.equality import same

T = TypeVar("T")

_Index: TypeAlias = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_MOST_MOVES_IN_QML = 1000
"""A view of QML loses its current item at a new layout; that many single moves among as many rows take it 40 ms."""


class KeyedListModel(QAbstractListModel, Generic[T]):
    """Shows a tuple of values, one a row, and takes a new tuple as the difference to the old one.

    Rows are told apart by their key. A new tuple becomes the fewest removes, moves, inserts and changes, never a reset:
    selection, current row, scroll position and persistent indexes follow their value.

    Parameters
    ----------
    key
        Gives the key of a value, which stays the same as long as it is the same row: ``lambda user: user.id``.
    roles
        What to show: by role (``Qt.ItemDataRole.DisplayRole``) or, for QML, by name, a function of the value.
        Without it the text is ``str(value)``. With names, up to 1,000 rows that move are moved one by one: at a new
        layout, which is told of more, a ListView of QML forgets which row was its current one.
    parent
        The QObject that owns it.

    Examples
    --------
    >>> model = KeyedListModel(
    ...     key=lambda user: user.id, roles={Qt.ItemDataRole.DisplayRole: lambda user: user.name}, parent=view
    ... )  # doctest: +SKIP
    >>> view.setModel(model)  # doctest: +SKIP
    >>> bind(model.set_items, users.select(lambda s: s.users))  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        key: Callable[[T], Hashable],
        roles: Mapping[Any, Callable[[T], Any]] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        keep_from_engines(self)
        self._key = key
        self._roles: dict[int, Callable[[T], Any]] = {}
        self._names: dict[int, bytes] = {}
        for role, show in ({Qt.ItemDataRole.DisplayRole: str} if roles is None else roles).items():
            self._add_role(role, show)
        self._items: list[T] = []
        self._keys: list[Hashable] = []
        self._rows: dict[Hashable, int] = {}
        self._wanted: tuple[T, ...] | None = None
        self._is_changing = False
        self._has_failed: set[int] = set()

    def _add_role(self, role: int | str, show: Callable[[T], Any]) -> None:
        if isinstance(role, str):
            number = Qt.ItemDataRole.UserRole + 1 + len(self._names)
            self._names[number] = role.encode()
        else:
            number = int(role)
        self._roles[number] = show

    # -- what is in it ----------------------------------------------------------------------------------------------

    def item(self, row: int) -> T:
        """Give the value of ``row``.

        Raises
        ------
        IndexError
            There is no such row.
        """
        if row < 0:
            raise IndexError(f"{name_of_object(self)} has no row {row}")
        return self._items[row]

    def row_of(self, key: Hashable) -> int | None:
        """Give the row of the value with ``key``, None if there is none."""
        if self._is_changing:  # a slot asks in the middle of a change: the rows are numbered anew at its end
            return self._keys.index(key) if key in self._keys else None
        return self._rows.get(key)

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """Give the number of values; see QAbstractItemModel."""
        return 0 if parent.isValid() else len(self._items)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give what to show of a value; see QAbstractItemModel. What a role's function raises is reported once."""
        show = self._roles.get(role)
        if show is None or not index.isValid() or index.row() >= len(self._items):
            return None
        try:
            value = show(self._items[index.row()])
        except Exception as error:  # noqa: BLE001 - user code; a view asks for it at every paint
            if role not in self._has_failed:
                self._has_failed.add(role)
                Home().report(error, f"{name_of_object(self)}, role {role} of row {index.row()}")
            return None
        return to_qml(value) if role in self._names else value

    def roleNames(self) -> dict[int, Any]:
        """Give the names by which QML asks; see QAbstractItemModel."""
        return {**super().roleNames(), **self._names}

    # -- how it changes -----------------------------------------------------------------------------------------------

    def set_items(self, items: Iterable[T]) -> None:
        """Show ``items`` from now on.

        Raises
        ------
        ValueError
            Two of them have the same key; nothing was changed.
        """
        self._wanted = tuple(items)
        if self._is_changing:  # a slot of one of the signals below; a change inside a change would corrupt the rows
            return
        self._is_changing = True
        try:
            while self._wanted is not None:
                wanted, self._wanted = self._wanted, None
                self._change_to(wanted)
        finally:
            self._is_changing = False
            self._wanted = None

    def _change_to(self, new: tuple[T, ...]) -> None:
        self._has_failed.clear()
        old, key = self._items, self._key
        # Most changes put a few new values among thousands that are the very same objects.
        if len(old) == len(new):
            rows = list(compress(range(len(new)), map(is_not, old, new)))
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
        self._refuse_duplicates(keys, old_keys)
        for operation in self._operations(old_keys, keys):
            self._carry_out(operation, first, new, keys)
        self._number_rows(first, old_keys)
        self._replace(compress(range(first, end), map(is_not, self._items[first:end], new[first:end])), new)

    def _operations(self, old: list[Hashable], new: list[Hashable]) -> list[Operation]:
        return operations(old, new, _MOST_MOVES_IN_QML) if self._names else operations(old, new)

    def _refuse_duplicates(self, keys: list[Hashable], old_keys: list[Hashable]) -> None:
        going = set(old_keys)
        seen: set[Hashable] = set()
        for key in keys:
            if key in seen or (key in self._rows and key not in going):
                raise ValueError(
                    f"{name_of_object(self)} was given two values with the key {key!r}, so nobody could tell their "
                    f"rows apart; it stays as it was.\n"
                    f"  Give it key=... that differs from row to row, such as an id."
                )
            seen.add(key)

    def _carry_out(self, operation: Operation, offset: int, new: Sequence[T], keys: list[Hashable]) -> None:
        items, known = self._items, self._keys
        match operation:
            case Remove(first, last):
                first, last = first + offset, last + offset
                self.beginRemoveRows(_NOWHERE, first, last)
                del items[first : last + 1], known[first : last + 1]
                self.endRemoveRows()
            case Move(row, before):
                row, before = row + offset, before + offset
                self.beginMoveRows(_NOWHERE, row, row, _NOWHERE, before)
                to = before - (before > row)
                items.insert(to, items.pop(row))
                known.insert(to, known.pop(row))
                self.endMoveRows()
            case Reorder(rows):
                self._reorder(rows, offset)
            case Insert(first, last):
                self.beginInsertRows(_NOWHERE, first + offset, last + offset)
                items[first + offset : first + offset] = new[first + offset : last + offset + 1]
                known[first + offset : first + offset] = keys[first : last + 1]
                self.endInsertRows()

    def _reorder(self, rows: tuple[int, ...], offset: int) -> None:
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        now_at = {old + offset: new + offset for new, old in enumerate(rows)}
        end = offset + len(rows)
        self._items[offset:end] = [self._items[row + offset] for row in rows]
        self._keys[offset:end] = [self._keys[row + offset] for row in rows]
        after = [self.index(now_at.get(index.row(), index.row()), index.column()) for index in before]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _number_rows(self, first: int, old_keys: list[Hashable]) -> None:
        for key in old_keys:
            del self._rows[key]
        for row in range(first, len(self._keys)):
            self._rows[self._keys[row]] = row

    def _replace(self, rows: Iterable[int], new: Sequence[T]) -> None:
        """Put new values in for those of the same keys in ``rows``, and tell of the ones that differ, in ranges."""
        items, roles = self._items, list(self._roles)
        begin = end = -1
        for row in rows:
            is_same = same(items[row], new[row])
            items[row] = new[row]
            if is_same:
                continue
            if row != end:
                self._tell(begin, end, roles)
                begin = row
            end = row + 1
        self._tell(begin, end, roles)

    def _tell(self, begin: int, end: int, roles: list[int]) -> None:
        if begin >= 0:
            self.dataChanged.emit(self.index(begin), self.index(end - 1), roles)
