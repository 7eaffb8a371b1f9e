"""The parts of a row lie inside it and beside each other, whatever the font, the width and the words."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter
from PySide6.QtWidgets import QApplication, QStyle, QStyleOptionViewItem

from demo_app.look.avatars import avatar_color
from demo_app.look.fonts import scaled
from demo_app.look.person_row import Person, PersonRow

if TYPE_CHECKING:
    from demo_app.look.theme import Theme

ADA = Person(name="Ada Lovelace", email="ada@example.org", role="Admin", person_id=1, picture=None)
LONG = Person(name="Katherine " * 12, email=f"{'k' * 120}@example.org", role="Viewer", person_id=2, picture=None)
State = QStyle.StateFlag
SCALES = pytest.mark.parametrize("scale", [1, 1.5, 2, 3])


def option_for(width: int = 280, *, scale: float = 1, state: State = State.State_Enabled) -> QStyleOptionViewItem:
    option = QStyleOptionViewItem()
    option.font = scaled(QApplication.font(), scale)
    option.fontMetrics = QFontMetrics(option.font)
    option.state = state
    option.direction = Qt.LayoutDirection.LeftToRight
    option.rect = QRect(0, 0, width, 0)
    option.rect = QRect(QPoint(30, 500), QSize(width, PersonRow(option, ADA).size_hint.height()))
    return option


def parts(row: PersonRow) -> dict[str, QRect]:
    return {"avatar": row.avatar, "name": row.name, "email": row.email, "badge": row.badge}


def painted(option: QStyleOptionViewItem, person: Person) -> QImage:
    image = QImage(option.rect.size(), QImage.Format.Format_RGB32)
    image.fill(option.palette.base().color())
    painter = QPainter(image)
    painter.translate(-option.rect.topLeft())
    PersonRow(option, person).paint(painter)
    painter.end()
    return image


@SCALES
@pytest.mark.parametrize("person", [ADA, LONG], ids=["short", "long"])
@pytest.mark.parametrize("width", [150, 280, 900])
@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_nothing_overlaps_and_nothing_leaves_the_row(
    theme: Theme, scale: float, person: Person, width: int, direction: Qt.LayoutDirection
) -> None:
    option = option_for(round(width * scale), scale=scale)
    option.direction = direction
    row = PersonRow(option, person)
    for name, rect in parts(row).items():
        assert rect.isEmpty() or row.card.contains(rect), name
    for (one, first), (other, second) in combinations(parts(row).items(), 2):
        assert not first.intersects(second), f"{one} and {other}"


@SCALES
def test_the_height_has_room_for_both_lines_of_the_font(theme: Theme, scale: float) -> None:
    option = option_for(scale=scale)
    row = PersonRow(option, ADA)
    line = option.fontMetrics.height()
    assert row.name.height() >= line
    assert row.email.height() >= line
    assert row.size_hint.height() >= 2 * line
    assert row.size_hint.height() >= 24


def test_the_row_grows_with_the_font(theme: Theme) -> None:
    small, large = (PersonRow(option_for(scale=scale), ADA).size_hint.height() for scale in (1, 2))
    assert large >= 1.5 * small


def test_the_role_gives_way_before_the_name_does(theme: Theme) -> None:
    assert PersonRow(option_for(280), ADA).badge.isValid()
    narrow = PersonRow(option_for(PersonRow(option_for(), ADA).size_hint.width()), ADA)
    assert narrow.badge.isEmpty()
    assert narrow.name.width() > 0


def test_without_a_role_the_name_has_the_whole_width(theme: Theme) -> None:
    nameless_role = Person(name="Ada", email="ada@example.org", role="", person_id=1, picture=None)
    row = PersonRow(option_for(), nameless_role)
    assert row.badge.isEmpty()
    assert row.name.width() == row.email.width()


def test_only_words_that_do_not_fit_are_shortened(theme: Theme) -> None:
    assert PersonRow(option_for(), LONG).is_shortened
    assert not PersonRow(option_for(), ADA).is_shortened


def test_a_right_to_left_row_is_the_mirror_image(theme: Theme) -> None:
    option = option_for()
    left = PersonRow(option, ADA)
    option.direction = Qt.LayoutDirection.RightToLeft
    right = PersonRow(option, ADA)
    assert left.avatar.left() < left.name.left() < left.badge.left()
    assert right.avatar.left() > right.name.left() > right.badge.left()
    assert left.avatar.left() - option.rect.left() == option.rect.right() - right.avatar.right()


def test_selection_hover_and_focus_each_have_their_colour(theme: Theme, pixels) -> None:
    tokens, enabled = theme.tokens, State.State_Enabled
    plain = painted(option_for(), ADA)
    hovered = painted(option_for(state=enabled | State.State_MouseOver), ADA)
    selected = painted(option_for(state=enabled | State.State_Selected), ADA)
    focused = painted(option_for(state=enabled | State.State_HasFocus), ADA)
    both = painted(option_for(state=enabled | State.State_HasFocus | State.State_Selected), ADA)
    row = plain.width() * plain.height()
    assert pixels.count(plain, tokens.surface) > row / 2
    assert pixels.count(hovered, tokens.hover) > row / 2
    assert pixels.count(selected, tokens.selection) > row / 2
    ring = plain.width() + plain.height()
    assert pixels.count(focused, tokens.accent) > ring
    assert pixels.differing(both, selected) > ring
    assert pixels.count(both, tokens.surface) > ring, "the gap between the ring and the selection"


def test_a_selected_row_keeps_its_text_readable(theme: Theme, pixels) -> None:
    selected = painted(option_for(state=State.State_Enabled | State.State_Selected), ADA)
    row = PersonRow(option_for(), ADA)
    for rect in (row.name, row.email, row.badge):
        text = selected.copy(rect.translated(-30, -500))
        assert pixels.legible(text, theme.tokens.selection) > 50


def test_a_picture_takes_the_place_of_the_initials(theme: Theme) -> None:
    picture = QImage(48, 48, QImage.Format.Format_ARGB32_Premultiplied)
    picture.fill(QColor("#00ff00"))
    photo = Person(name="Ada", email="ada@example.org", role="", person_id=1, picture=picture)
    empty = Person(name="Ada", email="ada@example.org", role="", person_id=1, picture=QImage())
    spot = PersonRow(option_for(), photo).avatar.translated(-30, -500).topLeft() + QPoint(18, 3)
    assert painted(option_for(), photo).pixelColor(spot).name() == "#00ff00"
    assert painted(option_for(), empty).pixelColor(spot) == avatar_color(1)
