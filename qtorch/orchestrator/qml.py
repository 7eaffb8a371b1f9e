"""The border to QML: what its engine is given, what it gives, and what it must leave alone."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from PySide6.QtCore import QObject

_QTQML = "PySide6.QtQml"
"""Never imported here, which would cost every application; where it is not loaded there is no engine."""


def to_qml(value: object) -> object:
    """Give what QML can read of a value: an array of a tuple or frozenset, an object of a mapping, at any depth.

    PySide converts lists and dicts only; of anything else QML gets a wrapper it cannot look into.
    """
    if isinstance(value, (tuple, frozenset)):
        return [to_qml(one) for one in cast("tuple[object, ...]", value)]
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value)
        # PySide makes an empty object of a dict with a key that is no text.
        if all(isinstance(key, str) for key in pairs):
            return {key: to_qml(one) for key, one in pairs.items()}
        return pairs
    return value


def from_qml(value: Any) -> object:
    """Give the list or dict of an array or object that came from QML."""
    qtqml: Any = sys.modules.get(_QTQML)
    return value.toVariant() if qtqml is not None and isinstance(value, qtqml.QJSValue) else value


def keep_from_engines(thing: QObject) -> None:
    """Let no engine delete ``thing``: each takes over an object without a parent that a slot gives it."""
    qtqml: Any = sys.modules.get(_QTQML)
    if qtqml is not None:
        qtqml.QQmlEngine.setObjectOwnership(thing, qtqml.QQmlEngine.ObjectOwnership.CppOwnership)
