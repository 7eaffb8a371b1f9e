"""The list of people: rows drawn by the look's delegate, kept in step with the state by key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QImage, QResizeEvent
from PySide6.QtWidgets import QFrame, QListView, QStyleOptionViewItem, QWidget

from demo_app.look.person_delegate import PersonDelegate, PersonRole
from demo_app.server.models import PersonSummary
from qtorch import KeyedListModel

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
        self._rows: tuple[Row, ...] = ()
        self._chosen: int | None = None
        self._is_updating = False
        self._model: KeyedListModel[Row] = KeyedListModel(
            key=lambda row: row.person.id,
            roles={
                Qt.ItemDataRole.DisplayRole: lambda row: row.person.name,
                Qt.ItemDataRole.AccessibleTextRole: lambda row: ", ".join(
                    (row.person.name, row.person.email, row.person.role)
                ),
                PersonRole.EMAIL: lambda row: row.person.email,
                PersonRole.ROLE: lambda row: "" if row.person.role == "viewer" else row.person.role,
                PersonRole.AVATAR: lambda row: row.picture,
                PersonRole.PERSON_ID: lambda row: row.person.id,
            },
            parent=self,
        )
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
            self._rows = rows
            self._model.set_items(rows)
            self._restore()
        self._look()

    def set_chosen(self, person_id: int | None) -> None:
        """Make a person's row the current one, if it is there."""
        self._chosen = person_id
        with self._updating():
            self._restore()

    def currentChanged(
        self, current: QModelIndex | QPersistentModelIndex, previous: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Tell of the new current row if it was the user who moved there."""
        super().currentChanged(current, previous)
        if current.isValid() and not self._is_updating:
            person = self._rows[current.row()].person
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
        number = next((number for number, row in enumerate(self._rows) if row.person.id == self._chosen), -1)
        # Not if it is the current one already: setCurrentIndex scrolls there, and the user may be elsewhere.
        if self.currentIndex().row() != number:
            self.setCurrentIndex(self._model.index(number))
        if number < 0:
            self.clearSelection()

    def _look(self) -> None:
        """Tell which rows are on the screen."""
        if not self._rows:
            return
        height = self.viewport().height()
        first = max(0, self.indexAt(QPoint(0, 0)).row())
        last = self.indexAt(QPoint(0, height - 1)).row() if height > 0 else first
        last = len(self._rows) - 1 if last < 0 else last
        self.rows_seen.emit(self._rows[first : last + 1])
        if last >= len(self._rows) - _NEAR:
            self.end_near.emit()
