"""``python -m demo_app.gallery``: the gallery, or photographs of it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from demo_app.__main__ import has_display
from demo_app.gallery.cli import PROGRAM, parse

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the gallery.

    Parameters
    ----------
    arguments
        The command line without the program's name; ``sys.argv`` if None.

    Returns
    -------
    int
        The exit code: 1 if something raised while it was photographed, 2 if it could not start, with one line on
        stderr.
    """
    options = parse(arguments)
    if options.screenshots is not None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    elif not has_display(os.environ):
        return _cannot_start("there is no display to show a window on (--screenshots DIR needs none)")
    try:
        import PySide6.QtQuickWidgets  # noqa: F401 - fails where a system library is missing

        import qtorch  # noqa: F401 - refuses a PySide6 that would crash
    except ImportError as error:
        return _cannot_start(" ".join(str(error).split()))
    if options.screenshots is not None:
        from demo_app.gallery.screenshots import photograph

        return photograph(options.screenshots)
    from demo_app.gallery.application import run

    return run(options)


def _cannot_start(reason: str) -> int:
    sys.stderr.write(f"{PROGRAM}: error: {reason}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
