"""A server, a Runtime with the app's executors, and orchestrators on it."""

from __future__ import annotations

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


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    """The real server with the sample people, for one test."""
    with running_server(tmp_path / "people.db") as server:
        yield server


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
