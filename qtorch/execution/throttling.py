"""Which lanes are kept because a throttled job ran in them a moment ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qtorch.execution.lane import Lane


class OpenWindows:
    """Keeps private lanes, which live as long as jobs are in them, until their window ends. The bus's thread.

    Nobody is woken for it: those whose window has ended go when others come.
    """

    __slots__ = ("_lanes", "_most")

    def __init__(self) -> None:
        self._lanes: dict[Lane, None] = {}
        self._most = 64

    def add(self, lane: Lane, now: float) -> None:
        """Keep ``lane`` until its window ends."""
        self._lanes[lane] = None
        if len(self._lanes) > self._most:
            self._lanes = {one: None for one in self._lanes if one.window_ends > now}
            self._most = 64 + 2 * len(self._lanes)
