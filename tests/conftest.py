"""What holds for every test."""

from __future__ import annotations

import gc
import signal

# A shell starts what it runs in the background with Ctrl+C ignored, and programs that tests start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    # Else each gc.collect() of a test also walks through every module and every collected test: 60 ms, not 5.
    gc.collect()
    gc.freeze()
