"""Widgets as something that shows a value and is edited."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import Any, Generic, TypeVar

import shiboken6
from PySide6.QtCore import Qt, SignalInstance
from PySide6.QtWidgets import QCheckBox, QComboBox, QWidget

from qtorch.binding.keyed_list_model import KeyedListModel
from qtorch.state.equality import same

W = TypeVar("W", bound=QWidget)


class Editor(Generic[W]):
    """What a two-way binding asks of a widget. It refers to the widget weakly.

    Attributes
    ----------
    frame
        The widget that has the focus, is marked and disabled.
    edited, finished
        Signals: the user, or the application, changed the content; and finished with it.
    is_text
        Whether it is typed, letter by letter: then values are held back while an input method composes.
    """

    is_text = False

    def __init__(self, widget: W, frame: QWidget | None = None) -> None:
        self._widget = weakref.ref(widget)
        self._frame = weakref.ref(frame or widget)

    @property
    def widget(self) -> W | None:
        """The widget, while it lives."""
        widget = self._widget()
        return widget if widget is not None and shiboken6.isValid(widget) else None

    @property
    def frame(self) -> QWidget | None:
        """The widget that has the focus, while it lives."""
        frame = self._frame()
        return frame if frame is not None and shiboken6.isValid(frame) else None

    @property
    def is_in_use(self) -> bool:
        """Whether the user is at it: it has the focus of its window, which may be inactive for the moment."""
        frame = self.frame
        return frame is not None and frame.window().focusWidget() is frame

    def edited(self, widget: W) -> SignalInstance:
        """Give the signal of an edit."""
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
        return same(self.read(widget), content)

    def show(self, widget: W, content: Any) -> None:
        """Show ``content``."""
        raise NotImplementedError

    def clear(self, widget: W) -> None:
        """Show nothing."""
        raise NotImplementedError

    def format(self, value: Any) -> Any:
        """Give the content for a value, unless the binding has its own way."""
        return value


class CheckBoxEditor(Editor[QCheckBox]):
    """True, False, and None for the third state of a box that has three."""

    def edited(self, widget: QCheckBox) -> SignalInstance:
        """Give the signal of an edit."""
        return widget.checkStateChanged

    def read(self, widget: QCheckBox) -> bool | None:
        """Give the content."""
        state = widget.checkState()
        return None if state is Qt.CheckState.PartiallyChecked else state is Qt.CheckState.Checked

    def show(self, widget: QCheckBox, content: Any) -> None:
        """Show ``content``."""
        if content is None and widget.isTristate():
            widget.setCheckState(Qt.CheckState.PartiallyChecked)
        else:
            widget.setChecked(bool(content))

    def clear(self, widget: QCheckBox) -> None:
        """Show nothing."""
        widget.setChecked(False)


class ComboBoxEditor(Editor[QComboBox]):
    """The value of the chosen item: its data if items have data, else its text.

    Only a choice of the user is an edit: what happens to the current index while items come and go is not.
    """

    def __init__(self, widget: QComboBox) -> None:
        super().__init__(widget)
        self._own: KeyedListModel[tuple[str, Any]] | None = None

    def set_items(self, items: Iterable[tuple[str, Any]]) -> None:
        """Offer ``items`` to choose from."""
        widget = self.widget
        if self._own is None:
            self._own = KeyedListModel(key=_value_of, roles={Qt.ItemDataRole.DisplayRole: _label_of}, parent=widget)
        self._own.set_items(items)
        if widget is not None and widget.model() is not self._own:
            widget.setModel(self._own)

    def edited(self, widget: QComboBox) -> SignalInstance:
        """Give the signal of an edit."""
        return widget.activated

    def items_changed(self, widget: QComboBox) -> list[SignalInstance]:
        """Give the signals after which the value may be in another row, or in one at last."""
        model = widget.model()
        return (
            [] if model is self._own else [model.rowsInserted, model.rowsRemoved, model.dataChanged, model.modelReset]
        )

    def read(self, widget: QComboBox) -> Any:
        """Give the content."""
        row = widget.currentIndex()
        return None if row < 0 else self._values(widget)[row]

    def shows(self, widget: QComboBox, content: Any) -> bool:
        """Whether to show ``content`` would change nothing."""
        return widget.currentIndex() == self._row_of(widget, content)

    def show(self, widget: QComboBox, content: Any) -> None:
        """Show ``content``, or no item if none has it."""
        widget.setCurrentIndex(self._row_of(widget, content))

    def clear(self, widget: QComboBox) -> None:
        """Show nothing."""
        widget.setCurrentIndex(-1)

    def _row_of(self, widget: QComboBox, content: Any) -> int:
        return next((row for row, value in enumerate(self._values(widget)) if same(value, content)), -1)

    def _values(self, widget: QComboBox) -> list[Any]:
        if self._own is not None:
            return [self._own.item(row)[1] for row in range(self._own.rowCount())]
        data = [widget.itemData(row) for row in range(widget.count())]
        if all(one is None for one in data):
            return [widget.itemText(row) for row in range(widget.count())]
        return data


def _label_of(item: tuple[str, Any]) -> str:
    return item[0]


def _value_of(item: tuple[str, Any]) -> Any:
    return item[1]
