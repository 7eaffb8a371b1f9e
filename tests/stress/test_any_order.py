"""Whatever happens to jobs, windows, buses and the Runtime, in whatever order: the invariants hold after each step."""

from __future__ import annotations

import gc
import os
import re
import traceback
from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.errors import FlakyFailure
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from PySide6.QtWidgets import QApplication

from qtorch import LanePolicy
from qtorch.execution.run import JobRun
from tests.stress.checks import check, check_end
from tests.stress.parents import CHILDREN
from tests.stress.world import World

if TYPE_CHECKING:
    from qtorch import JobOutcome
    from tests.stress.world import Action

EXAMPLES = int(os.environ.get("EXAMPLES", "2000"))
"""Of the long form."""

AT_ONCE = 1_000
"""Examples of one run of Hypothesis, which remembers them all: a collection of its millions of objects takes seconds,
for which the GUI thread stands still."""

OPTIONS = st.fixed_dictionaries(
    {
        "place": st.sampled_from(["window", "other window", "nobody", "elsewhere", "elsewhere on the other bus"]),
        "runner": st.sampled_from(["thread", "loop", "thread stream", "loop stream"]),
        "is_deaf": st.booleans(),
        "fails": st.integers(0, 2),
    },
    optional={
        "timeout": st.just(5.0),
        "deadline": st.just(12.0),
        "retries": st.integers(1, 2),
        "revalidate": st.booleans(),
        "placeholder": st.none(),
        "priority": st.integers(-1, 1),
        "policy": st.sampled_from(LanePolicy),
        "shared": st.integers(0, 2),
        "pace": st.sampled_from([{"debounce": 1.0}, {"debounce": 3.0}, {"throttle": 2.0}]),
        "token": st.integers(0, 1),
        "children": st.lists(st.sampled_from(CHILDREN), min_size=1, max_size=3),
        "shares": st.integers(0, 1),
    },
)
TO_A_JOB = [
    "finish",
    "finish and see",
    "cancel",
    "cancel elsewhere",
    "progress",
    "progress elsewhere",
    "wait elsewhere",
]
AROUND = [
    "turn",
    "drain",
    "advance",
    "cancel token",
    "new token",
    "block cache",
    "open cache",
    "cancel window",
    "pause",
    "pause elsewhere",
    "resume",
    "resume",
    "resume elsewhere",
]
ENDINGS = ["close window", "delete window", "close bus", "close bus elsewhere", "close runtime"]
PLACES = st.sampled_from(["hook", "listener", "callback", "spinner"])
NUMBERS = st.integers(0, 20)
ACTIONS = st.tuples(st.sampled_from([*TO_A_JOB, *AROUND, *ENDINGS, "dispatch", "dispatch"]), NUMBERS, OPTIONS)


