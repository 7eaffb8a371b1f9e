"""The command line of the demo. It knows nothing of Qt, so that a wrong option is told of at once."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from demo_app.server.arguments import Parser, seconds, share

PROGRAM = "qtorch-demo"


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for.

    Attributes
    ----------
    api_url
        A server to use instead of an own one; empty for an own one.
    db
        The own server's database; None for the usual place.
    theme
        None for the one that was chosen last.
    tour
        Whether to run the headless tour.
    latency, fail_rate
        How slow (seconds) and unreliable (share, 0..1) the own server is to be.
    """

    api_url: str = ""
    db: Path | None = None
    theme: Literal["light", "dark", "system"] | None = None
    tour: bool = False
    latency: float = 0.0
    fail_rate: float = 0.0

    @property
    def server_options(self) -> tuple[str, ...]:
        """The part that is for the own server's command line."""
        return ("--latency", str(self.latency), "--fail-rate", str(self.fail_rate))


def parse(arguments: Sequence[str] | None) -> Options:
    """Read the command line (``sys.argv`` if None); ends the process with code 2 and one line if it is wrong."""
    parser = Parser(prog=PROGRAM, description="People and their profiles: qtorch on real data.", allow_abbrev=False)
    parser.add_argument("--api-url", type=_url, metavar="URL", help="use this server; else one is started")
    parser.add_argument("--db", type=Path, metavar="PATH", help="database of the server that is started")
    parser.add_argument("--theme", choices=("light", "dark", "system"), help="else as it was left")
    parser.add_argument("--tour", action="store_true", help="visit everything without a display, and check it")
    parser.add_argument("--latency", type=seconds, metavar="SECONDS", help="make the server that is started slow")
    parser.add_argument("--fail-rate", type=share, metavar="0..1", help="make the server that is started fail")
    given = parser.parse_args(arguments)
    for name in ("db", "latency", "fail_rate"):
        if given.api_url and getattr(given, name) is not None:
            option = name.replace("_", "-")
            parser.error(f"--{option} is for a server that the demo starts: give it to the one at {given.api_url}")
    return Options(
        api_url=given.api_url or "",
        db=given.db,
        theme=given.theme,
        tour=given.tour,
        latency=given.latency or 0.0,
        fail_rate=given.fail_rate or 0.0,
    )


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        is_address = False
    if not is_address:
        raise argparse.ArgumentTypeError(f"{text!r} is no address: use one such as http://127.0.0.1:8000")
    return text.rstrip("/")
