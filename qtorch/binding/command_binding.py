"""The buttons, indicator and progress bar of a command."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import shiboken6
from PySide6.QtCore import QObject, SignalInstance, Slot
from PySide6.QtGui import QAction, QShortcut
from PySide6.QtWidgets import QAbstractButton, QProgressBar, QWidget

from qtorch.binding.busy import BusyIndicator
from qtorch.binding.command import Command, home_of
from qtorch.binding.naming import name_of_object
from qtorch.binding.one_way import Binding

Trigger: TypeAlias = QAbstractButton | QAction | QShortcut


def bind_command(
    trigger: Trigger,
    command: Command,
    *,
    cancel: Trigger | None = None,
    busy: QWidget | None = None,
    progress: QProgressBar | None = None,
) -> Binding:
    """Let a button, action or shortcut trigger a command, enabled while the command is, for as long as it lives.

    Parameters
    ----------
    trigger
        A click on it, or the keys of a QShortcut, call ``command.trigger()``. Several may be bound to one command.
    command
        Kept alive by the binding.
    cancel
        One that cancels; enabled while there is something to cancel.
    busy
        A widget shown while the command is at work: from 150 ms on, and then for at least 300 ms.
    progress
        A bar that follows ``command.progress`` in its own range.

    Returns
    -------
    Binding
        A child of ``trigger``.

    Examples
    --------
    >>> bind_command(save_button, profile.save, cancel=cancel_button, busy=spinner, progress=bar)  # doctest: +SKIP
    """
    _refuse_unfit(command, [trigger] if cancel is None else [trigger, cancel])
    return _CommandBinding(trigger, command, cancel, busy, progress)


class _CommandBinding(Binding):
    """Connects the widgets of a command; a child of the one that triggers it, and what keeps it alive."""

    def __init__(
        self,
        trigger: Trigger,
        command: Command,
        cancel: Trigger | None,
        busy: QWidget | None,
        progress: QProgressBar | None,
    ) -> None:
        super().__init__(trigger)
        self._command = command
        self._bar = None if progress is None else weakref.ref(progress)
        self._connections = [
            _pressed(trigger).connect(self._trigger_command),
            command.enabledChanged.connect(trigger.setEnabled),
            # No method of this: when it goes it may be what lets the command go, whose signal would then reach a slot
            # of an object that Python has let go of already, and crash.
            command.destroyed.connect(partial(_disable, weakref.ref(trigger))),
        ]
        trigger.setEnabled(command.enabled)
        if cancel is not None:
            self._connections += [
                _pressed(cancel).connect(self._cancel_command),
                command.cancellableChanged.connect(cancel.setEnabled),
            ]
            cancel.setEnabled(command.cancellable)
        if busy is not None:
            indicator = BusyIndicator(busy, home_of(command))
            self._connections.append(command.runningChanged.connect(indicator.set_busy))
            indicator.set_busy(command.running)
        if progress is not None:
            self._connections.append(command.progressChanged.connect(self._show_progress))
            self._show_progress(command.progress)

    def _end(self) -> None:
        connections, self._connections = self._connections, []
        for connection in connections:
            QObject.disconnect(connection)

    # Slots without arguments: clicked and triggered would give a function their `checked`.
    @Slot()
    def _trigger_command(self) -> None:
        if shiboken6.isValid(self._command):
            self._command.trigger()

    @Slot()
    def _cancel_command(self) -> None:
        if shiboken6.isValid(self._command):
            self._command.cancel()

    @Slot(float)
    def _show_progress(self, progress: float) -> None:
        bar = None if self._bar is None else self._bar()
        if bar is not None and shiboken6.isValid(bar):
            bar.setValue(round(bar.minimum() + progress * (bar.maximum() - bar.minimum())))


def _disable(trigger: Callable[[], Trigger | None], *_: object) -> None:
    button = trigger()
    if button is not None and shiboken6.isValid(button):
        button.setEnabled(False)


def _refuse_unfit(command: object, buttons: Sequence[object]) -> None:
    if not isinstance(command, Command):
        raise TypeError(
            f"bind_command takes a Command, not {command!r}.\n"
            f"  Write bind_command(button, Command(function)), and keep the command where its function is."
        )
    for button in buttons:
        if not isinstance(button, Trigger):
            raise TypeError(
                f"bind_command takes a QAbstractButton, QAction or QShortcut to press, not {name_of_object(button)}"
            )


def _pressed(trigger: Trigger) -> SignalInstance:
    match trigger:
        case QAbstractButton():
            return trigger.clicked
        case QAction():
            return trigger.triggered
        case QShortcut():
            return trigger.activated
