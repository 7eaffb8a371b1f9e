"""Which threads work, and which only wait to be woken."""

from __future__ import annotations

import concurrent.futures.thread as executor_threads
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from qtorch.execution.runners import thread_pool

if TYPE_CHECKING:
    from types import FrameType

_LONG = 1.0
"""Seconds from which on the limit of a wait is a precaution, and no way to let time pass."""

_WAIT = threading.Condition.wait.__code__
_POOL_THREAD = thread_pool._Drain.run.__code__  # pyright: ignore[reportPrivateUsage]
_EXECUTOR_THREAD = executor_threads._worker.__code__  # pyright: ignore[reportPrivateUsage]


current_frames = sys._current_frames  # pyright: ignore[reportPrivateUsage]
"""The innermost frame of each thread, by its ident."""


class Threads:
    """What the threads of this process do at one moment, by their frames.

    A thread that waits for an Event, a Condition or a Queue, with no limit below a second, goes on when another one
    wakes it: if nothing else is at work, that is the test. It counts as at work again from the moment it is woken, not
    only once it runs.

    Attributes
    ----------
    waiting_pool_threads
        How many threads of thread pools of qtorch wait so.
    waiting_others
        How many other threads do.
    busy_executors
        Where threads of ``concurrent.futures`` executors work, those of ``asyncio.to_thread`` included.
    """

    def __init__(self) -> None:
        self.waiting_pool_threads = 0
        self.waiting_others = 0
        self.busy_executors: list[str] = []
        me = threading.get_ident()
        for ident, frame in current_frames().items():
            if ident == me:
                continue
            outer = [caller.f_code for caller in _callers(frame)]
            if only_waits(frame):
                if _POOL_THREAD in outer:
                    self.waiting_pool_threads += 1
                else:
                    self.waiting_others += 1
            elif _EXECUTOR_THREAD in outer and not is_idle_executor(frame):
                self.busy_executors.append(f"a thread of an executor at {place(_callers(frame))}")


def only_waits(frame: FrameType) -> bool:
    """Whether a thread whose innermost frame this is waits to be woken."""
    if frame.f_code is not _WAIT:
        return False
    mine: dict[str, Any] = frame.f_locals
    # notify() takes the waiter out before it wakes the thread.
    limit = mine.get("timeout")
    return (limit is None or limit >= _LONG) and mine.get("waiter") in mine["self"]._waiters


def is_idle_executor(frame: FrameType) -> bool:
    """Whether a thread whose innermost frame this is waits in an executor of ``concurrent.futures`` for work."""
    return frame.f_code is _EXECUTOR_THREAD


def is_waiting(ident: int | None) -> bool:
    """Whether the thread waits to be woken."""
    frame = current_frames().get(ident or 0)
    return frame is not None and only_waits(frame)


def where(ident: int | None) -> str:
    """Where the thread is, in code that is not Python's own, as "file:line"."""
    frame = current_frames().get(ident or 0)
    return "nowhere any more" if frame is None else place(_callers(frame))


def place(frames: Iterable[FrameType]) -> str:
    """Where the first of ``frames``, the innermost first, is that is not Python's own, as "file:line"."""
    lib = threading.__file__.rpartition("/")[0]
    all_frames = list(frames)
    found = next((one for one in all_frames if not one.f_code.co_filename.startswith(lib)), all_frames[0])
    return f"{found.f_code.co_filename.rpartition('/')[2]}:{found.f_lineno}"


def _callers(frame: FrameType) -> Iterator[FrameType]:
    at: FrameType | None = frame
    while at is not None:
        yield at
        at = at.f_back
