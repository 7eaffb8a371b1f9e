"""From a field of the state to a widget, and from the user back to the field."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QEvent, QMetaObject, QObject, Qt, Signal, Slot
from PySide6.QtGui import QFocusEvent, QInputMethodEvent

from qtorch.binding.disabled import Disabled
from qtorch.binding.draft import Draft
from qtorch.binding.following import Following
from qtorch.binding.home import Home
from qtorch.binding.invalid_mark import InvalidMark
from qtorch.binding.naming import name_of_object
from qtorch.binding.one_way import Binding
from qtorch.binding.refusals import REFUSALS, message_of
from qtorch.binding.weak_call import WeakCall
from qtorch.ports import MISSING
from qtorch.state.equality import same

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from qtorch.binding.editors import Editor
    from qtorch.state.selected import Field

Commit = Literal["type", "finish"]

_PASSING = (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason)
"""Reasons for which the focus goes and comes back: another window, a menu. The user is not done."""


class TwoWayBinding(Binding):
    """What ``bind_two_way`` made: a child of the widget, with which it dies. It need not be kept.

    The user wins while at it: what comes from the state is held back while an input method composes, while an edit
    waits to be written, and while a refused edit has the focus.

    Attributes
    ----------
    errorChanged
        Qt signal with :attr:`error`.
    """

    errorChanged = Signal(str)

    def __init__(
        self,
        widget: QObject,
        editor: Editor[Any],
        field: Field[Any],
        debounce: float,
        commit: Commit,
        revert: bool,
        parse: Callable[[Any], Any] | None,
        format: Callable[[Any], Any] | None,  # noqa: A002 - the option's name
    ) -> None:
        super().__init__()  # a child of the widget at the end only: what is wrong until then leaves nothing behind
        self._editor = editor
        self._field = field
        self._home = Home(field.observable)
        self._label = f"{name_of_object(widget)} <-> {field!r}"
        self._debounce, self._commit, self._revert = debounce, commit, revert
        self._format: Callable[[Any], Any] = format or editor.format
        self._draft = Draft(field, parse)
        self._marks = [InvalidMark(frame) for frame in editor.frames]
        self._error = ""
        self._content: Any = MISSING
        """What the widget holds, as far as is known: only something else is an edit."""
        self._written: Any = MISSING
        """The value that the state made of the last edit."""
        self._refused_beside: Any = MISSING
        """The state's value when the edit that is shown was refused."""
        self._is_showing = self._is_writing = self._is_composing = False
        self._disabled: Disabled | None = None
        """While the path leads through None."""
        self._following = [Following(field, self, TwoWayBinding.show_state)]
        try:
            if field.error is not None:
                self._following.append(Following(field.error, self, TwoWayBinding._show_errors))
            self.show_state()
            self._show_errors()
        except BaseException:
            self._stop_following()
            raise
        self._connections = self._connect(widget)
        self.setParent(widget)
        field.shown_by(self)

    def _connect(self, widget: QObject) -> list[QMetaObject.Connection]:
        editor = self._editor
        for frame in editor.frames:
            frame.installEventFilter(self)
        finished = editor.finished(widget)
        return [
            editor.edited(widget).connect(self._on_edited),
            *([] if finished is None else [finished.connect(self._on_finished)]),
            *(changed.connect(self.show_state) for changed in editor.items_changed(widget)),
            # No method of this: by then Python may have let go of it.
            widget.destroyed.connect(partial(_write_last, self._draft)),
        ]

    @property
    def error(self) -> str:
        """Why the edit that is shown was refused, empty if it was not."""
        return self._error

    @property
    def content(self) -> Any:
        """What the widget holds, None if that is nothing."""
        widget = self._editor.widget
        # Qt has this text stand for the least value, and people for none.
        return None if widget is None or widget.property("specialValueText") else self._content

    @property
    def frames(self) -> list[QWidget]:
        """The widgets that have the focus and are marked, those that live."""
        return self._editor.frames

    # -- from the user ----------------------------------------------------------------------------------------------

    @Slot()
    def _on_edited(self) -> None:
        widget = self._editor.widget
        if widget is None or self._is_showing:
            return
        content = self._editor.read(widget)
        if same(content, self._content):
            return  # a QTextEdit tells of changed formats too
        self._content = content
        self._draft.put(content)
        editor = self._editor
        if self._commit == "finish" and editor.is_underway(widget):
            return
        if self._debounce > 0 and editor.can_wait:
            self._draft.call_later(self._home.runtime.clock, self._debounce, WeakCall(self.flush))
        else:
            self.flush()

    @Slot()
    def _on_finished(self) -> None:
        if self.flush():
            self._written = MISSING  # the state's own form of the value may take the place of what was typed
            self.show_state()

    def flush(self) -> bool:
        """Write the edit that waits, if one does; give whether the state has what the widget shows.

        Call it before the state is saved. The loss of the focus and the widget's end do it too.
        """
        is_new = self._draft.is_pending
        if not is_new:
            if not self.error or self._field.error is not None:
                return True
            self._draft.put(self._content)  # refused before; what it was refused for may have changed
        self._is_writing = True
        try:
            self._draft.write()
        except REFUSALS as error:
            self._is_writing = False
            if self._field.is_missing:
                self.show_state()
            else:
                self._refuse(error, is_new)
            return False
        except Exception as error:  # noqa: BLE001 - a fault of parse, or of the state: the user sees that it is not in
            self._refuse(error, is_new)
            if is_new:
                self._home.report(error, self._label)
            return False
        finally:
            self._is_writing = False
        self._forgive()
        self._written = self._field.get()
        self.show_state()
        return True

    def _refuse(self, error: Exception, is_new: bool) -> None:
        if is_new:
            self._refused_beside = self._field.get()
        if self._field.error is None:
            self._show_error(message_of(error, self._field.path[-1]))

    def _forgive(self) -> None:
        if self._field.error is None:
            self._show_error("")

    def _show_errors(self) -> None:
        """Show what a field that holds what is wrong says of it."""
        if self._field.error is not None:
            self._show_error(self._field.error.get())

    def _show_error(self, message: str) -> None:
        if message != self._error:
            self._error = message
            for mark in self._marks:
                mark.show(message)
            self.errorChanged.emit(message)

    # -- from the state -----------------------------------------------------------------------------------------------

    @Slot()
    def show_state(self) -> None:
        """Show the state's value, unless the user is at something that it would disturb."""
        widget = self._editor.widget
        if widget is None or self._is_writing:
            return
        value: object = self._field.get()
        if value is MISSING:
            self._show_nothing(widget)
            return
        self._show_something()
        is_held = self._is_composing or self._draft.is_pending or self._editor.is_held(widget)
        if is_held or self._is_held_by_refusal(value):
            return
        self._forgive()
        content: Any = self._field.content
        if content is MISSING:
            content = self._format(value)
        elif type(content) is not type(self._editor.read(widget)):
            return  # it was entered into a widget of another kind, and is no value yet
        if same(value, self._written) and self._would_disturb(widget, content):
            return
        self._write(widget, content)

    def _is_held_by_refusal(self, value: object) -> bool:
        """Whether a refused edit stays: the user is at it, or nothing else has come since."""
        is_refused = bool(self.error) and self._field.error is None
        return is_refused and (self._editor.is_in_use or same(value, self._refused_beside))

    def _would_disturb(self, widget: QObject, content: Any) -> bool:
        """Whether the state's own form of what is being typed has to wait until the edit is finished.

        A text turned into capitals is shown at once. One that is shorter or longer is not: a trimmed space could never
        be typed, and "1" that becomes "1.0" cannot go on to "1.5".
        """
        editor = self._editor
        if not (editor.is_in_use and editor.is_underway(widget)):
            return False
        return not isinstance(content, str) or len(content) != len(self._content)

    def _write(self, widget: QObject, content: Any) -> None:
        editor = self._editor
        if not editor.shows(widget, content):
            self._is_showing = True
            try:
                editor.show(widget, content)
            finally:
                self._is_showing = False
        self._content = editor.read(widget)

    def _show_nothing(self, widget: QObject) -> None:
        self._draft.drop()
        self._forgive()
        self._is_showing = True
        try:
            self._editor.clear(widget)
        finally:
            self._is_showing = False
        self._content = self._editor.read(widget)
        if self._disabled is None:
            self._disabled = Disabled(self._editor.frames)

    def _show_something(self) -> None:
        disabled, self._disabled = self._disabled, None
        if disabled is not None:
            disabled.end()

    # -- focus and input methods --------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """See when the user leaves the widget, and when an input method composes in it."""
        if isinstance(event, QInputMethodEvent):
            was_composing, self._is_composing = self._is_composing, bool(event.preeditString())
            if was_composing and not self._is_composing:
                # The widget has yet to take what was composed.
                QMetaObject.invokeMethod(self, "show_state", Qt.ConnectionType.QueuedConnection)
        elif isinstance(event, QFocusEvent) and event.lostFocus():
            self._is_composing = False
            if event.reason() in _PASSING:
                self.flush()
            else:
                self._on_left()
        return False

    def _on_left(self) -> None:
        self._on_finished()
        if self.error and self._revert:
            self._field.revert()
            self._forgive()
        self.show_state()

    def set_items(self, items: Iterable[tuple[str, Any]]) -> None:
        """Offer ``items`` in the combo box, with the value that it shows among them, if it is."""
        self._editor.set_items(items)
        self.show_state()

    def _stop_following(self) -> None:
        for one in self._following:
            one.end()

    def _end(self) -> None:
        if self._draft.is_pending:
            self.flush()
        self._stop_following()
        connections, self._connections = self._connections, []
        for connection in connections:
            QObject.disconnect(connection)
        for frame in self._editor.frames:
            frame.removeEventFilter(self)


def _write_last(draft: Draft, *_: object) -> None:
    draft.write_last()
