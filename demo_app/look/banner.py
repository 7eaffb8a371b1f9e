"""A message across the window that stays until what it says is over, with one thing to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Property, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from demo_app.look.announce import announce
from demo_app.look.dismiss_button import dismiss_button
from demo_app.look.glyph import Glyph
from demo_app.look.kind import Kind
from demo_app.look.restyle import restyle

if TYPE_CHECKING:
    from PySide6.QtGui import QShowEvent


class Banner(QFrame):
    """Icon, text, one action (such as Retry) and a cross.

    It never shows or hides itself: bind ``visible`` to the state that holds the message, and clear that state on
    ``dismissed``. It is announced to screen readers when it appears and when its text changes.

    Parameters
    ----------
    action
        Words on the action button, with its mnemonic; "" for no button. The button is ``action_button``, ready for
        a command to be bound to it.
    kind
        Chooses colours and icon; also the Qt property ``kind``.
    parent
        The widget it belongs to.
    """

    dismissed = Signal()
    """The cross was pressed."""

    def __init__(self, *, action: str = "", kind: Kind | str = Kind.DANGER, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind = Kind(kind)
        self._glyph = Glyph(self._kind.icon_name, parent=self)
        self._label = QLabel(self)
        # A server's words are no markup, and people need to copy them.
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._label.setWordWrap(True)
        self._label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.action_button = QPushButton(action, self)
        self.action_button.setVisible(bool(action))
        self.dismiss_button = dismiss_button(self)
        self.dismiss_button.clicked.connect(self.dismissed)

        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 8, 12, 8)
        layout.setSpacing(10)
        layout.addWidget(self._glyph)
        layout.addWidget(self._label, 1)
        layout.addWidget(self.action_button)
        layout.addWidget(self.dismiss_button)

    def _get_text(self) -> str:
        return self._label.text()

    def set_text(self, text: str) -> None:
        """Say something else."""
        if text != self._label.text():
            self._label.setText(text)
            self.setAccessibleName(text)
            self._announce()

    text = Property(str, _get_text, set_text)

    def _get_kind(self) -> str:
        return self._kind

    def set_kind(self, kind: Kind | str) -> None:
        """Change colours and icon; raises ValueError for an unknown kind."""
        if self._kind != Kind(kind):
            self._kind = Kind(kind)
            self._glyph.set_icon(self._kind.icon_name)
            restyle(self)

    kind = Property(str, _get_kind, set_kind)

    def showEvent(self, event: QShowEvent) -> None:
        """Announce the text each time the banner appears."""
        super().showEvent(event)
        self._announce()

    def _announce(self) -> None:
        if self.isVisible() and self._label.text():
            announce(self, self._label.text(), self._kind)
