"""The right side: one person from head to foot, or the advice to choose one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from demo_app.app.profile_form import ProfileForm
from demo_app.app.profile_header import ProfileHeader
from demo_app.app.upload_row import UploadRow
from demo_app.look.empty_state import EmptyState
from qtorch import bind

if TYPE_CHECKING:
    from demo_app.app.picture import Picture
    from demo_app.app.pictures import Pictures
    from demo_app.app.profile import Profile


class ProfilePane(QStackedWidget):
    """One person, in a scroll area: a small window shows a part of them rather than squeezing all."""

    def __init__(self, profile: Profile, picture: Picture, pictures: Pictures, parent: QWidget) -> None:
        super().__init__(parent)
        page = QWidget(self)
        self.header = ProfileHeader(profile, pictures, page)
        self.upload = UploadRow(picture, page)
        self.form = ProfileForm(profile, self.header.saving, page)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(24, 20, 24, 16)
        layout.setSpacing(14)
        layout.addWidget(self.header)
        layout.addWidget(self.upload)
        layout.addWidget(self.form, 1)

        area = QScrollArea(self)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the fields in it scroll it as they get the focus
        area.setWidget(page)
        advice = EmptyState("user", "Nobody chosen", "Choose a person in the list to see and change the profile.", self)
        self.addWidget(advice)
        self.addWidget(area)
        bind(self, "currentIndex", profile.select(lambda s: 0 if s.chosen is None else 1))
