"""An orchestrator followed step by step: what passes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton

from qtorch import (
    Command,
    JobFailureEvent,
    JobRetryingEvent,
    JobStartedEvent,
    JobSuccessEvent,
    bind_command,
    bind_two_way,
    on,
)
from qtorch.testing import FactsError, FakeClock, FakeExecutor, Tester, TestRuntime, fail, ok, wait
from tests.qtorch.testing.searching import CountJob, Found, Search, SearchJob, SearchState

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    MakeTester = Callable[..., Tester]


# -- what passes ------------------------------------------------------------------------------------------------------


def test_every_step_is_asserted_with_what_it_caused(tester: MakeTester, fails_once: None) -> None:
    t = tester(Search(SearchState()))
    t.act("type", "ab").changes(query="ab").starts(SearchJob, text="ab")
    t.advance(0.3).unchanged()
    t.event(JobRetryingEvent, SearchJob, delay=1.0).unchanged()
    t.advance(1).unchanged()
    t.end_of(SearchJob, data=("a",)).changes(items=("a",)).effect("found")


def test_a_job_that_ends_before_the_first_assertion_is_no_part_of_the_act(tester: MakeTester, works: Any) -> None:
    t = tester(Search(SearchState()))
    step = t.act("search")
    t.step.starts(SearchJob)
    end = t.end_of(SearchJob)
    step.unchanged()
    end.changes(items=("a",)).effect("found")


def test_two_acts_of_the_same_name_are_told_apart(tester: MakeTester) -> None:
    t = tester(Search(SearchState()))
    t.act("rename", "a").changes(query="a")
    t.act("rename", "a").unchanged()
    t.act("rename", "b").changes(query="b")


def test_what_is_changed_and_changed_back_is_no_change(tester: MakeTester) -> None:
    search = Search(SearchState())

    def there_and_back() -> None:
        search.rename("x")
        search.rename("")

    tester(search).act(there_and_back).unchanged()


def test_an_event_of_ones_own_belongs_to_the_act_that_emits_it(tester: MakeTester) -> None:
    t = tester(Search(SearchState()))
    t.act("announce").emits(Found, number=7)


def test_what_an_event_of_ones_own_causes_is_a_step(tester: MakeTester) -> None:
    class Counting(Search):
        @on(Found, passive=True)
        def _counted(self, event: Found) -> None:
            self.update(query=str(event.number))
            if event.number < 8:
                self.bus.emit(Found("search", number=event.number + 1))

    t = tester(Counting(SearchState()))
    t.act("announce")
    t.event(Found, number=7).changes(query="7")
    t.event(Found, number=8).changes(query="8")


def test_what_the_start_of_a_job_causes_is_asserted_on_its_event(tester: MakeTester, works: Any) -> None:
    class Eager(Search):
        def on_job_started(self, event: JobStartedEvent) -> None:
            self.update(query="looking")

    t = tester(Eager(SearchState()))
    t.act("search").starts(SearchJob)
    t.event(JobStartedEvent, SearchJob).changes(query="looking")
    t.end_of(SearchJob).changes(items=("a",)).effect("found")


def test_what_the_job_of_somebody_else_causes_is_asserted_on_its_event(
    tester: MakeTester, qtorch_runtime: TestRuntime
) -> None:
    class Watching(Search):
        @on(JobSuccessEvent, CountJob, passive=True)
        def _counted(self, event: JobSuccessEvent[int]) -> None:
            self.update(query=str(event.data))

    qtorch_runtime.register(FakeExecutor(CountJob, steps=[ok(3)]))
    t = tester(Watching(SearchState()))
    t.act(qtorch_runtime.dispatcher.dispatch, CountJob())
    t.end_of(CountJob).changes(query="3")


@pytest.mark.parametrize(
    ("steps", "outcome"),
    [([ok(("a",))], "success"), ([fail(OSError("down"))], "failure"), ([wait(9), ok(())], "timeout")],
)
def test_the_end_of_a_job_is_named_by_its_outcome(
    steps: list[Any], outcome: str, tester: MakeTester, qtorch_runtime: TestRuntime
) -> None:
    qtorch_runtime.register(FakeExecutor(SearchJob, steps=steps))
    search = Search(SearchState())
    t = tester(search, exhaustive=False)
    t.act(lambda: search.dispatch(SearchJob(text="ab"), timeout=5))
    t.advance(6)
    t.end_of(SearchJob, outcome=outcome)


def test_a_cancelled_job_ends_so(tester: MakeTester, held: Any) -> None:
    search = Search(SearchState())
    t = tester(search)
    t.act("search").starts(SearchJob, text="ab")
    t.act("cancel_all")
    t.end_of(SearchJob, outcome="cancelled").unchanged()


def test_the_step_of_an_act_that_raises_is_there_all_the_same(tester: MakeTester) -> None:
    t = tester(Search(SearchState()))
    with pytest.raises(ValueError, match="boom"):
        t.act("boom")
    t.step.changes(query="x")


def test_an_error_of_a_hook_is_asserted_on_the_event_and_kept_from_pytest_qt(
    tester: MakeTester, qtorch_runtime: TestRuntime
) -> None:
    class Clumsy(Search):
        def on_active_failure(self, event: JobFailureEvent) -> None:
            raise KeyError("clumsy")

    qtorch_runtime.register(FakeExecutor(SearchJob, steps=[fail(OSError("down"))]))
    t = tester(Clumsy(SearchState()))
    t.act("search").starts(SearchJob)
    t.end_of(SearchJob, outcome="failure").error(KeyError("clumsy"))


# -- real widgets -----------------------------------------------------------------------------------------------------


def test_a_button_acts(tester: MakeTester, works: Any, qtbot: QtBot) -> None:
    search = Search(SearchState())
    edit, button = QLineEdit("qq"), QPushButton()
    qtbot.addWidget(edit)
    qtbot.addWidget(button)
    button.clicked.connect(lambda: search.type(edit.text()))
    t = tester(search)
    t.act(button.click).changes(query="qq").starts(SearchJob, text="qq")
    t.advance(0.3)
    t.end_of(SearchJob).changes(items=("a",)).effect("found")


def test_the_button_of_a_command_acts(tester: MakeTester, works: Any, qtbot: QtBot) -> None:
    search = Search(SearchState())
    button = QPushButton()
    qtbot.addWidget(button)
    command = Command(search.search)
    bind_command(button, command)
    t = tester(search)
    t.act(qtbot.mouseClick, button, Qt.MouseButton.LeftButton).starts(SearchJob, text="ab")
    t.end_of(SearchJob).changes(items=("a",)).effect("found")


def test_what_is_typed_into_a_widget_arrives_when_its_delay_has_passed(tester: MakeTester, qtbot: QtBot) -> None:
    search = Search(SearchState())
    edit = QLineEdit()
    qtbot.addWidget(edit)
    bind_two_way(edit, search.field(lambda s: s.query), debounce=0.25)
    t = tester(search)
    t.act(qtbot.keyClicks, edit, "abc").unchanged()
    t.advance(0.2).unchanged()
    t.advance(0.05).changes(query="abc")


# -- blocks and coroutines --------------------------------------------------------------------------------------------


def test_the_end_of_a_with_block_checks(tester: MakeTester) -> None:
    with pytest.raises(FactsError, match="at the end of the test"), tester(Search(SearchState())) as t:
        t.act("rename", "a")


def test_a_block_that_fails_is_not_checked(tester: MakeTester) -> None:
    with pytest.raises(KeyError), tester(Search(SearchState())) as t:  # noqa: PT012
        t.act("rename", "a")
        raise KeyError("the failure of the test")


@pytest.mark.asyncio
async def test_a_coroutine_follows_by_the_awaitable_twins(tester: MakeTester, fails_once: None) -> None:
    search = Search(SearchState())

    async def type_slowly(text: str) -> None:
        await asyncio.sleep(1)
        search.type(text)

    async with tester(search) as t:
        (await t.act_async(type_slowly, "ab")).changes(query="ab").starts(SearchJob, text="ab")
        await t.advance_async(0.3)
        await t.event_async(JobRetryingEvent, SearchJob, delay=1.0)
        await t.advance_async(1)
        (await t.end_of_async(SearchJob)).changes(items=("a",)).effect("found")


@pytest.mark.asyncio
async def test_an_async_block_checks_at_its_end(tester: MakeTester, qtorch_clock: FakeClock) -> None:
    with pytest.raises(FactsError, match="at the end of the test"):
        async with tester(Search(SearchState())) as t:
            t.act("rename", "a")
    with pytest.raises(KeyError):  # noqa: PT012
        async with tester(Search(SearchState())) as t:
            t.act("rename", "a")
            raise KeyError("the failure of the test")
