"""Being slow and failing on purpose, so that an app can be seen coping with it."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import TYPE_CHECKING

from demo_app.server.answers import error_answer
from demo_app.server.models import FaultSettings

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

UNTOUCHED = ("/health", "/control")
"""Paths that always answer at once: a server that fails all the time has still to be found, and to be mended."""


class Faults:
    """Decides which requests fail, and how long each of them waits.

    Belongs to the thread of the event loop.

    Parameters
    ----------
    settings
        May be exchanged while the server runs.
    generator
        Source of the decisions; a seeded one makes them repeatable.
    """

    def __init__(self, settings: FaultSettings | None = None, *, generator: random.Random | None = None) -> None:
        self.settings = settings or FaultSettings()
        self._generator = generator or random.Random()
        self._stopping = asyncio.Event()

    def next_fails(self) -> bool:
        """Decide about the next request."""
        if self.settings.fail_next:
            self.settings = self.settings.model_copy(update={"fail_next": self.settings.fail_next - 1})
            return True
        return self._generator.random() < self.settings.fail_rate

    async def wait(self) -> None:
        """Let the latency pass; at once when the server is stopping."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), self.settings.latency)

    def stop_waiting(self) -> None:
        """End all waits, now and to come, so that a slow server stops as fast as a quick one."""
        self._stopping.set()


class FaultyMiddleware:
    """Put the faults in front of an app, for every path that is not ``UNTOUCHED``."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, late or not at all."""
        if scope["type"] != "http" or scope["path"] in UNTOUCHED:
            await self._app(scope, receive, send)
            return
        # Decided on arrival: with one generator, requests fail in the order in which they came, whatever they wait.
        app = _UNAVAILABLE if self._faults.next_fails() else self._app
        await self._faults.wait()
        await app(scope, receive, send)


_UNAVAILABLE = error_answer(503, "unavailable", "The server cannot answer just now; try again.")
