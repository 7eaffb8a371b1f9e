"""The tour through the list: who is there, and how they are found."""

from __future__ import annotations

from PySide6.QtCore import Qt

from demo_app.app.jobs import SearchPeopleJob
from demo_app.tour import hands
from demo_app.tour.script import Until
from demo_app.tour.sight import Tour, fields, names, number
from qtorch import JobCancelledEvent

WORD = "adi"
"""Occurs in a few of the sample people, and each of its beginnings in more of them."""


async def start(tour: Tour) -> None:
    """The app has started its server and shows who is there."""
    async with tour.report.step("Start: the list of everybody") as step:
        health = await tour.witness.get("/health")
        page = await tour.witness.get("/people")
        await step.sees("count", f"{number(health['people'])} people", tour.count)
        await step.sees("names", names(page), tour.rows)
        await step.sees("server", tour.url, lambda: f"http://{tour.window.place.text()}")


async def scroll(tour: Tour) -> None:
    """The end of the list brings more of it."""
    async with tour.report.step("List: its end brings the next people") as step:
        page = await tour.witness.get("/people", limit=100)
        hands.ctrl(Qt.Key.Key_F)
        hands.press(Qt.Key.Key_Down)
        hands.press(Qt.Key.Key_End)
        await step.sees("names", names(page), tour.rows)
        await step.sees("row that End leads to", names(page)[49], tour.current_row)


async def search(tour: Tour) -> None:
    """Each letter is a search, and each search cancels the one before."""
    async with tour.report.step("Search: letter by letter, older requests are cancelled") as step:
        page = await tour.witness.get("/people", q=WORD)
        total = (await tour.witness.get("/health"))["people"]
        await tour.witness.control(latency=0.4)
        hands.ctrl(Qt.Key.Key_F)
        before = len(_superseded(tour))
        for letter in WORD:
            hands.type_text(letter)
            await Until(lambda: False, 0.05)
        counts = {tour.count()}

        def count() -> str:
            counts.add(tour.count())
            return tour.count()

        expected = f"{number(page['total'])} of {number(total)}"
        await step.sees("count", expected, count)
        await step.sees("names", names(page), tour.rows)
        await step.sees("cancelled requests", len(WORD) - 1, lambda: len(_superseded(tour)) - before)
        await Until(lambda: count() != expected, 0.6)  # time for a stale answer
        await tour.witness.control()
        tour.first, tour.second = (item["id"] for item in page["items"][:2])
        step.compare("counts on the way", {f"{number(total)} people", expected}, counts)


async def open_person(tour: Tour) -> None:
    """The keyboard leads from the search to a person."""
    async with tour.report.step("Open: the first one found, by keyboard") as step:
        person = await tour.witness.person(tour.first)
        hands.ctrl(Qt.Key.Key_F)
        hands.press(Qt.Key.Key_Down)
        header = tour.window.profile.header
        await step.sees("heading", person["name"], header.name.text)
        about = f"{person['title']} · {person['role'].capitalize()} · member since {person['member_since']}"
        await step.sees("line below", about, header.about.text)
        await step.sees("form", fields(person), tour.form)
        await step.sees("row", person["name"], tour.current_row)
        await step.sees("save is possible", False, tour.window.profile.form.save.isEnabled)


def _superseded(tour: Tour) -> list[JobCancelledEvent]:
    events = tour.log.of(JobCancelledEvent)
    return [event for event in events if event.is_from(SearchPeopleJob) and event.reason == "superseded"]
