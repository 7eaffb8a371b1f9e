"""The light and the dark theme: Fusion, a palette and a short style sheet, switched at run time."""

from __future__ import annotations

import logging
import weakref
from dataclasses import asdict
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Literal, get_args

from PySide6.QtCore import QDir, QObject, Qt, QTemporaryDir, Signal
from PySide6.QtGui import QColor, QPalette

from demo_app.look import fonts
from demo_app.look.icons import svg_source
from demo_app.look.tokens import DARK, LIGHT, Tokens
from demo_app.resources import resource_dir

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

Mode = Literal["light", "dark", "system"]

_SCHEMES = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark, "system": Qt.ColorScheme.Unknown}

_log = logging.getLogger(__name__)


def apply(app: QApplication, mode: Mode = "system") -> Theme:
    """Give ``app`` the look of the demo in ``mode``; call it again to switch, open windows follow.

    GUI thread only. ``system`` is light or dark as the system is, now and when it changes; a system that does not
    say is light.

    Raises
    ------
    ValueError
        ``mode`` is none of the three.
    """
    if mode not in get_args(Mode):
        raise ValueError(f"No theme {mode!r}. Use one of: {', '.join(get_args(Mode))}.")
    theme = app.findChild(Theme) or Theme(app)
    theme.set_mode(mode)
    return theme


class Theme(QObject):
    """The theme of one application; made by ``apply``, owned by the application."""

    changed = Signal()
    """Other colours are shown now. Widgets and icons of the look repaint without it."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._mode: Mode = "system"
        self._tokens: Tokens | None = None
        self._glyphs = QTemporaryDir(f"{QDir.tempPath()}/qtorch-demo-XXXXXX")
        # At exit too, where a leaked reference to the theme would leave the folder behind for good.
        weakref.finalize(self, self._glyphs.remove)
        self._write_glyphs()
        app.setStyle("Fusion")
        # A menu tells an icon neither that it lies on the selection's colour nor what else to be drawn in.
        app.setAttribute(Qt.ApplicationAttribute.AA_DontShowIconsInMenus)
        fonts.install(app)
        app.styleHints().colorSchemeChanged.connect(self._follow_system)

    @property
    def mode(self) -> Mode:
        """What was asked for."""
        return self._mode

    @property
    def tokens(self) -> Tokens:
        """The colours that are shown."""
        return self._tokens or LIGHT

    @property
    def is_dark(self) -> bool:
        """Whether the dark colours are shown."""
        return self.tokens is DARK

    def set_mode(self, mode: Mode) -> None:
        """Show ``mode``; see ``apply``."""
        self._mode = mode
        hints = self._app.styleHints()
        # For title bars and native dialogs. Our own palette is set as well: without a desktop theme (bare X11,
        # offscreen) this call does nothing at all (QTBUG-129917).
        hints.setColorScheme(_SCHEMES[mode])
        scheme = hints.colorScheme() if mode == "system" else _SCHEMES[mode]
        self._show(DARK if scheme == Qt.ColorScheme.Dark else LIGHT)

    def _follow_system(self, scheme: Qt.ColorScheme) -> None:
        if self._mode == "system":
            self._show(DARK if scheme == Qt.ColorScheme.Dark else LIGHT)

    def _show(self, tokens: Tokens) -> None:
        if tokens is self._tokens:
            return
        self._tokens = tokens
        # In this order, and never setStyle again: every widget is polished once instead of three times
        # (100 widgets: 18 ms against 41 ms).
        self._app.setStyleSheet("")
        self._app.setPalette(palette(tokens))
        self._app.setStyleSheet(style_sheet(tokens))
        self.changed.emit()

    def _write_glyphs(self) -> None:
        """Put the images the style sheet shows into a folder of ours: in a style sheet an SVG cannot be recoloured."""
        if not self._glyphs.isValid():
            _log.warning("No arrows and check marks in the look: %s", self._glyphs.errorString())
            return
        folder = Path(self._glyphs.path())
        for tokens in (LIGHT, DARK):
            for glyph, (source, color) in _glyph_colors(tokens).items():
                svg = svg_source(source).replace("currentColor", color)
                if source == "check":
                    svg = svg.replace('stroke-width="2"', 'stroke-width="3.5"')
                (folder / f"{_scheme_name(tokens)}-{glyph}.svg").write_text(svg, encoding="utf-8")
        QDir.setSearchPaths("glyphs", [str(folder)])


def style_sheet(tokens: Tokens) -> str:
    """The style sheet in the colours of ``tokens``."""
    template = (resource_dir("common") / "themes" / "base.qss").read_text(encoding="utf-8")
    return Template(template).substitute(asdict(tokens), scheme=_scheme_name(tokens))


def palette(tokens: Tokens) -> QPalette:
    """The palette in the colours of ``tokens``; the same for active and inactive windows."""
    role = QPalette.ColorRole
    colors = {
        role.Window: tokens.background,
        role.WindowText: tokens.text,
        role.Base: tokens.surface,
        role.AlternateBase: tokens.background,
        role.Text: tokens.text,
        role.PlaceholderText: tokens.muted,
        role.Button: tokens.raised,
        role.ButtonText: tokens.text,
        role.BrightText: tokens.on_danger,
        role.Highlight: tokens.selection,
        role.HighlightedText: tokens.on_selection,
        role.Accent: tokens.accent,
        role.Link: tokens.accent,
        role.LinkVisited: tokens.accent,
        role.ToolTipBase: tokens.toast,
        role.ToolTipText: tokens.on_toast,
        role.Light: tokens.raised,
        role.Midlight: tokens.hover,
        role.Mid: tokens.border,
        role.Dark: tokens.outline,
        role.Shadow: tokens.border,
    }
    result = QPalette()
    for name, color in colors.items():
        result.setColor(name, QColor(color))
    for name in (role.Text, role.WindowText, role.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, name, QColor(tokens.outline))
    return result


def _glyph_colors(tokens: Tokens) -> dict[str, tuple[str, str]]:
    return {
        "chevron-down": ("chevron-down", tokens.text),
        "chevron-down-disabled": ("chevron-down", tokens.outline),
        "check": ("check", tokens.on_accent),
        "check-disabled": ("check", tokens.surface),
    }


def _scheme_name(tokens: Tokens) -> str:
    return "dark" if tokens is DARK else "light"
