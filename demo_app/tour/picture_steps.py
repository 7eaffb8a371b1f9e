"""The tour through pictures: one that is sent, one that is none, one that is stopped on its way."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit

from demo_app.tour import hands
from demo_app.tour.script import Until

if TYPE_CHECKING:
    from pathlib import Path

    from demo_app.tour.report import Step
    from demo_app.tour.sight import Tour

_COLOR = "#a0341e"


async def _choose(tour: Tour, step: Step, file: Path) -> None:
    """Choose a file in the dialog, by its name field."""
    hands.click(tour.window.profile.header.change_picture)
    await tour.dialog_opens(step, "QFileDialog")
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, QFileDialog), "no file dialog was opened"
    edit = dialog.findChild(QLineEdit, "fileNameEdit")
    assert edit is not None, "the file dialog has no field for the name"
    hands.retype(edit, str(file))
    step.compare("file name", str(file), edit.text())
    hands.press(Qt.Key.Key_Return)
    await tour.dialog_closes(step)


async def send(tour: Tour) -> None:
    """A picture is sent as it is, and shown."""
    async with tour.report.step("Picture: sent with progress, stored as it is, and shown") as step:
        await tour.witness.person(tour.second)
        file = _picture(tour.folder / "new photo.png", noise=False)
        upload = tour.window.profile.upload
        await tour.witness.control(latency=0.7)
        await _choose(tour, step, file)
        await step.sees("progress is shown", True, upload.isVisible)
        await step.sees("what is sent", "Sending new photo.png", upload.file.text)
        await step.photograph()
        await step.sees("progress is shown", False, upload.isVisible)
        await tour.witness.control()
        stored = await tour.witness.person(tour.second)
        content = await tour.witness.content(stored["avatar"])
        step.compare("the file is stored as it is", True, content == file.read_bytes())
        view = tour.window.profile.header.picture
        await step.sees("colour of the picture", _COLOR, lambda: tour.color_at(view, view.rect().center()))


async def send_text(tour: Tour) -> None:
    """A file that is no picture is refused, in a message that says so."""
    async with tour.report.step("Picture: a file that is none is refused") as step:
        person = await tour.witness.person(tour.second)
        file = tour.folder / "notes.png"
        file.write_text("This is no picture.", encoding="utf-8")
        refusal = await tour.witness.try_picture(person["id"], file.name, file.read_bytes())
        reason = f"{file.name} {refusal.json()['message'].removeprefix('This ')}"
        await _choose(tour, step, file)
        await step.sees("banner", f"The picture was not changed. {reason}", tour.banner)
        await step.photograph()
        await step.sees("retry is offered", False, tour.window.banner.action_button.isVisible)
        step.compare("stored", person, await tour.witness.person(tour.second))
        hands.click(tour.window.banner.dismiss_button)
        await step.sees("banner", "", tour.banner)


async def cancel(tour: Tour) -> None:
    """Esc stops a picture on its way; the old one stays."""
    async with tour.report.step("Picture: stopped on its way, the old one stays") as step:
        person = await tour.witness.person(tour.second)
        upload = tour.window.profile.upload
        await tour.witness.control(latency=1.2)
        await _choose(tour, step, _picture(tour.folder / "large photo.png", noise=True))
        await step.sees("part of it is sent", True, lambda: 0 < upload.bar.value() < upload.bar.maximum())
        await step.photograph()
        hands.press(Qt.Key.Key_Escape)
        await step.sees("progress is shown", False, upload.isVisible)
        await Until(lambda: False, 1.4)  # the server would have taken it by now
        await tour.witness.control()
        step.compare("stored", person, await tour.witness.person(tour.second))
        await step.sees("banner", "", tour.banner)


def _picture(file: Path, *, noise: bool) -> Path:
    """Write a picture: plain in one colour, or of 4 MB that no compression makes smaller."""
    side = 1150 if noise else 300
    if noise:
        image = QImage(os.urandom(4 * side * side), side, side, QImage.Format.Format_RGB32)
    else:
        image = QImage(side, side, QImage.Format.Format_RGB32)
        image.fill(QColor(_COLOR))
    assert image.save(str(file)), f"{file} cannot be written"
    return file
