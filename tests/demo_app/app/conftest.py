"""A server, a Runtime with the app's executors, and orchestrators on it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import qasync
import shiboken6
from PySide6.QtCore import Qt

from demo_app.app.api import Api
from demo_app.app.application import Application, make_application
from demo_app.app.executors import ChangePictureExecutor, ConnectExecutor, LoadPictureExecutor, plain_executors
from demo_app.app.picture_executors import ReadPictureExecutor, RoundPictureExecutor
from demo_app.look import theme
from demo_app.tour import hands
from qtorch import Runtime
from tests.demo_app.app.reading import Open, Until, rows
from tests.demo_app.app.serving import RunningServer, running_server

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from demo_app.app.main_window import MainWindow

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
def until(qtbot: QtBot) -> Until:
    """``until(condition)``: let the app work until the condition holds."""
    return lambda condition: qtbot.waitUntil(condition, timeout=PATIENCE_MS)


@pytest.fixture
def loop(qapp: QApplication) -> Iterator[Any]:
    """A qasync loop that runs as long as the test drives Qt."""
    loop: Any = qasync.QEventLoop(qapp, already_running=True)
    asyncio.set_event_loop(loop)
    yield loop
    # Not loop.stop(): that is app.exit(), after which every nested event loop of later tests returns at once.
    loop._QEventLoop__is_running = False
    asyncio._set_running_loop(None)
    loop.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def open_window(qapp: QApplication, loop: Any, qtbot: QtBot) -> Iterator[Callable[..., Application]]:
    """``open_window(api_url=..)`` or ``open_window(database=..)``: the app with its window, shown and active."""
    font, palette = qapp.font(), qapp.palette()
    theme.apply(qapp, "light")
    opened: list[Application] = []

    def open_window(**options: Any) -> Application:
        application = make_application(qapp, loop, **options)
        opened.append(application)
        qtbot.addWidget(application.window, before_close_func=_forget_changes)
        application.window.show()
        application.window.activateWindow()
        qtbot.waitUntil(application.window.isActiveWindow)
        return application

    yield open_window
    for application in opened:
        application.runtime.close()
    shown = qapp.findChild(theme.Theme)
    assert shown is not None
    shiboken6.delete(shown)
    qapp.setStyleSheet("")
    qapp.setPalette(palette)
    qapp.setFont(font)


def _forget_changes(window: MainWindow) -> None:
    """Let the window be closed without a question."""
    window.orchestrators.profile.revert()


@pytest.fixture
def window(open_window: Open, server: RunningServer, until: Until) -> MainWindow:
    """A window that shows everybody."""
    window = open_window(api_url=server.url).window
    until(lambda: rows(window) > 0)
    return window


@pytest.fixture
def on_me(window: MainWindow, server: RunningServer, until: Until, me: int) -> MainWindow:
    """A window that shows ``me``, found by the e-mail address."""
    hands.retype(window.people.search, server.person(me)["email"])
    until(lambda: rows(window) == 1)
    hands.press(Qt.Key.Key_Down)
    until(lambda: window.profile.form.name.edit.text() == server.person(me)["name"])
    return window
