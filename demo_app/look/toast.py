"""A passing message at the bottom of a window: something was done, perhaps it can be undone."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPalette
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from demo_app.look.announce import announce
from demo_app.look.dismiss_button import dismiss_button
from demo_app.look.glyph import Glyph
from demo_app.look.kind import Kind

MIN_DURATION_MS = 5000
MS_PER_CHARACTER = 60
"""About 200 words a minute, so a long message is not gone before it is read."""

MARGIN = 24


class Toast(QFrame):
    """Floats over the bottom centre of ``area`` and takes neither the focus nor room in its layout.

    It goes by itself, but not while the mouse is over it or the focus is in it. A new message replaces the old one.

    Parameters
    ----------
    area
        The widget it floats over: its parent.
    """

    action_triggered = Signal()
    """The button of the message was pressed; the toast is hidden already."""

    def __init__(self, area: QWidget) -> None:
        super().__init__(area)
        self._area = area
        self._glyph = Glyph(Kind.SUCCESS.icon_name, parent=self)
        self._label = QLabel(self)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._action = QPushButton(self)
        self._action.clicked.connect(self._trigger_action)
        self._dismiss = dismiss_button(self, QPalette.ColorRole.ToolTipText)
        self._dismiss.clicked.connect(self.hide)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._hide_unless_in_use)

        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 8, 8, 8)
        layout.setSpacing(10)
        layout.addWidget(self._glyph)
        layout.addWidget(self._label, 1)
        layout.addWidget(self._action)
        layout.addWidget(self._dismiss)
        self.hide()
        area.installEventFilter(self)

    def show_message(self, text: str, *, kind: Kind = Kind.SUCCESS, action: str = "") -> None:
        """Show ``text`` for five seconds or longer, with a button if ``action`` has words for one."""
        self._glyph.set_icon(kind.icon_name)
        self._label.setText(text)
        self._action.setText(action)
        self._action.setVisible(bool(action))
        self.setAccessibleName(text)
        self._place()
        self.show()
        self.raise_()
        self._timer.start(max(MIN_DURATION_MS, MS_PER_CHARACTER * len(text)))
        announce(self, text, kind)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: ARG002 Qt's signature
        """Stay at the bottom centre when the area is resized."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False

    def changeEvent(self, event: QEvent) -> None:
        """Keep its place when font or theme change its size."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange) and self.isVisible():
            self._place()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc hides it."""
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            super().keyPressEvent(event)

    def _trigger_action(self) -> None:
        self.hide()
        self.action_triggered.emit()

    def _hide_unless_in_use(self) -> None:
        focus = QApplication.focusWidget()
        if self.underMouse() or (focus is not None and self.isAncestorOf(focus)):
            self._timer.start()
        else:
            self.hide()

    def _place(self) -> None:
        # As wide as the text in one line if there is room; a label that may wrap would ask for a narrow column.
        self._label.setWordWrap(False)
        width = min(self.sizeHint().width(), self._area.width() - 2 * MARGIN)
        self._label.setWordWrap(True)
        self.resize(width, self.heightForWidth(width))
        self.move((self._area.width() - width) // 2, self._area.height() - self.height() - MARGIN)
