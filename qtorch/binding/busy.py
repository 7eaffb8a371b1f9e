"""A busy indicator that does not flicker."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import QObject, Slot

from qtorch.binding.weak_call import WeakCall

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from qtorch.binding.home import Home
    from qtorch.ports import Timer

_APPEARS_AFTER = 0.150
"""Seconds of work before an indicator is shown: what is shorter feels instant, and a flash only disturbs."""

_STAYS_FOR = 0.300
"""Seconds that an indicator stays at least: shorter is a flash again."""


class BusyIndicator(QObject):
    """Shows a widget while something is at work: after 150 ms, then for at least 300 ms. A child of the widget."""

    def __init__(self, widget: QWidget, home: Home) -> None:
        super().__init__(widget)
        self._widget = weakref.ref(widget)
        self._home = home
        self._timer: Timer | None = None
        self._is_busy = False
        self._shown_at: float | None = None
        widget.setVisible(False)

    @Slot(bool)
    def set_busy(self, is_busy: bool) -> None:
        """Hear that the work begins or ends."""
        if is_busy == self._is_busy:
            return
        self._is_busy = is_busy
        self._stop_waiting()
        if is_busy and self._shown_at is None:
            self._wait(_APPEARS_AFTER, self._show)
        elif not is_busy and self._shown_at is not None:
            self._wait(self._shown_at + _STAYS_FOR - self._home.runtime.clock.now(), self._hide)

    def _wait(self, seconds: float, then: Callable[[], None]) -> None:
        if seconds > 0:
            self._timer = self._home.runtime.clock.call_later(seconds, WeakCall(then))
        else:
            then()

    def _stop_waiting(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _show(self) -> None:
        self._shown_at = self._home.runtime.clock.now()
        self._set_visible(True)

    def _hide(self) -> None:
        self._shown_at = None
        self._set_visible(False)

    def _set_visible(self, is_visible: bool) -> None:
        widget = self._widget()
        if widget is not None and shiboken6.isValid(widget):
            widget.setVisible(is_visible)
