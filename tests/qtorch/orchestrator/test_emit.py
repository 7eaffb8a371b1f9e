"""State is swapped at once, told net, in one order for everybody."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest
from pydantic import ValidationError, computed_field

from qtorch import (
    BaseEvent,
    BaseOrchestrator,
    BaseState,
    ClosedError,
    StateLoopError,
    StateMutatedError,
    WrongThreadError,
)
from tests.qtorch.execution.rig import Rig, elsewhere


class PairState(BaseState):
    a: int = 0
    b: int = 0

    @computed_field  # type: ignore[prop-decorator]
    @property
    def total(self) -> int:
        return self.a + self.b


class Pair(BaseOrchestrator[PairState]):
    def __init__(self, **options: Any) -> None:
        super().__init__(PairState(), **options)
        self.changes: list[tuple[int, int]] = []
        self.told: list[Any] = []
        for name in ("a", "b", "total"):
            self.changed(name).connect(lambda value, name=name: self.told.append((name, value)))
        self.stateChanged.connect(lambda new, old: self.told.append(("state", new, old)))

    def on_change(self, new: PairState, old: PairState) -> None:
        self.changes.append((new.a, new.b))


@pytest.fixture(autouse=True)
def one_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a drain take all the time it wants: on a busy machine 8 ms may pass between any two lines."""
    monkeypatch.setattr("qtorch.bus.mailbox.BUDGET", 60.0)


@pytest.fixture
def pair(rig: Rig) -> Pair:
    return Pair(runtime=rig.runtime)


# -- the order --------------------------------------------------------------------------------------------------------


def test_fields_are_told_first_then_computed_ones_then_the_state(pair: Pair) -> None:
    old = pair.state
    pair.update(b=2, a=1)
    assert pair.told[:-1] in ([("a", 1), ("b", 2), ("total", 3)], [("b", 2), ("a", 1), ("total", 3)])
    assert pair.told[-1] == ("state", pair.state, old)


def test_only_what_changed_is_told(pair: Pair) -> None:
    pair.update(a=1)
    pair.told.clear()
    pair.update(b=5)
    assert [what for what, *_ in pair.told] == ["b", "total", "state"]
    pair.told.clear()
    pair.update(a=2, b=4)
    assert sorted(what for what, *_ in pair.told) == ["a", "b", "state"], "the sum is what it was"


def test_the_new_state_is_there_before_anybody_is_told(pair: Pair) -> None:
    seen: list[int] = []
    pair.changed("a").connect(lambda value: seen.append(pair.state.a - value))
    pair.update(a=3)
    assert seen == [0]


def test_an_emit_in_a_listener_swaps_at_once_and_is_told_after_all_have_heard_the_first(pair: Pair) -> None:
    order: list[Any] = []

    def first(value: int) -> None:
        order.append(("first", value))
        if value == 1:
            pair.update(a=2)
            order.append(("at once", pair.state.a))

    pair.changed("a").connect(first)
    pair.changed("a").connect(lambda value: order.append(("second", value)))
    pair.update(a=1)
    assert order == [("first", 1), ("at once", 2), ("second", 1), ("first", 2), ("second", 2)]


def test_emits_while_the_bus_delivers_are_told_net_once_at_the_end_of_the_drain(rig: Rig) -> None:
    pair = Pair(runtime=rig.runtime)
    seen: list[int] = []

    def hear(event: BaseEvent) -> None:
        pair.update(a=pair.state.a + 1)
        seen.append(pair.state.a)

    rig.runtime.bus.subscribe(hear)
    for number in range(5):
        rig.runtime.bus.emit(BaseEvent(str(number)))
    rig.drain()
    assert seen == [1, 2, 3, 4, 5], "the state is swapped at once"
    assert [what for what in pair.told if what[0] == "a"] == [("a", 5)]
    assert pair.changes == [(1, 0), (2, 0), (3, 0), (4, 0), (5, 0)], "on_change sees each state"


