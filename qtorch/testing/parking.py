"""Threads that wait for the test: for time to pass, or for a gate to open."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager

_parked: dict[int, threading.Event] = {}


@contextmanager
def parked(event: threading.Event) -> Generator[None, None, None]:
    """Say that this thread only waits for ``event``, which the test alone can set: it is not at work meanwhile.

    It is at work again from the moment at which the event is set, not only once it has woken up.
    """
    me = threading.get_ident()
    outer = _parked.get(me)
    _parked[me] = event
    try:
        yield
    finally:
        if outer is None:
            del _parked[me]
        else:
            _parked[me] = outer


def parked_threads() -> list[int]:
    """Give the idents of the threads that wait for the test. Any thread."""
    return [ident for ident, event in tuple(_parked.items()) if not event.is_set()]
