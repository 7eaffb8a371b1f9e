"""A tuple of values as the rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QObject, Qt

from qtorch.binding.keyed_rows import NOWHERE, Cells, Index, KeyedRows

if TYPE_CHECKING:
    from qtorch.binding.column import Column

T = TypeVar("T")


class KeyedTableModel(KeyedRows[T], QAbstractTableModel, Generic[T]):
    """Shows a tuple of values, one a row, in columns, and takes a new tuple as the difference to the old one.

    Rows are told apart by their key, and change as those of a :class:`KeyedListModel` do: never by a reset. Of a value
    that differs only the cells that do are told, so that an editor in another cell of its row keeps what was typed.
    What a proxy sorts or filters by therefore has to be a column, hidden if need be, or a role of one.

    Parameters
    ----------
    key
        Gives the key of a value, which stays the same as long as it is the same row: ``lambda user: user.id``.
    columns
        The columns, from left to right.
    parent
        The QObject that owns it.

    Attributes
    ----------
    editRefused
        Qt signal with the index and the message, in words for the user, of a ValueError (pydantic's too), LookupError
        or ArithmeticError of a column's ``edit``. Anything else is reported to ``runtime.error_occurred``.

    Raises
    ------
    ValueError
        There are no columns.

    Examples
    --------
    >>> people = KeyedTableModel[User](
    ...     key=lambda user: user.id,
    ...     columns=[
    ...         Column("Name", lambda user: user.name, edit=lambda user, name: users.rename(user.id, name)),
    ...         Column("Age", lambda user: user.age, align=Qt.AlignmentFlag.AlignRight),
    ...     ],
    ...     parent=view,
    ... )  # doctest: +SKIP
    >>> view.setModel(people)  # doctest: +SKIP
    >>> bind(people.set_items, users.select(lambda s: s.users))  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        key: Callable[[T], Hashable],
        columns: Sequence[Column[T]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(key, parent)
        self._columns = tuple(columns)
        if not self._columns:
            raise ValueError(
                "KeyedTableModel was given no columns, so it would show nothing.\n"
                '  Write columns=[Column("Name", lambda row: row.name), ...].'
            )
        self._set_columns([column.shows for column in self._columns], [column.edits for column in self._columns])

    def _changed(self, old: T, new: T) -> tuple[Cells, ...]:
        roles = [column.changed_roles(old, new) for column in self._columns]
        runs = [list(run) for _, run in groupby(range(len(roles)), key=roles.__getitem__)]
        return tuple((run[0], run[-1], roles[run[0]]) for run in runs if roles[run[0]])

    def _name_of_column(self, column: int) -> str:
        return f"column {self._columns[column].title!r}, "

    def columnCount(self, parent: Index = NOWHERE) -> int:
        """Give the number of columns; see QAbstractItemModel."""
        return 0 if parent.isValid() else len(self._columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give what a header shows; see QAbstractItemModel."""
        if orientation is Qt.Orientation.Horizontal and 0 <= section < len(self._columns):
            return self._columns[section].header.get(role)
        return super().headerData(section, orientation, role)
