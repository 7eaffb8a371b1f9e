"""Where the fields of a form are shown."""

from __future__ import annotations

import weakref
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import Qt

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from qtorch.binding.form_tree import Place
    from qtorch.binding.two_way_binding import TwoWayBinding


class FormWidgets:
    """The two-way bindings of a form, held weakly."""

    __slots__ = ("_places",)

    def __init__(self) -> None:
        self._places: weakref.WeakKeyDictionary[TwoWayBinding, Place] = weakref.WeakKeyDictionary()

    def add(self, binding: TwoWayBinding, place: Place) -> None:
        """Note where a field is shown."""
        self._places[binding] = place

    def flush(self) -> None:
        """Write every edit that waits."""
        for binding in list(self._places):
            if shiboken6.isValid(binding):
                binding.flush()

    def focus_first(self, places: AbstractSet[Place]) -> None:
        """Lead the user to the first widget, in the order of the tabulator, that shows one of ``places``."""
        frames: dict[QWidget, None] = {}
        for binding, place in list(self._places.items()):
            if place in places and shiboken6.isValid(binding):
                frames |= {one: None for one in binding.frames if one.isVisibleTo(one.window()) and one.isEnabled()}
        if frames:
            _first_in_focus_chain(frames).setFocus(Qt.FocusReason.OtherFocusReason)


def _first_in_focus_chain(frames: dict[QWidget, None]) -> QWidget:
    first = next(iter(frames))
    window = first.window()
    widget = window.nextInFocusChain()
    while widget is not None and widget is not window:
        if widget in frames:
            return widget
        widget = widget.nextInFocusChain()
    return first
