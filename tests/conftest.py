"""What holds for every test."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Generator
from itertools import count

import pytest

# A shell starts what it runs in the background with Ctrl+C ignored, and programs that tests start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    # Else each gc.collect() of a test also walks through every module and every collected test: 60 ms, not 5.
    gc.collect()
    gc.freeze()


_FULL = 100
"""Tests between two full collections."""

_tests = count(1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Collect between tests, on this thread, and at no other time.

    A Runtime guards its own threads; here a test's or a server's may run while none is open, and would collect the
    windows that tests before it left in cycles.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect(1 if next(_tests) % _FULL else 2)


@pytest.fixture(autouse=True)
def _drains_are_whole(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a drain take its time where a test is not about that: a busy machine would split what happens in one."""
    if "realtime" not in request.keywords and "qtorch.bus.mailbox" in sys.modules:
        monkeypatch.setattr("qtorch.bus.mailbox.BUDGET", 60.0)
