"""Which root fields of a state a selector reads."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from sys import getrefcount
from typing import Any, Final

from pydantic import BaseModel

ANY_FIELD: Final = "*"
"""The key of a reader that depends on every field."""

EVERY_FIELD: Final = frozenset((ANY_FIELD,))

# Through these a whole state can be read past __getattribute__ (pydantic-core reads __dict__ itself), or copied.
_WHOLE = frozenset(dir(BaseModel)) - frozenset(dir(object)) | {"__dict__", "__reduce_ex__", "copy_with"}
# What pydantic itself asks for, in isinstance() too.
_MACHINERY = frozenset({"__class__", "__pydantic_decorators__", "__pydantic_extra__", "__pydantic_private__",
                        "__pydantic_validator__"})  # fmt: skip
_TWIN_OF = "__qtorch_twin_of__"


def twin_of(state: Any) -> Any:
    """Give a twin of ``state`` that shares its values and notes which root fields are asked of it.

    Selectors are called with it. Computed fields, properties and methods run on the twin, so that what *they* read
    is noted too.
    """
    cls = state.__class__
    make: Callable[[Any], Any] = cls.__dict__.get(_TWIN_OF) or _twin_maker(cls)
    return make(state)


def _references() -> int:
    alone = object()
    return getrefcount(alone)


ALONE: Final = _references()
"""What ``getrefcount(x)`` gives for an object that only the variable ``x`` refers to; less from Python 3.14 on."""


def reads_of(twin: Any) -> AbstractSet[str]:
    """Give the names of the root fields that were read of ``twin``, or :data:`EVERY_FIELD`."""
    reads: set[str] = object.__getattribute__(twin, "_qtorch_reads")
    return EVERY_FIELD if ANY_FIELD in reads else reads


def _twin_maker(cls: type[BaseModel]) -> Callable[[Any], Any]:
    recorder = _recorder(cls)
    new = object.__new__
    # The descriptors themselves: object.__setattr__ would look each up anew, on the way of every change that is shown.
    put_dict, put_fields_set, put_extra, put_private = (
        BaseModel.__dict__[name].__set__
        for name in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
    )
    put_reads = recorder.__dict__["_qtorch_reads"].__set__
    put_state = recorder.__dict__["_qtorch_state"].__set__

    def make(state: Any) -> Any:
        twin = new(recorder)
        put_dict(twin, state.__dict__)
        put_fields_set(twin, state.__pydantic_fields_set__)
        put_extra(twin, state.__pydantic_extra__)
        put_private(twin, state.__pydantic_private__)
        put_reads(twin, set())
        put_state(twin, state)
        return twin

    # Kept with the class: a dictionary of classes would keep them alive.
    setattr(cls, _TWIN_OF, make)
    return make


def _recorder(cls: type[BaseModel]) -> Any:
    names = frozenset(cls.model_fields)
    get = cls.__getattribute__

    def __getattribute__(self: Any, name: str) -> Any:  # noqa: N807 - it is one
        if name in names:
            get(self, "_qtorch_reads").add(name)
        elif name == "__class__":
            return cls
        elif name in _WHOLE and name not in _MACHINERY:
            get(self, "_qtorch_reads").add(ANY_FIELD)
            # Of the state itself, so that what is copied is a state and no twin.
            return getattr(get(self, "_qtorch_state"), name)
        elif name in get(self, "__dict__"):
            # A cached_property that was computed before: what it read is not known any more.
            get(self, "_qtorch_reads").add(ANY_FIELD)
        return get(self, name)

    def __copy__(self: Any) -> Any:  # noqa: N807
        return self.__copy__()  # of the state: copy.copy() asks the class

    def __deepcopy__(self: Any, memo: Any = None) -> Any:  # noqa: N807
        return self.__deepcopy__(memo)

    namespace: dict[str, Any] = {
        "__getattribute__": __getattribute__,
        "__copy__": __copy__,
        "__deepcopy__": __deepcopy__,
        "__slots__": ("_qtorch_reads", "_qtorch_state"),
        "__module__": cls.__module__,
    }
    # type.__new__, not pydantic's: the twin inherits everything it needs, and building a model costs 0.5 ms.
    metaclass: Any = type(cls)
    return type.__new__(metaclass, cls.__name__, (cls,), namespace)
