"""The tour through the form: typing, saving, and others who save at the same time."""

from __future__ import annotations

from PySide6.QtCore import Qt

from demo_app.look.person_delegate import PersonRole
from demo_app.tour import hands
from demo_app.tour.sight import Tour, fields


async def type_nonsense(tour: Tour) -> None:
    """A fault is shown at its field as it is typed, in the words of the server."""
    async with tour.report.step("Edit: a fault is shown at its field") as step:
        person = await tour.witness.person(tour.first)
        answer = await tour.witness.try_patch(person["id"], version=person["version"], email="nobody")
        email = tour.window.profile.form.email
        hands.retype(email.edit, "nobody")
        await step.sees("message", answer.json()["fields"]["email"], email.message.text)
        await step.sees("message is there", True, email.message.isVisible)
        await step.sees("save is possible", False, tour.window.profile.form.save.isEnabled)
        await step.sees("badges", ["Unsaved"], tour.badges)


async def correct(tour: Tour) -> None:
    """A fault that is mended goes away."""
    async with tour.report.step("Edit: the fault is mended") as step:
        person = await tour.witness.person(tour.first)
        form = tour.window.profile.form
        hands.retype(form.email.edit, "new.address@example.org")
        await step.sees("message is there", False, form.email.message.isVisible)
        await step.sees("save is possible", True, form.save.isEnabled)
        step.compare("stored meanwhile", person, await tour.witness.person(tour.first))


async def save(tour: Tour) -> None:
    """What was typed is on the server, and in the list."""
    async with tour.report.step("Save: the server has it, and so has the list") as step:
        person = await tour.witness.person(tour.first)
        typed = tour.form()
        hands.ctrl(Qt.Key.Key_S)
        path = f"/people/{person['id']}"
        step.compare("stored", typed, await tour.witness.eventually(typed, path, fields, step.patience))
        await step.sees("badges", [], tour.badges)
        await step.sees("address in the list", typed["email"], lambda: tour.cells(PersonRole.EMAIL)[0])
        await step.sees("toast", True, tour.window.toast.isVisible)


async def revert(tour: Tour) -> None:
    """What was typed is forgotten when that is asked for."""
    async with tour.report.step("Revert: as it was") as step:
        person = await tour.witness.person(tour.first)
        form = tour.window.profile.form
        hands.retype(form.title.edit, "Typed by mistake")
        hands.click(form.mentions)
        await step.sees("badges", ["Unsaved"], tour.badges)
        hands.alt(Qt.Key.Key_R)
        await step.sees("form", fields(person), tour.form)
        await step.sees("badges", [], tour.badges)


async def conflict(tour: Tour) -> None:
    """Somebody else was faster: nothing typed is lost, nothing of theirs is overwritten."""
    async with tour.report.step("Conflict: somebody else was faster, what was typed stays") as step:
        person = await tour.witness.person(tour.first)
        form = tour.window.profile.form
        hands.retype(form.bio.edit, "Typed here.")
        theirs = await tour.witness.patch(person["id"], title="Changed by somebody else")
        hands.ctrl(Qt.Key.Key_S)
        await step.sees("conflict is told", True, tour.window.conflict.isVisible)
        await step.sees("bio in the form", "Typed here.", form.bio.edit.toPlainText)
        step.compare("stored", theirs, await tour.witness.person(tour.first))


async def reload_theirs(tour: Tour) -> None:
    """The other version is taken."""
    async with tour.report.step("Conflict: theirs is reloaded") as step:
        hands.alt(Qt.Key.Key_H)
        await step.sees("form", fields(await tour.witness.person(tour.first)), tour.form)
        await step.sees("conflict is told", False, tour.window.conflict.isVisible)
        await step.sees("badges", [], tour.badges)


async def save_mine_anyway(tour: Tour) -> None:
    """Ours is stored, and what they changed in other fields stays theirs."""
    async with tour.report.step("Conflict: mine is saved anyway, beside theirs") as step:
        person = await tour.witness.person(tour.first)
        hands.retype(tour.window.profile.form.bio.edit, "Typed here again.")
        await tour.witness.patch(person["id"], title="Changed once more")
        hands.ctrl(Qt.Key.Key_S)
        await step.sees("conflict is told", True, tour.window.conflict.isVisible)
        hands.alt(Qt.Key.Key_A)
        expected = fields(person) | {"bio": "Typed here again.", "title": "Changed once more"}
        path = f"/people/{person['id']}"
        step.compare("stored", expected, await tour.witness.eventually(expected, path, fields, step.patience))
        await step.sees("form", expected, tour.form)
        await step.sees("conflict is told", False, tour.window.conflict.isVisible)


async def leave_unsaved(tour: Tour) -> None:
    """Unsaved changes are asked about before they would be lost."""
    async with tour.report.step("Unsaved changes: asked about before another person or the end") as step:
        person, other = await tour.witness.person(tour.first), await tour.witness.person(tour.second)
        form, people = tour.window.profile.form, tour.window.people.list
        hands.retype(form.name.edit, "Typed And Not Saved")
        hands.click_row(people, 1)
        await tour.dialog_opens(step, "QMessageBox")
        await step.photograph()
        hands.press(Qt.Key.Key_Escape)
        await tour.dialog_closes(step)
        await step.sees("name in the form", "Typed And Not Saved", form.name.edit.text)
        await step.sees("row", person["name"], tour.current_row)
        hands.ctrl(Qt.Key.Key_Q)
        await tour.dialog_opens(step, "QMessageBox")
        hands.press(Qt.Key.Key_Escape)
        await tour.dialog_closes(step)
        await step.sees("window is there", True, tour.window.isVisible)
        hands.click_row(people, 1)
        await tour.dialog_opens(step, "QMessageBox")
        hands.alt(Qt.Key.Key_D)
        await tour.dialog_closes(step)
        await step.sees("form", fields(other), tour.form)
        await step.sees("row", other["name"], tour.current_row)
        step.compare("stored", person, await tour.witness.person(tour.first))
