"""The gallery put together, from the pages to a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtQuick import QQuickWindow, QSGRendererInterface

from demo_app.app.appearance import Appearance
from demo_app.app.qt_start import make_qt
from demo_app.gallery.cli import PROGRAM
from demo_app.gallery.pages import load_pages
from demo_app.gallery.shell import Shell
from demo_app.gallery.window import GalleryWindow
from demo_app.look.theme import Theme
from qtorch import Runtime

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from demo_app.gallery.cli import Options
    from demo_app.gallery.page import Page
    from demo_app.look.theme import Mode


@dataclass(frozen=True)
class Gallery:
    """Everything the running gallery is made of."""

    runtime: Runtime
    pages: tuple[Page, ...]
    shell: Shell
    appearance: Appearance
    window: GalleryWindow


def start_qt(mode: Mode) -> QApplication:
    """Make the QApplication; see ``make_qt``."""
    qt = make_qt(mode, program=PROGRAM, title="qtorch gallery", headless="--screenshots DIR needs no display")
    if qt.platformName() in ("offscreen", "minimal"):
        QQuickWindow.setGraphicsApi(QSGRendererInterface.GraphicsApi.Software)
    return qt


def make_gallery(qt: QApplication, page: str) -> Gallery:
    """Make the window, with ``page`` open, and all behind it."""
    theme = qt.findChild(Theme)
    assert theme is not None, "start_qt makes the theme"
    pages = load_pages()
    runtime = Runtime(executors=[executor() for page in pages for executor in page.executors])
    shell = Shell(tuple(page.name for page in pages), page, runtime=runtime)
    appearance = Appearance(theme, runtime=runtime)
    return Gallery(runtime, pages, shell, appearance, GalleryWindow(pages, shell, appearance, theme))


def run(options: Options) -> int:
    """Show the gallery, and give the exit code."""
    gallery = make_gallery(start_qt(options.theme), options.page)
    gallery.window.show()
    return gallery.runtime.exec()
