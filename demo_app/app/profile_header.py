"""Who is shown: picture, name, a line about them, and the state of what is shown in badges."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from demo_app.app.jobs import SavePersonJob
from demo_app.look.avatar_view import AvatarView
from demo_app.look.badge import Badge
from demo_app.look.fonts import scaled
from demo_app.look.icons import icon
from demo_app.look.kind import Kind
from qtorch import bind, combine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtGui import QImage

    from demo_app.app.pictures import PictureKey, Pictures
    from demo_app.app.profile import Profile, ProfileState
    from demo_app.server.models import Person, PersonSummary


class ProfileHeader(QWidget):
    """The head of a profile.

    Attributes
    ----------
    change_picture
        The button; what it does is up to the window.
    saving
        The badge to show while the person is being saved.
    """

    def __init__(self, profile: Profile, pictures: Pictures, parent: QWidget) -> None:
        super().__init__(parent)
        self._pictures = pictures
        self.picture = AvatarView(parent=self)
        self.name = QLabel(self)
        self.name.setFont(scaled(self.font(), 1.8, QFont.Weight.Bold))
        self.about = QLabel(self)
        self.about.setProperty("tone", "muted")
        for label in (self.name, self.about):
            label.setTextFormat(Qt.TextFormat.PlainText)  # a name is no markup
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setWordWrap(True)
            # However long a name is, it never makes the window wider.
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.unsaved = Badge("Unsaved changes", Kind.WARNING, self)
        self.cached = Badge("", Kind.INFO, self)
        self.saving = Badge("Saving…", Kind.INFO, self)
        self.change_picture = QPushButton(icon("camera"), "Change &photo…", self)

        badges = QHBoxLayout()
        badges.setSpacing(6)
        for badge in (self.unsaved, self.cached, self.saving):
            badges.addWidget(badge)
        badges.addStretch()
        # The name has the whole width: beside the button, a long one would need ten lines in a small window.
        words = QGridLayout()
        words.setHorizontalSpacing(18)
        words.setVerticalSpacing(4)
        words.setColumnStretch(0, 1)
        words.addWidget(self.name, 0, 0, 1, 2)
        words.addWidget(self.about, 1, 0)
        words.addWidget(self.change_picture, 1, 1)
        words.addLayout(badges, 2, 0, 1, 2)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(18)
        layout.addWidget(self.picture, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)

        shown = profile.select(lambda s: s.shown)
        bind(self.name, "text", shown.map(lambda person: person.name if person else ""))
        bind(self.about, "text", profile.select(_about))
        is_dirty, saves = profile.form.select(lambda s: s.is_dirty), profile.running(SavePersonJob)
        bind(self.unsaved, "visible", combine(is_dirty, saves, lambda is_dirty, saves: is_dirty and not saves))
        bind(self.cached, "text", profile.select(lambda s: s.cached_at), to=_cached)
        bind(self.cached, "visible", profile.select(lambda s: s.cached_at is not None))
        bind(self.change_picture, "enabled", profile.select(lambda s: s.stored is not None))
        bind(self._show, shown)
        side = self.picture.side
        images = pictures.select(lambda s: s.images)
        bind(self.picture.set_picture, combine(shown, images, lambda person, them: _image(person, them, side)))

    def _show(self, person: Person | PersonSummary | None) -> None:
        if person is not None:
            self.picture.set_person(person.name, person.id)
            self._pictures.want((person.avatar,), self.picture.side, self.devicePixelRatio())


def _image(person: Person | PersonSummary | None, images: Mapping[PictureKey, QImage], side: int) -> QImage | None:
    return images.get((person.avatar, side)) if person is not None and person.avatar is not None else None


def _about(state: ProfileState) -> str:
    if state.stored is not None:
        stored = state.stored
        parts = (stored.title, stored.role.capitalize(), f"member since {stored.member_since}")
        return " · ".join(part for part in parts if part)
    return state.chosen.role.capitalize() if state.chosen is not None else ""


def _cached(at: float | None) -> str:
    return "" if at is None else time.strftime("Cached at %H:%M", time.localtime(at))
