"""Qt started in the look of the demo, or what keeps it from starting."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PySide6.QtCore import QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from demo_app.app.cli import PROGRAM
from demo_app.look import theme

if TYPE_CHECKING:
    from demo_app.look.theme import Mode


def make_qt(
    mode: Mode, *, program: str = PROGRAM, title: str = "qtorch demo", headless: str = "--tour needs no display"
) -> QApplication:
    """Make the QApplication, in the look of the demo; ends the process with code 2 and one line if Qt cannot start.

    Parameters
    ----------
    mode
        The theme.
    program, title
        Names the program to the system and to the user.
    headless
        What the one line says of a way without a display.
    """
    with _told_in_one_line(program, headless):
        qt = QApplication([program])
    qt.setOrganizationName("qtorch")
    qt.setApplicationName(program)
    qt.setApplicationDisplayName(title)
    theme.apply(qt, mode)
    return qt


@contextmanager
def _told_in_one_line(program: str, headless: str) -> Iterator[None]:
    """Say what keeps Qt from starting (no display, a platform plugin that does not load), instead of its abort()."""
    said: list[str] = []

    def listen(kind: QtMsgType, _: object, text: str) -> None:
        said.append(text.partition("\n")[0])
        if kind == QtMsgType.QtFatalMsg:
            why = " ".join(said[:-1]) or said[-1]
            sys.stderr.write(f"{program}: error: Qt cannot start: {why} ({headless})\n")
            sys.stderr.flush()
            os._exit(2)

    qInstallMessageHandler(listen)
    try:
        yield
    finally:
        qInstallMessageHandler(None)
