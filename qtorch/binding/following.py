"""What has a two-way binding look at a source again."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import shiboken6

from qtorch.binding.naming import name_of_object
from qtorch.state.source import Effect, Source

if TYPE_CHECKING:
    from PySide6.QtCore import QObject

B = TypeVar("B", bound="QObject")


class Following(Effect[Any], Generic[B]):
    """Calls a method of a binding, held weakly, whenever a source may have changed."""

    __slots__ = ("_binding", "_look", "_name")

    def __init__(self, source: Source[Any], binding: B, look: Callable[[B], None]) -> None:
        super().__init__(source)
        self._binding = weakref.ref(binding, self._died)
        self._look = look
        self._name = f"{source!r}"

    def _died(self, _: object) -> None:
        self.end()

    def __call__(self) -> None:
        """Have the binding look, or end with it."""
        binding = self._binding()
        if self._source is None:
            return
        if binding is None or not shiboken6.isValid(binding):
            self.end()
        else:
            self._look(binding)

    @property
    def label(self) -> str:
        """Names the widget and the source."""
        binding = self._binding()
        alive = binding is not None and shiboken6.isValid(binding)
        return f"{name_of_object(binding.parent()) if binding is not None and alive else '?'} <-> {self._name}"
