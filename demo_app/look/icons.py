"""Lucide icons that are drawn in the palette's colour of the moment, so a theme switch needs no new icons."""

from __future__ import annotations

from functools import cache

import shiboken6
from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QIconEngine, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer

from demo_app.resources import resource_dir

_ROLES = QPalette.ColorRole


def icon(name: str, role: QPalette.ColorRole = _ROLES.ButtonText) -> QIcon:
    """The icon ``name``, sharp at every size, in the application palette's colour for ``role``.

    Disabled widgets get the palette's disabled colour, selected items the colour of selected text.

    Raises
    ------
    ValueError
        No such icon.
    """
    return QIcon(_SvgIconEngine(name, role))


@cache
def svg_source(name: str) -> str:
    """The SVG text of the icon ``name``; its strokes are ``currentColor``, which Qt would draw in black.

    Raises
    ------
    ValueError
        No such icon.
    """
    folder = resource_dir("common") / "icons"
    file = folder / f"{name}.svg"
    if not file.is_file():
        known = ", ".join(sorted(path.stem for path in folder.glob("*.svg")))
        raise ValueError(f"No icon {name!r}. There are: {known}. Add the Lucide file to {folder} to have more.")
    return file.read_text(encoding="utf-8")


class SvgPainter:
    """Draws one icon in any colour; it parses the SVG again only when the colour has changed."""

    def __init__(self, name: str) -> None:
        self._source = svg_source(name)
        self._color = ""
        self._renderer = QSvgRenderer()

    def paint(self, painter: QPainter, rect: QRect, color: QColor) -> None:
        """Draw the icon centred in ``rect``."""
        if color.name() != self._color:
            self._color = color.name()
            self._renderer.load(QByteArray(self._source.replace("currentColor", self._color).encode()))
            # Not to be stretched in a wide rectangle. After load, which forgets it.
            self._renderer.setAspectRatioMode(Qt.AspectRatioMode.KeepAspectRatio)
        self._renderer.render(painter, QRectF(rect))


class _SvgIconEngine(QIconEngine):
    """Paints straight from the SVG at any size and device pixel ratio; caches no pixmap, so no colour grows old."""

    def __init__(self, name: str, role: QPalette.ColorRole) -> None:
        super().__init__()
        self._name = name
        self._role = role
        self._svg = SvgPainter(name)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:  # noqa: ARG002 Qt's signature
        palette = QGuiApplication.palette()
        group = QPalette.ColorGroup.Disabled if mode == QIcon.Mode.Disabled else QPalette.ColorGroup.Active
        role = _ROLES.HighlightedText if mode == QIcon.Mode.Selected else self._role
        self._svg.paint(painter, rect, palette.color(group, role))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        # QIconEngine would paint on a pixmap that it has not cleared.
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, pixmap.rect(), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        # QIcon takes over an engine it is given, but not one it has cloned: without a reference of ours the clone
        # dies at once and the copied icon crashes the process (seen with PySide6 6.11.3 on QIcon.addPixmap).
        _clones[:] = [clone for clone in _clones if shiboken6.isValid(clone)]
        clone = _SvgIconEngine(self._name, self._role)
        _clones.append(clone)
        return clone


_clones: list[_SvgIconEngine] = []
"""Clones whose icons are alive; those of dead icons are dropped at the next clone."""
