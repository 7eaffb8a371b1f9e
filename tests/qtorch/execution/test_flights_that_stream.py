"""Jobs that share work which streams: nobody sees part of a stream as if it were the whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from qtorch import BaseExecutor, BaseJob, JobHandle, JobItemsEvent, JobSuccess
from tests.qtorch.execution.rig import Gate, Rig, drive, elsewhere

pytestmark = pytest.mark.realtime


class CountJob(BaseJob[int]):
    """Streams 0, 1 and 2, each once it may."""


class Counter(BaseExecutor[CountJob]):
    def __init__(self, *, may: tuple[int, ...] = ()) -> None:
        self.calls = 0
        self.gates = [Gate() for _ in range(3)]
        for number in may:
            self.gates[number].open()

    def process(self, job: CountJob) -> Iterator[int]:
        self.calls += 1
        for number, gate in enumerate(self.gates):
            gate.wait()
            yield number

    def open_all(self) -> None:
        for gate in self.gates:
            gate.open()


def dispatch(rig: Rig, **options: Any) -> JobHandle[int]:
    return rig.owner.dispatch(CountJob(), dedupe=True, **options)


def items(rig: Rig, handle: JobHandle[Any]) -> list[object]:
    return [item for event in rig.log.of(JobItemsEvent) if event.job_id == handle.id for item in event.items]


def test_all_members_are_told_every_item_once_and_in_order(rig: Rig) -> None:
    counter = Counter()
    rig.runtime.register(counter)
    first = dispatch(rig)
    drive(lambda: counter.calls)
    handles = [first, dispatch(rig), dispatch(rig)]
    counter.open_all()
    rig.end(*handles)
    assert counter.calls == 1
    for handle in handles:
        assert items(rig, handle) == [0, 1, 2]
        assert handle.outcome == JobSuccess(2)
        assert rig.types(handle)[0] == "Started"


def test_who_comes_after_the_first_items_were_told_gets_work_of_its_own(rig: Rig) -> None:
    counter = Counter(may=(0, 1))
    rig.runtime.register(counter)
    first = dispatch(rig)
    drive(lambda: items(rig, first))
    late = dispatch(rig)
    counter.open_all()
    rig.end(first, late)
    assert counter.calls == 2
    for handle in (first, late):
        assert items(rig, handle) == [0, 1, 2]


def test_items_that_are_pending_at_the_end_of_one_member_are_told_and_no_later_ones_are_lost(rig: Rig) -> None:
    counter = Counter(may=(0,))
    rig.runtime.register(counter)
    leaves, stays = dispatch(rig), dispatch(rig)
    drive(lambda: items(rig, stays))
    counter.gates[1].open()
    stream = rig.runtime.dispatcher.services.shared[leaves.id].items
    assert stream is not None
    drive(lambda: stream.pending == [1])  # until its frame is due
    elsewhere(lambda: leaves.cancel("elsewhere"))
    drive(lambda: leaves.outcome is not None)
    counter.open_all()
    rig.end(stays, leaves)
    assert rig.types(leaves) == ["Started", "Items", "Items", "Cancelled"]
    assert items(rig, leaves) == [0, 1]
    assert items(rig, stays) == [0, 1, 2]