class AnyOrder(RuleBasedStateMachine):
    """Draws what happens next; :class:`World` does it."""

    examples = 0
    steps = 0
    jobs = 0

    def __init__(self) -> None:
        super().__init__()
        self.world: World | None = None
        self.age = 0

    @initialize(
        loop=st.sampled_from(["own", "qasync"]),
        cache=st.sampled_from(["memory", "slow"]),
        limit=st.sampled_from([None, None, 1, 2]),
    )
    def begin(self, loop: str, cache: str, limit: int | None) -> None:
        self.world = World(cast("QApplication", QApplication.instance()), loop=loop, cache=cache, limit=limit)

    def do(self, what: str, number: int = 0, options: dict[str, Any] | None = None) -> None:
        assert self.world is not None
        self.age += 1
        self.world.do(what, number, options)

    @rule(options=OPTIONS)
    def dispatch(self, options: dict[str, Any]) -> None:
        self.do("dispatch", options=options)

    @rule(options=st.lists(OPTIONS, min_size=2, max_size=5))
    def dispatch_some(self, options: list[dict[str, Any]]) -> None:
        for one in options:
            self.do("dispatch", options=one)

    @rule(what=st.sampled_from(TO_A_JOB), number=NUMBERS)
    def do_to_a_job(self, what: str, number: int) -> None:
        self.do(what, number)

    @rule(what=st.sampled_from(AROUND), number=NUMBERS)
    def do_around(self, what: str, number: int) -> None:
        self.do(what, number)

    @rule(place=PLACES)
    def raise_in(self, place: str) -> None:
        assert self.world is not None
        self.world.plan(place, None)

    @rule(place=PLACES, actions=st.lists(ACTIONS, max_size=4))
    def open_a_dialog_in(self, place: str, actions: list[Action]) -> None:
        assert self.world is not None
        self.world.plan(place, actions)

    # Not too early: a world that has ended is dull.
    @precondition(lambda self: self.age >= 6)
    @rule(what=st.sampled_from(ENDINGS), number=NUMBERS)
    def end_something(self, what: str, number: int) -> None:
        self.do(what, number)

    @invariant()
    def holds(self) -> None:
        if self.world is not None:
            check(self.world)

    def teardown(self) -> None:
        if self.world is None:
            return
        try:
            self.world.come_to_an_end()
            check_end(self.world)
        finally:
            self.world.close()
            AnyOrder.examples += 1
            AnyOrder.steps += self.age
            AnyOrder.jobs += len(self.world.handles)


QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example]


def run_in_any_order(examples: int, *, is_repeatable: bool, phases: Sequence[Phase] = tuple(Phase)) -> None:
    """Run so many examples, each with up to 30 steps."""
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        AnyOrder,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            derandomize=is_repeatable,
            database=None,
            print_blob=True,
            phases=phases,
            suppress_health_check=QUIET,
        ),
    )


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("examples", "is_repeatable"),
    [(80, True), pytest.param(EXAMPLES, False, marks=pytest.mark.stress)],
    ids=["short", "long"],
)
def test_the_invariants_hold_in_any_order(
    qapp: QApplication, note: Callable[[str], None], examples: int, is_repeatable: bool
) -> None:
    AnyOrder.examples = AnyOrder.steps = AnyOrder.jobs = 0
    started = monotonic()
    try:
        for begun in range(0, examples, AT_ONCE):
            run_in_any_order(min(AT_ONCE, examples - begun), is_repeatable=is_repeatable)
            gc.collect()
    finally:
        seconds = monotonic() - started
        note(f"any order: {AnyOrder.examples} examples, {AnyOrder.steps} steps, {AnyOrder.jobs} jobs, {seconds:.0f} s")


TAKE_END, DECIDE = JobRun.take_end, JobRun._decide


def end_twice(run: JobRun, _: object = None) -> Any:
    steps = TAKE_END(run)
    if steps:
        run.bus.mailbox.post(lambda _: run._terminal_event())
    return steps


def tell_no_end(run: JobRun) -> list[Any]:
    return []


def forget_the_deadline(run: JobRun, outcome: JobOutcome[Any]) -> None:
    run._deadline = None
    DECIDE(run, outcome)


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("method", "faulty", "complaint"),
    [
        ("take_end", end_twice, "came after"),
        ("_terminal_event", tell_no_end, "the terminal event|never told"),
        ("_decide", forget_the_deadline, "a timer was left behind"),
    ],
    ids=["told twice", "never told", "timer left"],
)
def test_the_proof_finds_a_fault_of_the_core(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, method: str, faulty: Callable[..., Any], complaint: str
) -> None:
    monkeypatch.setattr(JobRun, method, faulty)
    # On real threads an example need not fail a second time; that it failed once is what counts.
    with pytest.raises((AssertionError, FlakyFailure)) as caught:
        run_in_any_order(100, is_repeatable=True, phases=[Phase.generate])
    assert re.search(complaint, "".join(traceback.format_exception(caught.value)))
