"""Which tasks of a loop wait, and where."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from qtorch import ports
from qtorch.testing.waiting_threads import place
from qtorch.testing.writing import written

if TYPE_CHECKING:
    from qtorch.ports import Clock


def waiting_for_nothing(loop: asyncio.AbstractEventLoop, clock: Clock) -> str:
    """Say which tasks wait, and which jobs, though nothing is at work and nothing is scheduled."""
    tasks = [f"{task.get_name()}: {_written_wait(task.get_coro())}" for task in asyncio.all_tasks(loop)]
    jobs = [
        f"{written(run.job)} ({run.status})"
        for runtime in ports.open_runtimes
        if runtime.clock is clock
        for run in tuple(runtime.dispatcher.services.running.values())
    ]
    return (
        f"the test waits for something that cannot come: nothing is at work, and nothing is scheduled.\n"
        f"  tasks that wait:\n{_listed(tasks)}{f'  jobs that have not ended:{chr(10)}{_listed(jobs)}' if jobs else ''}"
        f"  Do what they wait for before you await them: release the gate, set the event, dispatch the job; or limit "
        f"the wait by asyncio.timeout(), which follows the clock."
    )


def _written_wait(coroutine: Any) -> str:
    """Name the outermost coroutine and the place of the innermost one that is not Python's own."""
    name = coroutine.__qualname__
    frames: list[Any] = []
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is not None:
            frames.append(frame)
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
    return f"{name}() at {place(reversed(frames))}"


def _listed(lines: list[str]) -> str:
    return "".join(f"    {line}\n" for line in sorted(lines))
