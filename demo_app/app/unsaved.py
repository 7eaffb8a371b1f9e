"""The question that is asked before unsaved changes would be lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QAbstractButton, QMessageBox, QPushButton, QWidget

from qtorch import bind

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo_app.app.profile import Profile

_Role = QMessageBox.ButtonRole
_NO_BUTTONS = QMessageBox.StandardButton.NoButton


class UnsavedQuestion(QObject):
    """Asks while the profile wants to be left with unsaved changes, and gives the answer to it.

    The dialog is opened, not executed: a nested event loop inside an asyncio task would stop the others for good.
    """

    def __init__(self, profile: Profile, window: QWidget) -> None:
        super().__init__(window)
        self._profile = profile
        self._window = window
        self._box: QMessageBox | None = None
        bind(self._ask, profile.select(lambda s: s.leaving is not None and not s.leaving.saves))

    def _ask(self, is_open: bool) -> None:
        if self._box is not None:
            box, self._box = self._box, None
            box.close()
        if is_open:
            self._open()

    def _open(self) -> None:
        profile, shown = self._profile, self._profile.state.shown
        name = shown.name if shown is not None else "this person"
        box = self._box = QMessageBox(
            QMessageBox.Icon.Question, "Unsaved changes", f"Save the changes of {name}?", _NO_BUTTONS, self._window
        )
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setTextFormat(Qt.TextFormat.PlainText)
        answers: dict[QAbstractButton, Callable[[], object]] = {}

        def add(text: str, role: QMessageBox.ButtonRole, answer: Callable[[], object]) -> QPushButton:
            button = box.addButton(text, role)
            answers[button] = answer
            return button

        add("&Discard", _Role.DestructiveRole, profile.discard_and_leave)
        stay = add("&Cancel", _Role.RejectRole, profile.stay)
        if profile.form.is_valid:
            box.setDefaultButton(add("&Save", _Role.AcceptRole, profile.save_and_leave))
            box.setInformativeText("Without saving they are lost.")
        else:
            box.setDefaultButton(stay)
            box.setInformativeText("They cannot be saved as they are. Cancel to correct them.")
        box.setEscapeButton(stay)

        def answered() -> None:
            if self._box is box:
                self._box = None
                answers.get(box.clickedButton(), profile.stay)()

        box.finished.connect(answered)
        box.open()