def test_an_emit_elsewhere_is_told_before_it_returns(pair: Pair) -> None:
    pair.update(a=1)
    assert ("a", 1) in pair.told


def test_a_change_that_is_taken_back_within_a_drain_is_not_told(rig: Rig) -> None:
    pair = Pair(runtime=rig.runtime)

    def hear(event: BaseEvent) -> None:
        pair.update(a=1)
        pair.update(a=0)

    rig.runtime.bus.subscribe(hear)
    rig.runtime.bus.emit(BaseEvent(""))
    rig.drain()
    assert pair.told == []
    assert pair.changes == [(1, 0), (0, 0)]


# -- equal states -----------------------------------------------------------------------------------------------------


def test_an_equal_state_is_skipped(pair: Pair) -> None:
    before = pair.state
    pair.emit(PairState())
    pair.emit(before)
    pair.update(a=0)
    pair.update()
    assert pair.told == []
    assert pair.changes == []


class Odd:
    """Compares like nothing else."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def __eq__(self, other: object) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    __hash__ = None  # type: ignore[assignment]


class OddState(BaseState):
    value: Any = None
    count: int = 0


class OddOnes(BaseOrchestrator[OddState]):
    pass


@pytest.mark.parametrize("answer", [ValueError("the truth value of an array is ambiguous"), [True, True], None, 1])
def test_an_equality_that_raises_or_gives_no_bool_counts_as_a_change(rig: Rig, answer: Any) -> None:
    odd = OddOnes(OddState(value=Odd(answer)), runtime=rig.runtime)
    seen: list[Any] = []
    odd.changed("value").connect(seen.append)
    new = Odd(answer)
    odd.update(value=new)
    assert len(seen) == 1
    assert odd.state.value is new
    odd.update(count=1)
    assert len(seen) == 1, "the very same object is no change"


# -- batches ----------------------------------------------------------------------------------------------------------


def test_a_batch_tells_the_net_change_once(pair: Pair) -> None:
    with pair.batch():
        pair.update(a=1)
        pair.update(a=2)
        pair.update(b=1)
        assert pair.told == []
        assert pair.state == PairState(a=2, b=1)
    assert [what for what, *_ in pair.told] == ["a", "b", "total", "state"]
    assert pair.told[-1][2] == PairState()
    assert len(pair.changes) == 3


def test_a_batch_that_raises_tells_what_was_changed_and_raises(pair: Pair) -> None:
    def fail() -> None:
        with pair.batch():
            pair.update(a=1)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert ("a", 1) in pair.told
    pair.update(a=2)
    assert ("a", 2) in pair.told, "the batch was left open"


def test_nested_batches_tell_at_the_end_of_the_outermost(pair: Pair) -> None:
    with pair.batch():
        with pair.batch():
            pair.update(a=1)
        assert pair.told == []
        pair.update(b=1)
    assert [what for what, *_ in pair.told] == ["a", "b", "total", "state"]


def test_a_batch_that_changes_nothing_in_the_end_tells_nothing(pair: Pair) -> None:
    with pair.batch():
        pair.update(a=1)
        pair.update(a=0)
    assert pair.told == []


def test_a_batch_in_a_hook_is_told_with_the_drain(rig: Rig) -> None:
    pair = Pair(runtime=rig.runtime)

    def hear(event: BaseEvent) -> None:
        with pair.batch():
            pair.update(a=pair.state.a + 1)
            pair.update(b=pair.state.b + 1)

    rig.runtime.bus.subscribe(hear)
    for _ in range(3):
        rig.runtime.bus.emit(BaseEvent(""))
    rig.drain()
    assert [what[:2] for what in pair.told[:-1]] == [("a", 3), ("b", 3), ("total", 6)]


# -- faults -----------------------------------------------------------------------------------------------------------


def test_a_value_that_does_not_fit_leaves_the_state_as_it_is(pair: Pair) -> None:
    before = pair.state
    with pytest.raises(ValidationError):
        pair.update(a="many")
    with pytest.raises(AttributeError, match="has no field 'aa'"):
        pair.update(aa=1)
    assert pair.state is before
    assert pair.told == []


def test_a_foreign_state_is_refused(pair: Pair) -> None:
    class OtherState(BaseState):
        pass

    with pytest.raises(TypeError, match=r"Pair.*PairState.*OtherState"):
        pair.emit(OtherState())  # type: ignore[arg-type]


@pytest.mark.realtime
def test_a_state_is_written_on_its_own_thread_only(pair: Pair) -> None:
    for write in (lambda: pair.update(a=1), lambda: pair.emit(PairState(a=1))):
        with pytest.raises(WrongThreadError, match=r"state of Pair was written on another thread.*would have changed"):
            elsewhere(write)
    assert pair.state == PairState()
    assert pair.told == []


@pytest.mark.realtime
def test_a_state_may_be_read_on_any_thread(pair: Pair) -> None:
    pair.update(a=4)
    seen: list[int] = []
    elsewhere(lambda: seen.append(pair.state.a))
    assert seen == [4]


@pytest.mark.realtime
def test_an_orchestrator_is_made_on_its_buss_thread_and_stays_there(rig: Rig) -> None:
    from PySide6.QtCore import QThread

    with pytest.raises(WrongThreadError, match="GUI thread"):
        elsewhere(lambda: Pair(runtime=rig.runtime))
    pair = Pair(runtime=rig.runtime)
    thread = QThread()
    with pytest.raises(WrongThreadError, match="moved"):
        pair.moveToThread(thread)


def test_a_listener_that_raises_keeps_nobody_from_hearing(rig: Rig, qtbot: Any) -> None:
    pair = Pair(runtime=rig.runtime)
    error = ValueError("in a slot")
    heard: list[int] = []

    def bad(value: int) -> None:
        raise error

    pair.changed("a").connect(bad)
    pair.select(lambda s: s.a).subscribe(bad)
    pair.select(lambda s: s.a).subscribe(heard.append)
    with qtbot.captureExceptions() as seen:
        pair.update(a=1)
    assert heard == [1]
    assert pair.told[-1][0] == "state"
    assert [caught for _, caught, _ in seen] == [error, error]
    assert [report.error for report in rig.reports] == [error], "what a Qt slot raises is Qt's to tell of"


def test_an_on_change_that_raises_is_reported_and_the_change_is_told(rig: Rig, qtbot: Any) -> None:
    error = ValueError("in on_change")

    class Bad(Pair):
        def on_change(self, new: PairState, old: PairState) -> None:
            raise error

    bad = Bad(runtime=rig.runtime)
    with qtbot.captureExceptions() as seen:
        bad.update(a=1)
    assert ("a", 1) in bad.told
    assert [report.error for report in rig.reports] == [error]
    assert "Bad.on_change" in rig.reports[0].where
    assert [caught for _, caught, _ in seen] == [error]


def test_the_hundredth_answer_of_a_listener_to_itself_raises_and_names_the_field(rig: Rig, qtbot: Any) -> None:
    pair = Pair(runtime=rig.runtime)
    pair.changed("a").connect(lambda value: pair.update(a=value + 1))
    with qtbot.captureExceptions() as seen:
        pair.update(a=1)
    [(kind, error, _)] = seen
    assert kind is StateLoopError
    assert "keep changing: a." in str(error)
    assert pair.state.a == 100
    pair.update(b=1)
    assert ("b", 1) in pair.told, "it can be used on"


def test_a_chain_of_ninety_nine_answers_is_no_loop(pair: Pair) -> None:
    pair.changed("a").connect(lambda value: pair.update(a=value + 1) if value < 100 else None)
    pair.update(a=1)
    assert pair.state.a == 100


def test_two_orchestrators_that_answer_each_other_without_end_are_found(rig: Rig, qtbot: Any) -> None:
    one, two = Pair(runtime=rig.runtime), Pair(runtime=rig.runtime)
    one.changed("a").connect(lambda value: two.update(a=value + 1))
    two.changed("a").connect(lambda value: one.update(a=value + 1))
    with qtbot.captureExceptions() as seen:
        one.update(a=1)
        rig.runtime.bus.subscribe(lambda event: one.update(a=one.state.a + 1))
        rig.runtime.bus.emit(BaseEvent(""))
        rig.drain()
    assert len(seen) >= 2
    assert {kind for kind, _, _ in seen} == {StateLoopError}


def test_many_emits_of_hooks_in_one_drain_are_no_loop(rig: Rig) -> None:
    pair = Pair(runtime=rig.runtime)
    rig.runtime.bus.subscribe(lambda event: pair.update(a=pair.state.a + 1))
    for _ in range(1_000):
        rig.runtime.bus.emit(BaseEvent(""))
    rig.drain()
    assert pair.state.a == 1_000
    assert not rig.reports


# -- strict, and late -------------------------------------------------------------------------------------------------


class Bag:
    def __init__(self) -> None:
        self.things: list[str] = []

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bag) and other.things == self.things

    __hash__ = None  # type: ignore[assignment]


class BagState(BaseState):
    bag: Any = None
    count: int = 0


class Bags(BaseOrchestrator[BagState]):
    pass


def test_strict_finds_an_object_that_was_changed_in_place(rig: Rig) -> None:
    bags = Bags(BagState(bag=Bag()), runtime=rig.runtime)
    bags.state.bag.things.append("sneaked in")
    with pytest.raises(StateMutatedError, match=r"BagState of Bags.*in place: bag"):
        bags.update(count=1)


def test_what_is_not_strict_does_not_look(make_rig: Any) -> None:
    rig = make_rig(strict=False)
    bags = Bags(BagState(bag=Bag()), runtime=rig.runtime)
    bags.state.bag.things.append("sneaked in")
    bags.update(count=1)
    assert bags.state.count == 1


@pytest.mark.parametrize("value", [threading.Lock(), object(), Odd(ValueError()), Odd([True]), (object(),)])
def test_strict_takes_what_cannot_be_copied_or_compared(rig: Rig, value: object) -> None:
    bags = Bags(BagState(bag=value), runtime=rig.runtime)
    bags.update(count=1)
    bags.update(count=2)
    assert bags.state.count == 2


def test_strict_watches_the_other_fields_of_a_state_with_such_a_value(rig: Rig) -> None:
    class TwoState(BaseState):
        lock: Any = None
        bag: Any = None
        count: int = 0

    class Two(BaseOrchestrator[TwoState]):
        pass

    two = Two(TwoState(lock=threading.Lock(), bag=Bag()), runtime=rig.runtime)
    two.update(count=1)
    two.state.bag.things.append("sneaked in")
    with pytest.raises(StateMutatedError, match="in place: bag"):
        two.update(count=2)


def test_a_late_emit_raises_in_strict(rig: Rig) -> None:
    pair = Pair(runtime=rig.runtime)
    pair.close()
    with pytest.raises(ClosedError, match=r"(?s)Pair is closed.*is_closed"):
        pair.update(a=1)
    assert pair.is_closed


def test_a_late_emit_is_logged_once_otherwise(make_rig: Any, caplog: pytest.LogCaptureFixture) -> None:
    rig = make_rig(strict=False)
    pair = Pair(runtime=rig.runtime)
    pair.close()
    with caplog.at_level(logging.WARNING, "qtorch"):
        for number in range(3):
            pair.update(a=number)
    assert [record.name for record in caplog.records] == ["qtorch.orchestrator"]
    assert "Pair is closed" in caplog.text
    assert pair.state == PairState()
    assert pair.told == []
