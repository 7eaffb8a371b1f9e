"""Runs a program of the documentation and visits its window: ``python drive.py PROGRAM VISIT``.

The program is run as it stands, as ``__main__``. Once its event loop runs, the visit uses the window as a user would,
with clicks and keys, and looks at what it shows; in the end it closes the window, and the program ends by itself.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading
import time
import traceback
from collections.abc import Callable

import visits
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication


def begin_when_there_is_an_application(visit: Callable[[], None]) -> None:
    while (app := QApplication.instance()) is None:
        time.sleep(0.005)
    # With a context, a timer may be started from here: it is the application's thread that calls.
    QTimer.singleShot(0, app, lambda: go(visit))


def go(visit: Callable[[], None]) -> None:
    try:
        visit()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    print("visited")


if __name__ == "__main__":
    program, name = sys.argv[1:]
    sys.argv = [program]
    threading.Thread(target=begin_when_there_is_an_application, args=[getattr(visits, name)], daemon=True).start()
    runpy.run_path(program, run_name="__main__")
