"""The end of a Runtime, from every place that may ask for it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any, Self

import pytest

from qtorch import (
    BaseEvent,
    BaseJob,
    ClosedError,
    EventLog,
    JobCancelled,
    JobStatus,
    WrongThreadError,
    executes,
)
from tests.qtorch.execution.rig import NoState, Owner, Rig, drive, elsewhere

pytestmark = pytest.mark.realtime


class StickJob(BaseJob[None]):
    pass


class Timed:
    """Measures what happens inside."""

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._started


def test_close_cancels_and_settles_every_job_and_tells_of_it(rig: Rig, own_runner: str) -> None:
    rig.work()
    handles = [rig.dispatch(own_runner) for _ in range(10)]
    told: list[str] = []
    handles[0].add_done_callback(lambda h: told.append(h.status.value))
    drive(rig.works["work"].begun.is_set)
    rig.runtime.close()
    assert {handle.outcome for handle in handles} == {JobCancelled("runtime closed")}
    assert told == ["cancelled"]
    assert len(rig.log.cancelled) == 10
    assert not any(handle.is_working for handle in handles)
    assert rig.runtime.snapshot()["still_working"] == 0


def test_coroutines_finish_their_finally(make_rig: Callable[..., Rig]) -> None:
    for kind in ("loop", "qasync"):
        rig = make_rig(kind)
        steps: list[str] = []

        @executes(StickJob)
        async def clean(job: StickJob, steps: list[str] = steps) -> None:
            steps.append("begun")
            try:
                await asyncio.sleep(3600)
            finally:
                await asyncio.sleep(0.02)
                steps.append("cleaned up")

        rig.runtime.register(clean)
        rig.owner.dispatch(StickJob())
        drive(lambda steps=steps: steps)
        rig.runtime.close()
        assert steps == ["begun", "cleaned up"], kind


def test_what_coroutines_started_beside_themselves_is_cancelled(rig: Rig) -> None:
    ends: list[str] = []

    async def beside() -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise

    tasks: list[asyncio.Task[None]] = []

    @executes(StickJob)
    async def spawn(job: StickJob) -> None:
        tasks.append(asyncio.create_task(beside()))
        await asyncio.sleep(0)

    rig.runtime.register(spawn)
    rig.end(rig.owner.dispatch(StickJob()))
    rig.runtime.close()
    assert ends == ["cancelled"]


def test_close_delivers_what_was_queued_and_refuses_what_comes_later(rig: Rig) -> None:
    heard: list[str] = []
    bus = rig.runtime.bus

    def hear(event: BaseEvent) -> None:
        heard.append(event.correlation_id)
        bus.emit(BaseEvent("emitted during close"))

    bus.subscribe(hear)
    bus.emit(BaseEvent("queued"))
    rig.runtime.close()
    bus.emit(BaseEvent("late"))
    assert heard == ["queued"]
    assert bus.ignored >= 2


def test_close_is_idempotent_and_the_second_call_returns_at_once(rig: Rig) -> None:
    rig.work()
    rig.dispatch("thread")
    rig.runtime.close()
    with Timed() as second:
        rig.runtime.close()
    assert second.seconds < 0.1


def test_close_may_be_called_in_a_hook(rig: Rig) -> None:
    heard: list[str] = []

    class Closing(Owner):
        def on_active_success(self, event: Any) -> None:
            heard.append("success")
            rig.runtime.close()
            heard.append("closed")

        def on_active_event(self, event: Any) -> None:
            heard.append(type(event).__name__)

    closing = Closing(NoState(), runtime=rig.runtime)
    rig.work("quick", is_open=True)
    rig.work("slow")
    slow = closing.dispatch(rig.job("thread", "slow"))
    drive(rig.works["slow"].begun.is_set)
    quick = closing.dispatch(rig.job("thread", "quick"))
    drive(lambda: "closed" in heard)
    assert quick.status is JobStatus.SUCCEEDED
    assert slow.outcome == JobCancelled("runtime closed")
    assert heard.count("success") == 1
    # The rest of the event that the hook was called for comes first, even inside close().
    assert heard[heard.index("success") + 1 :].index("JobSuccessEvent") == 0
    assert heard[-1] == "closed"


def test_close_inside_a_close_does_nothing(rig: Rig) -> None:
    calls: list[str] = []

    def again(_: object) -> None:
        rig.runtime.close()
        calls.append("inner returned")

    rig.work()
    rig.dispatch("thread").add_done_callback(again)
    rig.runtime.close()
    assert calls == ["inner returned"]


def test_close_on_another_thread_is_refused(rig: Rig) -> None:
    with pytest.raises(WrongThreadError, match="GUI thread"):
        elsewhere(rig.runtime.close)
    assert not rig.runtime.is_closed


def test_emit_and_dispatch_from_workers_while_it_closes_lose_nothing_and_hang_nobody(
    make_rig: Callable[..., Rig],
) -> None:
    for _ in range(6):
        rig = make_rig()
        log = EventLog(rig.runtime.bus, limit=1_000_000)
        rig.work(is_open=True)
        handles: list[Any] = []
        stop = threading.Event()

        def send(rig: Rig = rig, handles: list[Any] = handles, stop: threading.Event = stop) -> None:
            while not stop.is_set():
                try:
                    handles.append(rig.runtime.dispatcher.dispatch(rig.job("thread")))
                except ClosedError:
                    return

        threads = [threading.Thread(target=send) for _ in range(2)]
        for thread in threads:
            thread.start()
        drive(lambda handles=handles: len(handles) > 20)
        rig.runtime.close()
        stop.set()
        for thread in threads:
            thread.join(10)
        assert all(handle.status.is_final for handle in handles)
        terminal = [event.correlation_id for event in log.terminal]
        assert len(terminal) == len(set(terminal)) == len(handles)
        assert not rig.runtime.dispatcher.services.running
