"""Icons in the palette's colour of the moment, and their ownership between Python and Qt."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QImage, QPalette
from PySide6.QtWidgets import QApplication, QPushButton, QToolButton

from demo_app.look.icons import icon, svg_source
from demo_app.resources import resource_dir

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from demo_app.look.theme import Theme
    from demo_app.look.tokens import Tokens

ALL_ICONS = sorted(path.stem for path in (resource_dir("common") / "icons").glob("*.svg"))


def image_of(icon: QIcon, mode: QIcon.Mode = QIcon.Mode.Normal, *, ratio: float = 1.0) -> QImage:
    return icon.pixmap(QSize(48, 48), ratio, mode).toImage()


def test_an_unknown_icon_is_refused_and_the_message_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'floppy'.*save, search"):
        icon("floppy")


@pytest.mark.parametrize("name", ALL_ICONS)
def test_every_bundled_icon_is_drawn_in_the_text_colour_on_nothing(theme: Theme, name: str) -> None:
    image = image_of(icon(name))
    colors = {
        image.pixelColor(x, y).name() for x in range(48) for y in range(48) if image.pixelColor(x, y).alpha() == 255
    }
    assert colors == {theme.tokens.text}
    assert image.pixelColor(0, 0).alpha() == 0


def test_every_bundled_icon_carries_its_licence_notice() -> None:
    assert [name for name in ALL_ICONS if "lucide-static v1.62.0 - ISC" not in svg_source(name)] == []


def test_an_icon_that_a_button_already_has_follows_a_theme_switch(
    qtbot: QtBot, in_turn: Callable[[], Iterator[Tokens]], pixels
) -> None:
    buttons = [QToolButton(), QPushButton()]
    for button in buttons:
        button.setIcon(icon("x"))
        button.setIconSize(QSize(48, 48))
        qtbot.addWidget(button)
        button.show()
    for tokens in in_turn():
        for button in buttons:
            button.adjustSize()
            assert pixels.count(button.grab().toImage(), tokens.text) > 20


def test_disabled_and_selected_icons_have_the_palettes_colours_for_that(theme: Theme, pixels) -> None:
    x = icon("x")
    assert pixels.count(image_of(x, QIcon.Mode.Disabled), theme.tokens.outline) > 20
    assert pixels.count(image_of(x, QIcon.Mode.Selected), theme.tokens.on_selection) > 20


def test_the_role_chooses_the_colour(theme: Theme, pixels) -> None:
    assert pixels.count(image_of(icon("x", QPalette.ColorRole.ToolTipText)), theme.tokens.on_toast) > 20


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0, 3.0])
def test_an_icon_is_drawn_with_the_pixels_the_screen_has(theme: Theme, ratio: float) -> None:
    image = image_of(icon("save"), ratio=ratio)
    assert image.size() == QSize(48, 48) * ratio
    assert image.devicePixelRatio() == ratio


def test_an_icon_is_not_stretched_in_a_wide_place(theme: Theme) -> None:
    image = icon("x").pixmap(QSize(96, 48)).toImage()
    drawn = [x for x in range(image.width()) for y in range(48) if image.pixelColor(x, y).alpha() > 128]
    assert max(drawn) - min(drawn) <= 48


MANY_ICONS = """
import gc
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QApplication, QPushButton
from demo_app.look.icons import icon
app = QApplication([])
"""

STILL_DRAWN = """
def is_drawn(icon):
    return icon.pixmap(24, 24).toImage().pixelColor(12, 12).alpha() == 255
"""

SCENES = {
    "only the buttons keep them": """
buttons = [QPushButton() for _ in range(2000)]
for button in buttons:
    button.setIcon(icon("x"))
gc.collect()
assert all(is_drawn(button.icon()) for button in buttons)
del buttons, button
gc.collect()
""",
    "copies outlive the originals": """
copies = [QIcon(icon("x")) for _ in range(2000)]
gc.collect()
assert all(map(is_drawn, copies))
""",
    "changed copies have engines of their own": """
original = icon("x")
copies = [QIcon(original) for _ in range(2000)]
for copy in copies:
    copy.addPixmap(QPixmap(8, 8))
del original
gc.collect()
assert all(map(is_drawn, copies))
del copies[::2]
gc.collect()
assert all(map(is_drawn, copies))
""",
    "they are alive when the program ends": """
kept = icon("x")
changed = QIcon(kept)
changed.addPixmap(QPixmap(8, 8))
button = QPushButton()
button.setIcon(changed)
button.show()
app.processEvents()
""",
}


@pytest.mark.realtime
@pytest.mark.parametrize("scene", SCENES)
def test_many_icons_survive_the_garbage_collector_and_the_end_of_the_program(scene: str) -> None:
    script = MANY_ICONS + STILL_DRAWN + SCENES[scene] + "\nprint('whole')"
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "whole"), done.stderr


def test_icons_stay_out_of_menus_where_they_could_not_be_told_from_the_selection(
    qapp: QApplication, theme: Theme
) -> None:
    assert qapp.testAttribute(Qt.ApplicationAttribute.AA_DontShowIconsInMenus)
