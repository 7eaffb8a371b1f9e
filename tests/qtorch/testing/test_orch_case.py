"""One orchestrator, one act, and all that came of it, compared at once."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest

from qtorch import JobFailureEvent, JobRetryingEvent, JobStartedEvent, JobSuccessEvent
from qtorch.testing import FakeClock, FakeExecutor, OrchCase, StuckError, TestRuntime, event, fail, having
from tests.qtorch.testing.searching import Found, Search, SearchJob, SearchState, text


def searching() -> Search:
    return Search(SearchState())


# -- what passes ------------------------------------------------------------------------------------------------------


def test_all_that_comes_of_an_act_is_compared(orch_case: OrchCase, fails_once: None) -> None:
    result = orch_case(
        searching,
        act=lambda search: search.type("ab"),
        wait=1.3,
        expect=[having(query="ab"), {"items": ("a",)}],
        events=[JobStartedEvent, event(JobRetryingEvent, SearchJob, delay=1.0), JobSuccessEvent],
        effects=["found"],
        errors=[],
        verify=lambda search: search.state.items == ("a",),
    )
    assert [state.query for state in result.states] == ["ab", "ab"]
    assert (result.effects, result.errors, len(result.events)) == (["found"], [], 3)


def test_entries_are_values_types_callables_or_partial_states(orch_case: OrchCase) -> None:
    def act(search: Search) -> None:
        for query in "abcd":
            search.rename(query)

    orch_case(
        searching,
        act=act,
        expect=[SearchState(query="a"), SearchState, lambda state: state.query == "c", {"query": "d"}],
    )


def test_entries_may_be_made_by_a_function(orch_case: OrchCase) -> None:
    orch_case(searching, act=lambda search: search.rename("a"), expect=lambda: [SearchState(query="a")])


@pytest.mark.parametrize("seed", [SearchState(query="s"), lambda: SearchState(query="s")])
def test_the_seed_is_where_it_begins_and_is_not_compared(orch_case: OrchCase, seed: Any) -> None:
    seen: list[str] = []

    def act(search: Search) -> None:
        seen.append(search.state.query)
        search.rename("a")

    orch_case(searching, seed=seed, act=act, expect=[having(query="a")])
    assert seen == ["s"]


def test_the_first_states_can_be_skipped(orch_case: OrchCase) -> None:
    def act(search: Search) -> None:
        for query in "abc":
            search.rename(query)

    orch_case(searching, act=act, skip=2, expect=[having(query="c")])


def test_nothing_is_compared_that_is_not_given(orch_case: OrchCase, works: Any) -> None:
    assert orch_case(searching, act=lambda search: search.search()).effects == ["found"]


def test_no_time_passes_by_itself(orch_case: OrchCase, works: Any, qtorch_clock: FakeClock) -> None:
    orch_case(searching, act=lambda search: search.type("ab"), expect=[having(query="ab")], effects=[])
    assert qtorch_clock.now() == 0


def test_the_orchestrator_is_closed_before_anything_is_compared(orch_case: OrchCase, held: Any) -> None:
    closed: list[bool] = []
    orch_case(searching, act=lambda search: search.search(), verify=lambda search: closed.append(search.is_closed))
    assert closed == [True]


def test_events_of_ones_own_are_compared_too(orch_case: OrchCase) -> None:
    orch_case(searching, act=lambda search: search.announce(), events=[Found("search", number=7)])


def test_what_the_act_raises_is_an_error_that_can_be_expected(orch_case: OrchCase) -> None:
    orch_case(searching, act=lambda search: search.boom(), expect=[having(query="x")], errors=[ValueError("boom")])


def test_what_the_act_raises_is_raised_if_no_errors_are_given(orch_case: OrchCase) -> None:
    with pytest.raises(ValueError, match="boom"):
        orch_case(searching, act=lambda search: search.boom())


class Clumsy(Search):
    def on_active_failure(self, event: JobFailureEvent) -> None:
        raise KeyError("clumsy")


@pytest.fixture
def breaks(qtorch_runtime: TestRuntime) -> None:
    qtorch_runtime.register(FakeExecutor(SearchJob, steps=[fail(OSError("down"))]))


def test_the_error_of_a_hook_can_be_expected(orch_case: OrchCase, breaks: None) -> None:
    orch_case(lambda: Clumsy(SearchState()), act=lambda search: search.search(), errors=[KeyError("clumsy")])


@pytest.mark.realtime
def test_a_condition_is_waited_for_in_real_time(orch_case: OrchCase) -> None:
    ready = threading.Event()
    timer = threading.Timer(0.02, ready.set)
    orch_case(searching, act=lambda search: timer.start(), wait=lambda search: ready.is_set())
    timer.join()


# -- what fails, and what it says -------------------------------------------------------------------------------------


def test_a_failure_shows_what_differs_and_what_happened(orch_case: OrchCase, fails_once: None) -> None:
    with pytest.raises(AssertionError) as error:
        orch_case(
            searching,
            act=lambda search: search.type("ab"),
            wait=1.3,
            expect=[having(query="abc"), {"items": ("b",)}],
            effects=[],
        )
    assert str(error.value) == text(
        """
        the states of Search differ:
        - expected   + came   [n] its place among the expected, or among what came
            [0] having(query='abc')
              - query: 'abc'
              + query: 'ab'
            [1] SearchState(query='ab', items=('a',), error='')
              - items[0]: 'b'
              + items[0]: 'a'
        the effects of Search differ:
        - expected   + came   [n] its place among the expected, or among what came
          + [0] 'found'
        the events were:
            JobStartedEvent SearchJob(text='ab') #1
            JobRetryingEvent SearchJob(text='ab') #1 max_retries=2 last_error=OSError('down') delay=1.0
            JobSuccessEvent SearchJob(text='ab') #2 data=('a',)
        """
    )


def test_events_that_differ_are_shown_once(orch_case: OrchCase, works: Any) -> None:
    with pytest.raises(AssertionError) as error:
        orch_case(searching, act=lambda search: search.search(), events=[JobStartedEvent, JobFailureEvent])
    assert str(error.value) == text(
        """
        the events of Search differ:
        - expected   + came   [n] its place among the expected, or among what came
            [0] JobStartedEvent SearchJob(text='ab') #1
          - [1] JobFailureEvent
          + [1] JobSuccessEvent SearchJob(text='ab') #1 data=('a',)
        """
    )


def test_an_error_of_a_hook_that_is_not_expected_fails(orch_case: OrchCase, breaks: None) -> None:
    with pytest.raises(AssertionError) as error:
        orch_case(lambda: Clumsy(SearchState()), act=lambda search: search.search())
    assert str(error.value) == text(
        """
        the errors of Clumsy differ:
        - expected   + came   [n] its place among the expected, or among what came
          + [0] KeyError('clumsy')
        the events were:
            JobStartedEvent SearchJob(text='ab') #1
            JobFailureEvent SearchJob(text='ab') #1 error=OSError('down')
        """
    )


def test_a_verify_that_gives_false_fails(orch_case: OrchCase) -> None:
    with pytest.raises(AssertionError) as error:
        orch_case(searching, act=lambda search: search.rename("a"), verify=lambda search: search.state.query == "b")
    assert str(error.value) == text(
        """
        verify gave False for Search, whose state is
            SearchState(query='a', items=(), error='')
          Let it assert what it means, then the failure says more.
        """
    )


def test_a_condition_that_does_not_come_true_says_so(orch_case: OrchCase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qtorch.testing.orch_case._PATIENCE", 0.02)
    with pytest.raises(StuckError) as error:
        orch_case(searching, wait=lambda search: False)
    assert str(error.value) == text(
        """
        what orch_case waits for has not come true in 0.02 s of real time; the state of Search is
            SearchState(query='', items=(), error='')
          Fake time stands still meanwhile: give wait= a number to let it pass.
        """
    )


@pytest.mark.parametrize("part", ["act", "verify"])
def test_a_coroutine_in_a_plain_test_says_what_to_write(orch_case: OrchCase, part: str) -> None:
    async def coroutine(search: Search) -> None: ...

    arguments: dict[str, Any] = {part: coroutine}
    with pytest.raises(TypeError) as error:
        orch_case(searching, **arguments)
    assert str(error.value) == (
        "a coroutine was given in a plain test, which has no loop to run it: write an async def test"
    )


# -- in coroutines ----------------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_in_a_coroutine_it_is_awaited(orch_case: OrchCase, fails_once: None) -> None:
    async def act(search: Search) -> None:
        search.type("ab")
        await asyncio.sleep(1.3)

    async def verify(search: Search) -> bool:
        await asyncio.sleep(1)
        return search.state.items == ("a",)

    result = await orch_case(searching, act=act, expect=[having(query="ab"), {"items": ("a",)}], verify=verify)
    assert result.effects == ["found"]


@pytest.mark.asyncio
async def test_a_coroutine_that_verifies_and_gives_false_fails(orch_case: OrchCase) -> None:
    async def verify(search: Search) -> bool:
        return False

    with pytest.raises(AssertionError, match="verify gave False for Search"):
        await orch_case(searching, verify=verify)


@pytest.mark.asyncio
async def test_what_a_coroutine_raises_is_an_error_that_can_be_expected(orch_case: OrchCase) -> None:
    async def act(search: Search) -> None:
        await asyncio.sleep(1)
        search.boom()

    await orch_case(searching, act=act, errors=[ValueError("boom")])
    with pytest.raises(ValueError, match="boom"):
        await orch_case(searching, act=act)


@pytest.mark.asyncio
async def test_an_act_that_awaits_what_cannot_come_ends_with_its_place(
    orch_case: OrchCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qtorch.testing.orch_case._PATIENCE", 0.02)

    async def act(search: Search) -> None:
        await asyncio.Event().wait()

    place = f"test_orch_case.py:{act.__code__.co_firstlineno + 1}"
    with pytest.raises(StuckError, match=f"the test waits for something that cannot come(.|\n)* at {place}\n"):
        await orch_case(searching, act=act)


@pytest.mark.realtime
@pytest.mark.asyncio
async def test_time_stands_still_while_an_act_reads_a_socket(orch_case: OrchCase, qtorch_clock: FakeClock) -> None:
    ours, theirs = socket.socketpair()
    now: list[float] = []

    async def act(search: Search) -> None:
        async with asyncio.timeout(60):
            reader, writer = await asyncio.open_connection(sock=ours)
            timer = threading.Timer(0.02, theirs.sendall, [b"x"])
            timer.start()
            await reader.read(1)
            now.append(qtorch_clock.now())
            writer.close()
            await writer.wait_closed()

    await orch_case(searching, act=act)
    theirs.close()
    assert now == [0]
