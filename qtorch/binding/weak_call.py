"""Calls that keep nobody alive."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, Any

import shiboken6

if TYPE_CHECKING:
    from PySide6.QtCore import QObject


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


def held_for(child: QObject | None, function: Callable[..., Any]) -> Callable[[], Callable[..., Any] | None]:
    """Give what gives ``function`` as long as it can be called, to be held by ``child``.

    A child that held a method of what it is a part of would keep that alive for ever, so such a method is held weakly.
    """
    owner = getattr(function, "__self__", None)
    while child is not None and child is not owner:
        child = child.parent()
    if child is None:
        return _Strong(function)
    if isinstance(function, MethodType):
        return weakref.WeakMethod(function)
    return _WeakQtMethod(child, function.__name__)


class _Strong:
    """What a weak reference to a function is for one that is held."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self) -> Callable[..., Any]:
        return self._function


class _WeakQtMethod:
    """A weak reference to one of Qt's own methods, to which WeakMethod can make none."""

    __slots__ = ("_name", "_owner")

    def __init__(self, owner: QObject, name: str) -> None:
        self._owner, self._name = weakref.ref(owner), name

    def __call__(self) -> Callable[..., Any] | None:
        method: Callable[..., Any] | None = getattr(self._owner(), self._name, None)
        return method
