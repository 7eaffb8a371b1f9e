"""How durations are given: seconds as a number, or a timedelta."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator


def in_seconds(duration: float | timedelta) -> float:
    """Give a duration as a number of seconds."""
    return duration.total_seconds() if isinstance(duration, timedelta) else duration


def _positive(value: object) -> float:
    seconds = _non_negative(value)
    if seconds == 0:
        raise ValueError("must be longer than 0 s")
    return seconds


def _non_negative(value: object) -> float:
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"give seconds as a number, or a timedelta, not {type(value).__name__}")
    try:
        seconds = float(value)
    except OverflowError:  # an int beyond 1e308
        seconds = math.inf
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"{seconds} is not a duration in seconds")
    return seconds


Seconds = Annotated[float, BeforeValidator(_positive)]
"""A duration in seconds, longer than 0; a timedelta is converted."""

NonNegativeSeconds = Annotated[float, BeforeValidator(_non_negative)]
"""A duration in seconds, which may be 0; a timedelta is converted."""
