"""The application of the whole test run, dressed for one test and undressed again; and eyes to see what it shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage

from demo_app.look.contrast import MIN_OUTLINE, contrast
from demo_app.look.theme import Mode, Theme, apply

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication, QWidget

    from demo_app.look.tokens import Tokens


@pytest.fixture
def dress(qapp: QApplication) -> Iterator[Callable[[Mode], Theme]]:
    """Call it with a mode to give the application the look."""
    font, palette = qapp.font(), qapp.palette()
    yield lambda mode: apply(qapp, mode)
    theme = qapp.findChild(Theme)
    if theme is not None:
        shiboken6.delete(theme)
    qapp.setStyleSheet("")
    qapp.setPalette(palette)
    qapp.setFont(font)
    qapp.setAttribute(Qt.ApplicationAttribute.AA_DontShowIconsInMenus, False)


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest, dress: Callable[[Mode], Theme]) -> Theme:
    """The test runs in both themes."""
    return dress(request.param)


@pytest.fixture
def in_turn(dress: Callable[[Mode], Theme]) -> Callable[[], Iterator[Tokens]]:
    """Light, dark, and light again while the test's windows are open; gives the colours that must be seen."""

    def switch() -> Iterator[Tokens]:
        yield dress("light").tokens
        yield dress("dark").tokens
        yield dress("light").tokens

    return switch


class Pixels:
    """What is on the screen, pixel by pixel."""

    def at(self, widget: QWidget, x: int, y: int) -> str:
        """Colour of one pixel, ``#rrggbb``; negative counts from the right or the bottom."""
        image = widget.grab().toImage()
        return image.pixelColor(x % image.width(), y % image.height()).name()

    def count(self, image: QImage, color: str) -> int:
        """How many pixels have exactly this colour."""
        return self._values(image).count(QColor(color).rgb())

    def legible(self, image: QImage, on: str) -> int:
        """How many pixels stand out well from the background ``on``."""
        values = Counter(self._values(image))
        return sum(count for value, count in values.items() if contrast(QColor(value), on) >= MIN_OUTLINE)

    def differing(self, one: QImage, other: QImage) -> int:
        """How many pixels are not the same in two images of one size."""
        assert one.size() == other.size()
        return sum(a != b for a, b in zip(self._values(one), self._values(other), strict=True))

    def _values(self, image: QImage) -> list[int]:
        opaque = image.convertToFormat(QImage.Format.Format_RGB32)
        return memoryview(opaque.constBits()).cast("I").tolist()


@pytest.fixture
def pixels() -> Pixels:
    return Pixels()
