"""From a source to a widget."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, TypeVar, cast, overload

import shiboken6
from PySide6.QtCore import QObject

from qtorch.binding.naming import name_of_object
from qtorch.binding.places import Place, owner_of, property_place, refuse_closed, setter_place, usable
from qtorch.ports import MISSING
from qtorch.state.equality import same
from qtorch.state.source import Effect, Source
from qtorch.state.subscription import name_of

T = TypeVar("T")
U = TypeVar("U")


class Binding(QObject):
    """What ``bind`` made: a child of the widget, with which it dies. It need not be kept.

    While the widget lives, the source lives, and with it the orchestrator.
    """

    def unbind(self) -> None:
        """Leave the widget as it is from now on. Idempotent, also after the widget's death."""
        self._end()
        if shiboken6.isValid(self):
            self.setParent(None)

    def _end(self) -> None:
        raise NotImplementedError


@overload
def bind(widget: QObject, name: str, /, source: Source[T], to: Callable[[T], object] | None = None) -> Binding: ...
@overload
def bind(setter: Callable[[T], object], source: Source[T], /, *, owner: QObject | None = None) -> Binding: ...
@overload
def bind(
    setter: Callable[[U], object], source: Source[T], /, *, to: Callable[[T], U], owner: QObject | None = None
) -> Binding: ...
def bind(
    target: Any,
    name: Any,
    /,
    source: Any = None,
    to: Callable[[Any], Any] | None = None,
    *,
    owner: QObject | None = None,
) -> Binding:
    """Show a source in a widget, now and at every change, until the widget dies.

    Parameters
    ----------
    widget, name
        Any QObject and the name of any of its Qt properties: ``"text"``, ``"visible"``, ``"enabled"``, ``"value"``.
        A dynamic property that is there already is one too; style sheets see its changes.
    setter
        Or anything that takes the value: ``label.setText``. Methods are held weakly.
    source
        Such as ``orchestrator.select(...)``.
    to
        Converts the value, such as ``str``.
    owner
        The QObject with which the binding ends, where ``setter`` is no method of one.

    Returns
    -------
    Binding
        A child of the widget. What the selector, ``to`` or the setter raise at a later change is reported to
        ``runtime.error_occurred``; other bindings go on.

    Raises
    ------
    AttributeError
        No such property, or a read-only one; near names are given.
    TypeError
        The value does not fit the property, or there is no owner.
    WrongThreadError
        Called on another thread than the widget's.

    Examples
    --------
    >>> bind(name_label, "text", users.select(lambda s: s.user.name if s.user else "-"))  # doctest: +SKIP
    >>> bind(age_label, "text", users.select(lambda s: s.age), to=str)  # doctest: +SKIP
    >>> bind(spinner.setVisible, users.running(FetchUserJob))  # doctest: +SKIP
    """
    if isinstance(target, QObject):
        return _bind(target, property_place(usable(target), _checked_name(target, name)), source, to)
    if source is not None:
        raise TypeError(
            f'bind was given a {type(target).__name__}, which has no Qt properties; write bind(widget, "text", source)'
        )
    owned_by = owner_of(target, owner)
    return _bind(usable(owned_by), setter_place(target, owned_by), name, to)


def _checked_name(target: QObject, name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(
            f'bind takes the name of a property after a widget: bind({name_of_object(target)}, "text", ...)'
        )
    return name


def _bind(owner: QObject, place: Place, source: Any, to: Callable[[Any], Any] | None) -> Binding:
    if not isinstance(source, Source):
        raise TypeError(
            f"bind takes a source, not {source!r}.\n"
            f"  Write orchestrator.select(lambda s: ...), .field(...) or .running(); a fixed value needs no binding."
        )
    bound: Source[Any] = cast("Any", source)
    refuse_closed(place.name.format(name_of_object(owner)), bound)
    showing = _Showing(bound, place, to)
    try:
        showing.show(owner)
    except BaseException:
        showing.end()
        raise
    return _OneWay(owner, showing)


class _OneWay(Binding):
    def __init__(self, owner: QObject, showing: _Showing) -> None:
        super().__init__(owner)
        self._showing = showing
        showing.last_as_long_as(self)

    def _end(self) -> None:
        self._showing.end()


class _Showing(Effect[Any]):
    """Writes the values of a source to a place.

    The binding holds it, and it holds the binding weakly: with the widget the binding goes, by reference count alone,
    and then this lets go of the source.
    """

    __slots__ = ("_binding", "_name", "_shown", "_target", "_to", "_write")

    def __init__(self, source: Source[Any], place: Place, to: Callable[[Any], Any] | None) -> None:
        super().__init__(source)
        self._target, self._write, self._name = place.target, place.write, place.name
        self._to = to
        self._shown: Any = MISSING
        self._binding: Callable[[], Binding | None] | None = None

    def last_as_long_as(self, binding: Binding) -> None:
        """End with ``binding``."""
        self._binding = weakref.ref(binding, self._died)

    def _died(self, _: object) -> None:
        self.end()

    def __call__(self) -> None:
        # Written out rather than inherited: this is the way of every change that is shown.
        source = self._source
        if source is None:
            return
        target = self._target()
        if target is None or not shiboken6.isValid(target):
            self.end()
            return
        value = source.get()
        if value is self.value or same(value, self.value):
            return
        self.value = value
        if self._to is None:
            self._write(target, value)
        else:
            self._convert(target, value)

    def show(self, target: object) -> None:
        """Write the current value."""
        self._convert(target, self.value)

    def _convert(self, target: object, value: object) -> None:
        if self._to is not None and value is not MISSING:
            value = self._to(value)
            if same(value, self._shown):
                return
            self._shown = value
        self._write(target, value)

    @property
    def label(self) -> str:
        """Names the widget, the property and the selector."""
        target = self._target()
        place = self._name.format("?" if target is None else name_of_object(target))
        return f"{place} = {self._source!r}{'' if self._to is None else f' to {name_of(self._to)}'}"
