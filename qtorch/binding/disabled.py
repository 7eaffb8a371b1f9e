"""Widgets that are disabled for a while."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING

import shiboken6

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


class Disabled:
    """Disables widgets until :meth:`end`; those that were disabled before stay so."""

    __slots__ = ("_widgets",)

    def __init__(self, widgets: Iterable[QWidget]) -> None:
        self._widgets: list[weakref.ref[QWidget]] = []
        for widget in widgets:
            parent = widget.parentWidget()
            # One that is disabled with its parent only is enabled itself.
            if widget.isEnabled() if parent is None else widget.isEnabledTo(parent):
                self._widgets.append(weakref.ref(widget))
                widget.setEnabled(False)

    def end(self) -> None:
        """Enable them again."""
        for reference in self._widgets:
            widget = reference()
            if widget is not None and shiboken6.isValid(widget):
                widget.setEnabled(True)
