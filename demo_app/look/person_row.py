"""The geometry and the colours of one row in the list of people."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPalette, QPen
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from demo_app.look.avatars import paint_avatar
from demo_app.look.contrast import mix
from demo_app.look.fonts import scaled

MUTED_ON_SELECTION = 0.9
"""Share of the selected text's colour in the e-mail address of the selected row."""

_RING = 2  # width of the focus ring, and of the gap between it and the row's own background
_PADDING = 8
_GAP = 12
_LEAST_TEXT_WIDTH = 6  # in average characters; the badge gives way before the name gets narrower


@dataclass(frozen=True, slots=True)
class Person:
    """What one row shows."""

    name: str
    email: str
    role: str
    person_id: int | str
    picture: QImage | None


class PersonRow:
    """Where everything is in the row of ``person``; rectangles are in the view's coordinates.

    The row grows with the option's font and is mirrored in a right-to-left layout. ``badge`` is empty where there is
    no role or no room for it.
    """

    def __init__(self, option: QStyleOptionViewItem, person: Person) -> None:
        self._option = option
        self._person = person
        self._name_font = scaled(option.font, 1, QFont.Weight.DemiBold)
        self._badge_font = scaled(option.font, 0.85, QFont.Weight.DemiBold)
        name_metrics, email_metrics = QFontMetrics(self._name_font), QFontMetrics(option.font)
        badge_metrics = QFontMetrics(self._badge_font)
        least_text_width = _LEAST_TEXT_WIDTH * email_metrics.averageCharWidth()
        line_gap = email_metrics.height() // 8
        text_height = name_metrics.height() + line_gap + email_metrics.height()
        side = round(text_height * 1.05)

        # Narrow on purpose: a list view shows a horizontal scroll bar if it cannot give this width.
        margin = 2 * _RING + _PADDING
        self.size_hint = QSize(2 * margin + side + _GAP + least_text_width, side + 2 * margin)

        self.card = option.rect.adjusted(2 * _RING, _RING, -2 * _RING, -_RING)
        inner = self.card.adjusted(_PADDING, 0, -_PADDING, 0)
        middle = inner.top() + inner.height() // 2
        avatar = QRect(inner.left(), middle - side // 2, side, side)
        name = QRect(avatar.right() + 1 + _GAP, middle - text_height // 2, 0, name_metrics.height())
        name.setRight(inner.right())
        email = QRect(name.left(), name.bottom() + 1 + line_gap, name.width(), email_metrics.height())
        badge = QRect()
        if person.role:
            width = badge_metrics.horizontalAdvance(person.role) + badge_metrics.height()
            height = badge_metrics.height() + 4
            if name.width() - width - _GAP >= least_text_width:
                badge = QRect(inner.right() + 1 - width, name.center().y() - height // 2, width, height)
                name.setRight(badge.left() - 1 - _GAP)

        self._name_text = name_metrics.elidedText(person.name, Qt.TextElideMode.ElideRight, name.width())
        self._email_text = email_metrics.elidedText(person.email, Qt.TextElideMode.ElideRight, email.width())
        self.avatar, self.name, self.email, self.badge = (
            QStyle.visualRect(option.direction, option.rect, rect) for rect in (avatar, name, email, badge)
        )

    @property
    def is_shortened(self) -> bool:
        """Whether name or e-mail address did not fit."""
        return (self._name_text, self._email_text) != (self._person.name, self._person.email)

    def paint(self, painter: QPainter) -> None:
        """Draw everything, with hover, selection and keyboard focus."""
        state = self._option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        roles = QPalette.ColorRole
        if selected:
            text = self._color(roles.HighlightedText)
            muted = mix(text, self._color(roles.Highlight), MUTED_ON_SELECTION)
        else:
            text = self._color(roles.Text)
            muted = self._color(roles.PlaceholderText)

        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if selected or state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(self._color(roles.Highlight if selected else roles.Midlight))
            painter.drawRoundedRect(self.card, 8, 8)
        if state & QStyle.StateFlag.State_HasFocus:
            self._paint_focus_ring(painter)
        person = self._person
        paint_avatar(painter, QRectF(self.avatar), person.name, person.person_id, person.picture)
        self._paint_line(painter, self.name, self._name_text, self._name_font, text)
        self._paint_line(painter, self.email, self._email_text, self._option.font, muted)
        if not self.badge.isEmpty():
            self._paint_badge(painter, muted, selected)
        painter.restore()

    def _color(self, role: QPalette.ColorRole) -> QColor:
        enabled = self._option.state & QStyle.StateFlag.State_Enabled
        return self._option.palette.color(QPalette.ColorGroup.Normal if enabled else QPalette.ColorGroup.Disabled, role)

    def _paint_focus_ring(self, painter: QPainter) -> None:
        # Around the card with a gap between, so it stands out on the selection's colour as well.
        ring = QRectF(self._option.rect).adjusted(_RING / 2, 0, -_RING / 2, 0)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self._color(QPalette.ColorRole.Accent), _RING))
        painter.drawRoundedRect(ring, 10, 10)

    def _paint_line(self, painter: QPainter, rect: QRect, text: str, font: QFont, color: QColor) -> None:
        painter.setFont(font)
        painter.setPen(color)
        leading = QStyle.visualAlignment(
            self._option.direction, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        )
        painter.drawText(rect, leading | Qt.TextFlag.TextSingleLine, text)

    def _paint_badge(self, painter: QPainter, color: QColor, selected: bool) -> None:
        roles = QPalette.ColorRole
        pill = QRectF(self.badge).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(color if selected else self._color(roles.Mid))
        painter.setBrush(Qt.BrushStyle.NoBrush if selected else self._color(roles.Window))
        painter.drawRoundedRect(pill, pill.height() / 2, pill.height() / 2)
        painter.setFont(self._badge_font)
        painter.setPen(color)
        painter.drawText(self.badge, Qt.AlignmentFlag.AlignCenter, self._person.role)
