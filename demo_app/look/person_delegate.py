"""Show people in an item view: which roles the model answers, drawn as a ``PersonRow``."""

from __future__ import annotations

import html
from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtWidgets import QAbstractItemView, QStyledItemDelegate, QStyleOptionViewItem, QToolTip

from demo_app.look.person_row import Person, PersonRow

if TYPE_CHECKING:
    from PySide6.QtGui import QHelpEvent, QPainter

_Index: TypeAlias = QModelIndex | QPersistentModelIndex


class PersonRole(IntEnum):
    """What the delegate asks the model for, beside the name in ``Qt.DisplayRole``.

    The model should also answer ``Qt.AccessibleTextRole`` with name, e-mail address and role: a screen reader does
    not see what the delegate draws.
    """

    EMAIL = Qt.ItemDataRole.UserRole + 1
    """str"""
    ROLE = Qt.ItemDataRole.UserRole + 2
    """str, shown in a pill; "" or None for no pill"""
    AVATAR = Qt.ItemDataRole.UserRole + 3
    """QImage made by ``avatars.round_picture``, or None for drawn initials"""
    PERSON_ID = Qt.ItemDataRole.UserRole + 4
    """int or str; chooses the colour behind the initials"""


class PersonDelegate(QStyledItemDelegate):
    """Draws rows that grow with the font, shorten what is too long and show the whole of it in a tooltip.

    Parameters
    ----------
    view
        The view it is made for, its parent. The view still has to be given it with ``setItemDelegate``.
    """

    def __init__(self, view: QAbstractItemView) -> None:
        super().__init__(view)
        # Fusion does not ask for it, and without it no row is told that the mouse is over it.
        view.viewport().setAttribute(Qt.WidgetAttribute.WA_Hover)

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Height by the font; the least width a row can do with."""
        return self.row(option, index).size_hint

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw the row."""
        self.row(option, index).paint(painter)

    def helpEvent(
        self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: _Index
    ) -> bool:
        """Show the whole name and address in a tooltip if the row has shortened them."""
        if event.type() != QEvent.Type.ToolTip or not self.row(option, index).is_shortened:
            return super().helpEvent(event, view, option, index)
        person = _person(index)
        # Escaped, and with a tag in it so that Qt takes it for rich text: a name is no markup.
        QToolTip.showText(event.globalPos(), f"{html.escape(person.name)}<br>{html.escape(person.email)}", view)
        return True

    def row(self, option: QStyleOptionViewItem, index: _Index) -> PersonRow:
        """The row as it is drawn with ``option``."""
        filled = QStyleOptionViewItem(option)
        self.initStyleOption(filled, index)
        return PersonRow(filled, _person(index))


def _person(index: _Index) -> Person:
    return Person(
        name=index.data(Qt.ItemDataRole.DisplayRole) or "",
        email=index.data(PersonRole.EMAIL) or "",
        role=index.data(PersonRole.ROLE) or "",
        person_id=index.data(PersonRole.PERSON_ID),
        picture=index.data(PersonRole.AVATAR),
    )
