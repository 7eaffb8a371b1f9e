"""Pills in four kinds of colour."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QVBoxLayout, QWidget

from demo_app.look.badge import Badge
from demo_app.look.fonts import scaled
from demo_app.look.kind import Kind

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from demo_app.look.theme import Theme
    from demo_app.look.tokens import Tokens


def test_an_unknown_kind_is_refused(qtbot: QtBot, theme: Theme) -> None:
    with pytest.raises(ValueError, match="'purple'"):
        Badge("words", "purple")
    badge = Badge("words")
    qtbot.addWidget(badge)
    with pytest.raises(ValueError, match="'purple'"):
        badge.set_kind("purple")
    assert badge.kind == Kind.INFO


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_has_its_colours(qtbot: QtBot, theme: Theme, pixels, kind: Kind) -> None:
    badge = Badge("Unsaved changes", kind)
    qtbot.addWidget(badge)
    badge.show()
    image = badge.grab().toImage()
    assert pixels.count(image, getattr(theme.tokens, kind)) > image.width() * image.height() / 3
    assert badge.palette().color(badge.foregroundRole()).name() == getattr(theme.tokens, f"on_{kind}")


def test_the_qt_property_changes_the_colours_of_a_badge_on_the_screen(qtbot: QtBot, theme: Theme, pixels) -> None:
    badge = Badge("words", Kind.SUCCESS)
    qtbot.addWidget(badge)
    badge.show()
    assert QObject.setProperty(badge, "kind", "danger")
    assert badge.property("kind") == "danger"
    assert pixels.at(badge, badge.width() // 2, 2) == theme.tokens.danger


def test_a_theme_switch_recolours_it(qtbot: QtBot, in_turn: Callable[[], Iterator[Tokens]], pixels) -> None:
    badge = Badge("words", Kind.WARNING)
    qtbot.addWidget(badge)
    badge.show()
    for tokens in in_turn():
        assert pixels.at(badge, badge.width() // 2, 2) == tokens.warning


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_it_is_a_pill_at_every_size_of_font(qtbot: QtBot, theme: Theme, pixels, factor: float) -> None:
    window = QWidget()
    layout = QVBoxLayout(window)
    layout.setSpacing(8)
    badge = Badge("words", Kind.DANGER)
    badge.setFont(scaled(badge.font(), factor))
    layout.addWidget(badge)
    qtbot.addWidget(window)
    window.show()
    left, top, height = badge.x(), badge.y(), badge.height()
    assert pixels.at(window, left + 1, top + height // 2) == theme.tokens.danger
    inset = int(height * 0.09)  # outside a circle as high as the badge
    assert pixels.at(window, left + inset, top + inset) == theme.tokens.background, "its ends are not round"


def test_what_looks_like_markup_is_shown_as_it_is(qtbot: QtBot, theme: Theme) -> None:
    plain, marked = Badge("bold"), Badge("<b>bold</b>")
    for badge in (plain, marked):
        qtbot.addWidget(badge)
    assert marked.sizeHint().width() > plain.sizeHint().width()
