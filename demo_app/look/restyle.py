"""Make the style sheet see a property that has changed."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget


def restyle(widget: QWidget) -> None:
    """Match the style sheet's selectors again with ``widget`` and all in it; Qt does not when a property changes."""
    for each in (widget, *widget.findChildren(QWidget)):
        each.style().unpolish(each)
        each.style().polish(each)
        each.update()
