"""Widgets in which a value is chosen with one press: boxes, combo boxes and groups of buttons."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import Qt, SignalInstance
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QCheckBox, QComboBox, QGroupBox

from qtorch.binding.editors import Editor
from qtorch.binding.keyed_list_model import KeyedListModel
from qtorch.state.equality import same


class CheckBoxEditor(Editor[QCheckBox]):
    """True, False, and None for the third state of a box that has three."""

    def edited(self, widget: QCheckBox) -> SignalInstance:
        """Give the signal of an edit."""
        return widget.checkStateChanged

    def read(self, widget: QCheckBox) -> bool | None:
        """Give the content."""
        state = widget.checkState()
        return None if state is Qt.CheckState.PartiallyChecked else state is Qt.CheckState.Checked

    def _write(self, widget: QCheckBox, content: Any) -> None:
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
        super().__init__(widget, widget)
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

    def _write(self, widget: QComboBox, content: Any) -> None:
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


class CheckableEditor(Editor[QAbstractButton | QGroupBox]):
    """On and off: a check box of two states' other forms, such as a tool button or the title of a group box."""

    def edited(self, widget: QAbstractButton | QGroupBox) -> SignalInstance:
        """Give the signal of an edit."""
        return widget.toggled

    def read(self, widget: QAbstractButton | QGroupBox) -> bool:
        """Give the content."""
        return widget.isChecked()

    def _write(self, widget: QAbstractButton | QGroupBox, content: Any) -> None:
        widget.setChecked(bool(content))

    def clear(self, widget: QAbstractButton | QGroupBox) -> None:
        """Show nothing."""
        widget.setChecked(False)


class RadioGroupEditor(Editor[QButtonGroup]):
    """The value of the button that is checked, None if none is.

    A button stands for its property ``value`` if it has one, else for the id it was given, else for its text.
    """

    def edited(self, widget: QButtonGroup) -> SignalInstance:
        """Give the signal of an edit; ``buttonClicked`` would miss the arrow keys."""
        return widget.buttonToggled

    def read(self, widget: QButtonGroup) -> Any:
        """Give the content."""
        button = widget.checkedButton()
        return None if button is None else _value_of_button(widget, button)

    def shows(self, widget: QButtonGroup, content: Any) -> bool:
        """Whether to show ``content`` would change nothing."""
        return widget.checkedButton() is self._button_of(widget, content)

    def _write(self, widget: QButtonGroup, content: Any) -> None:
        button = self._button_of(widget, content)
        if button is None:
            self.clear(widget)
        else:
            button.setChecked(True)

    def clear(self, widget: QButtonGroup) -> None:
        """Show nothing. Qt lets none of an exclusive group be unchecked, not even by the application."""
        checked, is_exclusive = widget.checkedButton(), widget.exclusive()
        if checked is not None:
            widget.setExclusive(False)
            checked.setChecked(False)
            widget.setExclusive(is_exclusive)

    def _button_of(self, widget: QButtonGroup, content: Any) -> QAbstractButton | None:
        return next((one for one in widget.buttons() if same(_value_of_button(widget, one), content)), None)


def _value_of_button(group: QButtonGroup, button: QAbstractButton) -> Any:
    value = button.property("value")
    if value is not None:
        return value
    number = group.id(button)  # below -1 where Qt gave one itself
    return number if number >= 0 else button.text().replace("&", "")


def _label_of(item: tuple[str, Any]) -> str:
    return item[0]


def _value_of(item: tuple[str, Any]) -> Any:
    return item[1]
