"""What Qt and Python need from the operating system: what is missing, and how to get it."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import platform
import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping

from reporting import SetupError, run_quietly, say

# What PySide6's wheels expect, and the Debian package of each (found by adding packages one at a time to an empty
# Debian 12). QtGui needs the first set whatever the platform; the packages of the second bring what else xcb links to.
OFFSCREEN_LIBRARIES = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
}
XCB_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
LIBRARIES = {"offscreen": OFFSCREEN_LIBRARIES, "xcb": XCB_LIBRARIES}


def qt_platforms(environ: Mapping[str, str], system: str = sys.platform) -> list[str]:
    """Names of the Qt platform plugins that must load: offscreen always, xcb where a window will be shown."""
    if system != "linux":  # elsewhere the wheels bring everything
        return []
    chosen = environ.get("QT_QPA_PLATFORM", "")
    shows_windows = environ.get("DISPLAY") and (not chosen or chosen.startswith("xcb"))
    return ["offscreen", "xcb"] if shows_windows else ["offscreen"]


def is_loadable(library: str) -> bool:
    """Whether the loader finds a library. It is asked rather than the package manager: it has the last word."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def has_ensurepip() -> bool:
    """Whether this Python can put pip into a virtual environment; Debian keeps that in a package of its own."""
    importlib.invalidate_caches()
    return importlib.util.find_spec("ensurepip") is not None


def missing(platforms: Iterable[str], venv_for: str | None) -> dict[str, str]:
    """What the system lacks, each with its Debian package.

    Parameters
    ----------
    platforms
        Qt platform plugins that must load.
    venv_for
        The Python version ("3.11") that has to make a virtual environment, or None.
    """
    needed = {library: package for name in platforms for library, package in LIBRARIES[name].items()}
    lacks = {library: package for library, package in needed.items() if not is_loadable(library)}
    if venv_for is not None and not has_ensurepip():
        lacks["Python's module ensurepip"] = f"python{venv_for}-venv"
    return lacks


def is_debian() -> bool:
    """Whether this is Debian, Ubuntu or a child of theirs, so that the package names above hold."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return False
    family = f"{release.get('ID', '')} {release.get('ID_LIKE', '')}".split()
    return ("debian" in family or "ubuntu" in family) and shutil.which("apt-get") is not None


def provide(platforms: list[str], venv_for: str | None) -> None:
    """Install what is missing if that is allowed here.

    Raises
    ------
    SetupError
        It is not; the message holds the exact command where it is known.
    """
    lacks = missing(platforms, venv_for)
    if not lacks:
        return
    what = f"missing on this system: {', '.join(lacks)}."
    if not is_debian():
        raise SetupError(f"{what}\n  Install the packages that hold them, then run the same command again.")
    update = ["apt-get", "update"]
    install = ["apt-get", "install", "-y", "--no-install-recommends", *lacks.values()]
    if os.geteuid() != 0:
        by_hand = f"sudo {shlex.join(update)} && sudo {shlex.join(install)}"
        raise SetupError(f"{what}\n  Run this, then the same command again:\n  {by_hand}")
    say(f"{what} Running {shlex.join(install)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        run_quietly(update, quiet)
    except SetupError as error:  # one dead source of many is no reason to stop: the installation will tell
        say(f"{error}\nGoing on with the package lists that are here.")
    run_quietly(install, quiet)
    lacks = missing(platforms, venv_for)
    if lacks:
        raise SetupError(
            f"{', '.join(lacks)} still missing after {shlex.join(install)}.\n"
            f"  This Python is {sys.executable}; if it is not the system's own, try make PYTHON=/usr/bin/python3 ..."
        )
