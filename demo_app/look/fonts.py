"""The font of the demo: the bundled Inter, or the system's own where it cannot be loaded."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING

from PySide6.QtGui import QFont, QFontDatabase

from demo_app.resources import resource_dir

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

MIN_POINT_SIZE = 10.0
"""The size the look is drawn for. A user's larger system font stays as it is."""

_log = logging.getLogger(__name__)


def install(app: QApplication) -> str:
    """Make Inter the application's font and return the family that is in use.

    A font that cannot be loaded is logged and no error: the system's font stays. Families that Inter has no glyphs
    for (Chinese, Arabic, emoji) still come from the system.
    """
    font = QFont(app.font())
    family = _load_inter()
    if family:
        font.setFamilies([family, *font.families()])
    if 0 < font.pointSizeF() < MIN_POINT_SIZE:  # -1 for a font whose size is given in pixels
        font.setPointSizeF(MIN_POINT_SIZE)
    app.setFont(font)
    return font.family()


def scaled(font: QFont, factor: float, weight: QFont.Weight | None = None) -> QFont:
    """A copy of ``font``, ``factor`` times as large, in ``weight`` if one is given."""
    copy = QFont(font)
    # A font set in pixels (by a style sheet) has the point size -1, and the other way round.
    if font.pointSizeF() > 0:
        copy.setPointSizeF(font.pointSizeF() * factor)
    else:
        copy.setPixelSize(max(1, round(font.pixelSize() * factor)))
    if weight is not None:
        copy.setWeight(weight)
    return copy


@cache
def _load_inter() -> str:
    """Load the static weights once for the process; the family's name, or "" if one of them does not load.

    Three files and not the variable font: Qt loses weight 600 of that one. Absolute paths: addApplicationFont does
    not know QDir search paths.
    """
    family = ""
    for file in sorted((resource_dir("common") / "fonts").glob("Inter-*.woff2")):
        number = QFontDatabase.addApplicationFont(str(file))
        families = QFontDatabase.applicationFontFamilies(number) if number != -1 else []
        if not families:
            _log.info("The bundled font %s does not load on this system; the system's font is used.", file.name)
            return ""
        family = families[0]
    return family
