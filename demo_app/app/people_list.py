"""The list of people: rows drawn by the look's delegate, kept in step with the state by key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QListView, QStyleOptionViewItem, QWidget

from demo_app.look.person_delegate import PersonDelegate, PersonRole
from qtorch import KeyedListModel

if TYPE_CHECKING:
    from PySide6.QtGui import QImage, QResizeEvent

    from demo_app.server.models import PersonSummary

_NEAR = 15
"""Rows before the end at which more are asked for: they arrive before the end does."""


class Row(NamedTuple):
    """One person in the list, with the picture if it is there."""

    person: PersonSummary
    picture: QImage | None


class PeopleList(QListView):
    """Shows rows, and tells what the user does with them and which are on the screen."""

    person_chosen = Signal(object)
    """The user moved to another row: the PersonSummary. Not emitted when the rows change under the current one."""

    rows_seen = Signal(object)
    """These rows (a tuple) are on the screen now."""

    end_near = Signal()
    """The user is about to see the last row."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chosen: int | None = None
        self._is_updating = False
        roles: dict[int, Callable[[Row], object]] = {
            Qt.ItemDataRole.DisplayRole: lambda row: row.person.name,
            Qt.ItemDataRole.AccessibleTextRole: lambda row: f"{row.person.name}, {row.person.email}, {row.person.role}",
            PersonRole.EMAIL: lambda row: row.person.email,
            PersonRole.ROLE: lambda row: "" if row.person.role == "viewer" else row.person.role.capitalize(),
            PersonRole.AVATAR: lambda row: row.picture,
            PersonRole.PERSON_ID: lambda row: row.person.id,
        }
        self._model: KeyedListModel[Row] = KeyedListModel(key=lambda row: row.person.id, roles=roles, parent=self)
        self.setModel(self._model)
        self._delegate = PersonDelegate(self)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName("People")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalScrollBar().valueChanged.connect(self._look)

    @property
    def picture_side(self) -> int:
        """Width and height of the pictures in the rows, in device-independent pixels."""
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        return self._delegate.row(option, QModelIndex()).avatar.height()

    def set_rows(self, rows: tuple[Row, ...]) -> None:
        """Show other rows; the current one stays current wherever it goes, and is none if it goes away."""
        with self._updating():
            self._model.set_items(rows)
            self._restore()
        self._look()

    def set_chosen(self, person_id: int | None) -> None:
        """Make a person's row the current one, if it is there."""
        self._chosen = person_id
        with self._updating():
            self._restore()

    def enter(self) -> None:
        """Take the focus; if there is no current row, the first one becomes it, and that person is chosen."""
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if not self.currentIndex().isValid():
            self.setCurrentIndex(self._model.index(0))

    def currentChanged(
        self, current: QModelIndex | QPersistentModelIndex, previous: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Tell of the new current row if it was the user who moved there."""
        super().currentChanged(current, previous)
        if current.isValid() and not self._is_updating:
            person = self._model.item(current.row()).person
            self._chosen = person.id
            self.person_chosen.emit(person)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See more rows, or fewer."""
        super().resizeEvent(event)
        self._look()

    @contextmanager
    def _updating(self) -> Iterator[None]:
        # Qt makes another row the current one when the current one is removed: nobody has chosen that person.
        before, self._is_updating = self._is_updating, True
        try:
            yield
        finally:
            self._is_updating = before

    def _restore(self) -> None:
        row = None if self._chosen is None else self._model.row_of(self._chosen)
        if row is None:
            self.setCurrentIndex(QModelIndex())
            self.clearSelection()
        elif row != self.currentIndex().row():
            # Not if it is the current one already: setCurrentIndex scrolls there, and the user may be elsewhere.
            self.setCurrentIndex(self._model.index(row))

    def _look(self) -> None:
        """Tell which rows are on the screen."""
        count = self._model.rowCount()
        if count == 0:
            return
        first = max(0, self.indexAt(QPoint(0, 0)).row())
        last = self.indexAt(QPoint(0, self.viewport().height() - 1)).row()
        last = count - 1 if last < 0 else last  # no row reaches down there
        self.rows_seen.emit(tuple(self._model.item(row) for row in range(first, last + 1)))
        if last >= count - _NEAR:
            self.end_near.emit()
