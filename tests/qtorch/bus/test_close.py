"""How a bus ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import shiboken6

from qtorch import (
    BaseEvent,
    BaseJob,
    ClosedError,
    EventLog,
    JobCancelled,
    JobCancelledEvent,
    JobHandle,
    JobStartedEvent,
    SignalBus,
    executes,
)
from tests.qtorch.bus.rig import Said, hear, say, turn

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from qtorch.testing.hygiene import TestRuntime


def test_close_delivers_what_is_queued_and_nothing_after(bus: SignalBus) -> None:
    heard: list[str] = []
    bus.subscribe(hear(heard), event_type=Said)
    say(bus, "a", "b")
    assert not bus.is_closed
    bus.close()
    assert bus.is_closed
    assert heard == ["a", "b"]
    say(bus, "c", "d")
    turn(bus)
    assert heard == ["a", "b"]
    assert bus.ignored == 2


def test_close_may_be_called_again(bus: SignalBus) -> None:
    bus.close()
    bus.close()
    assert bus.is_closed
    assert bus.ignored == 0


def test_nobody_can_subscribe_to_a_closed_bus_and_who_did_hears_that_it_is_over(bus: SignalBus) -> None:
    subscriptions = [
        bus.subscribe(lambda event: None),
        bus.subscribe(lambda event: None, event_type=Said),
        bus.subscribe(lambda event: None, job_id="x"),
    ]
    bus.close()
    assert [subscription.is_active for subscription in subscriptions] == [False] * 3
    for subscription in subscriptions:
        subscription.close()
    with pytest.raises(ClosedError, match="is closed: nothing would ever be heard"):
        bus.subscribe(lambda event: None)


def test_a_listener_may_close_the_bus_and_all_still_hear_what_was_queued_by_then(bus: SignalBus) -> None:
    heard: list[tuple[str, str]] = []

    def close(event: Said) -> None:
        heard.append(("closer", event.text))
        if event.text == "a":
            bus.close()
            heard.append(("closed", str(bus.is_closed)))

    bus.subscribe(hear(heard, "first"), event_type=Said)
    bus.subscribe(close, event_type=Said)
    bus.subscribe(hear(heard, "second"), event_type=Said)
    say(bus, "a", "b")
    turn(bus)
    assert heard == [
        ("first", "a"),
        ("closer", "a"),
        ("second", "a"),
        ("first", "b"),
        ("closer", "b"),
        ("second", "b"),
        ("closed", "True"),
    ]


def test_what_listeners_emit_in_answer_while_the_bus_closes_is_ignored_so_that_it_comes_to_an_end(
    bus: SignalBus,
) -> None:
    heard: list[str] = []

    def echo(event: Said) -> None:
        heard.append(event.text)
        say(bus, event.text)

    say(bus, "a")
    bus.subscribe(echo, event_type=Said)
    bus.close()
    assert heard == ["a"]
    assert bus.ignored == 1


@pytest.mark.realtime
def test_a_close_on_another_thread_is_a_request(bus: SignalBus, qtbot: QtBot) -> None:
    heard: list[tuple[str, int]] = []
    bus.subscribe(lambda event: heard.append((event.text, threading.get_ident())), event_type=Said)
    say(bus, "before")
    thread = threading.Thread(target=bus.close)
    thread.start()
    thread.join()
    say(bus, "after")
    assert heard == []
    qtbot.waitUntil(lambda: bus.is_closed)
    assert heard == [("before", threading.get_ident())]
    assert bus.ignored == 1


def test_a_bus_whose_qobject_is_gone_delivers_to_the_others_and_raises_nothing(bus: SignalBus) -> None:
    doomed, heard = SignalBus(), list[str]()
    doomed.subscribe(hear(heard), event_type=Said)
    doomed.event_emitted.connect(lambda event: heard.append("signal"))
    say(doomed, "queued")
    core = doomed.core
    shiboken6.delete(doomed)
    while not core.mailbox.is_idle:
        core.mailbox.drain()
    assert heard == ["queued"]


# -- with jobs ---------------------------------------------------------------------------------------------------------


class WaitJob(BaseJob[str]):
    pass


class Waiting:
    """Jobs that wait until they are let go, on a scoped bus of a Runtime."""

    def __init__(self, runtime: TestRuntime) -> None:
        self.bus = SignalBus.scoped()
        self.go_on = threading.Event()
        self.started = threading.Semaphore(0)
        self._runtime = runtime

        @executes(WaitJob)
        def wait(job: WaitJob) -> str:
            self.started.release()
            assert self.go_on.wait(20)
            return "done"

        runtime.register(wait)

    def dispatch(self) -> JobHandle[str]:
        handle = self._runtime.dispatcher.dispatch(WaitJob(), bus=self.bus)
        assert self.started.acquire(timeout=20)
        return handle


@pytest.fixture
def waiting(qtorch_runtime: TestRuntime, qtbot: QtBot) -> Iterator[Waiting]:
    made = Waiting(qtorch_runtime)
    yield made
    made.go_on.set()
    qtbot.waitUntil(lambda: qtorch_runtime.snapshot()["still_working"] == 0)


@pytest.mark.realtime
def test_close_settles_the_jobs_of_the_bus_as_cancelled_before_it_is_closed(waiting: Waiting) -> None:
    was_closed: list[bool] = []
    log = EventLog(waiting.bus)
    waiting.bus.subscribe(lambda event: was_closed.append(waiting.bus.is_closed), event_type=JobCancelledEvent)
    handles = [waiting.dispatch() for _ in range(2)]
    waiting.bus.close()
    assert was_closed == [False, False]
    assert [handle.outcome for handle in handles] == [JobCancelled("bus closed")] * 2
    assert [event.reason for event in log.cancelled] == ["bus closed"] * 2
    assert [event.still_running for event in log.cancelled] == [True] * 2


@pytest.mark.realtime
def test_closing_a_scoped_bus_leaves_the_jobs_of_others_alone(
    waiting: Waiting, qtorch_runtime: TestRuntime, qtbot: QtBot
) -> None:
    handle = qtorch_runtime.dispatcher.dispatch(WaitJob())
    assert waiting.started.acquire(timeout=20)
    waiting.bus.close()
    assert not handle.status.is_final
    waiting.go_on.set()
    qtbot.waitUntil(lambda: handle.status.is_final)
    assert handle.outcome is not None
    assert handle.outcome.unwrap() == "done"


@pytest.mark.realtime
def test_a_result_that_comes_after_the_close_is_dropped(waiting: Waiting, qtbot: QtBot) -> None:
    log, done = EventLog(waiting.bus), list[JobHandle[Any]]()
    handle = waiting.dispatch()
    handle.add_done_callback(done.append)
    turn(waiting.bus)
    waiting.bus.close()
    waiting.go_on.set()
    qtbot.waitUntil(lambda: not handle.is_working)
    assert [type(event) for event in log] == [JobStartedEvent, JobCancelledEvent]
    assert done == [handle]


@pytest.mark.realtime
def test_a_job_may_be_told_of_from_the_close_of_its_own_listener(waiting: Waiting) -> None:
    seen: list[type[BaseEvent]] = []
    handle = waiting.dispatch()

    def close(event: Said) -> None:
        waiting.bus.close()
        seen.append(type(event))

    note: Callable[[BaseEvent], None] = lambda event: seen.append(type(event))  # noqa: E731
    waiting.bus.subscribe(close, event_type=Said)
    waiting.bus.subscribe(note, event_type=JobCancelledEvent)
    say(waiting.bus, "close")
    turn(waiting.bus)
    assert seen == [JobCancelledEvent, Said]
    assert handle.outcome == JobCancelled("bus closed")


def test_nothing_can_be_dispatched_on_a_closed_bus(waiting: Waiting) -> None:
    waiting.bus.close()
    with pytest.raises(ClosedError, match="closed bus"):
        waiting.dispatch()
