"""How a widget shows that what it holds was refused."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent

from qtorch.binding.styling import set_dynamic_property

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


class InvalidMark:
    """Marks a widget: dynamic property ``invalid`` for style sheets, tooltip, accessible description.

    Screen readers say the message when it appears where the user is, and with the widget when they come to it.
    The widget's own tooltip and description come back when the mark goes.
    """

    def __init__(self, widget: QWidget) -> None:
        self._widget = weakref.ref(widget)
        self._own: tuple[str, str] | None = None
        self.message = ""

    def show(self, message: str) -> None:
        """Mark the widget with ``message``, or take the mark away with an empty one."""
        widget = self._widget()
        if message == self.message or widget is None or not shiboken6.isValid(widget):
            return
        self.message = message
        if message and self._own is None:
            self._own = (widget.toolTip(), widget.accessibleDescription())
        tool_tip, description = (message, message) if message else self._own or ("", "")
        if not message:
            self._own = None
        widget.setToolTip(tool_tip)
        widget.setAccessibleDescription(description)
        set_dynamic_property(widget, "invalid", bool(message))
        if message and widget.hasFocus():
            # To a user who is at another widget it says nothing: the description is read when they come here.
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, message))
