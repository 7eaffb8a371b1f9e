"""The end of an orchestrator: closed, deleted by Qt, or let go of."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import shiboken6
from PySide6.QtWidgets import QWidget

from qtorch import BaseEvent, BaseOrchestrator, BaseState, JobCancelled, JobStatus
from tests.qtorch.execution.rig import NoState, Owner, Rig, ThreadJob, delete_later_now, drive

if TYPE_CHECKING:
    from PySide6.QtCore import QObject

pytestmark = pytest.mark.realtime


class CountState(BaseState):
    count: int = 0


class Counter(BaseOrchestrator[CountState]):
    heard: list[str]

    def __init__(self, rig: Rig, parent: QObject | None = None) -> None:
        super().__init__(CountState(), runtime=rig.runtime, parent=parent)
        self.heard = []

    def on_active_event(self, event: Any) -> None:
        self.heard.append(type(event).__name__)

    def on_passive_event(self, event: BaseEvent) -> None:
        self.heard.append("passive")


def running_job(rig: Rig, owner: Any) -> Any:
    work = rig.work()
    handle = owner.dispatch(ThreadJob())
    drive(work.begun.is_set)
    rig.drain()
    return handle


def test_close_cancels_the_own_jobs_and_hears_nothing_more(rig: Rig) -> None:
    counter = Counter(rig)
    handle = running_job(rig, counter)
    counter.close()
    counter.close()
    assert counter.is_closed
    assert handle.outcome == JobCancelled("owner closed")
    rig.end(handle)
    rig.runtime.bus.emit(BaseEvent(""))
    rig.drain()
    assert counter.heard == ["JobStartedEvent"]
    assert rig.types(handle) == ["Started", "Cancelled"], "others hear the end"


def test_close_keeping_jobs_lets_them_go_on_unheard(rig: Rig) -> None:
    counter = Counter(rig)
    handle = running_job(rig, counter)
    counter.close(keep_jobs=True)
    rig.works["work"].gate.open()
    rig.end(handle)
    assert handle.status is JobStatus.SUCCEEDED
    assert counter.heard == ["JobStartedEvent"]


def test_a_closed_orchestrators_state_can_be_read(rig: Rig) -> None:
    counter = Counter(rig)
    counter.update(count=3)
    counter.close()
    assert counter.state.count == 3
    assert counter.property("count") == 3


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(shiboken6.delete, id="deleted by C++"),
        pytest.param(lambda counter: (counter.deleteLater(), delete_later_now()), id="deleteLater"),
    ],
)
def test_the_death_of_the_qobject_cancels_its_jobs(rig: Rig, end: Callable[[QObject], object]) -> None:
    counter = Counter(rig)
    handle = running_job(rig, counter)
    heard = counter.heard
    end(counter)
    assert not shiboken6.isValid(counter)
    assert handle.outcome == JobCancelled("owner gone")
    rig.end(handle)
    assert heard == ["JobStartedEvent"]


def test_the_death_of_its_parent_widget_is_its_own(rig: Rig) -> None:
    window = QWidget()
    counter = Counter(rig, parent=window)
    handle = running_job(rig, counter)
    shiboken6.delete(window)
    assert handle.outcome == JobCancelled("owner gone")
    rig.end(handle)


def test_letting_go_of_the_last_reference_is_its_death(rig: Rig) -> None:
    counter = Counter(rig)
    handle = running_job(rig, counter)
    gone = weakref.ref(counter)
    del counter
    assert gone() is None, "it waits for the cyclic collector"
    assert handle.outcome == JobCancelled("owner gone")
    rig.end(handle)


def test_a_late_emit_after_its_death_is_refused_like_after_close(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(strict=False)
    counter = Counter(rig)
    shiboken6.delete(counter)
    assert counter.is_closed
    counter.update(count=1)
    assert counter.state.count == 0


def test_a_hook_that_deletes_its_orchestrator_is_the_last_one_called(rig: Rig) -> None:
    heard: list[str] = []

    class Suicidal(Owner):
        def on_active_success(self, event: Any) -> None:
            heard.append("hook")
            shiboken6.delete(self)

        def on_active_event(self, event: Any) -> None:
            if event.is_terminal:
                heard.append("too late")

    others: list[BaseEvent] = []
    suicidal = Suicidal(NoState(), runtime=rig.runtime)
    handle = suicidal.dispatch(ThreadJob())
    rig.work(is_open=True)
    handle.add_done_callback(lambda _: heard.append("done"))
    rig.runtime.bus.subscribe(others.append, job_id=handle.id)
    rig.end(handle)
    assert heard == ["hook", "done"]
    assert len(others) == 2


def test_a_hook_that_deletes_another_orchestrator_keeps_it_from_hearing(rig: Rig) -> None:
    heard: list[str] = []
    victims: list[Counter] = []

    class Killer(BaseOrchestrator[NoState]):
        def on_passive_event(self, event: BaseEvent) -> None:
            heard.append("killer")
            for victim in victims:
                shiboken6.delete(victim)
            victims.clear()

    killer = Killer(NoState(), runtime=rig.runtime)
    victim = Counter(rig)
    victims.append(victim)
    rig.runtime.bus.emit(BaseEvent(""))
    rig.drain()
    assert heard == ["killer"]
    assert victim.heard == []
    assert killer.has_active_jobs is False


def test_a_listener_that_deletes_the_orchestrator_in_the_middle_of_an_emit_ends_the_telling(rig: Rig) -> None:
    class TwoState(BaseState):
        a: int = 0
        b: int = 0

    class Two(BaseOrchestrator[TwoState]):
        pass

    two = Two(TwoState(), runtime=rig.runtime)
    seen: list[str] = []
    two.changed("a").connect(lambda _: (seen.append("a"), shiboken6.delete(two)))
    two.changed("b").connect(lambda _: seen.append("b"))
    two.stateChanged.connect(lambda *_: seen.append("state"))
    two.select(lambda s: s.b).subscribe(lambda _: seen.append("select"))
    two.update(a=1, b=1)
    assert seen == ["a"]
    assert two.is_closed


def test_a_window_that_is_deleted_in_the_middle_of_an_emit_keeps_nobody_from_hearing(rig: Rig, qtbot: Any) -> None:
    from PySide6.QtWidgets import QLabel

    counter = Counter(rig)
    window = QWidget()
    label = QLabel(window)
    seen: list[int] = []
    counter.select(lambda s: s.count).subscribe(lambda _: shiboken6.delete(window))
    counter.select(lambda s: str(s.count)).subscribe(label.setText)
    counter.select(lambda s: s.count).subscribe(seen.append)
    counter.changed("count").connect(label.setNum)
    with qtbot.captureExceptions() as errors:
        counter.update(count=1)
    assert seen == [1]
    assert not [error for _, error, _ in errors if not isinstance(error, RuntimeError)]


def test_close_in_a_hook_is_allowed(rig: Rig) -> None:
    class Closing(Owner):
        def on_active_success(self, event: Any) -> None:
            self.close()

    closing = Closing(NoState(), runtime=rig.runtime)
    rig.work("quick", is_open=True)
    rig.work("slow")
    slow = closing.dispatch(ThreadJob(name="slow"))
    drive(rig.works["slow"].begun.is_set)
    rig.end(closing.dispatch(ThreadJob(name="quick")), slow)
    assert slow.outcome == JobCancelled("owner closed")


def test_three_thousand_orchestrators_come_and_go_without_a_trace(rig: Rig) -> None:
    rig.work(is_open=True)
    rig.log.close()
    assert not gc.isenabled()

    def come_and_go(times: int) -> int:
        for number in range(times):
            counter = Counter(rig)
            counter.select(lambda s: s.count).subscribe(lambda _: None)
            counter.update(count=number)
            if number % 100 == 0:
                rig.end(counter.dispatch(ThreadJob()))
            counter.close() if number % 2 else shiboken6.delete(counter)
        counter = None
        gc.collect()
        return len(gc.get_objects())

    before = come_and_go(300)
    after = come_and_go(3_000)
    assert after - before < 1_000, "some 30 jobs are remembered, and nothing of the orchestrators"
    assert not rig.runtime.bus.core.routes._passive


def test_orchestrators_are_freed_by_reference_counts_alone(rig: Rig) -> None:
    def use() -> weakref.ref[Counter]:
        counter = Counter(rig)
        counter.changed("count").connect(lambda _: None)
        counter.stateChanged.connect(lambda *_: None)
        counter.update(count=1)
        return weakref.ref(counter)

    gc.collect()
    assert not gc.isenabled()
    assert [ref() for ref in (use(), use())] == [None, None]


class Plain(BaseOrchestrator[CountState]):
    """Hears nothing of others, so no bus holds it."""


def test_one_that_is_listened_to_lives_as_long_as_its_listener_and_no_longer(rig: Rig) -> None:
    seen: list[int] = []
    plain: Plain | None = Plain(CountState(), runtime=rig.runtime)
    assert plain is not None
    subscription = plain.select(lambda s: s.count).subscribe(seen.append)
    gone = weakref.ref(plain)
    plain = None
    kept = gone()
    assert kept is not None
    kept.update(count=1)
    assert seen == [1]
    del kept
    subscription.close()
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("is_closed", [True, False])
def test_a_listener_that_nobody_closed_keeps_no_orchestrator_from_the_collector(rig: Rig, is_closed: bool) -> None:
    plain: Plain | None = Plain(CountState(), runtime=rig.runtime)
    assert plain is not None
    plain.select(lambda s: s.count).subscribe(lambda _: None)
    plain.running().subscribe(lambda _: None)
    gone = weakref.ref(plain)
    if is_closed:
        plain.close()
    plain = None
    gc.collect()
    assert gone() is None
