"""Round avatars: initials on a colour of the person's own, or a picture cut to a circle.

Everything here draws with QImage and QPainter only, so ``draw_initials`` and ``round_picture`` may run on any thread.
"""

from __future__ import annotations

import unicodedata
import zlib

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter

COLORS = ("#3d63dd", "#c2410c", "#0f766e", "#7c3aed", "#be123c", "#0369a1", "#976100", "#15803d")
"""Backgrounds on which white initials keep a contrast of 4.5 or more."""

INITIALS_COLOR = "#ffffff"


def initials(name: str) -> str:
    """First letters of the first and the last word of ``name``, in capitals; ``?`` when it has no letters.

    >>> initials("ada king lovelace")
    'AL'
    """
    # Composed first: the first code point of a decomposed letter would lose its accent.
    words = ["".join(filter(str.isalnum, word)) for word in unicodedata.normalize("NFC", name).split()]
    letters = [word[0].upper()[0] for word in words if word]  # [0] again: "ß".upper() is "SS"
    return "".join(letters[:1] + letters[1:][-1:]) or "?"


def avatar_color(person_id: int | str) -> QColor:
    """The background of a person without a picture: the same on every machine and in every run."""
    # Not hash(): it differs from process to process for strings.
    return QColor(COLORS[zlib.crc32(str(person_id).encode()) % len(COLORS)])


def draw_initials(name: str, person_id: int | str, side: int, *, device_pixel_ratio: float = 1.0) -> QImage:
    """Avatar of a person without a picture, ``side`` device-independent pixels wide and high."""
    image = _canvas(side, device_pixel_ratio)
    painter = QPainter(image)
    _paint_initials(painter, QRectF(0, 0, side, side), name, person_id)
    painter.end()
    return image


def round_picture(picture: QImage, side: int, *, device_pixel_ratio: float = 1.0) -> QImage:
    """The middle of ``picture``, scaled and cut to a circle of ``side`` device-independent pixels.

    Raises
    ------
    ValueError
        ``picture`` is empty: what should have been decoded was no image.
    """
    if picture.isNull():
        raise ValueError("The picture is empty: it could not be decoded. Check QImageReader.errorString() first.")
    image = _canvas(side, device_pixel_ratio)
    scaled = picture.scaled(
        image.size(), Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    )
    cut = QRectF(QPointF(), QSizeF(image.size()))
    cut.moveCenter(QRectF(scaled.rect()).center())
    circle = QRectF(0, 0, side, side)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(Qt.GlobalColor.black)
    painter.drawEllipse(circle)
    # A clip path has jagged edges; keeping the picture where the circle is has smooth ones.
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
    painter.drawImage(circle, scaled, cut)
    painter.end()
    return image


def paint_avatar(painter: QPainter, rect: QRectF, name: str, person_id: int | str, picture: QImage | None) -> None:
    """Draw into the square ``rect``: ``picture``, as made by ``round_picture``, or the initials."""
    painter.save()
    if picture is None or picture.isNull():
        _paint_initials(painter, rect, name, person_id)
    else:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(rect, picture)
    painter.restore()


def _canvas(side: int, device_pixel_ratio: float) -> QImage:
    pixels = max(1, round(side * device_pixel_ratio))
    image = QImage(QSize(pixels, pixels), QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(device_pixel_ratio)
    image.fill(Qt.GlobalColor.transparent)
    return image


def _paint_initials(painter: QPainter, rect: QRectF, name: str, person_id: int | str) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(avatar_color(person_id))
    painter.drawEllipse(rect)
    font = QFont(painter.font())
    font.setWeight(QFont.Weight.DemiBold)
    font.setPixelSize(max(1, round(rect.height() * 0.38)))
    painter.setFont(font)
    painter.setPen(QColor(INITIALS_COLOR))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, initials(name))
