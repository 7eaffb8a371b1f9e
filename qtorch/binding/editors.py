"""Widgets as something that shows a value and is edited."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import shiboken6
from PySide6.QtCore import QObject

from qtorch.state.equality import same

if TYPE_CHECKING:
    from PySide6.QtCore import SignalInstance
    from PySide6.QtWidgets import QWidget

W = TypeVar("W", bound=QObject)


class Editor(Generic[W]):
    """What a two-way binding asks of a widget, or of a group of buttons. It refers to them weakly.

    Attributes
    ----------
    can_wait
        Whether an edit may be written later, after a debounce or when it is finished. What is chosen with one press
        is written at once.
    """

    can_wait = False

    def __init__(self, widget: W, *frames: QWidget) -> None:
        self._widget = weakref.ref(widget)
        self._frames = [weakref.ref(frame) for frame in frames]
        self._shown: tuple[Any, Any] | None = None

    @property
    def widget(self) -> W | None:
        """What is edited, while it lives."""
        widget = self._widget()
        return widget if widget is not None and shiboken6.isValid(widget) else None

    @property
    def frames(self) -> list[QWidget]:
        """The widgets that can have the focus, are marked and disabled; those that live."""
        frames = [frame() for frame in self._frames]
        return [frame for frame in frames if frame is not None and shiboken6.isValid(frame)]

    @property
    def is_in_use(self) -> bool:
        """Whether the user is at it: it has the focus of its window, which may be inactive for the moment."""
        return any(frame.window().focusWidget() is frame for frame in self.frames)

    def is_underway(self, widget: W) -> bool:
        """Whether the last edit is to be followed by others, and then by the end of them."""
        return False

    def is_held(self, widget: W) -> bool:
        """Whether the user has hold of it, and it can show nothing else until that ends."""
        return False

    def edited(self, widget: W) -> SignalInstance:
        """Give the signal of an edit, by the user or the application."""
        raise NotImplementedError

    def finished(self, widget: W) -> SignalInstance | None:
        """Give the signal of a finished edit, None if only the loss of the focus tells."""
        return None

    def items_changed(self, widget: W) -> list[SignalInstance]:
        """Give the signals after which what the widget can show has changed."""
        return []

    def set_items(self, items: Iterable[tuple[str, Any]]) -> None:
        """Offer ``items`` to choose from."""
        raise NotImplementedError

    def read(self, widget: W) -> Any:
        """Give the content."""
        raise NotImplementedError

    def shows(self, widget: W, content: Any) -> bool:
        """Whether to show ``content`` would change nothing."""
        shown = self.read(widget)
        # A widget may make something else of a value, by its range, maximum length or input mask: once is enough.
        return same(shown, content) or (self._shown is not None and same((content, shown), self._shown))

    def show(self, widget: W, content: Any) -> None:
        """Show ``content``."""
        self._write(widget, content)
        self._shown = (content, self.read(widget))

    def _write(self, widget: W, content: Any) -> None:
        raise NotImplementedError

    def clear(self, widget: W) -> None:
        """Show nothing."""
        raise NotImplementedError

    def format(self, value: Any) -> Any:
        """Give the content for a value, unless the binding has its own way."""
        return value
