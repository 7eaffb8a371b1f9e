"""``python -m demo_app``: the demo, or its headless tour where there is no display."""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - told in one line, before anything newer is imported
    sys.stderr.write("qtorch-demo: error: Python 3.11 or newer is needed, this is {}.{}\n".format(*sys.version_info))
    sys.exit(2)

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

from demo_app.app.cli import PROGRAM, parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_EXTRA = ("httpx", "python_multipart", "starlette", "uvicorn")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo.

    Parameters
    ----------
    arguments
        The command line without the program's name; ``sys.argv`` if None.

    Returns
    -------
    int
        The exit code: that of the app, 1 if the tour saw something wrong, 2 if the demo could not start, with one
        line on stderr.
    """
    if not all(find_spec(name) for name in _EXTRA):
        return _cannot_start("pip install qt-orchestrator[demo]")
    options = parse(arguments)
    is_headless = options.tour or not has_display(os.environ)
    if is_headless:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    try:
        import PySide6.QtWidgets  # noqa: F401 - fails where a system library is missing

        import qtorch  # noqa: F401 - refuses a PySide6 that would crash
    except ImportError as error:
        return _cannot_start(" ".join(str(error).split()))
    if is_headless:
        from demo_app.tour.tour import run_tour

        return run_tour(options)
    from demo_app.app.application import run

    return run(options)


def has_display(environ: Mapping[str, str], system: str = sys.platform) -> bool:
    """Whether windows can be shown; that a display is named is enough."""
    platform = environ.get("QT_QPA_PLATFORM", "")
    if platform.startswith(("offscreen", "minimal")):
        return False
    return bool(system != "linux" or platform or environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


def _cannot_start(reason: str) -> int:
    sys.stderr.write(f"{PROGRAM}: error: {reason}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
