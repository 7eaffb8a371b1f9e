"""Light or dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo_app.look.theme import Mode, Theme
from qtorch import BaseOrchestrator, BaseState

if TYPE_CHECKING:
    from qtorch.ports import DefaultRuntime


class AppearanceState(BaseState):
    """What was asked for, and whether that is dark."""

    mode: Mode
    is_dark: bool


class Appearance(BaseOrchestrator[AppearanceState]):
    """Switches the theme, and follows it when the system switches it."""

    def __init__(self, theme: Theme, *, runtime: DefaultRuntime) -> None:
        super().__init__(AppearanceState(mode=theme.mode, is_dark=theme.is_dark), runtime=runtime)
        self._theme = theme
        theme.changed.connect(self._follow)

    def choose(self, mode: Mode) -> None:
        """Show the theme ``mode``."""
        self._theme.set_mode(mode)
        self._follow()

    def toggle(self) -> None:
        """Show the other one of light and dark."""
        self.choose("light" if self.state.is_dark else "dark")

    def _follow(self) -> None:
        self.update(mode=self._theme.mode, is_dark=self._theme.is_dark)
