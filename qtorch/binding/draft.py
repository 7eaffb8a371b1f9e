"""What was typed and is not in the state yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtorch.binding.refusals import REFUSALS
from qtorch.errors import ClosedError
from qtorch.ports import MISSING

if TYPE_CHECKING:
    from qtorch.ports import Clock, Timer
    from qtorch.state.selected import Field


class Draft:
    """The content of a widget on its way into a field.

    It knows no widget, so that it can still be written when the widget is gone: the window of somebody who typed and
    closed it at once.
    """

    __slots__ = ("_content", "_field", "_parse", "_timer")

    def __init__(self, field: Field[Any], parse: Callable[[Any], Any] | None) -> None:
        self._field = field
        self._parse = parse
        self._content: Any = MISSING
        self._timer: Timer | None = None

    @property
    def is_pending(self) -> bool:
        """Whether there is something to write."""
        return self._content is not MISSING

    def put(self, content: Any) -> None:
        """Hold ``content`` instead of what was held before."""
        self._content = content

    def call_later(self, clock: Clock, seconds: float, flush: Callable[[], object]) -> None:
        """Have ``flush`` called in so many seconds, unless it is written, dropped or put off before."""
        self._stop_waiting()
        self._timer = clock.call_later(seconds, flush)

    def _stop_waiting(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def drop(self) -> None:
        """Hold nothing."""
        self._stop_waiting()
        self._content = MISSING

    def write(self) -> None:
        """Parse what is held and write it to the field; raise what is wrong with it."""
        self._stop_waiting()
        content, self._content = self._content, MISSING
        if self._parse is None:
            self._field.enter(content)
            return
        try:
            value = self._parse(content)
        except Exception as error:
            self._field.refuse(content, error)
            if not isinstance(error, REFUSALS):
                raise  # a fault of parse, not of what was typed
        else:
            self._field.set(value)

    def write_last(self) -> None:
        """Write what is held; with the widget gone there is nobody to be told that it was refused."""
        if self.is_pending:
            try:
                self.write()
            except (*REFUSALS, ClosedError):
                pass
