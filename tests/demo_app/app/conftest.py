"""A server, a Runtime with the app's executors, and orchestrators on it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from demo_app.app.api import Api
from demo_app.app.executors import ChangePictureExecutor, ConnectExecutor, LoadPictureExecutor, plain_executors
from demo_app.app.picture_executors import ReadPictureExecutor, RoundPictureExecutor
from qtorch import Runtime
from tests.demo_app.app.serving import RunningServer, running_server

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

PATIENCE_MS = 10_000

_IDS = itertools.count(100, 5)


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("server") / "people.db") as server:
        yield server


@pytest.fixture
def server(shared_server: RunningServer) -> RunningServer:
    """The real server with the sample people, quick and reliable; one for all tests, since it starts in 0.3 s."""
    shared_server.control()
    return shared_server


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RunningServer]:
    """A server that a test may kill."""
    with running_server(tmp_path / "people.db") as server:
        yield server


@pytest.fixture
def me() -> int:
    """Id of a person whom no other test has changed, nor the next four."""
    return next(_IDS)


@pytest.fixture
def api(server: RunningServer) -> Api:
    return Api(server.url)


@pytest.fixture
def runtime(qapp: QApplication, api: Api) -> Iterator[Runtime]:
    """A strict Runtime that does the app's jobs; what a hook raises fails the test, by sys.excepthook."""
    runtime = Runtime(strict=True)
    runtime.register(
        ConnectExecutor(api, None, runtime.bus),
        *plain_executors(api),
        LoadPictureExecutor(api, runtime.dispatcher),
        ChangePictureExecutor(api, runtime.dispatcher),
        RoundPictureExecutor(),
        ReadPictureExecutor(),
    )
    yield runtime
    runtime.close()


@pytest.fixture
def until(qtbot: QtBot) -> Callable[[Callable[[], bool]], None]:
    """``until(condition)``: let the app work until the condition holds."""
    return lambda condition: qtbot.waitUntil(condition, timeout=PATIENCE_MS)
