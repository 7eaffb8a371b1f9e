"""asyncio by the time of a FakeClock, on every kind of loop."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import qasync  # type: ignore[import-untyped]
from PySide6.QtCore import QTimer

from qtorch import BaseJob, JobStatus, RetryPolicy, executes
from qtorch.testing import FakeClock, FakeExecutor, StuckError, TestRuntime, asyncio_time, gate, ok
from tests.qtorch.testing.searching import text

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

Run = Callable[[Coroutine[Any, Any, Any]], Any]


class FetchJob(BaseJob[int]):
    pass


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def run_by_qasync(qapp: QApplication) -> Iterator[Run]:
    loop = qasync.QEventLoop(qapp)
    asyncio.set_event_loop(loop)
    yield loop.run_until_complete
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    asyncio.set_event_loop(None)


@pytest.fixture(params=["plain", "qasync"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a coroutine to its end, on a loop of each kind."""
    return asyncio.run if request.param == "plain" else request.getfixturevalue("run_by_qasync")


# -- time passes by itself while a test waits -------------------------------------------------------------------------


async def an_hour_of_everything(clock: FakeClock) -> None:
    """Wait in every way there is."""
    began = clock.now()
    loop = asyncio.get_running_loop()
    await asyncio.sleep(600)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(600):
            await asyncio.Event().wait()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), 600)
    with pytest.raises(TimeoutError), anyio.fail_after(600):
        await anyio.sleep(1000)
    called = asyncio.Event()
    loop.call_later(600, called.set)
    await called.wait()
    called.clear()
    loop.call_at(loop.time() + 600, called.set)
    await called.wait()
    assert clock.now() == began + 3600
    assert loop.time() == clock.now()
    assert clock.pending == 0


@pytest.mark.asyncio
async def test_time_passes_in_a_pytest_asyncio_test(qtorch_clock: FakeClock) -> None:
    await an_hour_of_everything(qtorch_clock)


@pytest.mark.anyio
async def test_time_passes_in_an_anyio_test(qtorch_clock: FakeClock) -> None:
    await an_hour_of_everything(qtorch_clock)


def test_time_passes_on_a_loop_of_either_kind(qtorch_clock: FakeClock, run: Run) -> None:
    run(an_hour_of_everything(qtorch_clock))


def test_calls_that_are_cancelled_are_not_made(qtorch_clock: FakeClock, run: Run) -> None:
    async def body() -> list[str]:
        loop, heard = asyncio.get_running_loop(), list[str]()
        loop.call_later(1, heard.append, "later").cancel()
        loop.call_at(loop.time() + 1, heard.append, "at").cancel()
        sleeper = asyncio.create_task(asyncio.sleep(1))
        await asyncio.sleep(0)
        sleeper.cancel()
        await asyncio.sleep(5)
        return heard

    assert run(body()) == []
    assert qtorch_clock.now() == 5


def test_a_call_that_is_cancelled_in_the_turn_in_which_it_falls_due_is_not_made(
    qtorch_clock: FakeClock, run: Run
) -> None:
    async def body() -> list[str]:
        loop, heard = asyncio.get_running_loop(), list[str]()
        second: list[Any] = []
        loop.call_later(1, lambda: second[0].cancel())
        second.append(loop.call_later(1, heard.append, "second"))
        await asyncio.sleep(2)
        return heard

    assert run(body()) == []


def test_a_thousand_sleepers_wake_in_order(qtorch_clock: FakeClock, run: Run) -> None:
    async def body() -> list[int]:
        woken: list[int] = []

        async def sleeper(n: int) -> None:
            await asyncio.sleep(n % 100)
            woken.append(n % 100)

        await asyncio.gather(*(sleeper(n * 37) for n in range(1000)))
        return woken

    woken = run(body())
    assert woken == sorted(woken)
    assert (len(woken), qtorch_clock.now()) == (1000, 99)


