"""Light, dark and as the system is; switched while windows are open."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QDir, QFile, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QFrame,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from demo_app.look.contrast import MIN_OUTLINE, contrast
from demo_app.look.icons import icon
from demo_app.look.theme import Mode, Theme, apply, style_sheet
from demo_app.look.tokens import DARK, LIGHT, Tokens

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

Dress = Callable[[Mode], Theme]


def shown(qtbot: QtBot, widget: QWidget) -> QWidget:
    qtbot.addWidget(widget)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def test_an_unknown_mode_is_refused_and_the_message_names_the_three(qapp: QApplication) -> None:
    with pytest.raises(ValueError, match=r"'sepia'.*light, dark, system"):
        apply(qapp, "sepia")  # type: ignore[arg-type]
    assert qapp.findChild(Theme) is None


def test_applying_twice_makes_one_theme_that_listens_to_the_system_once(qapp: QApplication, dress: Dress) -> None:
    first = dress("system")
    changes: list[None] = []
    first.changed.connect(lambda: changes.append(None))
    assert dress("system") is first
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert len(changes) == 1


@pytest.mark.parametrize(
    ("scheme", "tokens"),
    [(Qt.ColorScheme.Dark, DARK), (Qt.ColorScheme.Light, LIGHT), (Qt.ColorScheme.Unknown, LIGHT)],
)
def test_in_system_mode_it_follows_the_system_and_unknown_is_light(
    qapp: QApplication, dress: Dress, scheme: Qt.ColorScheme, tokens: Tokens
) -> None:
    theme = dress("dark" if tokens is LIGHT else "light")
    qapp.styleHints().colorSchemeChanged.emit(scheme)
    assert theme.tokens is not tokens, "a chosen theme must not follow the system"
    dress("system")
    qapp.styleHints().colorSchemeChanged.emit(scheme)
    assert theme.tokens is tokens
    assert theme.is_dark is (tokens is DARK)
    assert theme.mode == "system"


def test_a_switch_recolours_an_open_window(qtbot: QtBot, in_turn: Callable[[], Iterator[Tokens]], pixels) -> None:
    window = QWidget()
    layout = QVBoxLayout(window)
    layout.setSpacing(8)
    card = QFrame()
    card.setProperty("panel", "card")
    field = QLineEdit()
    layout.addWidget(card)
    layout.addWidget(field)
    window.resize(300, 200)
    shown(qtbot, window)
    field.clearFocus()
    for tokens in in_turn():
        assert pixels.at(window, 2, 2) == tokens.background
        assert pixels.at(card, 20, 20) == tokens.surface
        assert pixels.at(card, 50, 0) == tokens.border
        assert pixels.at(field, -20, 20) == tokens.surface
        assert pixels.at(field, 50, 0) == tokens.outline


def test_a_switch_to_the_theme_that_is_shown_does_nothing(qtbot: QtBot, dress: Dress) -> None:
    theme = dress("dark")
    with qtbot.assertNotEmitted(theme.changed):
        dress("dark")


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_the_style_sheet_leaves_no_placeholder_and_names_only_images_that_are_there(
    dress: Dress, tokens: Tokens
) -> None:
    dress("light")
    sheet = style_sheet(tokens)
    images = [part.split(")")[0] for part in sheet.split("url(")[1:]]
    assert "$" not in sheet.split("*/", 1)[1]
    assert len(images) >= 4
    assert [image for image in images if not QFile.exists(image)] == []


def test_the_arrow_of_a_combo_box_can_be_seen(qtbot: QtBot, theme: Theme, pixels) -> None:
    box = QComboBox()
    box.addItem("")
    shown(qtbot, box)
    box.clearFocus()
    arrow = box.grab(box.rect().adjusted(box.width() - 30, 4, -4, -4)).toImage()
    assert pixels.legible(arrow, theme.tokens.surface) > 10


def test_a_check_box_shows_its_box_and_its_mark(qtbot: QtBot, theme: Theme, pixels) -> None:
    box = QCheckBox()
    shown(qtbot, box)
    box.clearFocus()
    empty = box.grab().toImage()
    assert pixels.count(empty, theme.tokens.outline) > 30
    box.setChecked(True)
    checked = box.grab().toImage()
    assert pixels.count(checked, theme.tokens.accent) > 50
    assert pixels.count(checked, theme.tokens.on_accent) > 10


def focusable() -> list[Callable[[], QWidget]]:
    def default_button() -> QWidget:
        button = QPushButton("Save")
        button.setDefault(True)
        return button

    def tool_button() -> QWidget:
        button = QToolButton()
        button.setIcon(icon("x"))
        return button

    def combo_box() -> QWidget:
        box = QComboBox()
        box.addItem("Editor")
        return box

    return [
        lambda: QPushButton("Revert"),
        default_button,
        tool_button,
        lambda: QLineEdit("Ada"),
        lambda: QPlainTextEdit("Ada"),
        combo_box,
        lambda: QCheckBox("Mentions"),
    ]


FOCUSABLE = pytest.mark.parametrize(
    "make",
    focusable(),
    ids=["button", "default button", "tool button", "line edit", "text edit", "combo box", "check box"],
)


@FOCUSABLE
def test_keyboard_focus_shows_as_a_ring_and_moves_nothing(
    qtbot: QtBot, theme: Theme, pixels, make: Callable[[], QWidget]
) -> None:
    window = QWidget()
    layout = QVBoxLayout(window)
    layout.setSpacing(8)
    widget = make()
    other = QPushButton("elsewhere")
    layout.addWidget(other)
    layout.addWidget(widget)
    shown(qtbot, window)
    window.activateWindow()
    other.setFocus()
    qtbot.waitUntil(other.hasFocus)
    geometry, hint, without = widget.geometry(), widget.sizeHint(), widget.grab().toImage()
    widget.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(widget.hasFocus)
    focused = widget.grab().toImage()
    perimeter = 2 * (widget.width() + widget.height())
    assert pixels.differing(without, focused) > perimeter / 2
    if not (isinstance(widget, QPushButton) and widget.isDefault()):  # its fill has that colour already
        gained = pixels.count(focused, theme.tokens.accent) - pixels.count(without, theme.tokens.accent)
        assert gained > perimeter / 2
    assert (widget.geometry(), widget.sizeHint()) == (geometry, hint)


@FOCUSABLE
@pytest.mark.parametrize("points", [10, 20])
def test_targets_are_at_least_24_pixels_and_no_lower_than_their_text(
    qapp: QApplication, qtbot: QtBot, theme: Theme, make: Callable[[], QWidget], points: int
) -> None:
    font = qapp.font()
    font.setPointSize(points)
    qapp.setFont(font)
    widget = shown(qtbot, make())
    least = max(24, widget.fontMetrics().height())
    for size in (widget.sizeHint(), widget.minimumSizeHint()):
        assert size.height() >= least
        assert size.width() >= 24


def test_disabled_text_is_dimmer_but_there(theme: Theme) -> None:
    palette = QApplication.palette()
    normal = palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.ButtonText)
    disabled = palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.ButtonText)
    surface = palette.color(QPalette.ColorRole.Base)
    assert MIN_OUTLINE <= contrast(disabled, surface) < contrast(normal, surface)


def test_a_muted_and_a_danger_label_have_their_colours(qtbot: QtBot, theme: Theme) -> None:
    for tone, color in (("muted", theme.tokens.muted), ("danger", theme.tokens.on_danger)):
        label = QLabel("words")
        label.setProperty("tone", tone)
        shown(qtbot, label)
        assert label.palette().color(label.foregroundRole()).name() == color


LEAVES_NO_FOLDER = """
import sys
from ctypes import py_object, pythonapi
from PySide6.QtCore import QDir, QTimer
from PySide6.QtWidgets import QApplication, QComboBox
from demo_app.look.theme import apply
app = QApplication([])
theme = apply(app, "dark")
window = QComboBox()
window.show()
print(QDir.searchPaths("glyphs")[0], flush=True)
{ending}
"""


@pytest.mark.realtime
@pytest.mark.parametrize(
    "ending",
    [
        "",
        "QTimer.singleShot(0, app.quit); sys.exit(app.exec())",
        "raise SystemExit(3)",
        "pythonapi.Py_IncRef(py_object(theme))",
    ],
    ids=["end of the script", "after exec", "exit without exec", "leaked reference"],
)
def test_the_folder_of_recoloured_images_is_gone_after_the_program(ending: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEAVES_NO_FOLDER.format(ending=ending)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    folder = Path(done.stdout.strip())
    assert done.returncode == (3 if "3" in ending else 0), done.stderr
    assert folder.name.startswith("qtorch-demo-")
    assert not folder.exists()


def test_a_temporary_folder_that_cannot_be_made_costs_the_arrows_and_not_the_program(
    dress: Dress, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(QDir, "tempPath", lambda: "/no/such/folder")
    theme = dress("dark")
    assert theme.is_dark
    assert "No arrows and check marks" in caplog.text
