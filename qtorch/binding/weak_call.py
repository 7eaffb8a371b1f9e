"""Calls that keep nobody alive."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import shiboken6


class WeakCall:
    """Calls a method of a QObject, unless that is gone by then; for timers, which outlive widgets."""

    __slots__ = ("_method",)

    def __init__(self, method: Callable[[], object]) -> None:
        self._method = weakref.WeakMethod(method)

    def __call__(self) -> None:
        """Call it."""
        method = self._method()
        if method is not None and shiboken6.isValid(getattr(method, "__self__", None)):
            method()
