"""Working the bus and the clock off from an asyncio loop that Qt does not drive."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import qasync

from qtorch import BaseJob, JobSuccess, QtClock, SignalBus, executes
from qtorch.bus.foreign_loop import driven_by, is_foreign
from tests.qtorch.bus.rig import Said, hear, say

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from qtorch.testing import FakeClock
    from qtorch.testing.hygiene import TestRuntime

pytestmark = pytest.mark.realtime


@pytest.fixture
def qt_clock(qapp: QApplication) -> Iterator[QtClock]:
    made = QtClock()
    yield made
    made.close()
    made.deleteLater()


async def until(condition: Any) -> None:
    """Wait in asyncio alone; no Qt event is delivered meanwhile."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


def test_a_loop_that_qt_drives_is_not_foreign(qapp: QApplication) -> None:
    plain = asyncio.new_event_loop()
    assert is_foreign(plain)
    plain.close()
    by_qt = qasync.QEventLoop(qapp, set_running_loop=False)
    assert not is_foreign(by_qt)
    by_qt.close()


def test_events_are_delivered_while_somebody_waits_in_a_plain_loop(bus: SignalBus, qt_clock: QtClock) -> None:
    heard: list[str] = []
    bus.subscribe(hear(heard), event_type=Said)

    async def wait() -> None:
        say(bus, "before")
        with driven_by(asyncio.get_running_loop(), bus.core.mailbox, qt_clock):
            await until(lambda: heard == ["before"])
            say(bus, "during")
            await until(lambda: heard == ["before", "during"])
            thread = threading.Thread(target=say, args=(bus, "from a thread"))
            thread.start()
            await until(lambda: len(heard) == 3)
            thread.join()

    asyncio.run(wait())
    assert bus.core.mailbox.drivers == {}


def test_the_clock_runs_while_somebody_waits_in_a_plain_loop(bus: SignalBus, qt_clock: QtClock) -> None:
    heard: list[str] = []
    qt_clock.call_later(0.005, lambda: heard.append("added before"))

    async def wait() -> None:
        with driven_by(asyncio.get_running_loop(), bus.core.mailbox, qt_clock):
            await until(lambda: len(heard) == 1)
            qt_clock.call_later(60, lambda: heard.append("much later"))
            qt_clock.call_later(0.002, lambda: heard.append("added during"))
            await until(lambda: len(heard) == 2)

    asyncio.run(wait())
    assert heard == ["added before", "added during"]


def test_a_call_of_the_clock_that_raises_does_not_stop_the_driving(
    bus: SignalBus, qt_clock: QtClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "excepthook", lambda cls, error, trace: told.append(cls))
    heard: list[str] = []
    bus.subscribe(hear(heard), event_type=Said)

    async def wait() -> None:
        with driven_by(asyncio.get_running_loop(), bus.core.mailbox, qt_clock):
            qt_clock.call_later(0, lambda: 1 / 0)
            qt_clock.call_later(0.002, lambda: say(bus, "later"))
            await until(lambda: heard == ["later"])

    asyncio.run(wait())
    assert told == [ZeroDivisionError]


def test_many_that_wait_in_one_loop_share_one_driver_that_ends_with_the_last(bus: SignalBus, qt_clock: QtClock) -> None:
    mailbox = bus.core.mailbox

    async def wait(stop: asyncio.Event) -> None:
        with driven_by(asyncio.get_running_loop(), mailbox, qt_clock):
            await stop.wait()

    async def main() -> None:
        stops = [asyncio.Event() for _ in range(3)]
        tasks = [asyncio.create_task(wait(stop)) for stop in stops]
        await asyncio.sleep(0)
        assert len(mailbox.drivers) == 1
        stops[0].set()
        tasks[1].cancel()
        await asyncio.wait(tasks[:2])
        assert len(mailbox.drivers) == 1
        stops[2].set()
        await tasks[2]
        assert mailbox.drivers == {}

    asyncio.run(main())


def test_after_the_wait_qt_delivers_again(bus: SignalBus, qt_clock: QtClock, qtbot: Any) -> None:
    heard: list[str] = []
    bus.subscribe(hear(heard), event_type=Said)

    async def wait() -> None:
        with driven_by(asyncio.get_running_loop(), bus.core.mailbox, qt_clock):
            await asyncio.sleep(0)

    asyncio.run(wait())
    say(bus, "a")
    thread = threading.Thread(target=say, args=(bus, "b"))
    thread.start()
    qt_clock.call_later(0, lambda: heard.append("clock"))
    qtbot.waitUntil(lambda: len(heard) == 3)
    thread.join()


# -- through a handle --------------------------------------------------------------------------------------------------


class CountJob(BaseJob[int]):
    n: int = 0


@executes(CountJob)
def count(job: CountJob) -> int:
    if job.n < 0:
        raise OSError(job.n)
    return job.n


def test_a_handle_can_be_awaited_under_asyncio_run_on_the_gui_thread(qtorch_runtime: TestRuntime) -> None:
    qtorch_runtime.register(count)

    async def main() -> list[int]:
        handles = [qtorch_runtime.dispatcher.dispatch(CountJob(n=number)) for number in range(20)]
        return list(await asyncio.gather(*handles))

    assert asyncio.run(main()) == list(range(20))


def test_retry_waits_and_timeouts_come_to_pass_there_too(qtorch_runtime: TestRuntime) -> None:
    calls: list[int] = []
    go_on = threading.Event()

    class FlakyJob(BaseJob[int]):
        pass

    class StuckJob(BaseJob[int]):
        pass

    @executes(FlakyJob)
    def flaky(job: FlakyJob) -> int:
        calls.append(1)
        if len(calls) < 3:
            raise OSError
        return len(calls)

    @executes(StuckJob)
    def stuck(job: StuckJob) -> int:
        go_on.wait(20)
        return 0

    qtorch_runtime.register(flaky, stuck)
    dispatch = qtorch_runtime.dispatcher.dispatch

    async def main() -> tuple[Any, Any]:
        from qtorch import RetryPolicy

        slow = dispatch(StuckJob(), timeout=0.01)
        done = await dispatch(FlakyJob(), retry=RetryPolicy(base_delay=0.002)).result()
        timed_out = await slow.result()
        go_on.set()
        await until(lambda: not slow.is_working)
        return done, timed_out

    async def with_driver() -> tuple[Any, Any]:
        with driven_by(asyncio.get_running_loop(), qtorch_runtime.bus.core.mailbox, qtorch_runtime.clock):
            return await main()

    done, timed_out = asyncio.run(with_driver())
    assert done == JobSuccess(3)
    assert timed_out.timeout == 0.01


def test_fake_time_passes_when_the_test_says_so_there_too(qtorch_runtime: TestRuntime, qtorch_clock: FakeClock) -> None:
    qtorch_runtime.register(count)

    async def main() -> Any:
        handle = qtorch_runtime.dispatcher.dispatch(CountJob(n=-1), retry=1)
        waiting = asyncio.create_task(handle.result())
        await until(lambda: handle.status.value == "waiting")
        assert not waiting.done()
        qtorch_clock.advance(1)
        return await waiting

    assert asyncio.run(main()).attempts == 2
