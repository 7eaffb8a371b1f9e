"""States of n fields whose fields are shown in labels: qtorch, psygnal twice, and bare Qt properties."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import new_class
from typing import TYPE_CHECKING, Any, TypeAlias

from psygnal import EventedModel
from psygnal import Signal as PsygnalSignal
from pydantic import create_model
from PySide6.QtCore import Property, QObject, Signal

from qtorch import BaseOrchestrator, BaseState, Runtime, bind

if TYPE_CHECKING:
    from PySide6.QtWidgets import QLabel

EVENTED_MODEL = "psygnal EventedModel"
PSYGNAL_SIGNAL = "psygnal Signal"
PROPERTY = "floor: Property + notify"

SetFirst: TypeAlias = Callable[[str], None]
"""Sets field f0."""


def _texts(fields: int) -> dict[str, Any]:
    return {f"f{n}": (str, "") for n in range(fields)}


@lru_cache
def _orchestrator_of(fields: int) -> tuple[type[BaseState], type[BaseOrchestrator[Any]]]:
    state = create_model(f"State{fields}", __base__=BaseState, **_texts(fields))
    return state, new_class(f"Orchestrator{fields}", (BaseOrchestrator[state],))


@lru_cache
def _selector(field: int) -> Callable[[Any], str]:
    # As people write it; getattr with a name would be another selector, and a dearer one.
    return eval(f"lambda state: state.f{field}")


def qtorch_state(runtime: Runtime, fields: int, shown: list[int], labels: list[QLabel]) -> SetFirst:
    """Bind each label to the field at the same place of ``shown``."""
    state, orchestrator_type = _orchestrator_of(fields)
    orchestrator = orchestrator_type(state(), runtime=runtime)
    for field, label in zip(shown, labels, strict=True):
        bind(label, "text", orchestrator.select(_selector(field)))

    def set_first(value: str) -> None:
        orchestrator.update(f0=value)

    return set_first


@lru_cache
def _evented_model_of(fields: int) -> type[EventedModel]:
    return create_model(f"Evented{fields}", __base__=EventedModel, **_texts(fields))


def evented_model(fields: int, shown: list[int], labels: list[QLabel]) -> SetFirst:
    """Connect each label to a field's signal."""
    model: Any = _evented_model_of(fields)()
    for field, label in zip(shown, labels, strict=True):
        # psygnal finds no signature of setText, and warns unless told not to look.
        getattr(model.events, f"f{field}").connect(label.setText, check_nargs=False)

    def set_first(value: str) -> None:
        model.f0 = value

    return set_first


def psygnal_signals(fields: int, shown: list[int], labels: list[QLabel]) -> SetFirst:
    """Connect each label to a signal of a class that sets its attribute and emits."""
    body: dict[str, Any] = {f"f{n}Changed": PsygnalSignal(str) for n in range(fields)}
    owner: Any = type("Signals", (), body | {f"f{n}": "" for n in range(fields)})()
    for field, label in zip(shown, labels, strict=True):
        getattr(owner, f"f{field}Changed").connect(label.setText, check_nargs=False)

    def set_first(value: str) -> None:
        if value != owner.f0:
            owner.f0 = value
            owner.f0Changed.emit(value)

    return set_first


@lru_cache
def _qobject_of(fields: int) -> type[QObject]:
    body: dict[str, Any] = {}
    for n in range(fields):

        def read(self: Any, name: str = f"_f{n}") -> str:
            return getattr(self, name)

        def write(self: Any, value: str, name: str = f"_f{n}", signal: str = f"f{n}Changed") -> None:
            if value != getattr(self, name):
                setattr(self, name, value)
                getattr(self, signal).emit(value)

        body[f"_f{n}"] = ""
        body[f"f{n}Changed"] = Signal(str)
        body[f"f{n}"] = Property(str, read, write, notify=body[f"f{n}Changed"])
    return type(f"QObject{fields}", (QObject,), body)


def qt_properties(fields: int, shown: list[int], labels: list[QLabel]) -> SetFirst:
    """Connect each label to a property's notify signal."""
    owner: Any = _qobject_of(fields)()
    for field, label in zip(shown, labels, strict=True):
        getattr(owner, f"f{field}Changed").connect(label.setText)

    def set_first(value: str) -> None:
        owner.f0 = value

    return set_first
