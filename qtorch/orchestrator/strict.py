"""Finding objects inside a state that were changed in place."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtorch.state.equality import same

if TYPE_CHECKING:
    from qtorch.orchestrator.core import OrchestratorCore
    from qtorch.state.base_state import BaseState

strict_cores: weakref.WeakSet[OrchestratorCore] = weakref.WeakSet()
"""The orchestrators on strict Runtimes, so that tests can look for those that were left behind."""


class Watch:
    """Copies of the values of one state, to see later whether they still are what they were.

    A value that cannot be copied (a lock), or whose copy does not equal it from the start (an array, an object that
    is compared by identity), is left alone: nothing could be said of it.
    """

    __slots__ = ("_twins", "listeners")

    def __init__(self, state: BaseState) -> None:
        self.listeners: list[Callable[[Any, Any], object]] = []
        """Told of every change, as ``listener(new, old)``; by tests."""
        self.renew(state)

    def follow(self, new: BaseState, old: BaseState) -> None:
        """Watch ``new`` from now on."""
        self.renew(new)
        for listener in self.listeners:
            listener(new, old)

    def renew(self, state: BaseState) -> None:
        """Copy the values of ``state`` as they are now."""
        self._twins: dict[str, Any] = {}
        for name, value in vars(state).items():
            try:
                twin = copy.deepcopy(value)
            except Exception:  # noqa: BLE001 - whatever a foreign __deepcopy__ raises
                continue
            if same(twin, value):
                self._twins[name] = twin

    def changed(self, state: BaseState) -> list[str]:
        """Give the fields of ``state`` whose values were changed in place."""
        values = vars(state)
        return [name for name, twin in self._twins.items() if name in values and not same(values[name], twin)]
