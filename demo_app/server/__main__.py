"""``python -m demo_app.server``: the server as a process of its own."""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from demo_app.server.arguments import Parser, port, seconds, share
from demo_app.server.errors import StartError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

_EXTRA = {"anyio", "h11", "python_multipart", "starlette", "uvicorn"}


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
        _announce(url_of(listener))
        server.run(sockets=[listener])


def _announce(url: str) -> None:
    try:
        print(f"listening on {url}", flush=True)  # noqa: T201 - whoever started the server reads the port here
    except OSError as error:
        # The interpreter flushes at its end and would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise StartError(f"the address cannot be printed: {error.strerror}") from error


def _parser() -> Parser:
    parser = Parser(
        prog="python -m demo_app.server",
        description="The people of the demo over HTTP. Prints its address when it is ready.",
        allow_abbrev=False,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=port, default=0, help="port to listen on; 0 for a free one (%(default)s)")
    parser.add_argument("--db", type=Path, required=True, metavar="PATH", help="SQLite file, made if missing")
    parser.add_argument(
        "--latency", type=seconds, default=0.0, metavar="SECONDS", help="wait so long before each answer (%(default)s)"
    )
    parser.add_argument(
        "--fail-rate", type=share, default=0.0, metavar="0..1", help="answer this share with 503 (%(default)s)"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="make the choice of failing requests repeatable")
    parser.add_argument("--control", action="store_true", help="let clients change latency and failures at /control")
    parser.add_argument("--exit-with-stdin", action="store_true", help="stop when stdin ends, as it does with a parent")
    return parser


if __name__ == "__main__":
    # Through the same door as an error: the socket is closed and the log written back into the database on the way.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.exit(main())
