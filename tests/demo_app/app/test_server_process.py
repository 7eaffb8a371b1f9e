"""The app's own server: a child that starts, is noticed when it dies, and never stays behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from demo_app.app.faults import ServerStartError
from demo_app.app.server_process import ServerProcess

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.realtime


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(main(), 20))


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", trust_env=False).is_success
    except httpx.TransportError:
        return False


def test_it_starts_in_a_new_folder_and_stops_when_told(tmp_path: Path) -> None:
    ends: list[str] = []

    async def main() -> None:
        server = ServerProcess(tmp_path / "new" / "folder" / "people.db")
        assert server.pid is None
        url = await server.start(ends.append)
        assert server.is_running
        assert answers(url)
        await server.stop()
        assert not server.is_running
        assert not answers(url)
        await server.stop()

    run(main)
    assert ends == [], "nobody is told of an end that was asked for"


def test_an_end_that_nobody_asked_for_is_told_of_once(tmp_path: Path) -> None:
    ends: list[str] = []

    async def main() -> None:
        server = ServerProcess(tmp_path / "people.db")
        await server.start(ends.append)
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        while not ends:
            await asyncio.sleep(0.01)
        assert not server.is_running
        url = await server.start(ends.append)
        assert answers(url)
        await server.stop()

    run(main)
    assert ends == ["The server has stopped (exit code -9). Nothing that you typed is lost."]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("people.db", b"This is no database, only a text of some length.", "is not an SQLite database"),
        ("folder", None, "is a folder"),
    ],
)
def test_a_database_that_is_none_is_told_of_in_the_words_of_the_server(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    file = tmp_path / name
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)

    async def main() -> None:
        server = ServerProcess(file)
        with pytest.raises(ServerStartError, match=said) as raised:
            await server.start(print)
        assert str(raised.value).startswith(f"The server did not start: {file}")
        assert not server.is_running

    run(main)
    if content is not None:
        assert file.read_bytes() == content


def test_a_folder_that_cannot_be_made_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    async def main() -> None:
        with pytest.raises(ServerStartError, match="cannot be started"):
            await ServerProcess(tmp_path / "file" / "people.db").start(print)

    run(main)


def test_options_reach_the_server(tmp_path: Path) -> None:
    async def main() -> None:
        server = ServerProcess(tmp_path / "people.db", ("--control", "--latency", "0.25"))
        url = await server.start(print)
        assert httpx.get(f"{url}/control", trust_env=False).json()["latency"] == 0.25
        await server.stop()

    run(main)


def test_a_cancelled_start_leaves_nothing_behind(tmp_path: Path) -> None:
    async def main() -> None:
        server = ServerProcess(tmp_path / "people.db")
        starting = asyncio.create_task(server.start(print))
        while not server.is_running:
            await asyncio.sleep(0)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert not server.is_running

    run(main)


def test_it_ends_with_an_app_that_is_killed(tmp_path: Path) -> None:
    program = f"""
import asyncio
from pathlib import Path
from demo_app.app.server_process import ServerProcess

async def main():
    print(await ServerProcess(Path({str(tmp_path / "people.db")!r})).start(print), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as app:
        assert app.stdout is not None
        url = app.stdout.readline().strip()
        assert answers(url)
        app.kill()
    end = time.monotonic() + 10
    while answers(url):
        assert time.monotonic() < end, "the server outlived its app"
        time.sleep(0.02)
