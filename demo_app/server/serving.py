"""Running the application on a socket until the server is told to stop."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import uvicorn

from demo_app.server.answers import error_answer

if TYPE_CHECKING:
    import socket

    from starlette.types import ASGIApp, Receive, Scope, Send

    from demo_app.server.faults import Faults

_GRACE = 1
"""Seconds that a running request has when the server stops."""


class Server(uvicorn.Server):
    """uvicorn, stopping within about a second whatever the requests are doing.

    Parameters
    ----------
    app, faults
        The application, and the faults it was made with.
    """

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        config = uvicorn.Config(
            _Interruptible(app),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=_GRACE,
            # Longer than the 5 s of httpx: who closes first must be the client, or it sends into a closed connection.
            timeout_keep_alive=30,
        )
        super().__init__(config)
        self._faults = faults

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let the requests that only wait go on, then stop."""
        self._faults.stop_waiting()
        await super().shutdown(sockets)

    def stop_at_end_of_stdin(self) -> None:
        """Stop when the process that holds the other end of stdin closes it or dies, however it dies."""
        threading.Thread(target=self._watch_stdin, name="stdin watch", daemon=True).start()

    def _watch_stdin(self) -> None:
        # os.read and not sys.stdin: a thread that waits in there holds its lock, and aborts the interpreter at its end.
        with suppress(OSError):  # no stdin at all is as good as one that has ended
            while os.read(0, 4096):
                pass
        self.should_exit = True


class _Interruptible:
    """An application whose requests, when cancelled, answer: uvicorn would log each with a traceback as a failure."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            await error_answer(503, "unavailable", "The server is stopping.")(scope, receive, send)
