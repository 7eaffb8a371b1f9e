"""What this process holds of the system."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import psutil


def memory() -> int:
    """Give the bytes in memory, without what only waits for the collector."""
    gc.collect()
    return psutil.Process().memory_info().rss


def descriptors() -> int:
    """Give the open file descriptors, on Windows handles."""
    process = psutil.Process()
    return process.num_handles() if sys.platform == "win32" else process.num_fds()


def wake_ups() -> int:
    """Give how often threads of this process went to sleep by themselves so far; 0 where the system does not say."""
    found = 0
    for status in Path("/proc/self/task").glob("*/status"):
        for line in status.read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                found += int(line.split()[1])
    return found