def test_a_coroutine_lets_time_pass_by_the_awaitable_twins(qtorch_clock: FakeClock, run: Run) -> None:
    async def body() -> None:
        woken: list[float] = []

        async def sleeper(seconds: float) -> None:
            await asyncio.sleep(seconds)
            woken.append(qtorch_clock.now())

        tasks = [asyncio.create_task(sleeper(seconds)) for seconds in (1, 2, 30)]
        await qtorch_clock.advance_async(1.5)
        assert woken == [1]
        await qtorch_clock.settle_async()
        assert woken == [1]
        await qtorch_clock.run_until_idle_async()
        assert woken == [1, 2, 30]
        await asyncio.gather(*tasks)

    run(body())


def test_qt_timers_go_on_in_real_time_while_a_coroutine_sleeps(qtorch_clock: FakeClock, run: Run) -> None:
    async def body() -> None:
        rung = asyncio.Event()
        QTimer.singleShot(5, rung.set)
        await rung.wait()

    run(body())
    assert qtorch_clock.now() == 0


# -- the own loop of a Runtime ----------------------------------------------------------------------------------------


def fetches(qtorch_runtime: TestRuntime) -> None:
    calls: list[int] = []

    @executes(FetchJob)
    async def fetch(job: FetchJob) -> int:
        calls.append(1)
        await asyncio.sleep(5)
        if len(calls) == 1:
            raise OSError("down")
        async with asyncio.timeout(50):
            await asyncio.sleep(10)
        return 7

    qtorch_runtime.register(fetch)


def test_coroutines_of_jobs_sleep_by_the_clock_in_a_plain_test(
    qtorch_runtime: TestRuntime, qtorch_clock: FakeClock
) -> None:
    fetches(qtorch_runtime)
    handle = qtorch_runtime.dispatcher.dispatch(FetchJob(), retry=RetryPolicy(max_retries=1, base_delay=1))
    for seconds, status in (
        (4.9, JobStatus.RUNNING),
        (0.2, JobStatus.WAITING),
        (0.9, JobStatus.RUNNING),
        (14.9, JobStatus.RUNNING),
        (0.2, JobStatus.SUCCEEDED),
    ):
        qtorch_clock.advance(seconds)
        assert handle.status is status
    assert qtorch_clock.pending == 0


@pytest.mark.asyncio
async def test_coroutines_of_jobs_sleep_by_the_clock_while_a_test_awaits_them(
    qtorch_runtime: TestRuntime, qtorch_clock: FakeClock
) -> None:
    fetches(qtorch_runtime)
    assert await qtorch_runtime.dispatcher.dispatch(FetchJob(), retry=RetryPolicy(max_retries=1, base_delay=1)) == 7
    assert qtorch_clock.now() == 21


def test_a_job_that_runs_out_of_fake_time_is_cancelled(qtorch_runtime: TestRuntime, qtorch_clock: FakeClock) -> None:
    fetches(qtorch_runtime)
    handle = qtorch_runtime.dispatcher.dispatch(FetchJob(), timeout=3)
    qtorch_clock.advance(3)
    assert handle.status is JobStatus.TIMED_OUT
    assert qtorch_clock.pending == 0


# -- what keeps real time ---------------------------------------------------------------------------------------------


@pytest.mark.realtime
def test_a_loop_of_another_thread_keeps_real_time(qtorch_clock: FakeClock) -> None:
    ended = threading.Event()

    async def server() -> None:
        await asyncio.sleep(0.01)
        ended.set()

    thread = threading.Thread(target=lambda: asyncio.run(server()))
    thread.start()
    assert ended.wait(20)
    thread.join()
    assert qtorch_clock.now() == 0


@pytest.mark.realtime
def test_time_stands_still_while_a_socket_is_read(qtorch_clock: FakeClock) -> None:
    ours, theirs = socket.socketpair()

    async def body() -> bytes:
        asyncio.get_running_loop().call_later(60, lambda: None)
        reader, writer = await asyncio.open_connection(sock=ours)
        threading.Timer(0.02, theirs.sendall, [b"x"]).start()
        read = await reader.read(1)
        now = qtorch_clock.now()
        writer.close()
        await writer.wait_closed()
        assert now == 0
        return read

    assert asyncio.run(body()) == b"x"
    theirs.close()


def test_the_loops_are_as_before_when_the_clock_is_followed_no_longer(qapp: QApplication) -> None:
    def methods() -> list[Any]:
        plain: Any = asyncio.BaseEventLoop
        qt: Any = qasync._QEventLoop
        names = ("time", "call_at", "call_later", "run_forever")
        return [plain._run_once, *(getattr(kind, name) for kind in (plain, qt) for name in names)]

    before = methods()
    with asyncio_time.loops_follow(FakeClock()):
        assert methods() != before
    assert methods() == before


