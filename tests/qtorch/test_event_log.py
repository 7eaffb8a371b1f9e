"""The latest events of a bus, for tests and inspectors."""

from __future__ import annotations

import gc
import weakref
from dataclasses import dataclass
from typing import Any

from qtorch import (
    BaseEvent,
    BaseJob,
    EventLog,
    JobCancelledEvent,
    JobFailureEvent,
    JobStartedEvent,
    JobSuccessEvent,
    JobTimeoutEvent,
)


class FetchJob(BaseJob[Any]):
    pass


class FetchSpecialJob(FetchJob):
    pass


class OtherJob(BaseJob[int]):
    pass


@dataclass(frozen=True)
class LoggedIn(BaseEvent):
    user: str


def filled() -> tuple[EventLog, FetchJob, OtherJob, FetchSpecialJob]:
    log, first, second, third = EventLog(), FetchJob(), OtherJob(), FetchSpecialJob()
    for event in (
        JobStartedEvent(first.id, first),
        LoggedIn("c", "ann"),
        JobStartedEvent(second.id, second),
        JobSuccessEvent(second.id, second, data=1),
        JobStartedEvent(third.id, third),
        JobTimeoutEvent(first.id, first),
        JobCancelledEvent(third.id, third),
    ):
        log.append(event)
    return log, first, second, third


def test_the_log_is_asked_by_type_job_and_outcome() -> None:
    log, first, second, third = filled()
    assert [type(event) for event in log.for_job(first.id)] == [JobStartedEvent, JobTimeoutEvent]
    assert [event.job_id for event in log.for_type(FetchJob)] == [first.id, third.id, first.id, third.id]
    assert len(log.of(JobStartedEvent)) == 3
    assert [type(event) for event in log.of(JobFailureEvent)] == [JobTimeoutEvent]
    assert [event.job_id for event in log.successes] == [second.id]
    assert [event.job_id for event in log.failures] == [first.id]
    assert [event.job_id for event in log.cancelled] == [third.id]
    assert [event.correlation_id for event in log.terminal] == [second.id, first.id, third.id]
    assert log.of(LoggedIn)[0].user == "ann"


def test_the_latest_of_a_job_is_known_and_none_is_none() -> None:
    log, first, *_ = filled()
    assert isinstance(log.latest_for_job(first.id), JobTimeoutEvent)
    assert log.latest_for_job("unknown") is None
    assert log.for_job("unknown") == []


def test_the_log_is_a_sequence_of_the_latest() -> None:
    log = EventLog(limit=3)
    events = [LoggedIn("c", str(number)) for number in range(5)]
    for event in events:
        log.append(event)
    assert list(log) == events[2:]
    assert (len(log), log[0], log[-1], log[1:]) == (3, events[2], events[4], events[3:])
    log.clear()
    assert list(log) == []


def test_the_log_may_grow_while_it_is_read() -> None:
    log = EventLog()
    log.append(LoggedIn("c", "ann"))
    for event in log:
        log.append(event)
    assert len(log) == 2


def test_a_log_on_a_bus_hears_in_order_of_seq_until_it_is_closed(qtorch_runtime: Any) -> None:
    bus = qtorch_runtime.bus
    log = EventLog(bus)
    for number in range(5):
        bus.emit(LoggedIn("c", str(number)))
    bus.core.mailbox.drain()
    log.close()
    bus.emit(LoggedIn("c", "late"))
    bus.core.mailbox.drain()
    assert [event.user for event in log.of(LoggedIn)] == ["0", "1", "2", "3", "4"]
    assert [event.seq for event in log] == [1, 2, 3, 4, 5]


def test_a_log_that_is_dropped_is_not_kept_alive_by_its_bus(qtorch_runtime: Any) -> None:
    gc.collect()
    log = EventLog(qtorch_runtime.bus)
    gone = weakref.ref(log)
    del log
    assert gone() is None
    qtorch_runtime.bus.emit(LoggedIn("c", "ann"))
    qtorch_runtime.bus.core.mailbox.drain()


def test_one_event_emitted_twice_is_two_events_in_the_log(qtorch_runtime: Any) -> None:
    log, event = EventLog(qtorch_runtime.bus), LoggedIn("c", "ann")
    qtorch_runtime.bus.emit(event)
    qtorch_runtime.bus.emit(event)
    qtorch_runtime.bus.core.mailbox.drain()
    assert [one.seq for one in log] == [1, 2]
