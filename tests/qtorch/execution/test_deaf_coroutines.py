"""A coroutine that ignores its cancellation ends with its loop at the latest."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any

import pytest

from qtorch import CancellationToken, JobStatus
from qtorch.execution.streaming import stream_async
from tests.qtorch.execution.rig import drive

if TYPE_CHECKING:
    from tests.qtorch.execution.rig import Rig

pytestmark = pytest.mark.realtime


def test_it_works_no_more_once_its_loop_has_gone(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    work = rig.work(is_deaf=True)
    handle = rig.dispatch("loop")
    drive(work.begun.is_set)
    rig.runtime.close(0.0)
    assert handle.status is JobStatus.CANCELLED
    assert handle.is_working
    # Its gate stays closed: it is the loop's end alone that ends it.
    drive(lambda: not handle.is_working)
    assert not rig.runtime.dispatcher.services.working
    assert not work.ended.is_set()


def test_a_stream_that_its_loop_left_behind_leaves_no_word_in_the_log(
    make_rig: Callable[..., Rig], caplog: pytest.LogCaptureFixture
) -> None:
    rig = make_rig()
    work = rig.work(is_deaf=True)
    handle = rig.dispatch("loop stream")
    drive(work.begun.is_set)
    rig.runtime.close(0.0)
    drive(lambda: not handle.is_working)
    assert [record for record in caplog.records if record.name == "asyncio"] == []


def test_the_coroutine_of_a_stream_that_is_thrown_away_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: said.append(str(unraisable.exc_value)))

    async def wait_for_ever() -> AsyncGenerator[int, None]:
        yield 1
        await asyncio.sleep(3_600)

    class Producer:
        token = CancellationToken()

        def offer_items(self, *_: object) -> bool:
            return True

        def give_way(self) -> None:
            pass

    loop = asyncio.new_event_loop()
    producer: Any = Producer()
    task: Any = loop.create_task(stream_async(wait_for_ever(), producer))
    loop.run_until_complete(asyncio.wait([task], timeout=0.01))
    task._log_destroy_pending = False
    loop.close()
    del task
    gc.collect()
    assert said == []
