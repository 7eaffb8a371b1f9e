"""Jobs that share work which streams: nobody sees part of a stream as if it were the whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from qtorch import BaseExecutor, BaseJob, JobHandle, JobItemsEvent, JobSuccess, JobTimeout
from tests.qtorch.execution.rig import Gate, Rig, drive

pytestmark = pytest.mark.realtime


class CountJob(BaseJob[int]):
    """Streams 0 and 1, then, once it may, 2."""


class Counter(BaseExecutor[CountJob]):
    def __init__(self, *, before: Gate | None = None) -> None:
        self.calls = 0
        self.before = before
        self.gate = Gate()

    def process(self, job: CountJob) -> Iterator[int]:
        self.calls += 1
        if self.before is not None:
            self.before.wait()
        yield 0
        yield 1
        self.gate.wait()
        yield 2


def dispatch(rig: Rig, **options: Any) -> JobHandle[int]:
    return rig.owner.dispatch(CountJob(), dedupe=True, **options)


def items(rig: Rig, handle: JobHandle[Any]) -> list[object]:
    return [item for event in rig.log.of(JobItemsEvent) if event.job_id == handle.id for item in event.items]


def test_all_members_are_told_every_item_once_and_in_order(rig: Rig) -> None:
    counter = Counter(before=Gate())
    rig.runtime.register(counter)
    first = dispatch(rig)
    drive(lambda: counter.calls)
    handles = [first, dispatch(rig), dispatch(rig)]
    assert counter.before is not None
    counter.before.open()
    counter.gate.open()
    rig.end(*handles)
    assert counter.calls == 1
    for handle in handles:
        assert items(rig, handle) == [0, 1, 2]
        assert handle.outcome == JobSuccess(2)
        assert rig.types(handle)[0] == "Started"


def test_who_comes_after_the_first_items_were_told_gets_work_of_its_own(rig: Rig) -> None:
    counter = Counter()
    rig.runtime.register(counter)
    first = dispatch(rig)
    drive(lambda: items(rig, first))
    late, later = dispatch(rig), dispatch(rig)
    counter.gate.open()
    rig.end(first, late, later)
    assert counter.calls in (2, 3), "the third joins the second, unless that one has streamed already"
    for handle in (first, late, later):
        assert items(rig, handle) == [0, 1, 2]


def test_items_that_are_pending_at_the_deadline_of_one_are_told_to_it_and_no_later_ones_are_lost(rig: Rig) -> None:
    counter = Counter(before=Gate())
    rig.runtime.register(counter)
    leaves, stays = dispatch(rig, deadline=2.0), dispatch(rig)
    drive(lambda: counter.calls)
    rig.drain()
    assert counter.before is not None
    counter.before.open()
    run = rig.runtime.dispatcher.services.shared[leaves.id]
    while run.items is None or len(run.items.pending) < 2:  # streamed, and not taken yet
        counter.before.wait()
    rig.clock.advance(2.0)
    drive(lambda: leaves.outcome is not None)
    counter.gate.open()
    rig.end(stays, leaves)
    assert leaves.outcome == JobTimeout(2.0, "deadline")
    assert items(rig, leaves) == [0, 1]
    assert items(rig, stays) == [0, 1, 2]
