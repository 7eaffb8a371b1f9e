"""Lets a coroutine wait for what happens on another thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio


def wait_for_call() -> tuple[asyncio.Future[None], Callable[[], None]]:
    """Give a future of the running loop, and a function for any thread that ends the wait for it."""
    import asyncio

    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()

    def end() -> None:
        if not future.done():  # its waiter was cancelled, or this was called twice
            future.set_result(None)

    def wake() -> None:
        try:
            loop.call_soon_threadsafe(end)
        except RuntimeError:
            return  # the loop is closed, and nobody waits in it any more

    return future, wake
