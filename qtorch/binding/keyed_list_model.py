"""A tuple of values as the rows of a list."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractListModel, QObject, Qt

from qtorch.binding.keyed_rows import Cells, Edit, KeyedRows, Show
from qtorch.orchestrator.qml import to_qml
from qtorch.state.equality import same

T = TypeVar("T")

_MOST_MOVES_IN_QML = 1_000
"""A view of QML loses its current item at a new layout; that many single moves among as many rows take it 40 ms."""


class KeyedListModel(KeyedRows[T], QAbstractListModel, Generic[T]):
    """Shows a tuple of values, one a row, and takes a new tuple as the difference to the old one.

    Rows are told apart by their key. A new tuple becomes the fewest removes, moves, inserts and changes, never a reset:
    selection, current row, scroll position and persistent indexes follow their value.

    A QListView lays all its rows out after every change, and asks for each one's size unless
    ``view.setUniformItemSizes(True)`` is called. For more than some ten thousand rows use a QTableView without headers.

    Parameters
    ----------
    key
        Gives the key of a value, which stays the same as long as it is the same row: ``lambda user: user.id``.
    roles
        What to show: by role (``Qt.ItemDataRole.DisplayRole``) or, for QML, by name, a function of the value.
        Without it the text is ``str(value)``. With names, up to 1,000 rows that move are moved one by one: at a new
        layout, which is told of more, a ListView of QML forgets which row was its current one.
    edit
        What an edit does: a function of the value and what the editor gives, for the EditRole, or such functions by
        role or by name, for QML's ``model.name = "x"``. It changes the state, and the model follows.
    parent
        The QObject that owns it.

    Attributes
    ----------
    editRefused
        Qt signal with the index and the message, in words for the user, of a ValueError (pydantic's too), LookupError
        or ArithmeticError of ``edit``. Anything else is reported to ``runtime.error_occurred``.

    Raises
    ------
    ValueError
        ``edit`` names a role that ``roles`` does not have.

    Examples
    --------
    >>> model = KeyedListModel(
    ...     key=lambda user: user.id,
    ...     roles={Qt.ItemDataRole.DisplayRole: lambda user: user.name},
    ...     edit=lambda user, name: users.rename(user.id, name),
    ...     parent=view,
    ... )  # doctest: +SKIP
    >>> view.setModel(model)  # doctest: +SKIP
    >>> bind(model.set_items, users.select(lambda s: s.users))  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        key: Callable[[T], Hashable],
        roles: Mapping[Any, Callable[[T], Any]] | None = None,
        edit: Callable[[T, Any], object] | Mapping[Any, Callable[[T, Any], object]] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(key, parent)
        if roles is None:
            roles = {Qt.ItemDataRole.DisplayRole: str}
        self._numbers = {bytes(name.data()).decode(): role for role, name in super().roleNames().items()}
        for name in roles:
            if isinstance(name, str):
                self._numbers.setdefault(name, Qt.ItemDataRole.UserRole + 1 + len(self._numbers))
                self._most_moves = _MOST_MOVES_IN_QML
        shows: dict[int, Show[T]] = {
            self._number(role): _to_qml_of(show) if isinstance(role, str) else show for role, show in roles.items()
        }
        by_role: Mapping[Any, Edit[T]] = {Qt.ItemDataRole.EditRole: edit} if callable(edit) else edit or {}
        edits: dict[int, Edit[T]] = {self._number(role): one for role, one in by_role.items()}
        if Qt.ItemDataRole.EditRole in edits and Qt.ItemDataRole.DisplayRole in shows:
            shows.setdefault(Qt.ItemDataRole.EditRole, shows[Qt.ItemDataRole.DisplayRole])
        self._set_columns([shows], [edits])
        self._whole_row: tuple[Cells, ...] = ((0, 0, tuple(shows)),)

    def _number(self, role: int | str) -> int:
        if not isinstance(role, str):
            return int(role)
        if role not in self._numbers:
            raise ValueError(
                f"KeyedListModel has no role {role!r} to edit; its names are {', '.join(self._numbers)}.\n"
                f"  Give the role a function in roles= too: what is edited is shown."
            )
        return self._numbers[role]

    def _changed(self, old: T, new: T) -> tuple[Cells, ...]:
        return () if same(old, new) else self._whole_row

    def _name_of_column(self, column: int) -> str:
        return ""

    def roleNames(self) -> dict[int, Any]:
        """Give the names by which QML asks; see QAbstractItemModel."""
        return {role: name.encode() for name, role in self._numbers.items()}


def _to_qml_of(show: Show[T]) -> Show[T]:
    return lambda value: to_qml(show(value))
