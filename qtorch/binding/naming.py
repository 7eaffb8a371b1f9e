"""How widgets are named in messages."""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import QObject


def name_of_object(thing: object) -> str:
    """Name a widget for a message by its class and objectName: ``QLabel 'name_label'``."""
    kind = type(thing).__name__
    if isinstance(thing, QObject) and shiboken6.isValid(thing) and thing.objectName():
        return f"{kind} {thing.objectName()!r}"
    return kind
