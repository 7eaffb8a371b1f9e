"""How well two colours can be told apart, as WCAG 2.2 defines it."""

from __future__ import annotations

from PySide6.QtGui import QColor

MIN_TEXT = 4.5
"""WCAG 2.2, 1.4.3 (level AA): the least contrast of text with what is behind it."""

MIN_OUTLINE = 3.0
"""WCAG 2.2, 1.4.11 (level AA): the least contrast of borders, focus rings and icons that carry meaning."""


def contrast(one: QColor | str, other: QColor | str) -> float:
    """Contrast ratio of two opaque colours, from 1 (equal) to 21 (black on white)."""
    dark, light = sorted((_luminance(QColor(one)), _luminance(QColor(other))))
    return (light + 0.05) / (dark + 0.05)


def mix(color: QColor, into: QColor, share: float) -> QColor:
    """``share`` (0..1) of ``color`` and the rest of ``into``: what ``color`` looks like on it at that opacity."""
    return QColor.fromRgbF(
        *(
            share * top + (1 - share) * below
            for top, below in (
                (color.redF(), into.redF()),
                (color.greenF(), into.greenF()),
                (color.blueF(), into.blueF()),
            )
        )
    )


def _luminance(color: QColor) -> float:
    red, green, blue = (_linear(channel) for channel in (color.redF(), color.greenF(), color.blueF()))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
