"""A column of a table: what its cells show, and what an edit in them does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from PySide6.QtCore import Qt

from qtorch.state.equality import same

T = TypeVar("T")
V = TypeVar("V")

_DISPLAY = Qt.ItemDataRole.DisplayRole
_EDIT = Qt.ItemDataRole.EditRole
_CHECK = Qt.ItemDataRole.CheckStateRole


class Column(Generic[T]):
    """One column of a :class:`KeyedTableModel`: a function of the row, and how its value is shown and edited.

    The raw value is Qt's EditRole: what editors begin with, and what ``proxy.setSortRole(Qt.ItemDataRole.EditRole)``
    sorts by. It is the DisplayRole too, unless ``text`` makes a text of it: a number stays a number, which delegates
    write as the user's locale does.

    Parameters
    ----------
    title
        What the header shows. Two columns may have the same.
    value
        Gives the value of a row. Views know texts, numbers, bools and Qt's own types; for others there is ``text``.
    text
        Gives the text of a value.
    edit
        Called with the row and the new value when the user edits a cell; it changes the state, and the model follows.
        The value is as the editor gives it. Without it the column is read-only.
    check
        Show the value as a check box; the edit is given a bool. There is a text beside it only if ``text`` gives one.
    align
        Where values and title stand; in the middle of the height unless it says otherwise.
    tooltip
        Shown over the title.
    roles
        What else the cells have, by role: ``{Qt.ItemDataRole.ToolTipRole: lambda user: user.address}``.

    Raises
    ------
    TypeError
        ``value`` is no function.

    Examples
    --------
    >>> Column("Age", lambda user: user.age, edit=lambda user, age: users.set_age(user.id, age))  # doctest: +SKIP
    """

    __slots__ = ("_roles", "_value", "_value_roles", "edits", "header", "shows", "title")

    def __init__(
        self,
        title: str,
        value: Callable[[T], V],
        *,
        text: Callable[[V], str] | None = None,
        edit: Callable[[T, V], object] | None = None,
        check: bool = False,
        align: Qt.AlignmentFlag | None = None,
        tooltip: str = "",
        roles: Mapping[Any, Callable[[T], object]] | None = None,
    ) -> None:
        if not callable(value):
            raise TypeError(
                f"Column {title!r} takes a function that gives the value of a row, not {value!r}.\n"
                f"  Write Column({title!r}, lambda row: row.name)."
            )
        self.title = title
        shows: dict[int, Callable[[T], Any]] = {_EDIT: value}
        if text is not None:
            shows[_DISPLAY] = _text_of(value, text)
        elif not check:
            shows[_DISPLAY] = value
        if check:
            shows[_CHECK] = _check_state_of(value)
        self._value = value
        self._value_roles = tuple(shows)
        self._roles = {int(role): show for role, show in (roles or {}).items()}
        self.header: dict[int, Any] = {_DISPLAY: title}
        if tooltip:
            self.header[Qt.ItemDataRole.ToolTipRole] = tooltip
        if align is not None:
            placed = _in_the_middle(align)
            self.header[Qt.ItemDataRole.TextAlignmentRole] = placed
            shows[Qt.ItemDataRole.TextAlignmentRole] = lambda _: placed
        self.shows = shows | self._roles
        self.edits: dict[int, Callable[[T, Any], object]] = {}
        if edit is not None:
            self.edits[_CHECK if check else _EDIT] = _edit_by_check(edit) if check else edit

    def changed_roles(self, old: T, new: T) -> tuple[int, ...]:
        """Give the roles whose values differ between two values of a row."""
        changed = tuple(role for role, show in self._roles.items() if _differ(show, old, new))
        return self._value_roles + changed if _differ(self._value, old, new) else changed


def _differ(show: Callable[[T], Any], old: T, new: T) -> bool:
    try:
        return not same(show(old), show(new))
    except Exception:  # noqa: BLE001 - user code; the model reports it when the cell is shown
        return True


def _text_of(value: Callable[[T], V], text: Callable[[V], str]) -> Callable[[T], str]:
    return lambda row: text(value(row))


def _check_state_of(value: Callable[[T], object]) -> Callable[[T], Qt.CheckState]:
    return lambda row: Qt.CheckState.Checked if value(row) else Qt.CheckState.Unchecked


def _edit_by_check(edit: Callable[[T, Any], object]) -> Callable[[T, Any], object]:
    return lambda row, state: edit(row, Qt.CheckState(state) is Qt.CheckState.Checked)


def _in_the_middle(align: Qt.AlignmentFlag) -> int:
    # A delegate puts a value whose alignment names no height at the top of its cell.
    if not align & Qt.AlignmentFlag.AlignVertical_Mask:
        align |= Qt.AlignmentFlag.AlignVCenter
    return align.value
