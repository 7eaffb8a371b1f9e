"""Tell screen readers what appeared on the screen without taking the focus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent

from demo_app.look.kind import Kind

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

_Politeness = QAccessible.AnnouncementPoliteness


def announce(widget: QWidget, text: str, kind: Kind) -> None:
    """Have ``text`` read aloud: at once for ``Kind.DANGER``, after the current sentence for the others."""
    event = QAccessibleAnnouncementEvent(widget, text)
    event.setPoliteness(_Politeness.Assertive if kind is Kind.DANGER else _Politeness.Polite)
    QAccessible.updateAccessibility(event)
