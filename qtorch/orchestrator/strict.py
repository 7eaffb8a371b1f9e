"""Finding objects inside a state that were changed in place."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from qtorch.state.equality import same

if TYPE_CHECKING:
    from qtorch.state.base_state import BaseState


class Watch:
    """Copies of the values of one state, to see later whether they still are what they were.

    A value that cannot be copied (a lock), or whose copy does not equal it from the start (an array, an object that
    is compared by identity), is left alone: nothing could be said of it.
    """

    __slots__ = ("_twins",)

    def __init__(self, state: BaseState) -> None:
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
