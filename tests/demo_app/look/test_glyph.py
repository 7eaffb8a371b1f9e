"""An icon in a widget's own text colour."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from demo_app.look.fonts import scaled
from demo_app.look.glyph import Glyph
from demo_app.look.tokens import DARK

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from demo_app.look.theme import Mode, Theme


def test_its_colour_is_the_style_sheets_and_follows_a_switch(
    qtbot: QtBot, dress: Callable[[Mode], Theme], pixels
) -> None:
    dress("light")
    glyph = Glyph("x", scale=3)
    qtbot.addWidget(glyph)
    glyph.setStyleSheet("Glyph { color: #ff0000; }")
    glyph.show()
    assert pixels.count(glyph.grab().toImage(), "#ff0000") > 5
    glyph.setStyleSheet("")
    dress("dark")
    assert pixels.count(glyph.grab().toImage(), DARK.text) > 5


def test_another_icon_replaces_the_first(qtbot: QtBot, theme: Theme, pixels) -> None:
    glyph, other = Glyph("x"), Glyph("user")
    for widget in (glyph, other):
        qtbot.addWidget(widget)
        widget.resize(widget.sizeHint())
    assert pixels.differing(glyph.grab().toImage(), other.grab().toImage()) > 20
    glyph.set_icon("user")
    assert pixels.differing(glyph.grab().toImage(), other.grab().toImage()) == 0


def test_it_grows_with_the_font(qtbot: QtBot, theme: Theme) -> None:
    glyph = Glyph("x")
    qtbot.addWidget(glyph)
    small = glyph.sizeHint()
    glyph.setFont(scaled(glyph.font(), 2))
    assert glyph.sizeHint().height() >= 1.9 * small.height()
    assert glyph.sizeHint().width() == glyph.sizeHint().height()
