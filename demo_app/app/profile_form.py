"""The form: every field bound both ways to the draft."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QWidget,
)

from demo_app.app.form_field import FormField
from demo_app.look.icons import icon
from demo_app.server.models import ROLES
from qtorch import bind_command, bind_two_way

if TYPE_CHECKING:
    from demo_app.app.profile import Profile
    from qtorch import Command, Field


class ProfileForm(QFrame):
    """Shows the draft of a profile and takes what is typed."""

    def __init__(self, profile: Profile, save: Command, revert: Command, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("panel", "card")

        def text_field(label: str, edit: QLineEdit | QPlainTextEdit, name: str) -> FormField:
            fault = profile.select(lambda s: s.faults.get(name, ""))
            return FormField(label, edit, _draft(profile, name), fault, self)

        bio = QPlainTextEdit()
        bio.setTabChangesFocus(True)  # Tab leads on, it is no character of a text about a person
        bio.setMinimumHeight(bio.fontMetrics().lineSpacing() * 4)
        self.name = text_field("&Name", QLineEdit(), "name")
        self.email = text_field("E-&mail", QLineEdit(), "email")
        self.title = text_field("&Title", QLineEdit(), "title")
        self.bio = text_field("&Bio", bio, "bio")
        self.role = QComboBox(self)
        for role in ROLES:
            self.role.addItem(role.capitalize(), role)
        self.role.setAccessibleName("Role")
        role_label = QLabel("Ro&le", self)
        role_label.setBuddy(self.role)
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
        layout = QFormLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setHorizontalSpacing(16)
        layout.setVerticalSpacing(10)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        layout.setLabelAlignment(Qt.AlignmentFlag.AlignRight)
        for each in (self.name, self.email, self.title):
            layout.addRow(each.label, each)
        layout.addRow(role_label, self.role)
        layout.addRow(self.bio.label, self.bio)
        layout.addRow("", checks)
        layout.addRow("", buttons)

        bind_two_way(self.role, _draft(profile, "role"))
        bind_two_way(self.mentions, _draft(profile, "mentions"))
        bind_two_way(self.public, _draft(profile, "public"))
        bind_command(self.save, save)
        bind_command(self.revert, revert)
        for line in (self.name, self.email, self.title):
            line.edit.returnPressed.connect(save.trigger)


def _draft(profile: Profile, name: str) -> Field[Any]:
    return profile.field(lambda s: getattr(s.draft, name))
