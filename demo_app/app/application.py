"""The app put together: from the command line to a window whose server answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import qasync  # type: ignore[import-untyped]
from PySide6.QtCore import QSettings, QStandardPaths

from demo_app.app.api import Api
from demo_app.app.executors import ChangePictureExecutor, ConnectExecutor, LoadPictureExecutor, plain_executors
from demo_app.app.main_window import MainWindow
from demo_app.app.orchestrators import Orchestrators
from demo_app.app.picture_executors import ReadPictureExecutor, RoundPictureExecutor
from demo_app.app.qt_start import make_qt
from demo_app.app.server_process import ServerProcess
from demo_app.look import theme
from qtorch import Runtime

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from PySide6.QtWidgets import QApplication

    from demo_app.app.cli import Options


@dataclass(frozen=True)
class Application:
    """Everything the running demo is made of.

    Attributes
    ----------
    server
        The app's own server; None if it uses another one.
    """

    runtime: Runtime
    orchestrators: Orchestrators
    window: MainWindow
    server: ServerProcess | None


def make_application(
    qt: QApplication,
    loop: AbstractEventLoop,
    *,
    api_url: str = "",
    database: Path | None = None,
    server_options: Sequence[str] = (),
    settings: QSettings | None = None,
) -> Application:
    """Make the window and all behind it; it looks for its server as soon as the event loop runs.

    Parameters
    ----------
    qt, loop
        The QApplication, and the asyncio loop that runs on it; ``runtime.exec()`` runs and closes it.
    api_url
        The server to use; empty to start one on ``database`` with ``server_options``.
    settings
        Where the window's place is remembered; None to forget it.
    """
    runtime = Runtime(loop=loop)
    api = Api(api_url)
    server = ServerProcess(database, server_options) if database is not None and not api_url else None
    dispatcher = runtime.dispatcher
    runtime.register(
        ConnectExecutor(api, server, runtime.bus),
        *plain_executors(api),
        LoadPictureExecutor(api, dispatcher),
        ChangePictureExecutor(api, dispatcher),
        RoundPictureExecutor(),
        ReadPictureExecutor(),
    )
    shown = qt.findChild(theme.Theme)
    assert shown is not None, "make_qt makes the theme"
    orchestrators = Orchestrators.on(runtime, shown)
    window = MainWindow(orchestrators, settings)
    orchestrators.connection.find_server()
    return Application(runtime, orchestrators, window, server)


def run(options: Options) -> int:
    """Run the demo with its window, and give the exit code."""
    qt = make_qt("system")
    settings = QSettings()
    chosen = settings.value("theme")
    theme.apply(qt, options.theme or (chosen if chosen in ("light", "dark") else "system"))
    application = make_application(
        qt,
        qasync.QEventLoop(qt),
        api_url=options.api_url,
        database=options.db or _usual_place(),
        server_options=options.server_options,
        settings=settings,
    )
    application.window.show()
    return application.runtime.exec()


def _usual_place() -> Path:
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppDataLocation)
    return Path(folder) / "people.db"
