"""Generators as work: each item is offered as it is yielded."""

from __future__ import annotations

import inspect
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from functools import partial, wraps
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from qtorch.errors import JobCancelledError
from qtorch.execution.attempt import current_attempt

if TYPE_CHECKING:
    import asyncio

    from qtorch.job.cancellation import CancellationToken

_GIVE_WAY = 0.0005
"""Seconds of work after which a thread that streams looks whether others need the interpreter."""

_TURN = 0.001
"""Seconds after which a coroutine that streams without awaiting anything lets its loop turn."""


class Producer(Protocol):
    """An attempt, as far as streams go."""

    @property
    def token(self) -> CancellationToken:
        """Cancelled when the work is to stop."""
        ...

    def offer_items(self, items: Sequence[Any], resume: Callable[[], object]) -> bool:
        """See :meth:`Attempt.offer_items`."""
        ...

    def give_way(self) -> None:
        """Let other threads have the interpreter."""


def runnable(process: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Give ``process`` as runners call it: a generator function as a function, an async one as a coroutine function.

    Runners need not know of streams. Anything else is given as it is.
    """
    if inspect.isgeneratorfunction(process):

        @wraps(process)
        def run(job: Any) -> Any:
            return stream(process(job), _attempt())

        return run
    if inspect.isasyncgenfunction(process):

        @wraps(process)
        async def run_async(job: Any) -> Any:
            return await stream_async(process(job), _attempt())

        return run_async
    return process


def _attempt() -> Producer:
    attempt = current_attempt.get()
    if attempt is None:
        raise RuntimeError(
            "a generator was started by a Runner that does not say for which attempt, so its items go nowhere.\n"
            "  Call current_attempt.set(attempt) before process(attempt.run.job), in the same thread or task."
        )
    return attempt


def stream(generator: Generator[Any, Any, Any], attempt: Producer) -> Any:
    """Run ``generator`` in this thread, offer what it yields, and give the result of the job.

    When the token is cancelled JobCancelledError is raised at the ``yield``, and again at each after it.
    """
    token, offer = attempt.token, attempt.offer_items
    room = threading.Event()
    last = None
    looked_at = monotonic()
    try:
        while True:
            if token.is_cancelled:
                # Items of a generator that yields on all the same go nowhere.
                generator.throw(JobCancelledError(token.reason))
                attempt.give_way()
                continue
            last = next(generator)
            if not token.is_cancelled and not offer((last,), room.set):
                _wait(room, token)
            now = monotonic()
            if now - looked_at > _GIVE_WAY:
                attempt.give_way()
                looked_at = monotonic()
    except StopIteration as end:
        return last if end.value is None else end.value
    finally:
        generator.close()


def _wait(room: threading.Event, token: CancellationToken) -> None:
    unregister = token.on_cancel(room.set)
    try:
        room.wait()
    finally:
        unregister()
    room.clear()


class _Room:
    """Where a coroutine waits until there is room."""

    def __init__(self) -> None:
        import asyncio

        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[None] | None = None

    async def wait(self) -> None:
        """Wait for :meth:`resume`, which may have been called, but not heard in the loop, before."""
        self._future = self._loop.create_future()
        await self._future

    def resume(self) -> None:
        """Wake the coroutine. Any thread."""
        try:
            self._loop.call_soon_threadsafe(self._wake)
        except RuntimeError:
            return  # the loop is closed, and nobody waits in it any more

    def _wake(self) -> None:
        if self._future is not None and not self._future.done():
            self._future.set_result(None)


async def stream_async(generator: AsyncGenerator[Any, Any], attempt: Producer) -> Any:
    """Run ``generator`` in this task, offer what it yields, and give the last item, the result of the job.

    A cancellation that comes while the generator stands at a ``yield`` is raised there; it is closed in any case.
    """
    import asyncio

    token, offer, room, task = attempt.token, attempt.offer_items, _Room(), asyncio.current_task()
    assert task is not None
    last = None
    turned_at = monotonic()
    step: Callable[[], Any] = generator.__anext__
    is_abandoned = False
    try:
        while True:
            try:
                last = await step()
            except StopAsyncIteration:
                return last
            step = generator.__anext__
            try:
                if token.is_cancelled and task.cancelling():
                    # It has swallowed the cancellation and yields on.
                    step = partial(generator.athrow, asyncio.CancelledError())
                elif not offer((last,), room.resume):
                    await room.wait()
                if monotonic() - turned_at > _TURN:
                    attempt.give_way()
                    await asyncio.sleep(0)
                    turned_at = monotonic()
            except asyncio.CancelledError as error:
                # As if the generator had been awaiting something: a timeout around the `yield` is its own.
                step = partial(generator.athrow, error)
    except GeneratorExit:
        # It ignored its cancellation, its loop has ended, and Python throws it away: nothing can be awaited any more.
        is_abandoned = True
        raise
    finally:
        if not is_abandoned:
            await generator.aclose()
