"""Widgets in which a value is typed, stepped or dragged: spin boxes, sliders, dates and times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QDate, QTime
from PySide6.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QDateEdit,
    QDateTimeEdit,
    QDoubleSpinBox,
    QSpinBox,
    QTimeEdit,
)

from qtorch.binding.caret import Caret
from qtorch.binding.editors import Editor

if TYPE_CHECKING:
    from datetime import tzinfo

    from PySide6.QtCore import SignalInstance

P = TypeVar("P", bound=QAbstractSpinBox)


class SpinEditor(Editor[P]):
    """What boxes with little arrows have in common. Their text is Qt's: only its caret and selection are kept."""

    can_wait = True

    def is_underway(self, widget: P) -> bool:
        """Whether the last edit was typed: a step is finished at once."""
        return widget.lineEdit().isModified()

    def finished(self, widget: P) -> SignalInstance:
        """Give the signal of a finished edit."""
        return widget.editingFinished

    def _write(self, widget: P, content: Any) -> None:
        line = widget.lineEdit()
        caret = Caret.of(line) if self.is_in_use else None
        self._set(widget, content)
        if caret is not None:
            caret.put_back(line)

    def _set(self, widget: P, content: Any) -> None:
        raise NotImplementedError


class NumberEditor(SpinEditor[QSpinBox | QDoubleSpinBox]):
    """A number. One outside the box's range is shown as its nearest, None as its minimum; neither is written."""

    def edited(self, widget: QSpinBox | QDoubleSpinBox) -> SignalInstance:
        """Give the signal of an edit."""
        return widget.valueChanged

    def read(self, widget: QSpinBox | QDoubleSpinBox) -> float:
        """Give the number."""
        return widget.value()

    def _set(self, widget: QSpinBox | QDoubleSpinBox, content: Any) -> None:
        number = widget.minimum() if content is None else content  # its specialValueText can name that
        if isinstance(widget, QSpinBox):
            widget.setValue(_nearest(round(number), widget))
        else:
            widget.setValue(float(number))

    def clear(self, widget: QSpinBox | QDoubleSpinBox) -> None:
        """Show nothing, or what comes next to it."""
        self._set(widget, None)


class SliderEditor(Editor[QAbstractSlider]):
    """A slider, dial or scroll bar. What comes while it is dragged is shown when it is let go."""

    can_wait = True

    def is_underway(self, widget: QAbstractSlider) -> bool:
        """Whether it is dragged; a step by key or wheel is finished at once."""
        return widget.isSliderDown()

    def is_held(self, widget: QAbstractSlider) -> bool:
        """Whether it is dragged."""
        return widget.isSliderDown()

    def edited(self, widget: QAbstractSlider) -> SignalInstance:
        """Give the signal of an edit."""
        return widget.valueChanged

    def finished(self, widget: QAbstractSlider) -> SignalInstance:
        """Give the signal of a finished edit."""
        return widget.sliderReleased

    def read(self, widget: QAbstractSlider) -> int:
        """Give the number."""
        return widget.value()

    def _write(self, widget: QAbstractSlider, content: Any) -> None:
        if content is None:
            widget.setValue(widget.minimum())
        else:
            widget.setValue(_nearest(round(content), widget))

    def clear(self, widget: QAbstractSlider) -> None:
        """Show nothing, or what comes next to it."""
        widget.setValue(widget.minimum())


class DateTimeEditor(SpinEditor[QDateTimeEdit]):
    """A date, a time, or both, as the types of ``datetime``. None is shown as the earliest.

    A moment with a time zone is shown in local time, and what is made of it has its time zone again.
    """

    def __init__(self, widget: QDateTimeEdit) -> None:
        super().__init__(widget, widget)
        self._zone: tzinfo | None = None

    def edited(self, widget: QDateTimeEdit) -> SignalInstance:
        """Give the signal of an edit."""
        if isinstance(widget, QDateEdit):
            return widget.dateChanged
        return widget.timeChanged if isinstance(widget, QTimeEdit) else widget.dateTimeChanged

    def read(self, widget: QDateTimeEdit) -> Any:
        """Give the date, time or datetime."""
        if isinstance(widget, QDateEdit):
            return widget.date().toPython()
        if isinstance(widget, QTimeEdit):
            return widget.time().toPython()
        moment: Any = widget.dateTime().toPython()
        return moment if self._zone is None else moment.astimezone(self._zone)

    def _set(self, widget: QDateTimeEdit, content: Any) -> None:
        if content is None:
            self.clear(widget)
        elif isinstance(widget, QDateEdit):
            widget.setDate(QDate(content.year, content.month, content.day))
        elif isinstance(widget, QTimeEdit):
            milliseconds = content.microsecond // 1_000
            widget.setTime(QTime(content.hour, content.minute, content.second, milliseconds))
        else:
            self._zone = content.tzinfo
            widget.setDateTime(content if self._zone is None else content.astimezone().replace(tzinfo=None))

    def clear(self, widget: QDateTimeEdit) -> None:
        """Show nothing, or what comes next to it."""
        widget.setDateTime(widget.minimumDateTime())  # which its specialValueText can name


def _nearest(number: int, widget: QSpinBox | QAbstractSlider) -> int:
    # Qt's int has 32 bits, and more is an OverflowError rather than the nearest.
    return min(max(number, widget.minimum()), widget.maximum())
