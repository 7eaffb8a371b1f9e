"""The end of a process in which a thread never ends."""

from __future__ import annotations

import atexit
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress

UNKNOWN_EXIT_CODE = 70
"""EX_SOFTWARE: the code given to sys.exit() cannot be seen from here."""

_stuck: list[tuple[Callable[[], bool], str, Callable[[], int | None]]] = []


def expect(is_stuck: Callable[[], bool], what: str, exit_code: Callable[[], int | None]) -> None:
    """Have the process ended hard if, at its very end, ``is_stuck()`` still holds.

    QThreadPool waits for its threads when the application object goes, for ever if one never ends; nobody can end a
    thread from outside.
    """
    _stuck.append((is_stuck, what, exit_code))


def _at_exit() -> None:
    for is_stuck, what, exit_code in _stuck:
        if is_stuck():
            code = exit_code()
            if code is None:
                print(  # noqa: T201 - the last words of the process, when logging may be shut down
                    f"qtorch: exit code {UNKNOWN_EXIT_CODE}, because {what} had to be left behind "
                    f"and the code of sys.exit() is not known here; set runtime.exit_code",
                    file=sys.stderr,
                )
                code = UNKNOWN_EXIT_CODE
            logging.shutdown()
            for stream in (sys.stdout, sys.stderr):
                with suppress(Exception):
                    stream.flush()
            os._exit(code)


# Handlers run in reverse order: this one, registered when qtorch is imported, runs after those of the application.
atexit.register(_at_exit)
