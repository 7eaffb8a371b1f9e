"""Where the demo's icons, fonts, style sheet and sample data lie on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

Part = Literal["common", "demo"]

_PACKAGE = Path(__file__).resolve().parent


class ResourcesNotFoundError(FileNotFoundError):
    """The folders that hold the demo's resources are missing."""


def resource_dir(part: Part, *, package: Path = _PACKAGE) -> Path:
    """Folder with the resources ``part``: ``common`` (the look) or ``demo`` (sample data).

    A wheel carries them inside the package, as ``demo_app/_resources``. A checkout and an editable install have
    them beside it, as ``resources``: hatch applies ``force-include`` only when it builds a wheel.

    Parameters
    ----------
    part
        Which of the two folders.
    package
        The folder of the package ``demo_app``.

    Raises
    ------
    ResourcesNotFoundError
        Neither place has the folder, for instance in a frozen program that was built without the data files.
    """
    places = (package / "_resources" / part, package.parent / "resources" / part)
    for place in places:
        if place.is_dir():
            return place
    raise ResourcesNotFoundError(
        f"The demo's {part!r} resources are missing. Looked in {places[0]} and {places[1]}. "
        "Install the wheel again (pip install --force-reinstall 'qt-orchestrator[demo]') or run from a whole checkout; "
        "a frozen program must collect the data files of the package demo_app."
    )
