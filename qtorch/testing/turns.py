"""Procedures that wait, written once for plain tests and for ``async def`` ones."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Generator
from time import sleep
from typing import Any, TypeVar

from PySide6.QtCore import QAbstractEventDispatcher, QCoreApplication, QEventLoop

from qtorch.bus.foreign_loop import is_foreign

T = TypeVar("T")

Turns = Generator[bool, None, T]
"""A procedure that yields whenever others have to go on: True if that takes other threads a moment."""

_MOMENT = 0.0002
"""Seconds left to other threads before it is looked at again whether they have come to rest."""

_LONGEST_CHAIN = 1_000
"""Turns of Qt's loop in a row: a timer of 0 ms that starts itself anew would make them endless."""


def run(procedure: Turns[T]) -> T:
    """Run ``procedure`` in a plain test, processing Qt's events where it yields.

    Raises
    ------
    RuntimeError
        Called in a coroutine on a loop that Qt drives, where processing events would never return.
    """
    loop = running_loop()
    try:
        while True:
            is_busy = next(procedure)
            if loop is not None and not is_foreign(loop):
                procedure.close()
                raise RuntimeError(
                    "this waits by processing Qt's events, which hangs inside a coroutine on a loop that Qt drives.\n"
                    "  Write the awaitable twin there: await clock.advance_async(...), await "
                    "clock.run_until_idle_async()."
                )
            if is_busy:
                sleep(_MOMENT)
            process_events()
    except StopIteration as end:
        value: T = end.value
        return value


async def run_async(procedure: Turns[T]) -> T:
    """Run ``procedure`` in a coroutine, letting the loop and Qt go on where it yields."""
    import asyncio

    is_plain = is_foreign(asyncio.get_running_loop())
    try:
        while True:
            if next(procedure):
                sleep(_MOMENT)
            if is_plain:
                process_events()
            await asyncio.sleep(0)
    except StopIteration as end:
        value: T = end.value
        return value


def run_or_await(procedure: Turns[T], name: str) -> T:
    """Run ``procedure`` in a plain test; in a coroutine give what has to be awaited, and say so if it is not."""
    # For type checkers the results can be awaited, and give themselves.
    to_await: Any = None if running_loop() is None else _ToAwait(procedure, name)
    return run(procedure) if to_await is None else to_await


class _ToAwait:
    def __init__(self, procedure: Turns[Any], name: str) -> None:
        self._procedure: Turns[Any] | None = procedure
        self._name = name

    def __await__(self) -> Generator[Any, None, Any]:
        assert self._procedure is not None
        procedure, self._procedure = self._procedure, None
        return run_async(procedure).__await__()

    def __del__(self) -> None:
        if self._procedure is not None:
            warnings.warn(
                f"{self._name}(...) was not awaited, so nothing was tested: in a coroutine, write "
                f"await {self._name}(...).",
                RuntimeWarning,
                stacklevel=1,
            )


def process_events() -> None:
    """Let Qt deliver what is posted, and what comes of that."""
    dispatcher: Any = QAbstractEventDispatcher.instance()
    if QCoreApplication.instance() is None or dispatcher is None:
        return
    for _ in range(_LONGEST_CHAIN):
        if not dispatcher.processEvents(QEventLoop.ProcessEventsFlag.AllEvents):
            return


def running_loop() -> Any:
    """The asyncio loop that runs in this thread, None if none does."""
    asyncio = sys.modules.get("asyncio")
    return None if asyncio is None else asyncio._get_running_loop()
