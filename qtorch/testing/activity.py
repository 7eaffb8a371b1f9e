"""What still goes on in the Runtimes of a clock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qtorch import ports
from qtorch.testing.turns import running_loop
from qtorch.testing.waiting_threads import Threads, is_waiting, where

if TYPE_CHECKING:
    import asyncio

    from qtorch.execution.services import Services
    from qtorch.ports import Clock

_ANSWER = 1.0
"""Seconds that a loop has to answer; one whose coroutine blocks it is at work until it does."""


def at_work(clock: Clock) -> list[str]:
    """Name what goes on: threads, coroutines and processes at work, events not yet delivered. The clock's thread.

    What only waits, for time to pass or for the test to do something, is not at work. No event may be processed
    meanwhile, and the order matters: threads and coroutines post to the mailbox before they come to rest.
    """
    all_services = [runtime.dispatcher.services for runtime in ports.open_runtimes if runtime.clock is clock]
    threads = Threads()
    busy = [*_busy_runners(all_services, threads), *threads.busy_executors]
    if not busy:
        busy += [name for services in all_services for name in _busy_loop(services)]
    if not busy and (loop := running_loop()) is not None and has_more_to_run(loop):
        busy.append("a coroutine of the loop that the test runs in")
    if not busy:
        # A coroutine may have handed something to an executor just before it came to rest.
        busy += Threads().busy_executors
    if not busy:
        busy += ["events that are not delivered yet" for services in all_services if not services.mailbox.is_idle]
    return busy


def _busy_runners(all_services: list[Services], threads: Threads) -> Iterator[str]:
    working = {services: tuple(services.working) for services in all_services}
    pool_threads = -threads.waiting_pool_threads
    for services in all_services:
        counts = services.threads.counts
        pool_threads += counts["threads"] - counts["idle"]
    if pool_threads > 0:
        yield from _names(working, "threads") or ("a thread of the pool",)
    yield from _names(working, "processes")
    others = [
        attempt
        for services, attempts in working.items()
        for attempt in attempts
        if attempt.run.registration.runner not in (services.threads, services.loop, services.processes)
    ]
    if len(others) > threads.waiting_others:
        yield from (attempt.run.id for attempt in others)


def _names(working: dict[Services, tuple[Any, ...]], runner: str) -> tuple[str, ...]:
    return tuple(
        attempt.run.id
        for services, attempts in working.items()
        for attempt in attempts
        if attempt.run.registration.runner is getattr(services, runner)
    )


def _busy_loop(services: Services) -> Iterator[str]:
    runner = services.loop
    if runner.counts["queued"]:
        yield "a coroutine that is about to begin"
    elif runner.is_own and (loop := runner.started) is not None and not is_quiet(loop, runner.thread_ident):
        tasks = [attempt.run.id for attempt in services.working if attempt.run.registration.runner is runner]
        yield f"the loop of the Runtime at {where(runner.thread_ident)} ({', '.join(tasks) or 'no job'})"


def has_more_to_run(loop: Any) -> bool:
    """Whether the loop that runs in this thread has something to run beside what calls this."""
    import asyncio

    # qasync keeps what it is to run as timers of 0 ms, the one that runs included.
    timers = getattr(getattr(loop, "_timer", None), "_SimpleTimer__callbacks", {})
    is_running = asyncio.current_task(loop) is not None
    return bool(loop._ready) or sum(not handle.cancelled() for handle in timers.values()) > is_running


def is_quiet(loop: asyncio.AbstractEventLoop, ident: int | None) -> bool:
    """Whether a loop that runs in another thread has nothing left that it could run now."""
    answered = threading.Event()
    ready: list[int] = []

    def look() -> None:
        ready.append(len(loop._ready))  # type: ignore[attr-defined]  # pyright: ignore
        answered.set()

    try:
        # One turn later: the call itself makes the loop ready to read what woke it.
        loop.call_soon_threadsafe(loop.call_soon, look)
    except RuntimeError:  # closed meanwhile
        return True
    return is_waiting(ident) if not answered.wait(_ANSWER) else ready == [0]
