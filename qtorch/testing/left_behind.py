"""What a test left behind on its Runtime, by name."""

from __future__ import annotations

import gc
import multiprocessing
import sys
import threading
import weakref
from collections.abc import Callable, Iterable
from time import monotonic, sleep
from types import FrameType
from typing import TYPE_CHECKING, Any

from qtorch.orchestrator.strict import strict_cores
from qtorch.testing.asyncio_time import VirtualTimer
from qtorch.testing.fake_clock import describe
from qtorch.testing.waiting_threads import current_frames, is_idle_executor, where

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from qtorch.clock import ScheduledCall
    from qtorch.runtime import Runtime

_LAST_STEPS = 1.0
"""Seconds that a thread or process has to end that was told to."""

_FAR = 12
"""References from an orchestrator to the module that keeps it, at most."""


class LeftBehindError(AssertionError):
    """A test ended with jobs, timers, threads, processes, orchestrators or errors that it did not see to."""


class Before:
    """The threads and processes that there were before a test."""

    def __init__(self) -> None:
        self._threads = weakref.WeakSet(threading.enumerate())
        self._processes = set(multiprocessing.active_children())

    def new_threads(self) -> list[str]:
        """Name the threads that were started since and go on, after a moment in which they may end."""
        return [f"thread {thread.name!r}, at {where(thread.ident)}" for thread in self._lasting(self._living_threads)]

    def new_processes(self) -> list[str]:
        """Name the processes that were started since and go on, after a moment in which they may end."""
        return [f"process {one.name!r}, pid {one.pid}" for one in self._lasting(self._living_processes)]

    def _living_threads(self) -> list[threading.Thread]:
        frames = current_frames()
        return [
            thread
            for thread in threading.enumerate()
            # What Qt's threads left in the list when they ended has no frame.
            if thread not in self._threads and thread.ident in frames and not is_idle_executor(frames[thread.ident])
        ]

    def _living_processes(self) -> list[BaseProcess]:
        return [one for one in multiprocessing.active_children() if one not in self._processes]

    @staticmethod
    def _lasting(living: Callable[[], list[Any]]) -> list[Any]:
        until = monotonic() + _LAST_STEPS
        while (found := living()) and monotonic() < until:
            sleep(0.001)
        return found


def jobs(runtime: Runtime) -> list[str]:
    """Name the jobs that have not ended."""
    return [f"job {run.id} ({run.status})" for run in runtime.running_jobs]


def work(runtime: Runtime) -> list[str]:
    """Name the jobs of a closed Runtime whose work goes on."""
    return [f"work of job {job_id}, which has ended" for job_id in runtime.snapshot()["still_working_jobs"]]


def coroutines(runtime: Runtime) -> list[str]:
    """Name the tasks on the Runtime's own loop that belong to no job."""
    import asyncio

    runner = runtime.dispatcher.services.loop
    loop = runner.started
    if loop is None or not runner.is_own:
        return []
    left: list[Any] = [task.get_coro() for task in asyncio.all_tasks(loop) - runner.tasks]
    return [f"task {name}() on the Runtime's loop" for name in sorted(coroutine.__qualname__ for coroutine in left)]


def timers(runtime: Runtime) -> list[str]:
    """Name the calls that the test scheduled on the clock; qtorch's own belong to jobs and widgets."""
    clock = runtime.clock
    calls: Iterable[ScheduledCall] = getattr(clock, "scheduled", ())
    return [f"timer {describe(call, clock.now())}" for call in calls if not _is_ours(call.callback)]


def _is_ours(callback: object) -> bool:
    module = getattr(callback, "__module__", None) or ""
    owner = getattr(callback, "__self__", None)
    # A thread that waits by the clock, or a coroutine that sleeps, is named itself.
    return module.startswith("qtorch.") or isinstance(owner, threading.Event | VirtualTimer)


def orchestrators(runtime: Runtime, fixtures: dict[str, object]) -> list[str]:
    """Name the orchestrators of a closed Runtime that a module or a class keeps. ``fixtures`` is emptied.

    What only C++ keeps, such as a lambda that is connected to the signal of what it refers to, is none of the test's.
    """
    if not _open_orchestrators(runtime):
        return []
    fixtures.clear()
    if _open_orchestrators(runtime):
        gc.collect()
    kept = [(type(one).__name__, keeper_of(one)) for one in _open_orchestrators(runtime)]
    return sorted(f"orchestrator {name}, open and kept by {keeper}" for name, keeper in kept if keeper)


def _open_orchestrators(runtime: Runtime) -> list[Any]:
    return [
        owner
        for core in tuple(strict_cores)
        if core.bus.mailbox is runtime.bus.core.mailbox and (owner := core.alive()) is not None
    ]


def keeper_of(thing: object) -> str | None:
    """Name the module or class that refers to ``thing``, over however many others; None if none does."""
    modules = {id(vars(module)): name for name, module in tuple(sys.modules.items()) if hasattr(module, "__dict__")}
    seen: set[int] = set()
    level: list[object] = [thing]
    for _ in range(_FAR):
        seen.update(map(id, level), (id(level), id(seen)))
        upper: list[object] = []
        for one in gc.get_referrers(*level):
            if id(one) in modules:
                return f"the module {modules[id(one)]}"
            if isinstance(one, type):
                return f"the class {one.__qualname__}"
            # A frame, or what pytest has of a fixture, lets go of it by itself.
            if id(one) not in seen and not isinstance(one, FrameType) and type(one).__name__ != "FixtureDef":
                upper.append(one)
        if not upper:
            return None
        level = upper
    return None
