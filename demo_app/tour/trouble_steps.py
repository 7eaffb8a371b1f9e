"""The tour through a bad day: a server that fails, one that is slow, and the end in the middle of work."""

from __future__ import annotations

import time

from PySide6.QtCore import QPoint, Qt

from demo_app.app.jobs import SearchPeopleJob
from demo_app.look.tokens import DARK
from demo_app.tour import hands
from demo_app.tour.finding_steps import WORD
from demo_app.tour.report import Step
from demo_app.tour.sight import Tour, fields, names, number
from qtorch import JobRetryingEvent


async def retry(tour: Tour) -> None:
    """A server that fails twice is asked three times."""
    async with tour.report.step("Failing server: asked again until it answers") as step:
        page = await tour.witness.get("/people", q="ada")
        total = (await tour.witness.get("/health"))["people"]
        hands.ctrl(Qt.Key.Key_F)
        hands.ctrl(Qt.Key.Key_A)
        hands.type_text("ad")
        await step.sees("is idle", "", tour.window.activity.text)
        before = len(_retries(tour))
        await tour.witness.control(fail_next=2)
        hands.type_text("a")
        await step.sees("status bar tells of it", True, lambda: "Trying again" in tour.window.activity.text())
        await step.photograph()
        await step.sees("names", names(page), tour.rows)
        await step.sees("count", f"{number(page['total'])} of {number(total)}", tour.count)
        step.compare("retries", 2, len(_retries(tour)) - before)
        step.compare("banner", "", tour.banner())


async def give_up(tour: Tour) -> None:
    """A server that fails for good is told of, and asked again by hand."""
    async with tour.report.step("Failing server: told of in the end, with a way to try again") as step:
        page = await tour.witness.get("/people")
        await tour.witness.control(fail_rate=1)
        refusal = (await tour.witness.try_patch(1)).json()["message"]
        hands.press(Qt.Key.Key_Escape)
        await step.sees("banner", refusal, tour.banner)
        await step.photograph()
        await tour.witness.control()
        hands.alt(Qt.Key.Key_Y)
        await step.sees("banner", "", tour.banner)
        await step.sees("names", names(page), tour.rows)


async def show_cached(tour: Tour) -> None:
    """Who was seen before is shown at once, and refreshed."""
    async with tour.report.step("Slow server: a person from the cache at once, then the fresh one") as step:
        people = tour.window.people.list
        hands.ctrl(Qt.Key.Key_F)
        hands.ctrl(Qt.Key.Key_A)
        hands.type_text(WORD)
        await step.sees("names", names(await tour.witness.get("/people", q=WORD)), tour.rows)
        seen = (await tour.witness.get("/people", q=WORD))["items"]
        older = [await tour.witness.person(item["id"]) for item in seen[2:4]]
        for row in (2, 3):
            hands.click_row(people, row)
            await step.sees("form", fields(older[row - 2]), tour.form)
        fresh = await tour.witness.patch(older[0]["id"], title="Changed while nobody looked")
        await tour.witness.control(latency=1.5)
        begin = time.monotonic()
        hands.click_row(people, 2)
        await step.sees("form from the cache", fields(older[0]), tour.form, 1.0)
        await step.sees("badges", ["Cached"], tour.badges, 1.0)
        took = time.monotonic() - begin
        await step.photograph()
        step.compare("shown before the server answers", True, took < 1.5)
        await step.sees("fresh form", fields(fresh), tour.form)
        await step.sees("badges", [], tour.badges)
        await tour.witness.control()


async def switch_theme(tour: Tour) -> None:
    """A click, and it is dark."""
    async with tour.report.step("Theme: from light to dark") as step:
        bar = tour.window.commands.tool_bar
        hands.click(bar.widgetForAction(tour.window.commands.theme))
        corner = QPoint(tour.window.width() - 4, bar.geometry().bottom() + 4)
        await step.sees("background", DARK.background, lambda: tour.color_at(tour.window, corner))


async def close(tour: Tour) -> Step:
    """Close while the server is being waited for; the rest of the step comes after the event loop has ended."""
    await tour.witness.control(latency=4)
    step = Step("Close: in the middle of work, with everything ended in time")
    hands.press(Qt.Key.Key_F5)
    await step.sees("jobs are running", True, lambda: tour.window.activity.text() == "2 jobs running")
    hands.ctrl(Qt.Key.Key_Q)
    await step.sees("window is there", False, tour.window.isVisible)
    return step


def _retries(tour: Tour) -> list[JobRetryingEvent]:
    return [event for event in tour.log.of(JobRetryingEvent) if event.is_from(SearchPeopleJob)]
