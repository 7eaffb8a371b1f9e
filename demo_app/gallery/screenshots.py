"""Photographs of every page in both themes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QEventLoop, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QPushButton

from demo_app.gallery.application import Gallery, make_gallery, start_qt
from demo_app.gallery.pages import NAMES

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from demo_app.gallery.page import Page
    from demo_app.look.theme import Mode
    from qtorch import ErrorReport

_MODES: tuple[Mode, ...] = ("light", "dark")

_AT_WORK = 1200
"""Milliseconds from the press of a page's button to its photograph: what it started is under way by then."""


def photograph(folder: Path) -> int:
    """Photograph every page in both themes to ``folder``, name each file, and give the exit code: 1 if it raised."""
    folder.mkdir(parents=True, exist_ok=True)
    gallery = make_gallery(start_qt(_MODES[0]), NAMES[0])
    faults = _Faults(gallery)
    gallery.window.move(100, 100)  # away from the pointer
    gallery.window.show()
    for mode in _MODES:
        gallery.appearance.choose(mode)
        for page in gallery.pages:
            gallery.shell.open(page.name)
            faults.page = page
            _press(gallery, page)
            file = folder / f"gallery-{page.name}-{mode}.png"
            gallery.window.grab().save(str(file))
            sys.stdout.write(f"{file}\n")
            sys.stdout.flush()
    gallery.window.close()
    gallery.runtime.close()
    faults.end()
    return 1 if faults.seen else 0


def _press(gallery: Gallery, page: Page) -> None:
    for button in gallery.window.page.live.findChildren(QPushButton):
        if page.press and button.text() == page.press and button.isEnabled():
            button.click()
            _wait(_AT_WORK)
    _wait(100)  # layouts, and what a scene graph draws, are done in the next turns of the event loop


def _wait(milliseconds: int) -> None:
    # Not QTest.qWait, which keeps the GIL: threads would hardly get on.
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


class _Faults:
    """Hears of what is raised, and of warnings of Qt, but for a page that shows how that looks."""

    def __init__(self, gallery: Gallery) -> None:
        self.page = gallery.pages[0]
        self.seen = 0
        self._hook = sys.excepthook
        sys.excepthook = self._raised
        gallery.runtime.error_occurred.connect(self._reported)
        qInstallMessageHandler(self._said)

    def end(self) -> None:
        """Hear no more."""
        qInstallMessageHandler(None)
        sys.excepthook = self._hook

    def _raised(self, kind: type[BaseException], error: BaseException, frames: TracebackType | None) -> None:
        if not self.page.is_wrong:
            self.seen += 1
            self._hook(kind, error, frames)

    def _reported(self, _: ErrorReport) -> None:
        self.seen += not self.page.is_wrong

    def _said(self, kind: QtMsgType, _: object, text: str) -> None:
        # What a platform without windows cannot do is no fault of ours.
        if kind != QtMsgType.QtDebugMsg and not text.startswith("This plugin does not support"):
            self.seen += 1
            sys.stderr.write(f"{self.page.name}: {text}\n")
