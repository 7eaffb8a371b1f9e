"""``bind_two_way``: which editor a widget has, and what may be asked of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar, overload

from PySide6.QtCore import QObject
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QDateEdit,
    QDateTimeEdit,
    QDoubleSpinBox,
    QGroupBox,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QTextEdit,
    QTimeEdit,
)

from qtorch.binding.choice_editors import CheckableEditor, CheckBoxEditor, ComboBoxEditor, RadioGroupEditor
from qtorch.binding.naming import name_of_object
from qtorch.binding.one_way import bind
from qtorch.binding.places import refuse_closed, usable
from qtorch.binding.stepped_editors import DateTimeEditor, NumberEditor, SliderEditor
from qtorch.binding.text_editors import DocumentEditor, LineEditor
from qtorch.binding.two_way_binding import Commit, TwoWayBinding
from qtorch.job.durations import in_seconds
from qtorch.state.selected import Field
from qtorch.state.source import Source

if TYPE_CHECKING:
    from datetime import date, datetime, time, timedelta

    from qtorch.binding.editors import Editor

T = TypeVar("T")


@overload
def bind_two_way(
    widget: QLineEdit | QTextEdit | QPlainTextEdit,
    field: Field[T],
    *,
    debounce: float | timedelta = 0,
    commit: Commit = "type",
    revert: bool = False,
    parse: Callable[[str], T] | None = None,
    format: Callable[[T], str] | None = None,
) -> TwoWayBinding: ...
@overload
def bind_two_way(
    widget: QCheckBox,
    field: Field[T],
    *,
    revert: bool = False,
    parse: Callable[[bool | None], T] | None = None,
    format: Callable[[T], bool | None] | None = None,
) -> TwoWayBinding: ...
@overload
def bind_two_way(
    widget: QAbstractButton | QGroupBox,
    field: Field[T],
    *,
    revert: bool = False,
    parse: Callable[[bool], T] | None = None,
    format: Callable[[T], bool] | None = None,
) -> TwoWayBinding: ...
@overload
def bind_two_way(
    widget: QButtonGroup,
    field: Field[T],
    *,
    revert: bool = False,
    parse: Callable[[Any], T] | None = None,
    format: Callable[[T], Any] | None = None,
) -> TwoWayBinding: ...
@overload
def bind_two_way(
    widget: QComboBox,
    field: Field[T],
    *,
    items: Source[Any] | Iterable[tuple[str, T]] | None = None,
    debounce: float | timedelta = 0,
    commit: Commit = "type",
    revert: bool = False,
    parse: Callable[[Any], T] | None = None,
    format: Callable[[T], Any] | None = None,
) -> TwoWayBinding: ...
@overload
def bind_two_way(
    widget: QSpinBox | QAbstractSlider,
    field: Field[T],
    *,
    debounce: float | timedelta = 0,
    commit: Commit = "type",
    revert: bool = False,
    parse: Callable[[int], T] | None = None,
    format: Callable[[T], int] | None = None,
) -> TwoWayBinding: ...
@overload
def bind_two_way(
    widget: QDoubleSpinBox,
    field: Field[T],
    *,
    debounce: float | timedelta = 0,
    commit: Commit = "type",
    revert: bool = False,
    parse: Callable[[float], T] | None = None,
    format: Callable[[T], float] | None = None,
) -> TwoWayBinding: ...
@overload
def bind_two_way(
    widget: QDateEdit,
    field: Field[T],
    *,
    debounce: float | timedelta = 0,
    commit: Commit = "type",
    revert: bool = False,
    parse: Callable[[date], T] | None = None,
    format: Callable[[T], date] | None = None,
) -> TwoWayBinding: ...
@overload
def bind_two_way(
    widget: QTimeEdit,
    field: Field[T],
    *,
    debounce: float | timedelta = 0,
    commit: Commit = "type",
    revert: bool = False,
    parse: Callable[[time], T] | None = None,
    format: Callable[[T], time] | None = None,
) -> TwoWayBinding: ...
@overload
def bind_two_way(
    widget: QDateTimeEdit,
    field: Field[T],
    *,
    debounce: float | timedelta = 0,
    commit: Commit = "type",
    revert: bool = False,
    parse: Callable[[datetime], T] | None = None,
    format: Callable[[T], datetime] | None = None,
) -> TwoWayBinding: ...
def bind_two_way(
    widget: QObject,
    field: Field[Any],
    *,
    items: Source[Any] | Iterable[tuple[str, Any]] | None = None,
    debounce: float | timedelta = 0,
    commit: Commit = "type",
    revert: bool = False,
    parse: Callable[[Any], Any] | None = None,
    format: Callable[[Any], Any] | None = None,  # noqa: A002 - the pair of parse
) -> TwoWayBinding:
    """Show a field in an input widget and write the user's edits back, until the widget dies.

    The caret stays where it is, selection and undo history are kept, and an input method is never disturbed. An edit
    that the state refuses stays as it was typed, marked by the dynamic property ``invalid``, tooltip and accessible
    description, while the state keeps its last valid value; once the user has left the widget, the next value that
    comes from the state takes its place. Where the path leads through None the widget is empty and disabled.

    Parameters
    ----------
    widget
        - A QLineEdit, QTextEdit or QPlainTextEdit (plain text).
        - A QCheckBox; another button or a QGroupBox that is checkable.
        - A QComboBox: its current data if items have data, else its text; an editable one is a line edit.
        - A QButtonGroup: the property ``value`` of its checked button, else the id that it was given, else its text.
        - A QSpinBox or QDoubleSpinBox; a QSlider, QDial or QScrollBar. A value outside its range is shown as the
          nearest one, and stays in the state.
        - A QDateEdit, QTimeEdit or QDateTimeEdit, with ``datetime`` types; a moment with a time zone is shown in local
          time.
    field
        ``orchestrator.field(lambda s: s.user.name)``.
    items
        For a combo box: what there is to choose, as ``(label, value)``, or a source of that. A value that is not among
        them is shown as no choice, and stays in the state.
    debounce
        Seconds (or a timedelta) without another edit after which it is written; what is chosen with one press is
        written at once. The loss of the focus, :meth:`TwoWayBinding.flush` and the widget's end do not wait.
    commit
        "type": write while typing or dragging. "finish": at Return, when the slider is let go, or when the focus goes.
    revert
        Show the state's value again when the focus leaves a refused edit.
    parse, format
        From what the widget holds (text, number, item's value ...) to the field's value, and back. What
        ``parse`` refuses with a ValueError, LookupError or ArithmeticError is an invalid edit; without it pydantic
        converts, such as "42" for an int.

    Raises
    ------
    TypeError
        No editor for such a widget, or no Field.
    RuntimeError
        The widget has a two-way binding already.

    Examples
    --------
    >>> bind_two_way(name_edit, users.field(lambda s: s.user.name), debounce=0.3)  # doctest: +SKIP
    >>> bind_two_way(vip_box, users.field(lambda s: s.user.is_vip))  # doctest: +SKIP
    >>> bind_two_way(
    ...     country_box,
    ...     users.field(lambda s: s.user.country),
    ...     items=users.select(lambda s: tuple((country.name, country.code) for country in s.countries)),
    ... )  # doctest: +SKIP
    """
    _refuse_unfit(widget, field, commit)
    editor = _editor_for(widget)
    refuse_closed(name_of_object(widget), field)
    if items is not None and not isinstance(editor, ComboBoxEditor):
        raise TypeError(f"items= is for a combo box that is not editable, not for {name_of_object(widget)}")
    edited: QObject = editor.widget or widget
    for one in (widget, edited):
        if any(isinstance(child, TwoWayBinding) for child in one.children()):
            raise RuntimeError(
                f"{name_of_object(widget)} has a two-way binding already; two would write each other's edits.\n"
                f"  Call unbind() on the first, or show the second field in another widget."
            )
    if items is not None:
        editor.set_items(items.get() if isinstance(items, Source) else items)
    binding = TwoWayBinding(edited, editor, field, in_seconds(debounce), commit, revert, parse, format)
    if isinstance(items, Source):
        bind(binding.set_items, items)
    return binding


def _refuse_unfit(widget: object, field: object, commit: object) -> None:
    if not isinstance(field, Field):
        raise TypeError(
            f"bind_two_way writes, so it takes a field, not {field!r}.\n"
            f"  Write orchestrator.field(lambda s: s.user.name); what is computed can be shown with bind()."
        )
    if commit not in ("type", "finish"):
        raise ValueError(f'commit is "type" or "finish", not {commit!r}')
    if isinstance(widget, QObject):
        usable(widget)


def _editor_for(widget: object) -> Editor[Any]:
    match widget:
        case QComboBox():
            line = widget.lineEdit()  # of an editable one
            return ComboBoxEditor(widget) if line is None else LineEditor(line, widget)
        case QLineEdit():
            return LineEditor(widget, widget)
        case QTextEdit() | QPlainTextEdit():
            return DocumentEditor(widget, widget)
        case QCheckBox():
            return CheckBoxEditor(widget, widget)
        case QSpinBox() | QDoubleSpinBox():
            return NumberEditor(widget, widget)
        case QAbstractSlider():
            return SliderEditor(widget, widget)
        case QDateTimeEdit():
            return DateTimeEditor(widget)
        case QButtonGroup():
            return RadioGroupEditor(widget, *widget.buttons())
        case QAbstractButton() | QGroupBox() if widget.isCheckable():
            return CheckableEditor(widget, widget)
        case _:
            raise TypeError(
                f"bind_two_way knows line and text edits, check boxes and other checkable buttons, groups of buttons, "
                f"combo boxes, spin boxes, sliders, date and time edits, not {name_of_object(widget)}.\n"
                f"  Show it with bind(), and connect its signal to a slot that calls field.set(value)."
            )
