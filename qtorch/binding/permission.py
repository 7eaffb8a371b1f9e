"""Whether a command is allowed, by a source."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import shiboken6

from qtorch.state.source import Effect, Source


class Permission(Effect[Any]):
    """Enables a command while a source says so. One that raises says no, and is reported."""

    __slots__ = ("_allow", "_name")

    def __init__(self, source: Source[Any], allow: Callable[[bool], None], name: str) -> None:
        super().__init__(source)
        self._allow = weakref.WeakMethod(allow, self._died)
        self._name = name

    def _died(self, _: object) -> None:
        self.end()

    def __call__(self) -> None:
        """Look at the source, and allow or forbid."""
        source, allow = self._source, self._allow()
        if source is None:
            return
        if allow is None or not shiboken6.isValid(getattr(allow, "__self__", None)):
            self.end()
            return
        is_allowed = False
        try:
            is_allowed = bool(source.get())
        finally:
            allow(is_allowed)

    @property
    def label(self) -> str:
        """Names the command and the source."""
        return f"{self._name}, can = {self._source!r}"
