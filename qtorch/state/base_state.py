"""What is shown: immutable state."""

from __future__ import annotations

import collections
import collections.abc
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeVar, get_args, get_origin

from pydantic import AliasChoices, BaseModel, ConfigDict, ValidationError

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

_M = TypeVar("_M", bound=BaseModel)

_MUTABLE: dict[type[Any], str] = {
    list: "tuple",
    set: "frozenset",
    dict: "Mapping",
    bytearray: "bytes",
    collections.deque: "tuple",
    collections.abc.Iterable: "tuple",
    collections.abc.Iterator: "tuple",
    collections.abc.Collection: "tuple",
    collections.abc.MutableSequence: "tuple",
    collections.abc.MutableSet: "frozenset",
    collections.abc.MutableMapping: "Mapping",
    collections.abc.Set: "frozenset",
    collections.abc.Sequence: "tuple",
}
"""Containers that can change, or hide one that can, with what to write instead."""

_CONCRETE: tuple[type[Any], ...] = (list, set, dict, bytearray, collections.deque)
_NOT_HELD: tuple[Any, ...] = (get_origin(Callable[[], Any]), type)
"""What only talks of its arguments: ``type[list]`` is a class, and holds no list."""


def _mutable_container(annotation: Any) -> tuple[type[Any], str] | None:
    """Give the first container in ``annotation`` that a state may not have and what to write instead, else None."""
    for behind in ("__value__", "__supertype__"):  # of `type Names = list[str]`, and of NewType
        if hasattr(annotation, behind):
            return _mutable_container(getattr(annotation, behind))
    origin = get_origin(annotation) or annotation
    if origin in _NOT_HELD:
        return None
    if isinstance(origin, type):
        kind: type[Any] = next((one for one in _CONCRETE if issubclass(origin, one)), origin)
        if kind in _MUTABLE:
            return origin, _MUTABLE[kind]
    args = get_args(annotation)
    if origin is Annotated:  # the rest is no type
        args = args[:1]
    return next((found for arg in args if (found := _mutable_container(arg)) is not None), None)


class BaseState(BaseModel):
    """An immutable snapshot of what a window shows; subclass it with the fields to show.

    Fields may not be mutable containers: a list changed in place would be a change that nobody hears of. Use tuple,
    frozenset and Mapping. Violations raise TypeError when the class is made.

    Examples
    --------
    >>> class CounterState(BaseState):
    ...     count: int = 0
    >>> CounterState().copy_with(count=3)
    CounterState(count=3)
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        # Here, because annotations may name classes that come later: then they are known only when this is called.
        schema = handler(source)
        for name, info in cls.model_fields.items():
            if (found := _mutable_container(info.annotation)) is not None:
                container, instead = found
                raise TypeError(
                    f"{cls.__name__}.{name} holds a {container.__name__}, which can change without anybody hearing "
                    f"of it.\n"
                    f"  Write {instead} instead."
                )
        return schema

    def copy_with(self, **changes: Any) -> Self:
        """Give a copy with some fields changed, validated; fields not named keep their very objects.

        Raises
        ------
        AttributeError
            A name is not a field; the nearest one is named.
        pydantic.ValidationError
            A value does not fit. Several changes are validated together, so that rules across fields see all of them.
        """
        return replace_fields(self, changes)


def model_fields_of(model_type: Any) -> dict[str, Any]:
    """Give the fields of a model by name."""
    try:
        # model_fields is a property of the metaclass, and costs 1 us (attrgetter 0.3); before pydantic 2.10 there was
        # nothing else.
        fields: dict[str, Any] = model_type.__pydantic_fields__
    except AttributeError:
        fields = model_type.model_fields
    return fields


def replace_fields(model: _M, changes: dict[str, Any]) -> _M:
    """Give a validated copy of any pydantic model with ``changes``; see :meth:`BaseState.copy_with`."""
    cls = type(model)
    known = model_fields_of(cls)
    for name in changes:
        if name not in known:
            raise _unknown_field(cls, name)
    copy = _shallow_copy(model, known)
    if len(changes) == 1:
        # Assigning on a copy validates one field and the model's own rules in 3 us, whatever the size of the others;
        # model_copy(update=) validates nothing, and model_validate rebuilds every tuple.
        ((name, value),) = changes.items()
        cls.__pydantic_validator__.validate_assignment(copy, name, value)
        return copy
    if changes:
        whole = cls.__pydantic_validator__.validate_python({**_by_input_name(model), **_aliased(cls, changes)})
        values: Any = copy.__dict__  # the stubs say MappingProxyType, which is that of classes
        for name in cls.model_fields:
            if name in changes:
                values[name] = whole.__dict__[name]
        copy.__pydantic_fields_set__.update(changes)
    return copy


# The descriptors themselves: object.__setattr__ looks each up anew, 0.5 us of the 2.4 that one changed field costs.
_put_values, _put_fields_set, _put_extra, _put_private = (
    BaseModel.__dict__[name].__set__
    for name in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


def _shallow_copy(model: _M, fields: dict[str, Any]) -> _M:
    cls = model.__class__
    copy = cls.__new__(cls)
    values, private = model.__dict__.copy(), model.__pydantic_private__
    if len(values) != len(fields):
        # A cached_property of the old values must not be that of the new ones.
        values = {name: value for name, value in values.items() if name in fields}
    _put_values(copy, values)
    _put_fields_set(copy, model.__pydantic_fields_set__.copy())
    _put_extra(copy, model.__pydantic_extra__)
    _put_private(copy, None if private is None else private.copy())
    return copy


def _by_input_name(model: BaseModel) -> dict[str, Any]:
    return _aliased(type(model), {name: model.__dict__[name] for name in type(model).model_fields})


def _aliased(cls: type[BaseModel], values: dict[str, Any]) -> dict[str, Any]:
    return {input_name(cls, name): value for name, value in values.items()}


def input_name(cls: type[BaseModel], name: str) -> str:
    """Give the name by which ``cls`` takes the field ``name``."""
    alias = cls.model_fields[name].validation_alias
    if isinstance(alias, AliasChoices):
        alias = next((choice for choice in alias.choices if isinstance(choice, str)), None)
    return alias if isinstance(alias, str) else name


def _unknown_field(cls: type[BaseModel], name: str) -> AttributeError:
    import difflib

    near = difflib.get_close_matches(name, cls.model_fields, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else f" It has: {', '.join(cls.model_fields)}."
    return AttributeError(f"{cls.__name__} has no field {name!r}.{hint}")


__all__ = ["BaseState", "ValidationError", "input_name", "model_fields_of", "replace_fields"]
