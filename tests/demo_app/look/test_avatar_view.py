"""The large avatar of a profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QAccessible, QColor, QImage

from demo_app.look.avatar_view import AvatarView
from demo_app.look.avatars import avatar_color, round_picture
from demo_app.look.fonts import scaled

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from demo_app.look.theme import Theme


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> AvatarView:
    view = AvatarView()
    qtbot.addWidget(view)
    view.set_person("Ada Lovelace", 7)
    view.resize(view.sizeHint())
    return view


def test_it_shows_initials_until_there_is_a_picture_and_again_without_one(view: AvatarView, pixels) -> None:
    picture = QImage(300, 200, QImage.Format.Format_RGB32)
    picture.fill(QColor("#00ff00"))
    initials = view.grab().toImage()
    assert pixels.at(view, view.side // 2, 4) == avatar_color(7).name()
    view.set_picture(round_picture(picture, view.side))
    assert pixels.at(view, view.side // 2, 4) == "#00ff00"
    assert pixels.at(view, 1, 1) != "#00ff00", "the corners are outside the circle"
    view.set_picture(None)
    assert pixels.differing(view.grab().toImage(), initials) == 0


def test_a_screen_reader_is_told_whose_picture_it_is(view: AvatarView) -> None:
    interface = QAccessible.queryAccessibleInterface(view)
    assert interface is not None
    assert interface.text(QAccessible.Text.Name) == "Picture of Ada Lovelace"


def test_it_grows_with_the_font_and_stays_round(view: AvatarView, pixels) -> None:
    side = view.side
    view.setFont(scaled(view.font(), 2))
    assert view.side >= 1.9 * side
    view.resize(2 * view.side, view.side)
    corner, edge = pixels.at(view, 4, view.side // 2), pixels.at(view, view.side, 4)
    assert edge == avatar_color(7).name()
    assert corner != edge
