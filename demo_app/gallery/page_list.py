"""The titles of the pages, one of them chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import QFrame, QListView, QWidget

from qtorch import KeyedListModel

if TYPE_CHECKING:
    from demo_app.gallery.page import Page


class PageList(QListView):
    """Shows titles, and tells by name which page the user wants to see."""

    chosen = Signal(str)

    def __init__(self, pages: tuple[Page, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model: KeyedListModel[Page] = KeyedListModel(
            key=lambda page: page.name,
            roles={
                Qt.ItemDataRole.DisplayRole: lambda page: page.title,
                Qt.ItemDataRole.ToolTipRole: lambda page: page.purpose,
            },
            parent=self,
        )
        self._model.set_items(pages)
        self.setModel(self._model)
        self.setAccessibleName("Pages")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setProperty("rows", "text")
        self.ensurePolished()  # rows that are measured before the style sheet has come stay too low

    def show_chosen(self, name: str) -> None:
        """Make the row of a page the current one."""
        row = self._model.row_of(name)
        if row is not None:
            self.setCurrentIndex(self._model.index(row))

    def currentChanged(
        self, current: QModelIndex | QPersistentModelIndex, previous: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Tell of the row that is the current one now."""
        super().currentChanged(current, previous)
        if current.isValid():
            self.chosen.emit(self._model.item(current.row()).name)
