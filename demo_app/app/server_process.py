"""The app's own server: a child process that ends with the app, however the app ends."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from demo_app.app.faults import ServerStartError

if TYPE_CHECKING:
    from pathlib import Path

_START = 20.0
"""Seconds to say where it listens: on a slow disk Python's own start takes several."""

_GRACE = 3.0
"""Seconds to end by itself; it gives its requests one."""

_LISTENING = re.compile(r"listening on (http://\S+)")


class ServerProcess:
    """Starts ``python -m demo_app.server``, notices its end, and ends it.

    Everything belongs to the asyncio loop. The child reads its stdin to the end: when the app closes it, or dies, the
    child stops by itself.

    Parameters
    ----------
    database
        Its file; the folder is made if it is missing.
    options
        More of its command line, such as ``("--latency", "0.5")``.
    """

    def __init__(self, database: Path, options: Sequence[str] = ()) -> None:
        self._database = database
        self._options = tuple(options)
        self._process: Process | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether there is a child that has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        """The child's process id, None while there is no child."""
        return self._process.pid if self._process is not None and self.is_running else None

    async def start(self, ended: Callable[[str], object]) -> str:
        """Start the child and give its address.

        Parameters
        ----------
        ended
            Called once, with a sentence for the user, if the child ends although nobody has stopped it.

        Raises
        ------
        ServerStartError
            It did not come up.
        """
        await self.stop()
        try:
            await asyncio.to_thread(self._database.parent.mkdir, parents=True, exist_ok=True)
            process = self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "demo_app.server", "--port", "0", "--exit-with-stdin"),
                *("--db", str(self._database), *self._options),
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            )
        except OSError as error:
            raise ServerStartError(f"The server cannot be started: {error.strerror}: {error.filename}") from error
        try:
            assert process.stdout is not None
            line = (await asyncio.wait_for(process.stdout.readline(), _START)).decode(errors="replace")
        except TimeoutError:
            await self.stop()
            raise ServerStartError(f"The server did not come up within {_START:g} s.") from None
        except asyncio.CancelledError:
            await asyncio.shield(self.stop())
            raise
        address = _LISTENING.match(line)
        if address is None:
            words = await _last_words(process)
            await self.stop()
            raise ServerStartError(f"The server did not start: {words}" if words else "The server did not start.")
        self._watch = asyncio.ensure_future(self._tell_end(process, ended))
        return address[1]

    async def stop(self) -> None:
        """End the child; no child is no error."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _GRACE)
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _tell_end(self, process: Process, ended: Callable[[str], object]) -> None:
        words = await _last_words(process)
        code = await process.wait()
        ended(f"The server has stopped ({words or f'exit code {code}'}). Nothing that you typed is lost.")


async def _last_words(process: Process) -> str:
    """Wait for the end of what the child says, and give the last line, which is where an error is."""
    assert process.stderr is not None
    text = (await process.stderr.read()).decode(errors="replace").strip()
    last = text.rpartition("\n")[2]
    return re.sub(r"^.*?\berror: ", "", last)
