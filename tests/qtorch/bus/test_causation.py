"""What was caused by what, and loops that are found by it."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest

from qtorch import BaseEvent, BaseJob, JobStartedEvent, JobSuccessEvent, SignalBus, executes
from qtorch.bus import cursor, mailbox
from qtorch.bus.core import LONGEST_CHAIN
from tests.qtorch.bus.rig import Left, Said, say, turn

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from qtorch.testing.hygiene import TestRuntime


class CountJob(BaseJob[int]):
    n: int = 0


@executes(CountJob)
def count(job: CountJob) -> int:
    return job.n


def by_text(events: list[BaseEvent]) -> dict[str, BaseEvent]:
    return {event.text: event for event in events if isinstance(event, Said)}


# -- the cause ---------------------------------------------------------------------------------------------------------


def test_an_event_emitted_by_a_listener_was_caused_by_what_it_heard(bus: SignalBus) -> None:
    seen: list[BaseEvent] = []

    def answer(event: Said) -> None:
        if event.text in ("a", "b"):
            say(bus, f"answer to {event.text}")

    bus.subscribe(seen.append)
    bus.subscribe(answer, event_type=Said)
    say(bus, "a", "b")
    turn(bus)
    said = by_text(seen)
    assert said["answer to a"].causation_id == said["a"].seq
    assert said["answer to b"].causation_id == said["b"].seq
    assert said["a"].causation_id is said["b"].causation_id is None


def test_what_is_emitted_outside_any_listener_has_no_cause(bus: SignalBus) -> None:
    seen: list[BaseEvent] = []
    bus.subscribe(seen.append)
    say(bus, "a")
    turn(bus)
    say(bus, "b")
    turn(bus)
    assert [event.causation_id for event in seen] == [None, None]


def test_what_a_raising_listener_emitted_first_was_caused_by_its_event(
    bus: SignalBus, told: list[BaseException]
) -> None:
    seen: list[BaseEvent] = []

    def spoil(event: Said) -> None:
        if event.text == "a":
            say(bus, "b")
            raise KeyError

    bus.subscribe(spoil, event_type=Said)
    bus.subscribe(seen.append)
    say(bus, "a")
    turn(bus)
    assert [event.causation_id for event in seen] == [None, seen[0].seq]
    assert len(told) == 1


@pytest.mark.realtime
def test_what_another_thread_emits_meanwhile_has_no_cause(bus: SignalBus) -> None:
    seen: list[BaseEvent] = []

    def from_a_thread(event: Said) -> None:
        if event.text == "a":
            thread = threading.Thread(target=say, args=(bus, "b"))
            thread.start()
            thread.join()

    bus.subscribe(from_a_thread, event_type=Said)
    bus.subscribe(seen.append)
    say(bus, "a")
    turn(bus)
    assert by_text(seen)["b"].causation_id is None


def test_a_listener_that_is_called_in_a_later_turn_still_has_the_cause(
    bus: SignalBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(cursor, "perf_counter", lambda: now[0])
    monkeypatch.setattr(mailbox, "perf_counter", lambda: now[0])
    monkeypatch.setattr(mailbox, "BUDGET", cursor.BUDGET)
    seen: list[BaseEvent] = []

    def slow(event: Said) -> None:
        now[0] += 0.020

    def answer(event: Said) -> None:
        if event.text == "a":
            say(bus, "answer")

    for listener in (slow, slow, answer, slow, answer):
        bus.subscribe(listener, event_type=Said)
    bus.subscribe(seen.append, event_type=Said)
    say(bus, "a", "b")
    turn(bus)
    answers = [event for event in seen if isinstance(event, Said) and event.text == "answer"]
    assert [event.causation_id for event in answers] == [1, 1]
    assert bus.core.mailbox.turns > 3


@pytest.mark.realtime
def test_the_events_of_a_job_were_caused_by_the_event_in_whose_listener_it_was_dispatched(
    qtorch_runtime: TestRuntime, qtbot: QtBot
) -> None:
    qtorch_runtime.register(count)
    bus, seen = qtorch_runtime.bus, list[BaseEvent]()
    bus.subscribe(lambda event: qtorch_runtime.dispatcher.dispatch(CountJob()), event_type=Said)
    bus.subscribe(lambda event: bus.emit(Left("talk")), event_type=JobSuccessEvent)
    bus.subscribe(seen.append)
    say(bus, "a")
    qtbot.waitUntil(lambda: isinstance(seen[-1], Left) if seen else False)
    causes = {type(event): event.causation_id for event in seen}
    seqs = {type(event): event.seq for event in seen}
    assert causes[JobStartedEvent] == causes[JobSuccessEvent] == seqs[Said]
    assert causes[Left] == seqs[JobSuccessEvent]


# -- loops -------------------------------------------------------------------------------------------------------------


def test_a_loop_is_cut_at_a_hundred_causes_and_reported_once(bus: SignalBus, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[int] = []

    def echo(event: Said) -> None:
        heard.append(event.seq)
        say(bus, event.text)

    bus.subscribe(echo, event_type=Said)
    with caplog.at_level(logging.ERROR, "qtorch.bus"):
        say(bus, "echo")
        turn(bus)
    assert len(heard) == LONGEST_CHAIN + 1 == 101
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("qtorch.bus", logging.ERROR)
    assert "Said was emitted 101 causes deep" in record.getMessage()


def test_a_loop_of_several_listeners_is_found_too(bus: SignalBus, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[str] = []

    def leave(event: Said) -> None:
        heard.append("said")
        bus.emit(Left("talk"))

    def speak(event: Left) -> None:
        heard.append("left")
        say(bus, "a")

    bus.subscribe(leave, event_type=Said)
    bus.subscribe(speak, event_type=Left)
    say(bus, "a")
    turn(bus)
    assert len(heard) == 101
    assert len(caplog.records) == 1


def test_after_a_cut_loop_the_bus_delivers_as_before(bus: SignalBus, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[str] = []
    echo = bus.subscribe(lambda event: say(bus, event.text), event_type=Said)
    say(bus, "echo")
    turn(bus)
    echo.close()
    bus.subscribe(lambda event: heard.append(event.text), event_type=Said)
    say(bus, "a")
    turn(bus)
    assert heard == ["a"]


def test_a_long_row_of_events_that_nobody_answers_is_no_loop(bus: SignalBus, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[int] = []
    bus.subscribe(lambda event: heard.append(event.seq), event_type=Said)
    say(bus, *map(str, range(500)))
    turn(bus)
    assert len(heard) == 500
    assert not caplog.records


def test_a_cut_loop_goes_once_to_error_occurred_and_the_log_but_not_to_the_excepthook(
    qtorch_runtime: TestRuntime, told: list[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    bus = qtorch_runtime.bus
    bus.subscribe(lambda event: say(bus, event.text), event_type=Said)
    say(bus, "echo")
    turn(bus)
    (report,) = qtorch_runtime.reports
    assert isinstance(report.event, Said)
    assert "Said" in report.where
    assert told == []
    assert [(record.name, record.levelno) for record in caplog.records] == [("qtorch.bus", logging.ERROR)]


@pytest.mark.realtime
def test_a_dispatch_starts_a_new_chain_so_events_of_jobs_are_never_cut(
    qtorch_runtime: TestRuntime, qtbot: QtBot
) -> None:
    qtorch_runtime.register(count)
    bus, done = qtorch_runtime.bus, list[int]()

    def succeeded(event: JobSuccessEvent[Any]) -> None:
        done.append(event.data)
        if event.data < 150:
            bus.emit(Said("talk", str(event.data + 1)))

    bus.subscribe(succeeded, event_type=JobSuccessEvent)
    bus.subscribe(lambda event: qtorch_runtime.dispatcher.dispatch(CountJob(n=int(event.text))), event_type=Said)
    say(bus, "0")
    qtbot.waitUntil(lambda: len(done) == 151)
    assert done == list(range(151))
    assert qtorch_runtime.reports == []
