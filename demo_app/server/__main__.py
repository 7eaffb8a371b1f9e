"""``python -m demo_app.server``: the server as a process of its own."""

from __future__ import annotations

import argparse
import math
import random
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from demo_app.server.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXTRA = {"anyio", "h11", "python_multipart", "starlette", "uvicorn"}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # One line, without the usage: the app shows what its server says in a window.
        self.exit(2, f"{self.prog}: error: {message} (--help lists the options)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server until it is told to stop.

    Parameters
    ----------
    arguments
        The command line without the program's name; ``sys.argv`` if None.

    Returns
    -------
    int
        The exit code: 0 after a clean end, 130 after Ctrl+C, 2 if it could not start, with one line on stderr.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        _serve(options)
    except KeyboardInterrupt:
        return 130
    except StartError as error:
        sys.stderr.write(f"{parser.prog}: error: {error}\n")
        return 2
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _EXTRA:
            raise
        sys.stderr.write(f"{parser.prog}: error: {missing} is not installed: pip install qt-orchestrator[demo]\n")
        return 2
    return 0


def _serve(options: argparse.Namespace) -> None:
    # Imported here, so that a missing extra and a Ctrl+C in the meantime end as they should.
    from demo_app.server.app import create_app
    from demo_app.server.faults import Faults
    from demo_app.server.listening import listen, url_of
    from demo_app.server.models import FaultSettings
    from demo_app.server.serving import Server
    from demo_app.server.store import Store

    settings = FaultSettings(latency=options.latency, fail_rate=options.fail_rate)
    faults = Faults(settings, generator=random.Random(options.seed))
    with listen(options.host, options.port) as listener, Store(options.db) as store:
        server = Server(create_app(store, faults, control=options.control), faults)
        if options.exit_with_stdin:
            server.stop_at_end_of_stdin()
        sys.stdout.write(f"listening on {url_of(listener)}\n")
        sys.stdout.flush()
        server.run(sockets=[listener])


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m demo_app.server",
        description="The people of the demo over HTTP. Prints its address when it is ready.",
        allow_abbrev=False,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=_port, default=0, help="port to listen on; 0 for a free one (%(default)s)")
    parser.add_argument("--db", type=Path, required=True, metavar="PATH", help="SQLite file, made if missing")
    parser.add_argument(
        "--latency", type=_seconds, default=0.0, metavar="SECONDS", help="wait so long before each answer (%(default)s)"
    )
    parser.add_argument(
        "--fail-rate", type=_share, default=0.0, metavar="0..1", help="answer this share with 503 (%(default)s)"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="make the choice of failing requests repeatable")
    parser.add_argument("--control", action="store_true", help="let clients change latency and failures at /control")
    parser.add_argument("--exit-with-stdin", action="store_true", help="stop when stdin ends, as it does with a parent")
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: use 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    seconds = _float(text)
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no waiting time: use seconds from 0")
    return seconds


def _share(text: str) -> float:
    share = _float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share: use 0 to 1, such as 0.3")
    return share


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan  # compares as false with every bound


if __name__ == "__main__":
    # Through the same door as an error: the socket is closed and the log written back into the database on the way.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.exit(main())
