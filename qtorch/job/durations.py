"""How durations are given: seconds as a number, or a timedelta."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator


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
    if math.isnan(value) or math.isinf(value) or value < 0:
        raise ValueError(f"{value} is not a duration in seconds")
    return float(value)


Seconds = Annotated[float, BeforeValidator(_positive)]
"""A duration in seconds, longer than 0; a timedelta is converted."""

NonNegativeSeconds = Annotated[float, BeforeValidator(_non_negative)]
"""A duration in seconds, which may be 0; a timedelta is converted."""
