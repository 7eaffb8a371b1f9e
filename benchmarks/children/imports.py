"""``python -m benchmarks.children.imports CONTESTANT NAMES``: what an import takes beyond PySide6 and pydantic."""

from __future__ import annotations

import importlib
import json
import os
import sys
from time import perf_counter

os.environ.setdefault("QT_API", "pyside6")
import pydantic
from PySide6 import QtCore, QtGui, QtWidgets

FLOOR = "PySide6 and pydantic, first used"
"""What a program pays that imports both and uses them: a model class, and the enums of Qt's namespace."""

FROM_OTHERS = {"superqt": "superqt.utils", "psygnal": "psygnal", "qasync": "qasync"}
ALSO = (FLOOR, *FROM_OTHERS)
_EVERYDAY = ("Runtime", "BaseJob", "BaseExecutor", "BaseState", "BaseOrchestrator", "bind", "on", "JobSuccessEvent")


def _use_both() -> tuple[object, ...]:
    class Model(pydantic.BaseModel):
        field: int = 0

    class Object(QtCore.QObject):
        changed = QtCore.Signal()

    # PySide6 makes the hundred enums of Qt's namespace when one is first asked for.
    return Model, Object, QtCore.Qt.ConnectionType.QueuedConnection


def main(name: str, names: int) -> None:
    """Print the seconds that it takes to import the module, and with asking it for so many public names.

    Those of qtorch are imported when they are first asked for; what a program starts with is the second figure.
    """
    imported_already = pydantic.BaseModel, QtCore, QtGui, QtWidgets
    assert all(imported_already)
    started = perf_counter()
    if name == FLOOR:
        _use_both()
    else:
        importlib.import_module(FROM_OTHERS.get(name, name))
    imported = perf_counter() - started
    if name == "qtorch":
        module = sys.modules[name]
        everyday = [*_EVERYDAY, *(one for one in module.__all__ if one not in _EVERYDAY)]
        for one in everyday[:names]:
            getattr(module, one)
    print(json.dumps({"statement": imported, "with names": perf_counter() - started}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
