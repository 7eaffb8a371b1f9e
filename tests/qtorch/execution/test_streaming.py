"""Generators as work: every item is told, in order, once a frame, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import pytest

from qtorch import (
    RESTARTABLE,
    BaseExecutor,
    BaseJob,
    CachePolicy,
    CancellationToken,
    JobCancelledError,
    JobFailureEvent,
    JobItemsEvent,
    JobStatus,
    JobSuccess,
    RetryPolicy,
    executes,
)
from qtorch.execution.items import ROOM
from qtorch.execution.streaming import runnable, stream, stream_async
from tests.qtorch.execution.rig import PATIENCE, Gate, Rig, drive, elsewhere, run_of

pytestmark = pytest.mark.realtime

FRAME = 0.016


class StreamJob(BaseJob[Any]):
    name: str = ""


class Script:
    """What a generator does: yields what it is given, waits at gates, raises exceptions, notes what is raised in it.

    Attributes
    ----------
    is_deaf
        Whether it yields on after what is raised at a ``yield``.
    """

    def __init__(self, *steps: object, is_deaf: bool = False, last_words: Exception | None = None) -> None:
        self.steps = steps
        self.is_deaf = is_deaf
        self.last_words = last_words
        self.last_gate = Gate()
        self.last_gate.open()
        self.yielded = 0
        self.raised: list[type[BaseException]] = []
        self.threads: set[int] = set()
        self.at_gate = threading.Event()
        self.ended = threading.Event()

    def _next(self, step: object) -> object:
        self.threads.add(threading.get_ident())
        if isinstance(step, Exception):
            raise step
        self.yielded += 1
        return step

    def _hear(self, error: BaseException) -> None:
        self.raised.append(type(error))
        if not self.is_deaf:
            raise error

    def _end(self) -> None:
        self.threads.add(threading.get_ident())
        self.ended.set()
        if self.last_words is not None:
            raise self.last_words

    def plain(self, job: StreamJob) -> Iterator[object]:
        try:
            for step in self.steps:
                if isinstance(step, Gate):
                    self.at_gate.set()
                    step.wait()
                    continue
                item = self._next(step)
                try:
                    yield item
                except BaseException as error:
                    self._hear(error)
        finally:
            self.last_gate.wait()
            self._end()

    async def in_loop(self, job: StreamJob) -> AsyncIterator[object]:
        try:
            for step in self.steps:
                if isinstance(step, Gate):
                    self.at_gate.set()
                    await step.wait_in_loop()
                    continue
                item = self._next(step)
                try:
                    yield item
                except BaseException as error:
                    self._hear(error)
        finally:
            await self.last_gate.wait_in_loop()
            self._end()


class Streams:
    """A rig with one streaming executor, on one of the runners."""

    def __init__(self, rig: Rig, runner: str) -> None:
        self.rig = rig
        self.runner = runner
        self.script = Script()

    def run(self, *steps: object, is_deaf: bool = False, last_words: Exception | None = None, **options: Any) -> Any:
        """Dispatch a job that streams ``steps``."""
        script = self.script = Script(*steps, is_deaf=is_deaf, last_words=last_words)
        process: Any = script.plain if self.runner == "thread" else script.in_loop
        self.rig.runtime.dispatcher.register(executes(StreamJob)(process), replace=True)
        return self.rig.owner.dispatch(StreamJob(), **options)

    def told(self, handle: Any) -> list[tuple[object, ...]]:
        """The items of each event."""
        return [event.items for event in self.rig.log.for_job(handle.id) if isinstance(event, JobItemsEvent)]

    def all_told(self, handle: Any) -> list[object]:
        return [item for items in self.told(handle) for item in items]

    def pending(self, handle: Any) -> list[object]:
        items = run_of(handle).items
        return [] if items is None else list(items.pending)

    def wait_pending(self, handle: Any, count: int) -> None:
        drive(lambda: len(self.pending(handle)) == count, f"{count} pending items, {len(self.pending(handle))} are")

    def fill(self, **options: Any) -> Any:
        """Dispatch an endless stream and wait until its producer waits for room."""
        handle = self.run(*range(10 * ROOM), **options)
        drive(lambda: run_of(handle).items is not None and run_of(handle).items._waiting, "a producer that waits")  # type: ignore[union-attr]
        return handle

    def end(self, handle: Any) -> None:
        """Wait for the end of job and work, frame by frame."""

        def has_ended() -> bool:
            self.rig.clock.advance(FRAME)
            return run_of(handle).is_ended and not handle.is_working

        drive(has_ended, f"the end of {handle}")
        self.rig.quiet()


@pytest.fixture
def streams(make_rig: Callable[..., Rig], runner: str) -> Streams:
    return Streams(make_rig(runner), runner)


@pytest.fixture
def on_a_thread(rig: Rig) -> Streams:
    return Streams(rig, "thread")


# -- what is told -----------------------------------------------------------------------------------------------------


def test_all_items_are_told_in_order_and_the_last_is_the_result(streams: Streams) -> None:
    handle = streams.run(*range(100))
    streams.end(handle)
    assert streams.all_told(handle) == list(range(100))
    assert handle.outcome == JobSuccess(99)
    types = streams.rig.types(handle)
    assert (types[0], set(types[1:-1]), types[-1]) == ("Started", {"Items"}, "Success")
    assert len(streams.script.threads) == 1


def test_a_stream_of_nothing_gives_none_and_tells_nothing(streams: Streams) -> None:
    handle = streams.run()
    streams.end(handle)
    assert handle.outcome == JobSuccess(None)
    assert streams.rig.types(handle) == ["Started", "Success"]


def test_what_a_plain_generator_returns_is_the_result(rig: Rig) -> None:
    @executes(StreamJob)
    def counting(job: StreamJob) -> Iterator[object]:
        yield "a"
        yield "b"
        return {"returned": 2, "none": None}[job.name]  # type: ignore[return-value]

    rig.runtime.register(counting)
    handles = {name: rig.owner.dispatch(StreamJob(name=name)) for name in ("returned", "none")}
    rig.end(*handles.values())
    assert handles["returned"].outcome == JobSuccess(2)
    assert handles["none"].outcome == JobSuccess("b"), "None is what a generator without return gives"


def test_the_first_items_are_told_at_once_then_those_of_each_frame(streams: Streams) -> None:
    rig, gates = streams.rig, [Gate(), Gate(), Gate()]
    handle = streams.run(1, gates[0], 2, 3, gates[1], 4, gates[2])
    drive(lambda: streams.told(handle) == [(1,)])
    gates[0].open()
    streams.wait_pending(handle, 2)
    rig.drain()
    assert streams.told(handle) == [(1,)]
    rig.clock.advance(FRAME)
    rig.drain()
    assert streams.told(handle) == [(1,), (2, 3)]
    rig.clock.advance(FRAME)
    rig.drain()
    gates[1].open()
    drive(lambda: streams.told(handle) == [(1,), (2, 3), (4,)], "after a pause the next is told at once")
    gates[2].open()
    streams.end(handle)


def test_what_is_pending_is_told_just_before_the_end(streams: Streams) -> None:
    gate = Gate()
    handle = streams.run(1, gate, 2, 3)
    drive(lambda: streams.told(handle) == [(1,)])
    gate.open()
    streams.rig.end(handle)
    assert streams.told(handle) == [(1,), (2, 3)]
    assert streams.rig.types(handle) == ["Started", "Items", "Items", "Success"]
    assert streams.rig.clock.pending == 0


def test_the_items_before_a_failure_are_told_before_it(streams: Streams) -> None:
    handle = streams.run(*range(10), OSError("in the middle"))
    streams.rig.end(handle)
    assert streams.all_told(handle) == list(range(10))
    assert streams.rig.types(handle)[-1] == "Failure"
    [event] = streams.rig.log.of(JobFailureEvent)
    assert event.error_message == "in the middle"
    assert "in the middle" in event.traceback


def test_each_attempt_streams_anew_and_its_events_say_which_it_is(streams: Streams) -> None:
    handle = streams.run(1, 2, OSError("again"), retry=RetryPolicy(max_retries=1, base_delay=1.0))
    drive(lambda: handle.status is JobStatus.WAITING)
    assert streams.all_told(handle) == [1, 2]
    streams.rig.clock.advance(1.0)
    streams.end(handle)
    events = [event for event in streams.rig.log.for_job(handle.id) if isinstance(event, JobItemsEvent)]
    assert [(event.attempt, item) for event in events for item in event.items] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    types = streams.rig.types(handle)
    assert types.index("Retrying") < len(types) - 1 - types[::-1].index("Items")


def test_the_last_items_come_before_the_last_progress(rig: Rig) -> None:
    class Counting(BaseExecutor[StreamJob]):
        def process(self, job: StreamJob) -> Iterator[int]:
            for number in range(1, 5):
                self.emit_progress(job, number / 4)
                yield number

    rig.runtime.register(Counting())
    handle = rig.owner.dispatch(StreamJob())
    rig.end(handle)
    items = [item for event in rig.log.of(JobItemsEvent) for item in event.items]
    assert items == [1, 2, 3, 4]
    assert handle.progress == 1.0
    # At the end, both were pending: fake time stands still.
    assert rig.types(handle)[-3:] in (["Items", "Progress", "Success"], ["Progress", "Items", "Success"])
    if rig.types(handle).count("Progress") > 1:
        assert rig.types(handle)[-3:-1] == ["Items", "Progress"]


def test_an_items_event_shows_how_many_they_are_and_not_what(streams: Streams) -> None:
    handle = streams.run("secret")
    streams.end(handle)
    [event] = streams.rig.log.of(JobItemsEvent)
    assert repr(event) == f"JobItemsEvent({handle.id}, attempt=1, items=<tuple of 1>)"


def test_the_result_of_a_stream_is_cached_and_its_items_are_not(streams: Streams) -> None:
    cache = CachePolicy(key="rows", revalidate=False)
    first = streams.run(1, 2, 3, cache=cache)
    streams.end(first)
    second = streams.run(4, 5, cache=cache)
    streams.end(second)
    assert second.outcome == JobSuccess(3)
    assert streams.rig.types(second) == ["Started", "CacheHit", "Success"]


# -- a consumer that is slower ----------------------------------------------------------------------------------------


def test_a_producer_waits_when_there_is_no_room_and_goes_on_when_that_was_told(streams: Streams) -> None:
    handle = streams.fill()
    before = streams.script.yielded
    told = len(streams.all_told(handle))
    assert len(streams.pending(handle)) == ROOM
    assert before == told + ROOM
    streams.rig.clock.advance(FRAME)
    drive(lambda: streams.script.yielded > before, "a producer that goes on")
    drive(lambda: len(streams.pending(handle)) == ROOM)
    assert len(streams.all_told(handle)) == told + ROOM
    handle.cancel()
    streams.end(handle)


def test_no_more_is_ever_pending_than_there_is_room_for(streams: Streams) -> None:
    peak = 0

    def slow(event: JobItemsEvent[Any]) -> None:
        nonlocal peak
        if streams.runner != "qasync":  # the producer goes on meanwhile, and fills up what was emptied
            drive_without_qt(lambda: len(streams.pending(handle)) == ROOM or streams.script.ended.is_set())
        peak = max(peak, len(streams.pending(handle)), len(event.items))

    streams.rig.runtime.bus.subscribe(slow, event_type=JobItemsEvent)
    handle = streams.run(*range(5 * ROOM))
    streams.end(handle)
    assert streams.all_told(handle) == list(range(5 * ROOM))
    assert peak == ROOM or (streams.runner == "qasync" and peak < ROOM)


def drive_without_qt(condition: Callable[[], object]) -> None:
    """Hold up the GUI thread until ``condition()`` holds, as a slow listener does."""
    waiting = threading.Event()
    for _ in range(int(PATIENCE * 1000)):
        if condition():
            return
        waiting.wait(0.001)
    raise AssertionError("never came")


ENDS: dict[str, Callable[[Streams, Any], object]] = {
    "cancel": lambda streams, handle: handle.cancel(),
    "cancel elsewhere": lambda streams, handle: elsewhere(handle.cancel),
    "timeout": lambda streams, handle: streams.rig.clock.advance(5),
    "deadline": lambda streams, handle: streams.rig.clock.advance(50),
    "owner closed": lambda streams, handle: streams.rig.owner.close(),
    "owner gone": lambda streams, handle: streams.rig.drop_owner(),
    "bus closed": lambda streams, handle: streams.rig.runtime.bus.close(),
    "bus closed elsewhere": lambda streams, handle: elsewhere(streams.rig.runtime.bus.close),
    "runtime closed": lambda streams, handle: streams.rig.runtime.close(),
    "user's token": lambda streams, handle: elsewhere(handle._run.options.token.cancel),
}


@pytest.mark.parametrize("how", ENDS)
def test_a_producer_that_waits_for_room_is_woken_by_every_end(streams: Streams, how: str) -> None:
    options: dict[str, Any] = {"timeout": 5} if how == "timeout" else {"deadline": 50} if how == "deadline" else {}
    if how == "user's token":
        options["token"] = CancellationToken()
    handle = streams.fill(**options)
    ENDS[how](streams, handle)
    drive(lambda: run_of(handle).is_ended and not handle.is_working, "the end of job and work")
    assert streams.script.ended.is_set(), "its finally ran"
    assert streams.script.raised == [JobCancelledError if streams.runner == "thread" else asyncio.CancelledError]
    assert len(streams.script.threads) == 1
    assert streams.pending(handle) == []
    expected = JobStatus.TIMED_OUT if how in ("timeout", "deadline") else JobStatus.CANCELLED
    assert handle.status is expected
    told = streams.all_told(handle)
    assert told == list(range(len(told)))


def test_what_waits_when_a_job_is_cancelled_on_the_gui_thread_is_dropped_and_counted(streams: Streams) -> None:
    handle = streams.fill()
    told = streams.all_told(handle)
    handle.cancel()
    streams.end(handle)
    assert streams.all_told(handle) == told
    assert run_of(handle).late >= ROOM
    assert streams.rig.types(handle)[-1] == "Cancelled"


@pytest.mark.parametrize("how", ["cancel elsewhere", "timeout", "deadline"])
def test_what_waits_when_the_end_comes_from_elsewhere_is_told_before_it(streams: Streams, how: str) -> None:
    options: dict[str, Any] = {"timeout": 5} if how == "timeout" else {"deadline": 50} if how == "deadline" else {}
    gate = Gate()
    handle = streams.run(1, gate, 2, 3, Gate(), 4, **options)
    drive(lambda: streams.told(handle) == [(1,)])
    gate.open()
    streams.wait_pending(handle, 2)
    ENDS[how](streams, handle)
    drive(lambda: run_of(handle).is_ended)
    assert streams.told(handle) == [(1,), (2, 3)]
    for step in streams.script.steps:
        if isinstance(step, Gate):
            step.open()
    streams.end(handle)
    assert streams.told(handle) == [(1,), (2, 3)]


def test_a_superseded_stream_tells_nothing_under_the_new_one(streams: Streams) -> None:
    rig, gate = streams.rig, Gate()
    first = streams.run(1, gate, 2, 3, Gate(), policy=RESTARTABLE)
    old = streams.script
    drive(lambda: streams.told(first) == [(1,)])
    gate.open()
    streams.wait_pending(first, 2)
    second = streams.run(10, 20, policy=RESTARTABLE)
    for step in old.steps:
        if isinstance(step, Gate):
            step.open()
    streams.end(second)
    assert streams.told(first) == [(1,)]
    assert run_of(first).late >= 2
    assert streams.all_told(second) == [10, 20]
    order = [event.correlation_id for event in rig.log if event.correlation_id in (first.id, second.id)]
    assert order.index(second.id) > len([one for one in order if one == first.id]) - 2
    rig.quiet()


def test_items_of_an_attempt_that_timed_out_are_dropped_and_counted(on_a_thread: Streams) -> None:
    streams, gate = on_a_thread, Gate()
    retry = RetryPolicy(max_retries=1, base_delay=10)
    handle = streams.run(1, gate, 2, 3, timeout=5, retry=retry, is_deaf=True)
    drive(lambda: streams.told(handle) == [(1,)])
    attempt = run_of(handle).attempt
    streams.rig.clock.advance(5)
    drive(lambda: handle.status is JobStatus.WAITING)
    assert attempt is not None
    before = run_of(handle).late
    assert attempt.offer_items([7, 8], lambda: None) is True, "what is offered too late keeps nobody waiting"
    assert run_of(handle).late == before + 2
    gate.open()
    drive(lambda: not handle.is_working)
    assert streams.told(handle) == [(1,)]
    handle.cancel()
    streams.end(handle)


def test_a_producer_that_waits_for_room_hears_a_token_while_the_gui_thread_is_held_up(on_a_thread: Streams) -> None:
    token = CancellationToken()
    handle = on_a_thread.fill(token=token)
    elsewhere(token.cancel)
    assert on_a_thread.script.ended.wait(PATIENCE)
    on_a_thread.end(handle)
    assert handle.status is JobStatus.CANCELLED


# -- how a generator is stopped ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["cancel", "timeout"])
def test_a_generator_at_work_between_two_yields_hears_it_at_the_next(on_a_thread: Streams, how: str) -> None:
    streams, gate = on_a_thread, Gate()
    options: dict[str, Any] = {"timeout": 5} if how == "timeout" else {}
    handle = streams.run(1, gate, 2, 3, **options)
    drive(lambda: streams.told(handle) == [(1,)] and streams.script.at_gate.is_set())
    ENDS[how](streams, handle)
    drive(lambda: run_of(handle).is_ended)
    assert handle.is_working
    gate.open()
    streams.end(handle)
    assert streams.script.raised == [JobCancelledError]
    assert streams.script.yielded == 2
    assert streams.script.ended.is_set()
    assert streams.told(handle) == [(1,)]


def test_a_coroutine_between_two_yields_hears_it_where_it_awaits(make_rig: Callable[..., Rig]) -> None:
    streams = Streams(make_rig("loop"), "loop")
    handle = streams.run(1, Gate(), 2)
    drive(lambda: streams.told(handle) == [(1,)] and streams.script.at_gate.is_set())
    handle.cancel()
    streams.end(handle)
    assert streams.script.yielded == 1
    assert streams.script.ended.is_set()


def test_work_lasts_until_the_generators_finally_has_run(streams: Streams) -> None:
    handle = streams.fill()
    streams.script.last_gate = Gate()
    handle.cancel()
    drive(lambda: run_of(handle).is_ended and streams.script.raised)
    streams.rig.drain()
    assert handle.is_working
    assert not streams.script.ended.is_set()
    streams.script.last_gate.open()
    streams.end(handle)
    assert streams.script.ended.is_set()


def test_a_finally_that_raises_changes_nothing_of_a_cancelled_job(streams: Streams) -> None:
    handle = streams.fill()
    streams.script.last_words = OSError("in the finally")
    handle.cancel("enough")
    streams.end(handle)
    assert handle.status is JobStatus.CANCELLED
    assert streams.rig.types(handle)[-1] == "Cancelled"
    assert streams.script.ended.is_set()


def test_a_finally_that_raises_at_the_end_fails_the_job_after_its_items(streams: Streams) -> None:
    handle = streams.run(1, 2, last_words=OSError("in the finally"))
    streams.end(handle)
    assert streams.all_told(handle) == [1, 2]
    assert streams.rig.types(handle)[-1] == "Failure"


def test_a_generator_deaf_to_its_cancellation_works_on_and_is_said_to(streams: Streams) -> None:
    gate = Gate()
    handle = streams.run(1, *range(3 * ROOM), gate, 2, 3, is_deaf=True)
    drive(lambda: len(streams.pending(handle)) == ROOM)
    handle.cancel()
    drive(lambda: run_of(handle).is_ended and streams.script.yielded == 3 * ROOM + 1)
    streams.rig.drain()
    assert handle.is_working
    assert streams.rig.runtime.snapshot()["still_working"] == 1
    assert streams.pending(handle) == [], "what it yields on is kept by nobody"
    gate.open()
    streams.end(handle)
    assert handle.status is JobStatus.CANCELLED
    assert not handle.is_working


def test_a_coroutine_that_swallowed_its_cancellation_hears_it_again_at_the_yield(make_rig: Callable[..., Rig]) -> None:
    rig, heard = make_rig("loop"), []

    @executes(StreamJob)
    async def swallowing(job: StreamJob) -> AsyncIterator[int]:
        yield 1
        try:
            await asyncio.sleep(PATIENCE)
        except asyncio.CancelledError:
            heard.append("while awaiting")
        try:
            yield 2
        finally:
            heard.append("at the yield")
        heard.append("went on")

    rig.runtime.register(swallowing)
    handle = rig.owner.dispatch(StreamJob())
    drive(lambda: rig.log.of(JobItemsEvent))
    handle.cancel()
    Streams(rig, "loop").end(handle)
    assert heard == ["while awaiting", "at the yield"]


@pytest.mark.parametrize("error", [StopIteration("misused"), StopAsyncIteration("misused")])
def test_a_stop_iteration_that_is_raised_by_hand_is_a_failure(streams: Streams, error: Exception) -> None:
    handle = streams.run(1, error)
    streams.end(handle)
    assert streams.all_told(handle) == [1]
    [event] = streams.rig.log.of(JobFailureEvent)
    if streams.runner == "thread" and isinstance(error, StopAsyncIteration):
        assert event.error is error, "an exception like any other there"
    else:
        assert event.is_error(RuntimeError)
        assert type(error).__name__ in event.error_message


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_a_generator_that_exits_fails_its_job_only(streams: Streams, error: BaseException) -> None:
    class Leaving(Script):
        def _end(self) -> None:
            super()._end()
            raise error

    script = Leaving(1)
    process: Any = script.plain if streams.runner == "thread" else script.in_loop
    streams.rig.runtime.register(executes(StreamJob)(process))
    handle = streams.rig.owner.dispatch(StreamJob())
    streams.end(handle)
    assert streams.all_told(handle) == [1]
    assert handle.status is JobStatus.FAILED


def test_a_timeout_around_a_yield_is_raised_in_the_generator(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig("loop")
    heard: list[str] = []

    @executes(StreamJob)
    async def impatient(job: StreamJob) -> AsyncIterator[int]:
        try:
            async with asyncio.timeout(0.05):
                for number in range(10 * ROOM):
                    yield number
        except TimeoutError:
            heard.append("timeout")
        yield -1

    rig.runtime.register(impatient)
    handle = rig.owner.dispatch(StreamJob())
    drive(lambda: heard == ["timeout"])
    Streams(rig, "loop").end(handle)
    assert handle.outcome == JobSuccess(-1)


def test_a_job_cancelled_by_its_generator_alone_fails_or_ends_as_it_says(on_a_thread: Streams) -> None:
    handle = on_a_thread.run(1, JobCancelledError("by itself"))
    on_a_thread.end(handle)
    assert handle.status is JobStatus.FAILED, "nobody cancelled it"


# -- what streams -----------------------------------------------------------------------------------------------------


def test_a_generator_that_process_only_returns_streams_too(rig: Rig) -> None:
    @executes(StreamJob)
    def returning(job: StreamJob) -> Iterator[int]:
        return (number for number in range(3))

    rig.runtime.register(returning)
    handle = rig.owner.dispatch(StreamJob())
    rig.end(handle)
    assert [item for event in rig.log.of(JobItemsEvent) for item in event.items] == [0, 1, 2]
    assert handle.outcome == JobSuccess(2)


def test_an_async_generator_that_a_plain_def_returns_is_a_failure_that_says_what_to_write(rig: Rig) -> None:
    async def numbers() -> AsyncIterator[int]:
        yield 1

    @executes(StreamJob)
    def returning(job: StreamJob) -> AsyncIterator[int]:
        return numbers()

    rig.runtime.register(returning)
    handle = rig.owner.dispatch(StreamJob())
    rig.end(handle)
    [event] = rig.log.failures
    assert event.is_error(TypeError)
    assert "and `yield` inside" in event.error_message


def test_streams_may_take_turns_with_the_other_tasks_of_their_loop(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig("loop")
    rig.runtime.register(executes(StreamJob)(endless))
    stream = rig.owner.dispatch(StreamJob())
    drive(lambda: rig.log.of(JobItemsEvent))
    rig.work(is_open=True)
    other = rig.dispatch("loop")
    rig.end(other)
    stream.cancel()
    Streams(rig, "loop").end(stream)


async def endless(job: StreamJob) -> AsyncIterator[int]:
    number = 0
    while True:
        number += 1
        yield number


# -- between producer and run -----------------------------------------------------------------------------------------


def offering(streams: Streams) -> tuple[Any, Any, Gate]:
    """Give a running job, its attempt, and the gate that lets it end."""
    gate = Gate()
    handle = streams.run(0, gate)
    drive(lambda: streams.told(handle) == [(0,)])
    return handle, run_of(handle).attempt, gate


def test_resume_is_called_once_for_each_offer_that_has_to_wait_and_for_no_other(streams: Streams) -> None:
    handle, attempt, gate = offering(streams)
    calls: list[int] = []
    assert attempt.offer_items(range(ROOM - 1), lambda: calls.append(0)) is True
    assert attempt.offer_items([1], lambda: calls.append(1)) is False
    assert attempt.offer_items([2], lambda: calls.append(2)) is False
    assert calls == []
    streams.rig.drain()
    assert calls == [], "the frame is not due"
    streams.rig.clock.advance(FRAME)
    streams.rig.drain()
    assert calls == [1, 2]
    assert attempt.offer_items([3], lambda: calls.append(3)) is True
    gate.open()
    streams.end(handle)
    assert calls == [1, 2]


@pytest.mark.parametrize("how", [*ENDS, "its own end"])
def test_resume_is_called_when_the_attempt_is_over(streams: Streams, how: str) -> None:
    ended = {"timeout": {"timeout": 5}, "deadline": {"deadline": 50}, "user's token": {"token": CancellationToken()}}
    gate = Gate()
    handle = streams.run(0, gate, **ended.get(how, {}))
    drive(lambda: streams.told(handle) == [(0,)])
    attempt = run_of(handle).attempt
    assert attempt is not None
    calls: list[int] = []
    assert attempt.offer_items(range(ROOM), lambda: calls.append(threading.get_ident())) is False
    if how == "its own end":
        gate.open()
        drive(lambda: run_of(handle).is_ended)
    elif how != "runtime closed":
        ENDS[how](streams, handle)
    gate.open()
    if how == "runtime closed":
        streams.rig.runtime.close()
    drive(lambda: run_of(handle).is_ended and not handle.is_working)
    assert calls == [threading.get_ident()], "once, on the bus's thread"
    assert attempt.offer_items([1], lambda: calls.append(-1)) is True
    assert len(calls) == 1


class BrokenPipe:
    """An attempt in another process, whose items do not get through."""

    def __init__(self) -> None:
        self.token = CancellationToken()

    def offer_items(self, items: Sequence[Any], resume: Callable[[], object]) -> bool:
        raise BrokenPipeError

    def give_way(self) -> None:
        """Nobody is there."""


def test_a_generator_whose_items_do_not_get_through_is_closed(qapp: object) -> None:
    plain, in_loop = Script(1, 2), Script(1, 2)
    # What is left open would be closed as garbage, or with the loop: so look while it is neither.
    kept = [plain.plain(StreamJob()), in_loop.in_loop(StreamJob())]

    async def in_a_loop() -> None:
        with pytest.raises(BrokenPipeError):
            await stream_async(kept[1], BrokenPipe())  # type: ignore[arg-type]
        assert in_loop.raised == [GeneratorExit]

    with pytest.raises(BrokenPipeError):
        stream(kept[0], BrokenPipe())  # type: ignore[arg-type]
    assert plain.raised == [GeneratorExit]
    asyncio.run(in_a_loop())


def test_a_runner_that_does_not_say_for_which_attempt_it_works_is_told_so() -> None:
    with pytest.raises(RuntimeError, match=r"current_attempt\.set"):
        runnable(Script(1).plain)(StreamJob())


def test_an_endless_stream_with_a_slow_listener_cannot_put_off_an_end_from_elsewhere(streams: Streams) -> None:
    if streams.runner == "qasync":
        pytest.skip("while the listener works, the stream does not")
    rig = streams.rig

    def slow(event: JobItemsEvent[Any]) -> None:
        rig.clock.advance(FRAME)
        before = streams.script.yielded
        drive_without_qt(lambda: streams.script.yielded > before or streams.pending(handle) or handle.outcome)

    rig.runtime.bus.subscribe(slow, event_type=JobItemsEvent)
    handle = streams.run(*range(1_000_000))
    drive(lambda: streams.told(handle))
    elsewhere(handle.cancel)
    drive(lambda: run_of(handle).is_ended, "the end of the job")
    streams.end(handle)
    assert handle.status is JobStatus.CANCELLED
