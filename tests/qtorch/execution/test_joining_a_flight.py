"""Jobs that join work that is under way: what they are told of what was before."""

from __future__ import annotations

from typing import Any

import pytest

from qtorch import (
    CachePolicy,
    JobCacheHitEvent,
    JobEvent,
    JobHandle,
    JobProgressEvent,
    JobStatus,
    JobSuccessEvent,
    RetryPolicy,
)
from tests.qtorch.execution.flights import begin, finish
from tests.qtorch.execution.rig import Gate, Rig, drive, elsewhere

pytestmark = pytest.mark.realtime


def test_who_joins_a_running_flight_hears_that_it_began_then_the_latest_progress_once(rig: Rig) -> None:
    rig.work()
    (first,) = begin(rig, "thread", 1)
    for value in (0.2, 0.4):
        rig.worker.emit_progress(first.job, value, message=str(value))  # type: ignore[arg-type]
        rig.clock.advance(1.0)
        rig.drain()
    late = rig.dispatch("thread", dedupe=True)
    assert late.status is JobStatus.RUNNING
    assert late.progress == 0.0
    rig.drain()
    assert late.progress == 0.4
    finish(rig, first, late)
    assert rig.types(first) == ["Started", "Progress", "Progress", "Success"]
    assert rig.types(late) == ["Started", "Progress", "Success"]
    (told,) = [event for event in rig.log.for_job(late.id) if isinstance(event, JobProgressEvent)]
    assert (told.progress, told.message) == (0.4, "0.4")


def test_progress_that_is_reported_under_any_members_job_reaches_all(rig: Rig) -> None:
    rig.work()
    handles = begin(rig, "thread", 3)
    rig.worker.emit_progress(handles[2].job, 0.5)  # type: ignore[arg-type]
    rig.drain()
    assert [handle.progress for handle in handles] == [0.5] * 3
    finish(rig, *handles)


def test_the_work_can_report_from_a_thread_of_its_own_after_the_first_has_left(rig: Rig) -> None:
    rig.work()
    first, second = begin(rig, "thread")
    first.cancel()
    rig.drain()
    elsewhere(lambda: rig.worker.emit_progress(first.job, 0.5))  # type: ignore[arg-type]
    rig.drain()
    assert second.progress == 0.5
    finish(rig, second)
    assert rig.types(first) == ["Started", "Cancelled"]


def test_who_joins_in_the_last_moment_hears_the_beginning_and_the_end(rig: Rig) -> None:
    work = rig.work()
    (first,) = begin(rig, "thread", 1)
    work.gate.open()
    mailbox = rig.runtime.bus.core.mailbox
    while not mailbox.queue:  # the result lies in the queue, and is not taken yet
        work.ended.wait(0.001)
    late = rig.dispatch("thread", dedupe=True)
    rig.end(first, late)
    assert work.calls == 1
    assert rig.types(late) == ["Started", "Success"]


def test_who_joins_in_the_retry_wait_gets_the_next_attempt(rig: Rig, own_runner: str) -> None:
    work = rig.work("work", OSError("once"), 42, is_open=True)
    first = rig.dispatch(own_runner, dedupe=True, retry=RetryPolicy(base_delay=1.0))
    drive(lambda: first.status is JobStatus.WAITING)
    rig.drain()
    late = rig.dispatch(own_runner, dedupe=True)
    assert late.status is JobStatus.WAITING
    rig.drain()
    rig.clock.advance(1.0)
    rig.end(first, late)
    assert work.calls == 2
    assert rig.types(late) == ["Started", "Success"]
    assert [event.attempt for event in rig.log.of(JobSuccessEvent)] == [2, 2]


def test_who_joins_just_before_a_retry_is_told_hears_the_beginning_first(rig: Rig) -> None:
    work = rig.work("work", OSError("once"), 42)
    (first,) = begin(rig, "thread", 1, retry=RetryPolicy(base_delay=1.0))
    work.gate.open()
    while not rig.runtime.bus.core.mailbox.queue:  # the error lies in the queue, and is not taken yet
        work.ended.wait(0.001)
    late = rig.dispatch("thread", dedupe=True)
    drive(lambda: first.status is JobStatus.WAITING)
    rig.drain()
    assert rig.types(late) == ["Started", "Retrying"]
    rig.clock.advance(1.0)
    rig.end(first, late)


