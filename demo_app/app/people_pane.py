"""The left side: search, how many were found, and the list of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeyEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from demo_app.app.people import LONGEST_QUERY, People, PeopleState, count_text
from demo_app.app.people_list import PeopleList, Row
from demo_app.look.empty_state import EmptyState
from demo_app.look.icons import icon
from qtorch import bind, bind_two_way, combine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtGui import QImage

    from demo_app.app.connection import Connection
    from demo_app.app.pictures import PictureKey, Pictures
    from demo_app.app.profile import Profile, ProfileState
    from demo_app.server.models import PersonSummary


class SearchEdit(QLineEdit):
    """A line edit from which Down leads into a list."""

    def __init__(self, below: PeopleList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._below = below
        self.setPlaceholderText("Search people (Ctrl+F)")
        self.setAccessibleName("Search people")
        self.setMaxLength(LONGEST_QUERY)
        self.addAction(icon("search", QPalette.ColorRole.PlaceholderText), QLineEdit.ActionPosition.LeadingPosition)
        # Not Qt's own clear button: its picture is black in the dark theme too.
        self.clear_action = QAction(icon("x"), "Clear the search", self)
        self.addAction(self.clear_action, QLineEdit.ActionPosition.TrailingPosition)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Down goes to the list."""
        if event.key() == Qt.Key.Key_Down:
            self._below.enter()
        else:
            super().keyPressEvent(event)


class PeoplePane(QWidget):
    """Search and list, bound to the people; a row that is chosen is shown by the profile."""

    def __init__(
        self, connection: Connection, people: People, pictures: Pictures, profile: Profile, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setProperty("panel", "side")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._pictures = pictures
        self.list = PeopleList(self)
        self.search = SearchEdit(self.list, self)
        self.count = QLabel(self)
        self.count.setProperty("tone", "muted")
        self.count.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.nobody = EmptyState("users", "", "", self)

        stack = QStackedLayout()
        stack.addWidget(self.list)
        stack.addWidget(self.nobody)
        row = QHBoxLayout()
        row.setContentsMargins(4, 0, 4, 0)
        row.addWidget(self.count)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 4, 0)
        layout.setSpacing(8)
        layout.addWidget(self.search)
        layout.addLayout(row)
        layout.addLayout(stack, 1)

        bind_two_way(self.search, people.field(lambda s: s.query))
        bind(self.search.clear_action, "visible", people.select(lambda s: bool(s.query)))
        self.search.clear_action.triggered.connect(people.clear_query)
        bind(self.count, "text", people.select(lambda s: count_text(s.matches, s.everybody, s.answered)))
        images = pictures.select(lambda s: s.images)
        side = self.list.picture_side
        bind(self.list.set_rows, combine(people.select(lambda s: s.rows), images, lambda p, i: _rows(p, i, side)))
        bind(self.list.set_chosen, profile.select(_current))
        bind(lambda _: self.list.scrollToTop(), people.select(lambda s: s.answered), owner=self.list)
        bind(stack, "currentIndex", people.select(lambda s: 0 if s.rows else 1))
        words = combine(people.select(lambda s: s), connection.select(lambda s: s.server is not None), _why_empty)
        bind(self.nobody, "title", words.map(lambda w: w[0]))
        bind(self.nobody, "text", words.map(lambda w: w[1]))

        self.list.person_chosen.connect(profile.choose)
        self.list.end_near.connect(people.load_more)
        self.list.rows_seen.connect(self._want_pictures)

    def _want_pictures(self, rows: tuple[Row, ...]) -> None:
        paths = (row.person.avatar for row in rows)
        self._pictures.want(paths, self.list.picture_side, self.devicePixelRatio())


def _rows(people: tuple[PersonSummary, ...], images: Mapping[PictureKey, QImage], side: int) -> tuple[Row, ...]:
    return tuple(Row(person, images.get((person.avatar, side)) if person.avatar else None) for person in people)


def _current(state: ProfileState) -> int | None:
    """Who is the current one in the list: who is shown, or whom the user is about to go to."""
    leaving = state.leaving
    person = leaving.to if leaving is not None and leaving.to is not None else state.chosen
    return None if person is None else person.id


def _why_empty(state: PeopleState, is_connected: bool) -> tuple[str, str]:
    """Say why there is nothing in the list, and what to do about it."""
    if state.problem or (not is_connected and state.matches is None):
        return ("Nobody here yet", "The people are shown as soon as the server answers.")
    if state.matches is None:
        return ("Loading", "The people are on their way.")
    if state.answered.strip():
        return ("Nobody found", f"Nothing matches “{state.answered.strip()}”. Esc clears the search.")
    return ("Nobody here", "This server has no people.")
