"""Which page is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot

from qtorch import BaseOrchestrator, BaseState

if TYPE_CHECKING:
    from qtorch import Runtime


class ShellState(BaseState):
    """The names of the pages, and the open one's."""

    names: tuple[str, ...]
    name: str


class Shell(BaseOrchestrator[ShellState]):
    """Turns the pages."""

    def __init__(self, names: tuple[str, ...], name: str, *, runtime: Runtime) -> None:
        super().__init__(ShellState(names=names, name=name), runtime=runtime)

    def open(self, name: str) -> None:
        """Open a page."""
        self.update(name=name)

    @Slot()
    def next(self) -> None:
        """Open the page below, after the last one the first."""
        self._turn(1)

    @Slot()
    def previous(self) -> None:
        """Open the page above, before the first one the last."""
        self._turn(-1)

    def _turn(self, step: int) -> None:
        names = self.state.names
        self.open(names[(names.index(self.state.name) + step) % len(names)])
