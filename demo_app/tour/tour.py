"""The tour: the app is started as for a user, shown around in, and compared with its server at every step."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import qasync  # type: ignore[import-untyped]
from PySide6.QtCore import QtMsgType, qInstallMessageHandler

from demo_app.app.application import Application, make_application
from demo_app.app.cli import PROGRAM
from demo_app.app.qt_start import make_qt
from demo_app.tour import editing_steps, finding_steps, picture_steps, trouble_steps
from demo_app.tour.report import Report, Step
from demo_app.tour.script import Script, TookTooLongError, Until
from demo_app.tour.sight import Tour
from demo_app.tour.witness import NotControllableError, Witness
from qtorch import EventLog

if TYPE_CHECKING:
    from demo_app.app.cli import Options

PHOTOGRAPHS = Path("build") / "tour"
"""Where the window is photographed to, below the current folder."""

LIMIT = 150.0
"""Seconds after which a tour that hangs is given up; a good one takes about 30."""

_END = 4.0
"""Seconds that the app may take to end, its server included."""

_STEPS = (
    finding_steps.start,
    finding_steps.scroll,
    finding_steps.search,
    finding_steps.open_person,
    editing_steps.type_nonsense,
    editing_steps.correct,
    editing_steps.save,
    editing_steps.revert,
    editing_steps.conflict,
    editing_steps.reload_theirs,
    editing_steps.save_mine_anyway,
    editing_steps.leave_unsaved,
    picture_steps.send,
    picture_steps.send_text,
    trouble_steps.switch_theme,
    picture_steps.cancel,
    trouble_steps.retry,
    trouble_steps.give_up,
    trouble_steps.show_cached,
)


def _pass_on(_: QtMsgType, __: object, text: str) -> None:
    """Write what Qt has to say to stderr, but not at every step what the platform without a display cannot do."""
    if not text.startswith("This plugin does not support"):
        sys.stderr.write(f"{text}\n")


class _CannotStartError(Exception):
    """The tour cannot begin; the message is for whoever started it."""


def run_tour(options: Options) -> int:
    """Make the tour and print what was seen.

    Parameters
    ----------
    options
        With an ``api_url`` the tour changes the people of that server, which has to be started with ``--control``.

    Returns
    -------
    int
        0 if everything was as expected, 1 if not, 2 if the tour could not begin.
    """
    try:
        PHOTOGRAPHS.mkdir(parents=True, exist_ok=True)
        for old in PHOTOGRAPHS.glob("*.png"):
            old.unlink()
        with tempfile.TemporaryDirectory(prefix="qtorch-demo-") as folder:
            return _Visit(options, Path(folder)).run()
    except (_CannotStartError, NotControllableError, OSError) as error:
        sys.stderr.write(f"{PROGRAM}: error: {error}\n")
        return 2


class _Visit:
    """One tour, from the first event to the end of the app."""

    def __init__(self, options: Options, folder: Path) -> None:
        self._options, self._folder = options, folder
        qt = make_qt(options.theme if options.theme in ("light", "dark") else "light")
        self._application: Application = make_application(
            qt,
            qasync.QEventLoop(qt),
            api_url=options.api_url,
            database=options.db or folder / "people.db",
            server_options=("--control", *options.server_options),
        )
        self._qt = qt
        qInstallMessageHandler(_pass_on)
        window = self._application.window
        self._report = Report(window, PHOTOGRAPHS, sys.stdout)
        self._log = EventLog(self._application.runtime.bus)
        self._witness: Witness | None = None
        self._last: Step | None = None
        self._error: BaseException | None = None

    def run(self) -> int:
        """Run the app, and the tour in it."""
        self._application.window.show()
        script = Script(self._visit(), self._ended, LIMIT)
        self._application.runtime.exec()
        del script
        try:
            if self._error is not None and not isinstance(self._error, TookTooLongError):
                raise self._error
            if self._last is not None:
                self._compare_end(self._last)
            return self._report.close(len(_STEPS) + 1)
        finally:
            if self._witness is not None:
                self._witness.close()

    async def _visit(self) -> None:
        connection = self._application.orchestrators.connection
        await Until(lambda: bool(connection.state.server or connection.state.problem), LIMIT)
        if connection.state.server is None:
            raise _CannotStartError(connection.state.problem)
        url = connection.state.server.url
        witness = self._witness = Witness(url)
        await witness.control()
        tour = Tour(self._application.window, witness, self._report, self._log, self._folder, url)
        for step in _STEPS:
            await step(tour)
            if self._report.is_hopeless:
                self._qt.exit(1)
                return
        self._last = await trouble_steps.close(tour)
        self._left_at = time.monotonic()

    def _ended(self, error: BaseException | None) -> None:
        self._error = error
        if error is not None:
            self._qt.exit(1)  # not quit(), which a window with unsaved changes may refuse

    def _compare_end(self, step: Step) -> None:
        witness = self._witness
        assert witness is not None
        step.compare(f"ended within {_END:g} s", True, time.monotonic() - self._left_at < _END)
        if self._application.server is not None:
            step.compare("the app's server has ended", True, witness.is_gone())
        self._report.note(step)