def test_progress_of_a_failed_attempt_is_not_told_to_who_joins_after_it(rig: Rig) -> None:
    work = rig.work("work", OSError("once"), 42)
    (first,) = begin(rig, "thread", 1, retry=RetryPolicy(base_delay=1.0))
    rig.worker.emit_progress(first.job, 0.9)  # type: ignore[arg-type]
    rig.drain()
    work.gate.open()
    drive(lambda: first.status is JobStatus.WAITING)
    late = rig.dispatch("thread", dedupe=True)
    rig.drain()
    assert rig.types(late) == ["Started"]
    rig.clock.advance(1.0)
    rig.end(first, late)


def test_what_a_failed_attempt_reports_while_the_next_one_waits_is_dropped(rig: Rig) -> None:
    work = rig.work("work", OSError("once"), 42)
    (first,) = begin(rig, "thread", 1, retry=RetryPolicy(base_delay=1.0))
    work.gate.open()
    drive(lambda: first.status is JobStatus.WAITING)
    elsewhere(lambda: rig.worker.emit_progress(first.job, 0.7))  # type: ignore[arg-type]
    rig.drain()
    assert rig.types(first) == ["Started", "Retrying"]
    work.gate = Gate()
    rig.clock.advance(1.0)
    drive(lambda: work.calls == 2)
    late = rig.dispatch("thread", dedupe=True)
    rig.drain()
    finish(rig, first, late)
    assert rig.types(late) == ["Started", "Success"]
    assert [event.attempt for event in rig.log.for_job(late.id) if isinstance(event, JobEvent)] == [2, 2]


def test_who_joins_a_later_attempt_hears_of_no_earlier_one(rig: Rig) -> None:
    rig.runtime.cache.provider.write("key", "old")
    work = rig.work("work", OSError("once"), 42)
    (first,) = begin(rig, "thread", 1, cache=CachePolicy(key="key"), retry=RetryPolicy(base_delay=1.0))
    work.gate.open()
    drive(lambda: first.status is JobStatus.WAITING)
    work.gate = Gate()
    rig.clock.advance(1.0)
    drive(lambda: work.calls == 2)
    late = rig.dispatch("thread", dedupe=True)
    rig.drain()
    finish(rig, first, late)
    assert rig.types(late) == ["Started", "CacheHit", "Success"]
    assert [event.attempt for event in rig.log.for_job(late.id) if isinstance(event, JobEvent)] == [2, 2, 2]


def test_who_joins_after_a_cache_hit_is_told_it_too(rig: Rig) -> None:
    rig.runtime.cache.provider.write("key", "old")
    rig.work("work", "new")
    policy = CachePolicy(key="key")
    (first,) = begin(rig, "thread", 1, cache=policy)
    late = rig.dispatch("thread", dedupe=True, placeholder="never: the first one's strategy holds")
    rig.drain()
    finish(rig, first, late)
    for handle in (first, late):
        assert rig.types(handle) == ["Started", "CacheHit", "Success"]
        assert [event.data for event in rig.log.for_job(handle.id)[1:]] == ["old", "new"]  # type: ignore[attr-defined]


def test_who_joins_between_a_hit_and_the_end_that_follows_misses_nothing(rig: Rig) -> None:
    rig.runtime.cache.provider.write("key", "kept")
    rig.work()
    late: list[JobHandle[Any]] = []

    def join(event: object) -> None:
        if not late:
            late.append(rig.dispatch("thread", dedupe=True))

    with rig.runtime.bus.subscribe(join, event_type=JobCacheHitEvent):
        first = rig.dispatch("thread", dedupe=True, cache=CachePolicy(key="key", revalidate=False))
        drive(lambda: late)
    rig.end(first, *late)
    assert rig.works["work"].calls == 0
    for handle in (first, *late):
        assert rig.types(handle) == ["Started", "CacheHit", "Success"]
        assert rig.log.for_job(handle.id)[-1].is_from_cache  # type: ignore[attr-defined]


def test_all_see_the_placeholder(rig: Rig) -> None:
    rig.work()
    handles = begin(rig, "loop", 1, placeholder="...")
    handles.append(rig.dispatch("loop", dedupe=True))
    rig.drain()
    finish(rig, *handles)
    for handle in handles:
        assert rig.types(handle) == ["Started", "Placeholder", "Success"]
