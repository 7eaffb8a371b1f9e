"""Who listens, how long, and what becomes of listeners that raise, close or die."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Slot

from qtorch import BaseJob, JobSuccessEvent, SignalBus
from tests.qtorch.bus.rig import Said, hear, say, turn

if TYPE_CHECKING:
    from qtorch.testing.hygiene import TestRuntime


@pytest.fixture
def no_cyclic_collector() -> Iterator[None]:
    """What dies in such a test dies by its last reference."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Window:
    """A plain object that listens."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def hear(self, event: Said) -> None:
        self.heard.append(event.text)


class Widget(QObject):
    """A QObject that listens."""

    def __init__(self, heard: list[str]) -> None:
        super().__init__()
        self.heard = heard

    @Slot(object)
    def hear(self, event: Said) -> None:
        self.heard.append(event.text)


def heard_after(bus: SignalBus, *texts: str) -> None:
    say(bus, *texts)
    turn(bus)


# -- closing -----------------------------------------------------------------------------------------------------------


def test_a_closed_subscription_hears_nothing_more(bus: SignalBus) -> None:
    heard: list[str] = []
    with bus.subscribe(hear(heard), event_type=Said) as subscription:
        heard_after(bus, "a")
    subscription.close()
    heard_after(bus, "b")
    assert heard == ["a"]
    assert not subscription.is_active


def test_a_listener_may_close_itself(bus: SignalBus) -> None:
    heard: list[str] = []

    def once(event: Said) -> None:
        heard.append(event.text)
        subscription.close()

    subscription = bus.subscribe(once, event_type=Said)
    heard_after(bus, "a", "b")
    assert heard == ["a"]


def test_a_listener_that_another_closes_does_not_hear_the_current_event_any_more(bus: SignalBus) -> None:
    heard: list[str] = []
    bus.subscribe(lambda event: later.close(), event_type=Said)
    later = bus.subscribe(hear(heard), event_type=Said)
    bus.subscribe(hear(heard, "last"), event_type=Said)
    heard_after(bus, "a")
    assert heard == [("last", "a")]


def test_a_listener_added_during_a_delivery_hears_from_the_next_event_on(bus: SignalBus) -> None:
    heard: list[str] = []

    def add(event: Said) -> None:
        if event.text == "a":
            bus.subscribe(hear(heard), event_type=Said)

    bus.subscribe(add, event_type=Said)
    heard_after(bus, "a", "b")
    assert heard == ["b"]


def test_one_function_subscribed_twice_hears_twice_and_each_ends_alone(bus: SignalBus) -> None:
    heard: list[str] = []
    listener = hear(heard)
    first = bus.subscribe(listener, event_type=Said)
    bus.subscribe(listener, event_type=Said)
    heard_after(bus, "a")
    first.close()
    heard_after(bus, "b")
    assert heard == ["a", "a", "b"]


@pytest.mark.realtime
def test_listeners_may_be_added_and_closed_on_other_threads(bus: SignalBus) -> None:
    heard: list[str] = []

    def work() -> None:
        kept = bus.subscribe(hear(heard, "kept"), event_type=Said)
        bus.subscribe(hear(heard, "closed"), event_type=Said).close()
        say(bus, "from the thread")
        assert kept.is_active

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    turn(bus)
    heard_after(bus, "later")
    assert heard == [("kept", "from the thread"), ("kept", "later")]


# -- raising -----------------------------------------------------------------------------------------------------------


def test_a_listener_that_raises_is_told_to_the_excepthook_once_and_silences_nobody(
    bus: SignalBus, told: list[BaseException]
) -> None:
    heard: list[str] = []
    bus.subscribe(hear(heard, "before"), event_type=Said)
    bus.subscribe(lambda event: 1 / 0, event_type=Said)
    bus.subscribe(hear(heard, "after"), event_type=Said)
    heard_after(bus, "a", "b")
    assert [mark for mark, _ in heard] == ["before", "after"] * 2
    assert [type(error) for error in told] == [ZeroDivisionError] * 2


def test_what_a_listener_raises_is_reported_with_its_name_its_event_and_its_job(
    qtorch_runtime: TestRuntime, told: list[BaseException]
) -> None:
    class FetchJob(BaseJob[int]):
        pass

    class Panel:
        def show(self, event: JobSuccessEvent[int]) -> None:
            raise KeyError("no such label")

    panel, job = Panel(), FetchJob()
    qtorch_runtime.bus.subscribe(panel.show, event_type=JobSuccessEvent)
    event = JobSuccessEvent(job.id, job, data=1)
    qtorch_runtime.bus.emit(event)
    turn(qtorch_runtime.bus)
    (report,) = qtorch_runtime.reports
    assert (type(report.error), report.event, report.job) == (KeyError, event, job)
    assert "Panel.show" in report.where
    assert told == [report.error]


def test_an_excepthook_that_raises_silences_nobody_either(
    bus: SignalBus, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("the crash reporter crashed")

    monkeypatch.setattr("sys.excepthook", crash)
    heard: list[str] = []
    bus.subscribe(lambda event: 1 / 0, event_type=Said)
    bus.subscribe(hear(heard), event_type=Said)
    heard_after(bus, "a")
    assert heard == ["a"]
    assert "sys.excepthook raised" in caplog.text


def test_a_slot_of_the_qt_signal_that_raises_silences_nobody(bus: SignalBus, told: list[BaseException]) -> None:
    heard: list[str] = []
    bus.event_emitted.connect(lambda event: 1 / 0)
    bus.subscribe(hear(heard), event_type=Said)
    heard_after(bus, "a")
    assert heard == ["a"]
    assert [type(error) for error in told] == [ZeroDivisionError]


# -- dying -------------------------------------------------------------------------------------------------------------


def test_a_bound_method_is_held_weakly(bus: SignalBus, no_cyclic_collector: None) -> None:
    window = Window()
    subscription = bus.subscribe(window.hear, event_type=Said)
    heard_after(bus, "a")
    assert window.heard == ["a"]
    gone = weakref.ref(window)
    del window
    assert gone() is None
    assert not subscription.is_active
    heard_after(bus, "b")


def test_a_listener_that_is_collected_while_an_event_is_delivered_is_not_called(
    bus: SignalBus, no_cyclic_collector: None
) -> None:
    heard: list[str] = []
    windows = [Window()]
    windows[0].heard = heard
    bus.subscribe(lambda event: windows.clear(), event_type=Said)
    bus.subscribe(windows[0].hear, event_type=Said)
    bus.subscribe(hear(heard, "last"), event_type=Said)
    heard_after(bus, "a", "b")
    assert heard == [("last", "a"), ("last", "b")]


def test_a_qobject_that_c_plus_plus_deleted_is_not_called_though_python_still_has_it(bus: SignalBus) -> None:
    heard: list[str] = []
    widget = Widget(heard)
    subscription = bus.subscribe(widget.hear, event_type=Said)
    heard_after(bus, "a")
    shiboken6.delete(widget)
    heard_after(bus, "b")
    assert heard == ["a"]
    assert not subscription.is_active


def test_a_qobject_deleted_while_an_event_is_delivered_is_not_called(bus: SignalBus) -> None:
    heard: list[str] = []
    widget = Widget(heard)
    bus.subscribe(lambda event: shiboken6.delete(widget), event_type=Said)
    bus.subscribe(widget.hear, event_type=Said)
    heard_after(bus, "a")
    assert heard == []


def test_a_qobject_may_delete_itself_while_it_hears(bus: SignalBus) -> None:
    heard: list[str] = []

    class Bubble(QObject):
        def hear(self, event: Said) -> None:
            heard.append(event.text)
            self.deleteLater()

    bubble = Bubble()
    bus.subscribe(bubble.hear, event_type=Said)
    heard_after(bus, "a")
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    heard_after(bus, "b")
    assert heard == ["a"]


# -- owners ------------------------------------------------------------------------------------------------------------


def test_a_function_lives_as_long_as_the_plain_object_that_owns_it(bus: SignalBus, no_cyclic_collector: None) -> None:
    heard: list[str] = []
    owner = Window()
    subscription = bus.subscribe(hear(heard), event_type=Said, owner=owner)
    heard_after(bus, "a")
    del owner
    assert not subscription.is_active
    heard_after(bus, "b")
    assert heard == ["a"]


def test_a_function_lives_as_long_as_the_qobject_that_owns_it(bus: SignalBus) -> None:
    heard: list[str] = []
    owner = QObject()
    subscription = bus.subscribe(hear(heard), event_type=Said, owner=owner)
    heard_after(bus, "a")
    shiboken6.delete(owner)
    assert not subscription.is_active
    heard_after(bus, "b")
    assert heard == ["a"]


def test_an_owner_that_dies_while_an_event_is_delivered_takes_its_listeners_along(bus: SignalBus) -> None:
    heard: list[str] = []
    owner = QObject()
    bus.subscribe(lambda event: shiboken6.delete(owner), event_type=Said)
    bus.subscribe(hear(heard), event_type=Said, owner=owner)
    heard_after(bus, "a")
    assert heard == []


def test_an_owner_that_is_gone_already_owns_nothing_alive(bus: SignalBus) -> None:
    heard: list[str] = []
    owner = QObject()
    shiboken6.delete(owner)
    subscription = bus.subscribe(hear(heard), event_type=Said, owner=owner)
    heard_after(bus, "a")
    assert (heard, subscription.is_active) == ([], False)


@pytest.mark.parametrize("first_to_die", ["owner", "window"])
def test_a_method_with_an_owner_is_held_weakly_all_the_same_and_ends_with_whoever_dies_first(
    bus: SignalBus, no_cyclic_collector: None, first_to_die: str
) -> None:
    heard: list[str] = []
    alive = {"owner": Window(), "window": Window()}
    alive["window"].heard = heard
    subscription = bus.subscribe(alive["window"].hear, event_type=Said, owner=alive["owner"])
    heard_after(bus, "a")
    del alive[first_to_die]
    assert not subscription.is_active
    heard_after(bus, "b")
    assert heard == ["a"]


@pytest.mark.parametrize("make_owner", [Window, QObject], ids=["plain", "QObject"])
def test_a_subscription_that_ends_leaves_nothing_with_an_owner_that_lives_on(
    bus: SignalBus, no_cyclic_collector: None, make_owner: Any
) -> None:
    owner = make_owner()
    captured = Window()
    gone = weakref.ref(captured)
    subscription = bus.subscribe(lambda event, keep=captured: None, event_type=Said, owner=owner)
    ended = weakref.ref(subscription)
    subscription.close()
    del captured, subscription
    assert (gone(), ended()) == (None, None)
    assert owner is not None


def test_a_closed_subscription_that_is_kept_holds_its_function_no_more(
    bus: SignalBus, no_cyclic_collector: None
) -> None:
    captured = Window()
    gone = weakref.ref(captured)
    subscription = bus.subscribe(lambda event, keep=captured: None, event_type=Said)
    subscription.close()
    del captured
    assert gone() is None


@pytest.mark.realtime
def test_an_owner_may_be_named_on_another_thread(bus: SignalBus) -> None:
    heard: list[str] = []
    owner = QObject()
    thread = threading.Thread(target=lambda: bus.subscribe(hear(heard), event_type=Said, owner=owner))
    thread.start()
    thread.join()
    heard_after(bus, "a")
    shiboken6.delete(owner)
    heard_after(bus, "b")
    assert heard == ["a"]


# -- wrong use ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"event_type": "Said"}, r"subscribe\(event_type=\.\.\.\) takes a subclass of BaseEvent, not 'Said'"),
        ({"event_type": Said("c")}, "takes a subclass of BaseEvent"),
        ({"event_type": int}, "takes a subclass of BaseEvent"),
        ({"event_type": JobSuccessEvent[int]}, r"(.|\n)*without brackets"),
        ({"event_type": (Said, JobSuccessEvent)}, r"(.|\n)*once per class"),
        ({"job_type": "FetchJob"}, "takes a subclass of BaseJob"),
        ({"job_type": Said}, "takes a subclass of BaseJob"),
    ],
)
def test_a_wrong_type_is_refused_where_it_is_given(bus: SignalBus, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        bus.subscribe(lambda event: None, **wrong)
    heard: list[str] = []
    bus.subscribe(hear(heard), event_type=Said)
    heard_after(bus, "all others still hear")
    assert len(heard) == 1


def test_what_cannot_be_called_is_refused(bus: SignalBus) -> None:
    not_a_function: Any = "print"
    with pytest.raises(TypeError, match="takes a function of an event, not 'print'"):
        bus.subscribe(not_a_function)
