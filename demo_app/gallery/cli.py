"""The command line of the gallery. It knows nothing of Qt, so that a wrong option is told of at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from demo_app.gallery.pages import NAMES
from demo_app.server.arguments import Parser

PROGRAM = "qtorch-gallery"


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for.

    Attributes
    ----------
    page
        The page that is open at the start.
    theme
        The theme at the start.
    screenshots
        Where to photograph every page to, instead of showing a window.
    """

    page: str = NAMES[0]
    theme: Literal["light", "dark", "system"] = "system"
    screenshots: Path | None = None


def parse(arguments: Sequence[str] | None) -> Options:
    """Read the command line (``sys.argv`` if None); ends the process with code 2 and one line if it is wrong."""
    parser = Parser(prog=PROGRAM, description="Every binding of qtorch live, with its code.", allow_abbrev=False)
    parser.add_argument("--page", choices=NAMES, default=NAMES[0], help="open this one")
    parser.add_argument("--theme", choices=("light", "dark"), default="system", help="else as the system")
    parser.add_argument(
        "--screenshots", type=Path, metavar="DIR", help="photograph every page in both themes, without a display"
    )
    given = parser.parse_args(arguments)
    return Options(given.page, given.theme, given.screenshots)
