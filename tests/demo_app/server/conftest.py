"""The real server: as a process of its own, or on a thread of the test to look inside."""

# ruff: noqa: RUF001 - names with letters that look like others are what is tested

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from demo_app.server.app import create_app
from demo_app.server.faults import Faults
from demo_app.server.listening import listen, url_of
from demo_app.server.models import Person
from demo_app.server.serving import Server
from demo_app.server.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send


@contextmanager
def _running(app: ASGIApp, faults: Faults) -> Iterator[httpx.Client]:
    with listen("127.0.0.1", 0) as listener:
        server = Server(app, faults)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            with httpx.Client(base_url=url_of(listener), trust_env=False, timeout=20) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a server with the 1,200 sample people, for tests that only read."""
    faults = Faults()
    path = tmp_path_factory.mktemp("sample") / "people.db"
    with Store(path) as store, _running(create_app(store, faults), faults) as client:
        yield client


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[..., AbstractContextManager[httpx.Client]]]:
    """``with serve(store, faults, control=False) as client``: the application of one test on a thread.

    The server below it is one for all tests, since uvicorn takes a quarter of a second to stop.
    """
    current: list[ASGIApp] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await current[-1](scope, receive, send)

    with _running(app, Faults()) as client:

        @contextmanager
        def serve(store: Store, faults: Faults | None = None, *, control: bool = False) -> Iterator[httpx.Client]:
            current.append(create_app(store, faults or Faults(), control=control))
            yield client

        yield serve


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Store]:
    """A store of three people."""
    names = ("Ada Ærø", "Bo Ek", "Łucja O’Rourke")
    people = [
        Person(
            id=number,
            name=name,
            email=f"p{number}@example.org",
            title="Hydrologist",
            role="viewer",
            bio="Follows rivers.",
            mentions=True,
            public=False,
            member_since=2020,
        )
        for number, name in enumerate(names, start=1)
    ]
    with Store(tmp_path / "three.db", lambda: people) as store:
        yield store


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[str], httpx.Client]]]:
    """``start(*options)``: the server as a process on ``people.db`` in the test's folder, and a client for it."""
    with ExitStack() as stack:

        def start(*options: str) -> tuple[subprocess.Popen[str], httpx.Client]:
            process = subprocess.Popen(
                [sys.executable, "-m", "demo_app.server", "--db", str(tmp_path / "people.db"), *options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            assert process.stdout
            line = process.stdout.readline()
            address = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", line)
            if not address:
                pytest.fail(f"instead of its address it printed {line!r} and then {process.communicate(timeout=20)}")
            client = httpx.Client(base_url=address[1], trust_env=False, timeout=20)
            return process, stack.enter_context(client)

        yield start
