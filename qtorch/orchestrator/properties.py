"""A Qt property with a notify signal for each field of the state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args, get_origin
from weakref import WeakKeyDictionary

from PySide6.QtCore import Property, QMetaMethod, QObject, Signal

from qtorch.orchestrator.qml import to_qml
from qtorch.state.base_state import BaseState


def state_type_of(cls: type[Any], base: type[Any]) -> type[BaseState] | None:
    """Give the state class that an orchestrator class names in the brackets of a base, if it does."""
    for origin_base in cls.__dict__.get("__orig_bases__", ()):
        origin = get_origin(origin_base)
        # What the brackets of a class that has named its state hold is something else: that of a form is its model.
        if isinstance(origin, type) and issubclass(origin, base) and getattr(origin, "_state_type", None) is None:
            for argument in get_args(origin_base):
                if isinstance(argument, type) and issubclass(argument, BaseState):
                    return argument
    return None


def fields_of(state_type: type[BaseState]) -> dict[str, Any]:
    """Give the fields and computed fields of a state with their types."""
    stored = {name: info.annotation for name, info in state_type.model_fields.items()}
    computed = {name: info.return_type for name, info in state_type.model_computed_fields.items()}
    return stored | computed


def add_properties(cls: type[Any], base: type[Any], state_type: type[BaseState]) -> None:
    """Give ``cls`` a property ``f`` and a signal ``fChanged`` for each field ``f``.

    Called from ``__init_subclass__``: that is before Qt builds the meta-object, so QML, Designer, ``property()`` and
    animations see them. What is set on a class later works from Python only.
    """
    for name, annotation in fields_of(state_type).items():
        for wanted in (name, f"{name}Changed"):
            _refuse_hiding(cls, base, state_type, name, wanted)
        notify = Signal(object)
        setattr(cls, f"{name}Changed", notify)
        setattr(cls, name, _FieldProperty(name, _qt_type(annotation), notify))


def notify_signals(orchestrator: QObject) -> dict[str, QMetaMethod]:
    """Give the signals ``fChanged`` of an orchestrator by their ``f``, those of its state and of ``busy`` included."""
    cls = type(orchestrator)
    found = _notify_signals.get(cls)
    if found is None:
        meta = orchestrator.metaObject()
        # Not QMetaMethod.fromSignal(orchestrator.fChanged): PySide keeps a reference to the object for ever.
        methods = [meta.method(number) for number in range(meta.methodCount())]
        names = {method.name().toStdString(): method for method in methods if method.methodType() is _SIGNAL}
        found = {name.removesuffix("Changed"): method for name, method in names.items() if name.endswith("Changed")}
        _notify_signals[cls] = found
    return found


_SIGNAL = QMetaMethod.MethodType.Signal
_notify_signals: WeakKeyDictionary[type[QObject], dict[str, QMetaMethod]] = WeakKeyDictionary()


def _refuse_hiding(cls: type[Any], base: type[Any], state_type: type[BaseState], field: str, wanted: str) -> None:
    if wanted in cls.__dict__:
        owner = f"{cls.__name__}.{wanted}, which its class body defines"
    elif hasattr(QObject, wanted):
        owner = f"QObject.{wanted}"
    elif hasattr(base, wanted):
        owner = f"{base.__name__}.{wanted}"
    elif (between := next((one for one in cls.__mro__ if _defines(one, wanted)), None)) is not None:
        owner = f"{between.__name__}.{wanted}"
    else:
        return
    raise TypeError(
        f"field {field!r} of {state_type.__name__} becomes a Qt property of {cls.__name__} and would hide {owner}.\n"
        f"  Rename the field, for example to {field.rstrip('_')}_value."
    )


def _defines(cls: type[Any], wanted: str) -> bool:
    """Whether ``cls`` has a member of that name which is not the property of a state that it names itself."""
    return wanted in vars(cls) and not isinstance(vars(cls)[wanted], (Property, Signal))


class _FieldProperty(Property):
    """The value itself to Python, and to Qt what QML can read of it."""

    def __init__(self, name: str, qt_type: str, notify: Signal) -> None:
        super().__init__(qt_type, lambda owner: to_qml(getattr(owner.state, name)), notify=notify)  # type: ignore[arg-type]
        self._name = name

    def __get__(self, instance: Any, owner: type[Any] | None = None) -> Any:
        return self if instance is None else getattr(instance.state, self._name)


def _qt_type(annotation: Any) -> str:
    """Give the Qt type of a property.

    ``int`` is a QVariant: Qt's int has 32 bits and turns 2**40 into 0. So is everything that may be None: QString
    turns None into "".
    """
    if annotation is str:
        return "QString"
    if annotation is bool:
        return "bool"
    if annotation is float:
        return "double"
    origin = get_origin(annotation) or annotation
    if isinstance(origin, type) and issubclass(origin, (tuple, frozenset)):
        return "QVariantList"  # a tuple in a QVariant has length 0 in QML
    if isinstance(origin, type) and issubclass(origin, Mapping) and (get_args(annotation) or (None,))[0] is str:
        return "QVariantMap"
    return "QVariant"
