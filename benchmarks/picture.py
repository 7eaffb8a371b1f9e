"""The picture of the ratios: a bar for each peer, right of the line where it takes more than qtorch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen

from benchmarks.measure import Key, Samples, Scenario, Spread, ratio

_WIDTH, _ROW, _GROUP, _TOP, _BOTTOM = 900, 20, 32, 96, 40
_NAMES = 310
"""Pixels left of the axis."""
_RIGHT = 70

_DENSITY = 2
"""Pixels of the image for one of the layout, so that text is sharp when the page is zoomed."""

_LEAST, _MOST = 1 / 8, 32.0
"""The ends of the logarithmic axis; bars beyond are cut, their label says by how much."""

_TELLING = ("p99", "and shown")
"""Figures that are drawn instead of a scenario's first: what counts is what a user sees."""

_INK, _FAINT, _PAPER = QColor("#1f2933"), QColor("#7b8794"), QColor("#ffffff")
_DEARER, _CHEAPER, _FLOOR = QColor("#2f7d6d"), QColor("#c77d3a"), QColor("#b8c2cc")


@dataclass(frozen=True)
class Bar:
    """What a peer takes for what qtorch takes."""

    name: str
    taken: Spread


@dataclass(frozen=True)
class Group:
    """The bars of one of a scenario's figures, at its largest size."""

    title: str
    bars: tuple[Bar, ...]


def groups(scenarios: Sequence[Scenario], samples: Samples) -> Iterator[Group]:
    """Give what is drawn: times and bytes that qtorch and somebody else have."""
    for scenario in scenarios:
        figures = [name for name, unit in scenario.figures.items() if unit != "integer"]
        figure = next((name for name in _TELLING if name in figures), figures[0] if figures else "")
        ours, *others = scenario.contestants
        for size in reversed(scenario.sizes):
            bars = []
            for other in others:
                values = samples.get(Key(scenario.key, figure, size, other.name))
                mine = samples.get(Key(scenario.key, figure, size, ours.name))
                if values and mine and "qtorch" not in other.name:
                    bars.append(Bar(other.name, ratio(values, mine)))
            if bars:
                what = "" if figure == "time" else f", {figure}"
                title = scenario.title.replace("; a job", "").replace("; all of them", "")
                yield Group(f"{title} ({size:,} {scenario.size_is}{what})", tuple(bars))
                break


def draw(scenarios: Sequence[Scenario], samples: Samples, where: str) -> QImage:
    """Draw the groups under each other. Needs a QGuiApplication."""
    found = list(groups(scenarios, samples))
    height = _TOP + _BOTTOM + sum(_GROUP + _ROW * len(group.bars) for group in found)
    image = QImage(_WIDTH * _DENSITY, height * _DENSITY, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(_DENSITY)
    image.fill(_PAPER)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _draw_head(painter, where)
    _draw_axis(painter, height)
    y = float(_TOP)
    for group in found:
        _write(painter, QRectF(16, y, _WIDTH - 32, _GROUP), group.title, _INK, bold=True, bottom=True)
        y += _GROUP
        for bar in group.bars:
            _draw_bar(painter, y, bar)
            y += _ROW
    painter.end()
    return image


def _x(taken: float) -> float:
    share = math.log(min(max(taken, _LEAST), _MOST) / _LEAST) / math.log(_MOST / _LEAST)
    return _NAMES + share * (_WIDTH - _NAMES - _RIGHT)


def _draw_head(painter: QPainter, where: str) -> None:
    _write(painter, QRectF(16, 10, _WIDTH, 24), "What others take for what qtorch takes", _INK, size=15, bold=True)
    _write(painter, QRectF(16, 36, _WIDTH - 32, 18), where, _FAINT)
    text = "right of the line: takes more than qtorch; left of it: takes less; grey: the least that Qt can do"
    _write(painter, QRectF(16, 54, _WIDTH - 32, 18), text, _FAINT)


def _draw_axis(painter: QPainter, height: int) -> None:
    taken = _LEAST
    while taken <= _MOST:
        x = _x(taken)
        painter.setPen(QPen(_INK if taken == 1 else QColor("#e4e7eb"), 1.2 if taken == 1 else 1))
        painter.drawLine(QPointF(x, _TOP - 2), QPointF(x, height - _BOTTOM + 6))
        said = f"{taken:g}x" if taken >= 1 else f"1/{1 / taken:g}"
        for top in (_TOP - 20, height - _BOTTOM + 10):
            _write(painter, QRectF(x - 30, top, 60, 16), said, _FAINT, align=Qt.AlignmentFlag.AlignHCenter)
        taken *= 2


def _draw_bar(painter: QPainter, y: float, bar: Bar) -> None:
    median, low, high = bar.taken
    is_floor = bar.name.startswith("floor")
    colour = _FLOOR if is_floor else _DEARER if median >= 1 else _CHEAPER
    _write(painter, QRectF(16, y, _NAMES - 26, _ROW), bar.name, _INK, align=Qt.AlignmentFlag.AlignRight)
    start, end = sorted((_x(1.0), _x(median)))
    painter.fillRect(QRectF(start, y + 4, max(end - start, 1.0), _ROW - 8), colour)
    painter.setPen(QPen(_INK, 1))
    middle = y + _ROW / 2
    painter.drawLine(QPointF(_x(low), middle), QPointF(_x(high), middle))  # the quartiles
    said = f"{median:.1f}x" if median >= 10 else f"{median:.2f}x"
    # Right of the line for all: left of a bar it would run into the name.
    _write(painter, QRectF(max(end, _x(high)) + 5, y, 60, _ROW), said, _INK)


def _write(
    painter: QPainter,
    rect: QRectF,
    text: str,
    colour: QColor,
    *,
    size: int = 9,
    bold: bool = False,
    bottom: bool = False,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
) -> None:
    font = QFont("DejaVu Sans")
    font.setPixelSize(size + 3)
    font.setBold(bold)
    painter.setFont(font)
    painter.setPen(colour)
    up = Qt.AlignmentFlag.AlignBottom if bottom else Qt.AlignmentFlag.AlignVCenter
    painter.drawText(rect.adjusted(0, 0, 0, -4 if bottom else 0), align | up, text)
