"""Listening, and how listeners are held."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from types import BuiltinMethodType, MethodType
from typing import Any, Self


class Subscription:
    """One listener's connection. Close it, use it as a context manager, or let the listener die.

    Attributes
    ----------
    is_active
        Whether the listener still hears.
    """

    __slots__ = ("__weakref__", "_end", "is_active")

    def __init__(self, end: Callable[[], object] | None = None) -> None:
        self._end = end
        self.is_active = True

    def close(self) -> None:
        """Hear nothing any more, not even what is being delivered now. Idempotent."""
        if self.is_active:
            self.is_active = False
            end, self._end = self._end, None
            if end is not None:
                end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def hold(callback: Callable[..., Any], on_death: Callable[[], object]) -> Callable[[], Callable[..., Any] | None]:
    """Give a function that returns ``callback``, or None once its object is gone.

    Bound methods are held weakly, those of C++ classes too (``label.setText`` is no MethodType, so WeakMethod would
    refuse it); functions, partials and other callables strongly.
    """

    def died(_: object) -> None:
        on_death()

    if isinstance(callback, MethodType):
        return weakref.WeakMethod(callback, died)
    owner = getattr(callback, "__self__", None)
    if isinstance(callback, BuiltinMethodType) and owner is not None and not isinstance(owner, type):
        name = callback.__name__
        try:
            ref = weakref.ref(owner, died)
        except TypeError:  # a built-in such as [].append, whose object knows no weak references
            return lambda: callback

        def revive() -> Callable[..., Any] | None:
            alive = ref()
            return None if alive is None else getattr(alive, name)

        return revive
    return lambda: callback


def name_of(function: object) -> str:
    """Name a function for a message: ``ProfileWindow.show_user``, ``str``, ``<lambda> at profile_window.py:41``."""
    function = getattr(function, "func", function)
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    code = getattr(function, "__code__", None)
    if code is not None and code.co_name == "<lambda>":
        return f"<lambda> at {os.path.basename(code.co_filename)}:{code.co_firstlineno}"
    return str(name)
