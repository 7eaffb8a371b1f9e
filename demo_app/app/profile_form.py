"""The form: every field of a person that can be edited, bound both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QWidget,
)

from demo_app.app.form_field import E, FormField, field_label
from demo_app.look.icons import icon
from demo_app.server.models import ROLES
from qtorch import bind, bind_command, bind_two_way

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo_app.app.profile import Profile
    from demo_app.server.models import Person


class BioEdit(QPlainTextEdit):
    """A text of a few lines. It takes what room there is, but asks for no more than four lines."""

    def __init__(self) -> None:
        super().__init__()
        self.setTabChangesFocus(True)  # Tab leads on, it is no character of a text about a person

    def sizeHint(self) -> QSize:
        """Four lines."""
        return QSize(super().sizeHint().width(), self.fontMetrics().lineSpacing() * 4 + 24)

    def minimumSizeHint(self) -> QSize:
        """No less than that."""
        return QSize(super().minimumSizeHint().width(), self.sizeHint().height())


class ProfileForm(QFrame):
    """Shows the form of a profile and takes what is typed.

    Parameters
    ----------
    saving
        Is shown while the saving takes noticeable time.
    """

    def __init__(self, profile: Profile, saving: QWidget, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("panel", "card")
        form = profile.form

        def text_field(label: str, edit: E, path: Callable[[Person], str]) -> FormField[E]:
            return FormField(label, edit, form.field(path), form.error(path), self)

        self.name = text_field("&Name", QLineEdit(), lambda p: p.name)
        self.email = text_field("E-&mail", QLineEdit(), lambda p: p.email)
        self.title = text_field("&Title", QLineEdit(), lambda p: p.title)
        self.bio = text_field("&Bio", BioEdit(), lambda p: p.bio)
        self.role = QComboBox(self)
        self.role.setAccessibleName("Role")
        self.mentions = QCheckBox("E-mail about menti&ons", self)
        self.public = QCheckBox("P&ublic profile", self)
        self.revert = QPushButton(icon("undo-2"), "&Revert", self)
        self.save = QPushButton("&Save changes", self)
        self.save.setDefault(True)

        checks = QHBoxLayout()
        checks.setSpacing(16)
        checks.addWidget(self.mentions)
        checks.addWidget(self.public)
        checks.addStretch()
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch()
        buttons.addWidget(self.revert)
        buttons.addWidget(self.save)
        layout = QGridLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setHorizontalSpacing(16)
        layout.setVerticalSpacing(10)
        layout.setColumnStretch(1, 1)
        rows: tuple[tuple[QLabel, QWidget], ...] = (
            (self.name.label, self.name),
            (self.email.label, self.email),
            (self.title.label, self.title),
            (field_label("Ro&le", self.role), self.role),
            (self.bio.label, self.bio),
        )
        for number, (label, field) in enumerate(rows):
            layout.addWidget(label, number, 0, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
            layout.addWidget(field, number, 1)
        layout.setRowStretch(len(rows) - 1, 1)  # what is left over is for the bio
        layout.addLayout(checks, len(rows), 1)
        layout.addLayout(buttons, len(rows) + 1, 1)

        bind_two_way(self.role, form.field(lambda p: p.role), items=[(role.capitalize(), role) for role in ROLES])
        bind_two_way(self.mentions, form.field(lambda p: p.mentions))
        bind_two_way(self.public, form.field(lambda p: p.public))
        is_there = profile.select(lambda s: s.stored is not None)
        for field in self.fields:
            bind(field, "enabled", is_there)
        bind_command(self.save, form.submit, busy=saving)
        bind_command(self.revert, profile.revert)
        for line in (self.name, self.email, self.title):
            line.edit.returnPressed.connect(form.submit.trigger)

    @property
    def fields(self) -> tuple[QWidget, ...]:
        """Everything in it that can be edited, in reading order."""
        texts = (self.name.edit, self.email.edit, self.title.edit)
        return (*texts, self.role, self.bio.edit, self.mentions, self.public)

    @property
    def editors(self) -> tuple[QWidget, ...]:
        """Everything in it that takes the focus, in reading order."""
        return (*self.fields, self.revert, self.save)
