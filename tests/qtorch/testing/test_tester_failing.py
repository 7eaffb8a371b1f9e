"""An orchestrator followed step by step: what fails, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from qtorch import (
    JobFailureEvent,
    JobRetryingEvent,
    on,
)
from qtorch.testing import FactsError, FakeExecutor, Tester, TestRuntime, fail
from tests.qtorch.testing.searching import Found, Search, SearchJob, SearchState, text

if TYPE_CHECKING:
    MakeTester = Callable[..., Tester]


# -- what fails, and what it says -------------------------------------------------------------------------------------


def test_what_is_not_asserted_before_the_next_act_fails(tester: MakeTester, works: Any) -> None:
    t = tester(Search(SearchState()))
    t.act("type", "ab")
    with pytest.raises(FactsError) as error:
        t.advance(0.3)
    assert str(error.value) == text(
        """
        Search did more than was asserted before advance(0.3):
          not asserted:
            state   query='ab'  (by type('ab'))
            job     SearchJob(text='ab')  (by type('ab'))
          Assert it; this would pass:

            t.step.changes(query='ab').starts(SearchJob, text='ab')

          Or skip it by skip_rest(), or follow with tester(..., exhaustive=False).
        """
    )
    t.stop()
    t.orchestrator.cancel_all()


def test_what_is_not_asserted_at_the_end_fails(tester: MakeTester, fails_once: None) -> None:
    t = tester(Search(SearchState()))
    t.act("type", "ab").changes(query="ab").starts(SearchJob)
    t.advance(1.3)
    with pytest.raises(FactsError) as error:
        t.finish()
    assert str(error.value) == text(
        """
        Search did more than was asserted at the end of the test:
          not asserted:
            event   JobRetryingEvent SearchJob(text='ab') #1 max_retries=2 last_error=OSError('down') delay=1.0
            event   JobSuccessEvent SearchJob(text='ab') #2 data=('a',)
            state   items=('a',)  (by JobSuccessEvent SearchJob #2)
            effect  'found'  (by JobSuccessEvent SearchJob #2)
          Assert it; this would pass:

            t.event(JobRetryingEvent, SearchJob)
            t.end_of(SearchJob).changes(items=('a',)).effect('found')

          Or skip it by skip_rest(), or follow with tester(..., exhaustive=False).
        """
    )


def test_a_job_that_still_runs_at_the_end_fails(tester: MakeTester, held: Any) -> None:
    t = tester(Search(SearchState()))
    t.act("search").starts(SearchJob)
    with pytest.raises(FactsError) as error:
        t.finish()
    assert str(error.value) == text(
        """
        jobs of Search are running at the end of the test:
          running:
            SearchJob(text='ab') (running)
          Wait for them by end_of(), let time pass, release the gate that holds them, or cancel them.
        """
    )
    t.orchestrator.cancel_all()


def test_another_change_than_expected_fails(tester: MakeTester) -> None:
    t = tester(Search(SearchState()))
    with pytest.raises(FactsError) as error:
        t.act("rename", "ab").changes(query="abc", items=("x",))
    assert str(error.value) == text(
        """
        the state of Search after rename('ab') is another one than expected:
            - expected   + came
            - query: 'abc'
            + query: 'ab'
            - items: ('x',)
            + items: (no change)
          Correct changes(...), or the code that sets these fields.
        """
    )
    t.skip_rest()


def test_a_change_that_is_not_named_fails(tester: MakeTester) -> None:
    search = Search(SearchState())
    t = tester(search)
    with pytest.raises(FactsError, match=r"    - error: \(no change\)\n    \+ error: 'e'\n"):
        t.act(lambda: search.update(query="q", error="e")).changes(query="q")
    t.skip_rest()


def test_a_change_where_none_is_expected_fails(tester: MakeTester) -> None:
    t = tester(Search(SearchState()))
    with pytest.raises(FactsError) as error:
        t.act("rename", "ab").unchanged()
    assert str(error.value) == text(
        """
        the state of Search was changed by rename('ab'):
          changes:
            state   query='ab'  (by rename('ab'))
          Assert it by changes(...).
        """
    )
    t.skip_rest()


def test_changes_without_a_field_says_what_to_write(tester: MakeTester) -> None:
    with pytest.raises(FactsError) as error:
        tester(Search(SearchState())).act("rename", "").changes()
    assert str(error.value) == "changes() names no field.\n  Name those that change, or write unchanged()."


def test_a_job_with_other_values_fails(tester: MakeTester, works: Any) -> None:
    t = tester(Search(SearchState()))
    with pytest.raises(FactsError) as error:
        t.act("search").starts(SearchJob, text="abc")
    assert str(error.value) == text(
        """
        no SearchJob was dispatched by search().
        - expected   + came   [n] its place among the expected, or among what came
            [0] having(SearchJob, text='abc')
              - text: 'abc'
              + text: 'ab'
          caused by it:
            job     SearchJob(text='ab')  (by search())
          Correct the assertion, make it on the step that causes it, or correct the code.
        """
    )
    t.stop()


def test_an_effect_asserted_on_the_wrong_step_is_shown_with_its_cause(tester: MakeTester, works: Any) -> None:
    t = tester(Search(SearchState()))
    step = t.act("search").starts(SearchJob)
    t.end_of(SearchJob).changes(items=("a",))
    with pytest.raises(FactsError) as error:
        step.effect("found")
    assert str(error.value) == text(
        """
        no effect 'found' came from search().
          caused by something else:
            effect  'found'  (by JobSuccessEvent SearchJob #1)
          Correct the assertion, make it on the step that causes it, or correct the code.
        """
    )
    t.step.effect("found")


@pytest.mark.parametrize(
    ("assertion", "what"),
    [
        (lambda step: step.emits(Found), "no event having(Found) was emitted by rename('')."),
        (lambda step: step.error(KeyError), "no KeyError was reported by rename('')."),
    ],
)
def test_what_did_not_come_is_named(assertion: Callable[[Any], object], what: str, tester: MakeTester) -> None:
    with pytest.raises(FactsError) as error:
        assertion(tester(Search(SearchState())).act("rename", ""))
    assert str(error.value) == (
        f"{what}\n  Correct the assertion, make it on the step that causes it, or correct the code."
    )


def test_an_end_that_does_not_come_says_what_runs(tester: MakeTester, held: Any) -> None:
    t = tester(Search(SearchState()))
    t.act("search").starts(SearchJob)
    t.advance(1.5)
    with pytest.raises(FactsError) as error:
        t.end_of(SearchJob)
    assert str(error.value) == text(
        """
        the end of SearchJob has not come, though everything has come to rest; fake time is 1.5 s.
          running:
            SearchJob(text='ab') (running)
          Let time pass by advance(), release the gate that holds it, or assert what did come.
        """
    )
    held.release()
    t.end_of(SearchJob).changes(items=("a",)).effect("found")


def test_an_event_that_does_not_come_says_what_came(tester: MakeTester, works: Any) -> None:
    t = tester(Search(SearchState()))
    t.act("search").starts(SearchJob)
    with pytest.raises(FactsError) as error:
        t.event(JobRetryingEvent, SearchJob)
    assert str(error.value) == text(
        """
        JobRetryingEvent of SearchJob has not come, though everything has come to rest; fake time is 0 s.
          No job of the orchestrator is running.
          not asserted:
            event   JobSuccessEvent SearchJob(text='ab') #1 data=('a',)
            state   items=('a',)  (by JobSuccessEvent SearchJob #1)
            effect  'found'  (by JobSuccessEvent SearchJob #1)
          Let time pass by advance(), release the gate that holds it, or assert what did come.
        """
    )
    t.skip_rest()


def test_another_outcome_than_expected_fails(tester: MakeTester, works: Any) -> None:
    t = tester(Search(SearchState()))
    t.act("search").starts(SearchJob)
    with pytest.raises(FactsError) as error:
        t.end_of(SearchJob, outcome="timeout")
    assert str(error.value) == text(
        """
        SearchJob of Search ended in success, not in timeout:
            event   JobSuccessEvent SearchJob(text='ab') #1 data=('a',)
          Write end_of(SearchJob, outcome='success') if that is right.
        """
    )
    t.skip_rest()


def test_an_event_with_other_values_fails(tester: MakeTester, works: Any) -> None:
    t = tester(Search(SearchState()))
    t.act("search").starts(SearchJob)
    with pytest.raises(FactsError) as error:
        t.end_of(SearchJob, data=("b",))
    assert str(error.value) == text(
        """
        the end of SearchJob is not as expected:
        - expected   + came   [n] its place among the expected, or among what came
            [0] having(data=('b',))
              - data[0]: 'b'
              + data[0]: 'a'
          Correct the values, or the code.
        """
    )
    t.skip_rest()


def test_what_the_test_does_outside_of_an_act_is_told_apart(tester: MakeTester) -> None:
    search = Search(SearchState())
    t = tester(search)
    search.rename("ab")
    with pytest.raises(FactsError) as error:
        t.act("rename", "b")
    assert str(error.value) == text(
        """
        Search did more than was asserted before rename('b'):
          not asserted:
            state   query='ab'  (outside of any act)
          What is done outside of an act has no step: write t.act(...) around it.
          Or skip it by skip_rest(), or follow with tester(..., exhaustive=False).
        """
    )
    t.skip_rest()


def test_an_error_that_nobody_asserts_fails_also_if_the_tester_is_not_exhaustive(
    tester: MakeTester, qtorch_runtime: TestRuntime
) -> None:
    class Clumsy(Search):
        def on_active_failure(self, event: JobFailureEvent) -> None:
            raise KeyError("clumsy")

    qtorch_runtime.register(FakeExecutor(SearchJob, steps=[fail(OSError("down"))]))
    t = tester(Clumsy(SearchState()), exhaustive=False)
    t.act("search")
    t.end_of(SearchJob, outcome="failure")
    with pytest.raises(FactsError) as error:
        t.finish()
    assert str(error.value) == text(
        """
        Clumsy did more than was asserted at the end of the test:
          not asserted:
            error   KeyError('clumsy')  (by JobFailureEvent SearchJob #1)
          Assert it; this would pass:

            t.step.error(KeyError)

          Or skip it by skip_rest().
        """
    )


def test_a_tester_that_has_finished_says_so(tester: MakeTester) -> None:
    t = tester(Search(SearchState()))
    t.finish()
    with pytest.raises(FactsError) as error:
        t.act("rename", "x")
    assert str(error.value) == "the tester of Search has finished; make another one by tester(orchestrator)."


def test_a_tester_has_no_step_before_the_first(tester: MakeTester) -> None:
    with pytest.raises(FactsError) as error:
        tester(Search(SearchState())).step
    assert str(error.value) == "Search has no step yet.\n  Begin with t.act(...), t.advance(...) or t.end_of(...)."


# -- leaving things out -----------------------------------------------------------------------------------------------


def test_a_tester_that_is_not_exhaustive_asks_for_nothing(tester: MakeTester, held: Any) -> None:
    t = tester(Search(SearchState()), exhaustive=False)
    t.act("type", "ab").changes(query="ab")
    t.act("rename", "b").changes(query="b")
    t.finish()
    assert t.skipped == ["job     SearchJob(text='ab')  (by type('ab'))"]
    t.orchestrator.cancel_all()


def test_what_is_asserted_has_to_be_right_all_the_same(tester: MakeTester) -> None:
    t = tester(Search(SearchState()), exhaustive=False)
    with pytest.raises(FactsError, match="- query: 'b'"):
        t.act("rename", "a").changes(query="b")


def test_show_prints_what_is_not_asserted(tester: MakeTester, works: Any, capsys: pytest.CaptureFixture[str]) -> None:
    t = tester(Search(SearchState()), exhaustive="show")
    t.act("search")
    t.end_of(SearchJob).changes(items=("a",))
    t.finish()
    assert capsys.readouterr().out == (
        "  Search, not asserted at the end of the test:\n"
        "    job     SearchJob(text='ab')  (by search())\n"
        "    effect  'found'  (by JobSuccessEvent SearchJob #1)\n"
    )


def test_the_rest_can_be_skipped_if_there_is_one(tester: MakeTester) -> None:
    t = tester(Search(SearchState()))
    t.act("rename", "a")
    t.skip_rest()
    t.skip_rest(strict=False)
    with pytest.raises(FactsError) as error:
        t.skip_rest()
    assert str(error.value) == "there is nothing to skip of Search: all is asserted.\n  Remove skip_rest()."


def test_what_is_explained_passes_when_it_is_pasted(tester: MakeTester, fails_once: None) -> None:
    class Busy(Search):
        @on(JobRetryingEvent, SearchJob)
        def _again(self, event: JobRetryingEvent) -> None:
            self.bus.emit(Found("search", number=1))

        @on(Found, passive=True)
        def _noted(self, event: Found) -> None:
            if event.number == 1:
                self.update(query="again")
                raise KeyError("noted")
            self.announce() if event.number == 7 and self.state.query == "again" else None

    t = tester(Busy(SearchState()))
    t.act("type", "ab")
    exec(dedent(t.explain()), globals() | {"t": t})
    t.advance(5)
    code = t.explain()
    assert code.splitlines() == [
        "    t.event(JobRetryingEvent, SearchJob)",
        "    t.event(Found).changes(query='again').error(KeyError)",
        "    t.end_of(SearchJob).changes(items=('a',)).effect('found')",
    ]
    exec(dedent(code), globals() | {"t": t})
    assert t.explain() == ""


def test_what_belongs_to_an_earlier_step_is_explained_with_its_name(tester: MakeTester, works: Any) -> None:
    t = tester(Search(SearchState()))
    t.act("search")
    t.end_of(SearchJob)
    assert t.explain().splitlines() == [
        "    step.starts(SearchJob, text='ab')  # step: that of search()",
        "    t.step.changes(items=('a',)).effect('found')",
    ]
    t.skip_rest()
