"""The tour's eyes: what the window shows, as a user would read it off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

if TYPE_CHECKING:
    from pathlib import Path

    from demo_app.app.main_window import MainWindow
    from demo_app.tour.report import Report, Step
    from demo_app.tour.witness import Witness
    from qtorch import EventLog


@dataclass
class Tour:
    """Everything a step needs.

    Attributes
    ----------
    log
        The events of the app's bus: what happened to its jobs is not on the screen.
    folder
        Room for the files that are uploaded.
    url
        Address of the server.
    first, second
        Ids of the two people that most of the tour is about: the first ones that the search has found.
    """

    window: MainWindow
    witness: Witness
    report: Report
    log: EventLog
    folder: Path
    url: str
    first: int = 0
    second: int = 0

    def count(self) -> str:
        """What stands above the list."""
        return self.window.people.count.text()

    def rows(self) -> list[str]:
        """The names in the list, those below its end included."""
        return self.cells(Qt.ItemDataRole.DisplayRole)

    def cells(self, role: int) -> list[str]:
        """What the rows hold in one role."""
        model = self.window.people.list.model()
        return [model.index(row, 0).data(role) for row in range(model.rowCount())]

    def current_row(self) -> str | None:
        """The name in the highlighted row."""
        name: str | None = self.window.people.list.currentIndex().data()
        return name

    def form(self) -> dict[str, object]:
        """What stands in the form, by the server's names."""
        form = self.window.profile.form
        return {
            "name": form.name.edit.text(),
            "email": form.email.edit.text(),
            "title": form.title.edit.text(),
            "role": form.role.currentText().lower(),
            "bio": form.bio.edit.toPlainText(),
            "mentions": form.mentions.isChecked(),
            "public": form.public.isChecked(),
        }

    def badges(self) -> list[str]:
        """The first word of each badge that is shown."""
        header = self.window.profile.header
        return [one.text().split()[0] for one in (header.unsaved, header.cached, header.saving) if one.isVisible()]

    def banner(self) -> str:
        """What the banner says; empty while there is none."""
        banner = self.window.banner
        return str(banner.property("text")) if banner.isVisible() else ""

    def color_at(self, widget: QWidget, at: QPoint) -> str:
        """Colour of one pixel of a widget, ``#rrggbb``."""
        return widget.grab().toImage().pixelColor(at).name()

    def keys_go_to(self) -> str:
        """Class of the window that has the focus; a dialog gets it some time after it has opened."""
        window = QApplication.activeWindow()
        return "" if window is None or window.windowHandle() is not QGuiApplication.focusWindow() else _kind(window)

    async def dialog_opens(self, step: Step, kind: str) -> None:
        """Wait for a dialog that keys go to."""
        await step.sees("keys go to", kind, self.keys_go_to)

    async def dialog_closes(self, step: Step) -> None:
        """Wait until there is no dialog, and go on in the window."""
        await step.sees("dialog", None, QApplication.activeModalWidget)
        # Without a display there is no window manager that would give the focus back.
        self.window.activateWindow()
        await step.sees("keys go to", "MainWindow", self.keys_go_to)


def _kind(widget: QWidget) -> str:
    return widget.metaObject().className()


def number(value: int) -> str:
    """Write a number as the window does."""
    return f"{value:,}".replace(",", "\u202f")


def names(page: dict[str, list[dict[str, str]]]) -> list[str]:
    """Give the names on a page of the list as the server sends it."""
    return [item["name"] for item in page["items"]]


def fields(person: dict[str, object]) -> dict[str, object]:
    """Give what the form shows of a person as the server sends it."""
    return {name: person[name] for name in ("name", "email", "title", "role", "bio", "mentions", "public")}
