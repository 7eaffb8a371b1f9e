"""A gate holds jobs until the test lets them go on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from qtorch import (
    BaseExecutor,
    BaseJob,
    CancellationToken,
    JobCancelled,
    JobCancelledError,
    JobFailure,
    JobSuccess,
    executes,
)
from qtorch.testing.gates import Gate, gate
from qtorch.testing.waiting_threads import Threads

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from qtorch.testing.hygiene import TestRuntime

pytestmark = pytest.mark.realtime


class HeldJob(BaseJob[int]):
    number: int = 0


def in_thread(held: Gate) -> BaseExecutor[Any]:
    @executes(HeldJob)
    def hold(job: HeldJob) -> int:
        held.wait()
        return job.number

    return hold


def in_coroutine(held: Gate) -> BaseExecutor[Any]:
    @executes(HeldJob)
    async def hold(job: HeldJob) -> int:
        await held
        return job.number

    return hold


both = pytest.mark.parametrize("executor_of", [in_thread, in_coroutine])


class Held:
    """Jobs that wait at one gate."""

    def __init__(self, runtime: TestRuntime, qtbot: QtBot, executor_of: Callable[[Gate], BaseExecutor[Any]]) -> None:
        self.gate = gate("middle")
        self.qtbot = qtbot
        self.runtime = runtime
        self.handles: list[Any] = []
        runtime.register(executor_of(self.gate))

    def dispatch(self, count: int = 1) -> None:
        """Dispatch jobs one by one, each once the one before waits."""
        for _ in range(count):
            waiting = self.gate.waiting
            self.handles.append(self.runtime.dispatcher.dispatch(HeldJob(number=len(self.handles))))
            self.qtbot.waitUntil(lambda waiting=waiting: self.gate.waiting == waiting + 1)

    def ended(self) -> list[int]:
        """The numbers of the jobs that have ended well."""
        return [one.outcome.data for one in self.handles if isinstance(one.outcome, JobSuccess)]


@pytest.fixture
def held_by(qtorch_runtime: TestRuntime, qtbot: QtBot) -> Callable[[Any], Held]:
    return lambda executor_of: Held(qtorch_runtime, qtbot, executor_of)


@both
def test_jobs_wait_until_all_are_released(held_by: Callable[[Any], Held], executor_of: Any) -> None:
    held = held_by(executor_of)
    held.dispatch(3)
    assert (held.gate.waiting, held.gate.is_released, held.ended()) == (3, False, [])
    held.gate.release()
    held.qtbot.waitUntil(lambda: len(held.ended()) == 3)
    assert (held.gate.waiting, held.gate.is_released) == (0, True)
    held.handles.append(held.runtime.dispatcher.dispatch(HeldJob(number=9)))
    held.qtbot.waitUntil(lambda: 9 in held.ended())


@both
def test_jobs_are_let_go_in_the_order_in_which_they_came(held_by: Callable[[Any], Held], executor_of: Any) -> None:
    held = held_by(executor_of)
    held.dispatch(3)
    held.gate.release(1)
    held.qtbot.waitUntil(lambda: bool(held.ended()))
    assert (held.ended(), held.gate.waiting, held.gate.is_released) == ([0], 2, False)
    held.gate.release(2)
    held.qtbot.waitUntil(lambda: held.ended() == [0, 1, 2])


@both
def test_who_is_let_go_before_it_comes_is_not_held(held_by: Callable[[Any], Held], executor_of: Any) -> None:
    held = held_by(executor_of)
    held.gate.release(1)
    held.handles.append(held.runtime.dispatcher.dispatch(HeldJob(number=0)))
    held.qtbot.waitUntil(lambda: held.ended() == [0])
    held.dispatch()
    assert held.gate.waiting == 1
    held.gate.release()
    held.qtbot.waitUntil(lambda: len(held.ended()) == 2)


@both
def test_a_job_that_is_cancelled_is_not_held(held_by: Callable[[Any], Held], executor_of: Any) -> None:
    held = held_by(executor_of)
    held.dispatch(2)
    held.handles[0].cancel("no more")
    held.qtbot.waitUntil(lambda: held.gate.waiting == 1 and not held.handles[0].is_working)
    assert held.handles[0].outcome == JobCancelled("no more")
    held.gate.release(1)  # the permit is for who still waits
    held.qtbot.waitUntil(lambda: held.ended() == [1])


@both
def test_a_gate_can_fail_who_waits_and_who_comes(held_by: Callable[[Any], Held], executor_of: Any) -> None:
    held = held_by(executor_of)
    held.dispatch()
    error = OSError("down")
    held.gate.fail(error)
    held.handles.append(held.runtime.dispatcher.dispatch(HeldJob()))
    held.qtbot.waitUntil(lambda: all(one.outcome for one in held.handles))
    assert [one.outcome for one in held.handles] == [JobFailure(error), JobFailure(error)]


@both
def test_a_class_to_fail_with_is_made_anew_for_each(held_by: Callable[[Any], Held], executor_of: Any) -> None:
    held = held_by(executor_of)
    held.dispatch(2)
    held.gate.fail(KeyError)
    held.qtbot.waitUntil(lambda: all(one.outcome for one in held.handles))
    first, second = (one.outcome.error for one in held.handles)
    assert (type(first), type(second), first is second) == (KeyError, KeyError, False)


def test_a_thread_that_waits_is_known_to_wait_for_the_test(held_by: Callable[[Any], Held]) -> None:
    held = held_by(in_thread)
    held.dispatch()
    held.qtbot.waitUntil(lambda: held.gate.waiting == 1 and Threads().waiting_pool_threads == 1)
    held.gate.release()
    held.qtbot.waitUntil(lambda: held.ended() == [0])
    assert Threads().waiting_pool_threads == 0


def test_a_thread_of_ones_own_waits_with_a_token_of_ones_own() -> None:
    held, token, raised = gate(), CancellationToken(), list[Exception]()

    def work() -> None:
        try:
            held.wait(token)
        except JobCancelledError as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    token.cancel("enough")
    thread.join(20)
    assert (str(raised[0]), held.waiting) == (str(JobCancelledError("enough")), 0)


def test_coroutines_of_several_loops_wait_at_one_gate() -> None:
    held, done, both_wait = gate(), list[int](), threading.Event()

    async def work(number: int) -> None:
        await held
        done.append(number)

    async def starts(number: int) -> None:
        task = asyncio.create_task(work(number))
        await asyncio.sleep(0)
        if held.waiting == 2:
            both_wait.set()
        await task

    threads = [threading.Thread(target=lambda n=n: asyncio.run(starts(n))) for n in range(2)]
    for thread in threads:
        thread.start()
    assert both_wait.wait(20)
    held.release()
    for thread in threads:
        thread.join(20)
    assert sorted(done) == [0, 1]


def test_a_permit_of_who_was_cancelled_just_then_goes_to_the_next() -> None:
    async def story() -> list[str]:
        held, done = gate(), list[str]()
        asyncio.get_running_loop().set_exception_handler(lambda _, context: done.append(str(context)))

        async def work(name: str) -> None:
            await held
            done.append(name)

        first, second = asyncio.create_task(work("first")), asyncio.create_task(work("second"))
        await asyncio.sleep(0)
        held.release(1)
        first.cancel()
        await asyncio.wait({second}, timeout=20)
        return done

    assert asyncio.run(story()) == ["second"]


def test_a_loop_that_is_closed_does_not_keep_the_others_waiting() -> None:
    held = gate()

    def begin(loop: asyncio.AbstractEventLoop) -> Any:
        waits = held.__await__()
        loop.call_soon(lambda: next(waits))
        loop.call_soon(loop.stop)
        loop.run_forever()
        return waits

    closed, alive = asyncio.new_event_loop(), asyncio.new_event_loop()
    waits = [begin(closed), begin(alive)]
    closed.close()
    held.release()
    alive.call_soon(alive.stop)
    alive.run_forever()
    with pytest.raises(StopIteration):
        next(waits[1])
    waits[0].close()
    alive.close()


# -- messages -------------------------------------------------------------------------------------------------------


def test_a_gate_is_written_as_it_is_made() -> None:
    assert (repr(gate()), repr(gate("saving"))) == ("gate()", "gate('saving')")


def test_nobody_waits_on_the_gui_thread(qapp: object) -> None:
    with pytest.raises(RuntimeError) as caught:
        gate("saving").wait()
    assert str(caught.value) == (
        "gate('saving').wait() was called on the GUI thread, where the test runs that is to release it.\n"
        "  Wait in a job's `def process`, or write `await` in an `async def`."
    )


def test_a_coroutine_has_to_await_it() -> None:
    async def work() -> None:
        gate("saving").wait()

    with pytest.raises(RuntimeError) as caught:
        asyncio.run(work())
    assert str(caught.value) == (
        "gate('saving').wait() was called in a coroutine and would stop its whole loop.\n  Write `await` there."
    )


def test_nobody_is_let_go_by_a_number_below_one() -> None:
    with pytest.raises(ValueError, match=r"^gate\(\)\.release\(0\) lets nobody go on; write release\(\) for all$"):
        gate().release(0)


def test_what_is_no_exception_cannot_be_raised() -> None:
    wrong: Any = "down"
    with pytest.raises(TypeError, match=r"^gate\(\)\.fail\(\) takes an exception or a class of them, not 'down'$"):
        gate().fail(wrong)
