"""People in a real list view."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QHelpEvent, QImage
from PySide6.QtWidgets import QApplication, QListView, QStyleOptionViewItem, QToolTip

from demo_app.look.avatars import round_picture
from demo_app.look.fonts import scaled
from demo_app.look.person_delegate import PersonDelegate, PersonRole

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from demo_app.look.theme import Theme
    from demo_app.look.tokens import Tokens

PEOPLE: list[dict[int, Any]] = [
    {Qt.ItemDataRole.DisplayRole: "Ada Lovelace", PersonRole.EMAIL: "ada@example.org", PersonRole.ROLE: "Admin"},
    {Qt.ItemDataRole.DisplayRole: "<b>Bob</b> " * 20, PersonRole.EMAIL: "bob@example.org", PersonRole.ROLE: "Editor"},
    {},
]


class People(QAbstractListModel):
    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008 Qt's signature
        return len(PEOPLE)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = 0) -> object:
        return PEOPLE[index.row()].get(role, index.row() if role == PersonRole.PERSON_ID else None)


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> QListView:
    view = QListView()
    view.setModel(People(view))
    view.setItemDelegate(PersonDelegate(view))
    view.resize(320, 400)
    qtbot.addWidget(view)
    with qtbot.waitExposed(view):
        view.show()
    # A test may have left the pointer where this window has come, and the row there is lit.
    qtbot.mouseMove(view.viewport(), view.viewport().rect().bottomRight())
    return view


def row_image(view: QListView, row: int) -> QImage:
    return view.viewport().grab(view.visualRect(view.model().index(row, 0))).toImage()


def test_a_person_of_whom_nothing_is_known_is_still_a_row(view: QListView, pixels, theme: Theme) -> None:
    image = row_image(view, 2)
    assert image.height() == row_image(view, 0).height()
    assert pixels.count(image, theme.tokens.surface) < image.width() * image.height(), "the avatar with a ?"


@pytest.mark.realtime
def test_rows_follow_the_font_of_the_application_while_the_list_is_open(
    qapp: QApplication, qtbot: QtBot, view: QListView
) -> None:
    def height() -> int:
        return view.visualRect(view.model().index(0, 0)).height()

    before = height()
    qapp.setFont(scaled(qapp.font(), 2))
    qtbot.waitUntil(lambda: height() >= 1.5 * before)
    assert view.visualRect(view.model().index(1, 0)).top() >= height()


def test_the_current_row_shows_that_the_list_has_the_keyboard(
    qtbot: QtBot, view: QListView, theme: Theme, pixels
) -> None:
    view.clearFocus()
    view.setCurrentIndex(view.model().index(0, 0))
    selected = row_image(view, 0)
    view.activateWindow()
    view.setFocus()
    qtbot.waitUntil(view.hasFocus)
    assert pixels.differing(row_image(view, 0), selected) > selected.width() + selected.height()
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert view.currentIndex().row() == 1
    assert pixels.count(row_image(view, 1), theme.tokens.selection) > 3000


def test_the_row_under_the_mouse_is_lit(qtbot: QtBot, view: QListView, theme: Theme, pixels) -> None:
    for row, other in ((0, 1), (1, 0)):
        qtbot.mouseMove(view.viewport(), view.visualRect(view.model().index(row, 0)).center())
        qtbot.waitUntil(lambda: pixels.count(row_image(view, row), theme.tokens.hover) > 3000)  # noqa: B023
        assert pixels.count(row_image(view, other), theme.tokens.hover) == 0


def test_a_theme_switch_recolours_the_rows_of_an_open_list(
    in_turn: Callable[[], Iterator[Tokens]], view: QListView, pixels
) -> None:
    for tokens in in_turn():
        image = row_image(view, 0)
        assert pixels.count(image, tokens.surface) > image.width() * image.height() / 2
        assert pixels.legible(image, tokens.surface) > 200


def ask_for_tooltip(view: QListView, row: int) -> bool:
    index = view.model().index(row, 0)
    rect = view.visualRect(index)
    option = QStyleOptionViewItem()
    view.initViewItemOption(option)
    option.rect = rect
    event = QHelpEvent(QEvent.Type.ToolTip, rect.center(), view.viewport().mapToGlobal(rect.center()))
    return view.itemDelegate().helpEvent(event, view, option, index)


@pytest.mark.realtime
@pytest.mark.qt_log_ignore("does not support raise", extend=True)  # the offscreen platform, of any tooltip
def test_a_shortened_row_shows_all_of_it_in_a_tooltip_and_takes_a_name_for_no_markup(
    qtbot: QtBot, view: QListView
) -> None:
    assert ask_for_tooltip(view, 1)
    assert QToolTip.text().startswith("&lt;b&gt;Bob&lt;/b&gt;")
    assert QToolTip.text().endswith("<br>bob@example.org")
    QToolTip.hideText()
    qtbot.waitUntil(lambda: not QToolTip.isVisible())


def test_a_row_that_fits_has_no_tooltip(view: QListView) -> None:
    assert not ask_for_tooltip(view, 0)
    assert not QToolTip.isVisible()


def test_the_roles_stay_clear_of_qts_own() -> None:
    assert min(PersonRole) > Qt.ItemDataRole.UserRole
    assert len(set(PersonRole)) == 4


def test_a_picture_from_the_model_is_drawn(view: QListView, pixels, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = QImage(100, 100, QImage.Format.Format_RGB32)
    picture.fill(0xFF00FF00)
    monkeypatch.setitem(PEOPLE[0], PersonRole.AVATAR, round_picture(picture, 36))
    view.viewport().update()
    assert pixels.count(row_image(view, 0), "#00ff00") > 500
    assert pixels.count(row_image(view, 1), "#00ff00") == 0
