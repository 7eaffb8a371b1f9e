"""Which root fields of a state a selector reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from pydantic import BaseModel

V = TypeVar("V")

ANY_FIELD = "*"
"""The key of a reader that depends on every field."""

_recorders: WeakKeyDictionary[type[BaseModel], type[Any]] = WeakKeyDictionary()

# Through these a whole state can be read past __getattribute__ (pydantic-core reads __dict__ itself).
_WHOLE = frozenset(dir(BaseModel)) - frozenset(dir(object)) | {"__dict__", "copy_with"}
_MACHINERY = frozenset({"__class__", "__pydantic_private__", "__pydantic_extra__"})


def read_tracked(state: Any, selector: Callable[[Any], V]) -> tuple[V, frozenset[str]]:
    """Give ``selector(state)`` and the names of the root fields it read, or ``{ANY_FIELD}`` for all.

    The selector is handed a twin of the state that shares its values and notes what is asked of it. Computed fields,
    properties and methods are run on the twin, so that what *they* read is noted.
    """
    twin = _twin(state)
    value = selector(twin)
    reads: set[str] = object.__getattribute__(twin, "_qtorch_reads")
    if value is twin:
        return state, frozenset((ANY_FIELD,))
    return value, frozenset((ANY_FIELD,) if ANY_FIELD in reads else reads)


def _twin(state: Any) -> Any:
    cls: type[BaseModel] = state.__class__
    recorder = _recorders.get(cls)
    if recorder is None:
        recorder = _recorders[cls] = _make_recorder(cls)
    twin: Any = object.__new__(recorder)
    put = object.__setattr__
    put(twin, "__dict__", state.__dict__)
    put(twin, "__pydantic_fields_set__", state.__pydantic_fields_set__)
    put(twin, "__pydantic_extra__", state.__pydantic_extra__)
    put(twin, "__pydantic_private__", state.__pydantic_private__)
    put(twin, "_qtorch_reads", set())
    return twin


def _make_recorder(cls: type[BaseModel]) -> type[Any]:
    names = frozenset(cls.model_fields)
    get = cls.__getattribute__

    def __getattribute__(self: Any, name: str) -> Any:  # noqa: N807 - it is one
        if name in names:
            get(self, "_qtorch_reads").add(name)
        elif name == "__class__":
            return cls
        elif (name in _WHOLE and name not in _MACHINERY) or name in get(self, "__dict__"):
            # The second case is a cached_property that was computed before: what it read is not known any more.
            get(self, "_qtorch_reads").add(ANY_FIELD)
        return get(self, name)

    namespace: dict[str, Any] = {
        "__getattribute__": __getattribute__,
        "__slots__": ("_qtorch_reads",),
        "__module__": cls.__module__,
    }
    # type.__new__, not pydantic's: the twin inherits everything it needs, and building a model costs 0.5 ms.
    metaclass: Any = type(cls)
    recorder: type[Any] = type.__new__(metaclass, cls.__name__, (cls,), namespace)
    return recorder
