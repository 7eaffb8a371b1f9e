"""The gallery, opened at a page as for a user."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

import pytest
from PySide6.QtQuick import QQuickWindow, QSGRendererInterface
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget

from demo_app.gallery.application import Gallery, make_gallery
from tests.demo_app.look.conftest import dress

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from demo_app.look.theme import Mode, Theme

__all__ = ["dress"]

W = TypeVar("W", bound=QWidget)

Open = Callable[[str], Gallery]


@pytest.fixture
def no_gpu() -> None:
    if QQuickWindow.sceneGraphBackend() != "software":
        QQuickWindow.setGraphicsApi(QSGRendererInterface.GraphicsApi.Software)


@pytest.fixture
def open_at(qapp: QApplication, dress: Callable[[Mode], Theme], qtbot: QtBot, no_gpu: None) -> Iterator[Open]:
    """``open_at("commands")``: the gallery with that page, shown and active."""
    dress("light")
    opened: list[Gallery] = []

    def open_at(page: str) -> Gallery:
        gallery = make_gallery(qapp, page)
        opened.append(gallery)
        gallery.window.show()
        gallery.window.activateWindow()
        qapp.processEvents()
        qtbot.waitUntil(gallery.window.isActiveWindow)
        return gallery

    yield open_at
    for gallery in opened:
        gallery.window.close()
        gallery.runtime.close()


class Eyes:
    """Finds what a page shows, by what a user knows of it."""

    def __init__(self, live: QWidget) -> None:
        self.live = live

    def only(self, kind: type[W]) -> W:
        (found,) = self.live.findChildren(kind)
        return found

    def button(self, text: str) -> QAbstractButton:
        (found,) = (one for one in self.live.findChildren(QAbstractButton) if one.text() == text)
        return found

    def texts(self) -> list[str]:
        return [label.text() for label in self.live.findChildren(QLabel) if label.isVisible()]


@pytest.fixture
def look(open_at: Open) -> Callable[[str], Eyes]:
    """``look("lists")``: what the page shows."""
    return lambda page: Eyes(open_at(page).window.page.live)