def test_a_timer_of_a_loop_that_was_closed_is_moot(qtorch_clock: FakeClock) -> None:
    async def body() -> None:
        asyncio.get_running_loop().call_later(5, lambda: None)

    asyncio.run(body())
    qtorch_clock.advance(10)
    assert qtorch_clock.pending == 0


# -- what cannot go on, and what it says ------------------------------------------------------------------------------


def test_a_plain_advance_in_a_coroutine_on_qts_loop_says_what_to_write(
    qtorch_clock: FakeClock, run_by_qasync: Run
) -> None:
    async def body() -> None:
        for call in (lambda: qtorch_clock.advance(1), qtorch_clock.settle, qtorch_clock.run_until_idle):
            with pytest.raises(RuntimeError) as error:
                call()
            assert str(error.value) == (
                "this waits by processing Qt's events, which hangs inside a coroutine on a loop that Qt drives.\n"
                "  Write the awaitable twin there: await clock.advance_async(...), await clock.run_until_idle_async()."
            )

    run_by_qasync(body())


def test_waiting_for_what_cannot_come_ends_with_the_places_of_those_who_wait(
    qtorch_clock: FakeClock, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asyncio_time, "_LONGEST_REST", 0.05)

    async def never() -> None:
        await asyncio.Event().wait()

    async def body() -> None:
        asyncio.current_task().set_name("the test")  # type: ignore[union-attr]
        other = asyncio.create_task(never(), name="other")
        await other

    with pytest.raises(StuckError) as error:
        run(body())
    here = "test_waiting_for_what_cannot_come_ends_with_the_places_of_those_who_wait.<locals>"
    at_never, at_body = (one.__code__.co_firstlineno for one in (never, body))
    assert str(error.value) == text(
        f"""
        the test waits for something that cannot come: nothing is at work, and nothing is scheduled.
          tasks that wait:
            other: {here}.never() at test_asyncio_time.py:{at_never + 1}
            the test: {here}.body() at test_asyncio_time.py:{at_body + 3}
          Do what they wait for before you await them: release the gate, set the event, dispatch the job; or limit the wait by asyncio.timeout(), which follows the clock.
        """  # noqa: E501
    )


def test_waiting_for_a_job_that_a_gate_holds_names_the_job(
    qtorch_runtime: TestRuntime, qtorch_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asyncio_time, "_LONGEST_REST", 0.05)
    door = gate()
    qtorch_runtime.register(FakeExecutor(FetchJob, steps=[door, ok(1)]))

    async def body() -> None:
        await qtorch_runtime.dispatcher.dispatch(FetchJob())

    with pytest.raises(StuckError, match=r"\n  jobs that have not ended:\n    FetchJob\(\) \(running\)\n  Do what"):
        asyncio.run(body())
    door.release()


@pytest.mark.realtime
def test_a_thread_that_no_runtime_knows_may_still_bring_what_is_awaited(qtorch_clock: FakeClock) -> None:
    async def body() -> str:
        loop = asyncio.get_running_loop()
        came: asyncio.Future[str] = loop.create_future()
        threading.Timer(0.05, lambda: loop.call_soon_threadsafe(came.set_result, "x")).start()
        return await came

    assert asyncio.run(body()) == "x"


@pytest.mark.realtime
def test_work_that_ignores_its_timeout_does_not_hold_up_the_time_of_a_test_that_awaits_it(
    qtorch_runtime: TestRuntime, qtorch_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qtorch.testing.fake_clock._PATIENCE", 0.05)
    stop = threading.Event()

    @executes(FetchJob)
    def poll(job: FetchJob) -> int:
        while not stop.wait(0.001):
            pass
        return 1

    qtorch_runtime.register(poll)

    async def body() -> None:
        handle = qtorch_runtime.dispatcher.dispatch(FetchJob(), timeout=30)
        await handle.result()
        assert handle.status is JobStatus.TIMED_OUT

    asyncio.run(body())
    assert qtorch_clock.now() == 30
    stop.set()
