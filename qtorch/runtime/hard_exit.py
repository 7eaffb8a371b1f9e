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

_LOOK = 0.1
"""Seconds that a thread which was just let go has to end, and between looks at Ctrl+C while the process waits."""

_stuck: list[tuple[Callable[[float], bool], str, Callable[[], int | None] | None]] = []


def expect(has_ended: Callable[[float], bool], what: str, exit_code: Callable[[], int | None] | None) -> None:
    """Have the process ended hard if, at its very end, ``has_ended(seconds)`` does not hold.

    QThreadPool waits for its threads when the application object goes, for ever if one never ends; nobody can end a
    thread from outside. Without ``exit_code`` the process waits.
    """
    # Work that has ended since is forgotten: it keeps a whole closed Runtime, its cache included.
    _stuck[:] = [one for one in _stuck if not one[0](0.0)]
    _stuck.append((has_ended, what, exit_code))


def _at_exit() -> None:
    for has_ended, what, exit_code in _stuck:
        if exit_code is None:
            # Here, and not in the destructor of the pool: that would hold the GIL, without which no thread ends.
            while not has_ended(_LOOK):
                continue
        elif not has_ended(_LOOK):
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
