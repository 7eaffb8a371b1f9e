"""The window: everything in it is bound to the state of orchestrators."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QSettings, QStandardPaths, Qt
from PySide6.QtWidgets import QFileDialog, QLabel, QMainWindow, QSizePolicy, QSplitter, QVBoxLayout, QWidget

from demo_app.app.actions import Actions
from demo_app.app.activity import activity_text
from demo_app.app.conflict_banner import ConflictBanner
from demo_app.app.people_pane import PeoplePane
from demo_app.app.picture import PictureChanged
from demo_app.app.problems import most_urgent
from demo_app.app.profile import Left, Saved
from demo_app.app.profile_pane import ProfilePane
from demo_app.app.unsaved import UnsavedQuestion
from demo_app.look.banner import Banner
from demo_app.look.toast import Toast
from qtorch import bind

if TYPE_CHECKING:
    from PySide6.QtGui import QCloseEvent

    from demo_app.app.orchestrators import Orchestrators

_PICTURES = "Pictures (*.png *.jpg *.jpeg *.webp);;All files (*)"


class MainWindow(QMainWindow):
    """People on the left, one of them on the right.

    Parameters
    ----------
    orchestrators
        What it shows.
    settings
        Where its place on the screen is kept; None to forget it.
    """

    def __init__(self, orchestrators: Orchestrators, settings: QSettings | None = None) -> None:
        super().__init__()
        self.setWindowTitle("People")
        self.orchestrators = own = orchestrators
        self._settings = settings
        self._picture_folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
        central = QWidget(self)
        self.people = PeoplePane(own.connection, own.people, own.pictures, own.profile, central)
        self.profile = ProfilePane(own.profile, own.picture, own.pictures, central)
        self.conflict = ConflictBanner(own.profile, central)
        self.banner = Banner(action="Retr&y", parent=central)
        body = QWidget(central)
        self.splitter = QSplitter(body)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(1)
        self.splitter.addWidget(self.people)
        self.splitter.addWidget(self.profile)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setSizes([310, 810])
        inner = QVBoxLayout(body)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self.splitter)
        layout = QVBoxLayout(central)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(body, 1)
        layout.addWidget(self.conflict)
        layout.addWidget(self.banner)
        self.setCentralWidget(central)
        self.toast = Toast(body)  # not over the splitter, which would make it one of its panes
        self.commands = Actions(
            self,
            people=own.people,
            picture=own.picture,
            appearance=own.appearance,
            profile=own.profile,
            refresh=self._refresh,
            find=self._find,
        )
        self.activity = QLabel(self)
        self.activity.setContentsMargins(12, 0, 0, 0)
        # A long message is cut rather than making the window wider.
        self.activity.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.place = QLabel(self)
        self.place.setContentsMargins(0, 0, 12, 0)
        self.statusBar().addWidget(self.activity, 1)
        self.statusBar().addPermanentWidget(self.place)
        UnsavedQuestion(own.profile, self)
        self._order_tabs()
        self._bind()
        self._restore_place()
        self.people.search.setFocus()

    def _order_tabs(self) -> None:
        """Let Tab go as the eye does: from left to right, from top to bottom."""
        pane, conflict, banner = self.profile, self.conflict, self.banner
        order = (
            *(self.people.search, self.people.list),
            *(pane.header.change_picture, pane.upload.cancel, *pane.form.editors),
            *(conflict.action_button, conflict.save_mine, conflict.dismiss_button),
            *(banner.action_button, banner.dismiss_button),
        )
        for one, following in pairwise(order):
            QWidget.setTabOrder(one, following)

    def _bind(self) -> None:
        own = self.orchestrators
        bind(self.activity, "text", own.activity.select(lambda s: activity_text(s.jobs, s.retrying)))
        bind(self.place, "text", own.connection.select(lambda s: s.server.place if s.server else "No server"))
        self._problem = most_urgent(own.connection, own.people, own.profile, own.picture)
        bind(self.banner, "text", self._problem.map(lambda problem: problem.text if problem else ""))
        can_retry = self._problem.map(lambda problem: problem is not None and problem.retry is not None)
        bind(self.banner.action_button, "visible", can_retry)
        bind(self.banner, "visible", self._problem.map(lambda problem: problem is not None))
        self.banner.action_button.clicked.connect(self._retry)
        self.banner.dismissed.connect(self._dismiss)
        self.profile.header.change_picture.clicked.connect(self._choose_picture)
        own.profile.effect.connect(self._happened)
        own.picture.effect.connect(self._happened)

    # -- what the user does -------------------------------------------------------------------------------------------

    def _find(self) -> None:
        self.people.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.people.search.selectAll()

    def _refresh(self) -> None:
        own = self.orchestrators
        if own.connection.state.server is None:
            own.connection.find_server()
        else:
            own.people.reload()
            own.profile.reload()

    def _retry(self) -> None:
        problem = self._problem.get()
        if problem is not None and problem.retry is not None:
            problem.retry()

    def _dismiss(self) -> None:
        problem = self._problem.get()
        if problem is not None:
            problem.dismiss()

    def _choose_picture(self) -> None:
        stored = self.orchestrators.profile.state.stored
        if stored is None:
            return
        dialog = QFileDialog(self, f"Choose a picture of {stored.name}", self._picture_folder, _PICTURES)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)

        def chosen(file: str) -> None:
            self._picture_folder = str(Path(file).parent)
            self.orchestrators.picture.change(stored.id, Path(file))

        dialog.fileSelected.connect(chosen)
        dialog.open()

    # -- what happens -------------------------------------------------------------------------------------------------

    def _happened(self, effect: object) -> None:
        match effect:
            case Saved(name):
                self.toast.show_message(f"{name} is saved")
            case PictureChanged(name):
                self.toast.show_message(f"{name} has a new picture")
            case Left():
                self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Close, unless there are unsaved changes: then ask."""
        if not self.orchestrators.profile.may_close():
            event.ignore()
            return
        if self._settings is not None:
            self._settings.setValue("geometry", self.saveGeometry())
            self._settings.setValue("splitter", self.splitter.saveState())
        super().closeEvent(event)

    def _restore_place(self) -> None:
        self.resize(1120, 740)
        if self._settings is not None:
            self.restoreGeometry(_bytes(self._settings.value("geometry")))
            self.splitter.restoreState(_bytes(self._settings.value("splitter")))


def _bytes(value: object) -> QByteArray:
    return value if isinstance(value, QByteArray) else QByteArray()
