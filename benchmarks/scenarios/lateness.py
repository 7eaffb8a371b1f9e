"""How late the GUI thread is: a precise timer ticks every 16 ms, and what it is late by is what a user feels."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING

from PySide6.QtCore import QEventLoop, Qt, QTimer

if TYPE_CHECKING:
    from benchmarks.measure import Figures

FRAME = 0.016
FIGURES = {"p50": "second", "p99": "second", "max": "second"}

_RESOLUTION = 1e-6
"""Seconds; less late than that is not to be told from not late, and a growth from 0 has no exponent."""


def lateness(start: Callable[[Callable[[], None]], None]) -> Figures:
    """Let ``start(done)`` begin something, and give how late ticks were until it called ``done()``."""
    late: list[float] = []
    loop, timer = QEventLoop(), QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    before = perf_counter()

    def tick() -> None:
        nonlocal before
        now = perf_counter()
        late.append(max(_RESOLUTION, now - before - FRAME))
        before = now

    timer.timeout.connect(tick)
    timer.start(int(FRAME * 1000))
    start(loop.quit)
    before = perf_counter()
    loop.exec()
    tick()  # a flood that let no tick through is late, not silent
    timer.stop()
    late.sort()
    return {"p50": late[len(late) // 2], "p99": late[math.ceil(0.99 * len(late)) - 1], "max": late[-1]}
