"""Where a value is written to: a Qt property of an object, or any setter."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from types import BuiltinMethodType, MethodType
from typing import TYPE_CHECKING, Any

import shiboken6
from PySide6.QtCore import Property, QMetaProperty, QObject

from qtorch.binding.affinity import lives_here
from qtorch.binding.naming import name_of_object
from qtorch.binding.styling import set_dynamic_property
from qtorch.errors import ClosedError, WrongThreadError
from qtorch.ports import MISSING
from qtorch.state.subscription import name_of

if TYPE_CHECKING:
    from qtorch.state.source import Source

Write = Callable[[Any, Any], object]

_TYPED: dict[str, type] = {"QString": str, "bool": bool}
"""The types whose C++ setters are called directly, which costs a third of setProperty."""


class Place:
    """A way to write a value that keeps what is written to alive no longer than others do.

    Attributes
    ----------
    target
        Gives the object to hand to ``write``, None once Python knows it no more.
    write
        ``write(target, value)``.
    name
        How it is named in messages, with ``{}`` for the target's name.
    """

    __slots__ = ("name", "target", "write")

    def __init__(self, target: Callable[[], Any], write: Write, name: str) -> None:
        self.target = target
        self.write = write
        self.name = name


def usable(owner: QObject) -> QObject:
    """Give ``owner``, if something can be bound to it here and now.

    Raises
    ------
    RuntimeError
        Qt has deleted it.
    WrongThreadError
        It lives on another thread.
    """
    if not shiboken6.isValid(owner):
        raise RuntimeError(f"a {type(owner).__name__} was bound after Qt had deleted it")
    if not lives_here(owner):
        raise WrongThreadError(
            f"{name_of_object(owner)} was bound outside its own thread.\n"
            f"  Bind on the GUI thread, where widgets and orchestrators live."
        )
    return owner


def refuse_closed(what: str, source: Source[Any]) -> None:
    """Raise ClosedError if ``source`` never changes again, because an orchestrator that it reads is closed."""
    for observable in source.observables:
        if observable.is_closed:
            raise ClosedError(
                f"{what} was bound to {source!r} of {type(observable).__name__}, which is closed and never changes "
                f"again.\n"
                f"  Bind before close(); to show its last state, set the value itself."
            )


def property_place(target: QObject, name: str) -> Place:
    """Give the place that is the Qt property ``name`` of ``target``.

    Raises
    ------
    AttributeError
        There is no such property, or it is read-only.
    """
    return Place(weakref.ref(target), _property_write(target, name), f"{{}}.{name}")


def setter_place(setter: Callable[[Any], object], owner: QObject) -> Place:
    """Give the place that is ``setter``: a method, held weakly with its object, or any function."""
    name = name_of(setter)
    function = _function_of(setter)
    if function is not None:
        own: Any = getattr(setter, "__self__", None)
        try:
            return Place(weakref.ref(own), function, f"{{}}.{name.rpartition('.')[2]}")
        except TypeError:
            pass  # the object of a built-in method such as [].append, which knows no weak references

    def write(_: object, value: object) -> None:
        setter(value)

    return Place(weakref.ref(owner), write, f"{name} for {{}}")


def owner_of(setter: object, owner: object) -> QObject:
    """Give the QObject with whose death the writing ends: ``owner``, else the one whose method ``setter`` is.

    Raises
    ------
    TypeError
        There is none.
    """
    if not callable(setter):
        raise TypeError(
            f"bind takes a widget and the name of a property, or a setter, not {setter!r}.\n"
            f'  Write bind(label, "text", source) or bind(label.setText, source).'
        )
    found = getattr(setter, "__self__", None) if owner is None else owner
    if isinstance(found, QObject):
        return found
    given = "it is no method of a QObject" if owner is None else f"owner= is a {type(owner).__name__}, no QObject"
    raise TypeError(
        f"nobody could tell when to stop calling {name_of(setter)}: {given}.\n"
        f"  Write bind(setter, source, owner=widget): the binding dies with that widget."
    )


def _function_of(setter: Callable[[Any], object]) -> Write | None:
    """Give the function behind a bound method; those of C++ classes have one too, though no ``__func__``."""
    if isinstance(setter, MethodType) and not isinstance(setter.__self__, type):
        return setter.__func__
    if isinstance(setter, BuiltinMethodType) and isinstance(setter.__self__, QObject):
        function: Write | None = getattr(type(setter.__self__), setter.__name__, None)
        return function
    return None


def _property_write(target: QObject, name: str) -> Write:
    meta = target.metaObject()
    index = meta.indexOfProperty(name)
    if index < 0:
        if name in (known.toStdString() for known in target.dynamicPropertyNames()):
            return _dynamic(name)
        raise _unusable(target, name, "has no Qt property")
    known = meta.property(index)
    if not known.isWritable():
        raise _unusable(target, name, "cannot be written in its Qt property")
    kind = _TYPED.get(_type_of(known))
    setter = None if kind is None else _setter(target, known)
    return _by_name(name) if setter is None or kind is None else _by_setter(name, kind, setter)


def _type_of(known: QMetaProperty) -> str:
    return str(known.typeName())  # the stubs say bytes


def _setter(target: QObject, known: QMetaProperty) -> Write | None:
    name = str(known.name())
    if isinstance(getattr(type(target), name, None), Property):
        return None  # defined in Python, where a method of that name may be anything
    setter: Write | None = getattr(type(target), f"set{name[0].upper()}{name[1:]}", None)
    return setter


def _by_setter(name: str, kind: type, setter: Write) -> Write:
    def write(target: QObject, value: object) -> None:
        if isinstance(value, kind):
            setter(target, value)
        elif value is None or value is MISSING:
            setter(target, kind())
        else:
            raise _misfit(target, name, value)

    return write


def _by_name(name: str) -> Write:
    def write(target: QObject, value: object) -> None:
        if value is MISSING:
            # A field whose path leads through None: there is nothing to show.
            value = type(target.property(name))()
        if not target.setProperty(name, value):
            raise _misfit(target, name, value)

    return write


def _dynamic(name: str) -> Write:
    def write(target: QObject, value: object) -> None:
        set_dynamic_property(target, name, False if value is MISSING else value)

    return write


def _misfit(target: QObject, name: str, value: object) -> TypeError:
    meta = target.metaObject()
    kind = _type_of(meta.property(meta.indexOfProperty(name)))
    convert = _TYPED[kind].__name__ if kind in _TYPED else "..."
    return TypeError(
        f"{name_of_object(target)}.{name} takes a {kind}, and was given the {type(value).__name__} {value!r}.\n"
        f"  Convert it: bind(widget, {name!r}, source, to={convert})."
    )


def _unusable(target: QObject, name: str, fault: str) -> AttributeError:
    import difflib

    meta = target.metaObject()
    every = [meta.property(number) for number in range(meta.propertyCount())]
    near = difflib.get_close_matches(name, [str(one.name()) for one in every if one.isWritable()], n=3)
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    return AttributeError(
        f"{name_of_object(target)} {fault} {name!r}.{hint}\n"
        f"  A dynamic property has to be there before: widget.setProperty({name!r}, False)."
    )
