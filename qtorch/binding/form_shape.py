"""What a form has to know of a model: which of its fields are models, lists of models, or something a widget holds."""

from __future__ import annotations

import difflib
import enum
import numbers
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, time, timedelta
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, TypeGuard, Union, get_args, get_origin
from uuid import UUID

from pydantic import AliasChoices, AliasPath, BaseModel, RootModel

from qtorch.state.base_state import input_name, model_fields_of

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


class Unset(enum.Enum):
    """The type of :data:`UNSET`."""

    UNSET = "UNSET"


UNSET: Final = Unset.UNSET
"""What stands in a draft where nothing was put in yet and the model has no default."""

_SHAPE = "__qtorch_form_shape__"
_NOT_TEXT = (numbers.Number, date, time, timedelta, UUID)
"""An empty line edit is no such value: nothing was put in."""


class FieldShape(NamedTuple):
    """One field of a model.

    Attributes
    ----------
    title
        How users know it.
    key
        The name by which pydantic takes it.
    blank
        What an empty field holds: an empty text, False, None if that is allowed, or UNSET.
    has_text
        Whether an empty text may be a value.
    parts
        The classes of models that it may hold.
    rows
        The classes of models that it may hold a list of.
    container
        The class of that list.
    """

    title: str
    key: str
    blank: Any
    has_text: bool
    parts: tuple[type[BaseModel], ...]
    rows: tuple[type[BaseModel], ...]
    container: type[Any]
    info: FieldInfo


class Shape(dict[str, FieldShape]):
    """The fields of a model by name.

    Attributes
    ----------
    name_of
        The name of a field, by any that pydantic's errors may call it.
    """

    def __init__(self, model: type[BaseModel]) -> None:
        infos = model_fields_of(model)
        super().__init__((name, _field_shape(model, name, info)) for name, info in infos.items())
        aliases = {alias: name for name, info in infos.items() for alias in _texts(info.alias, info.validation_alias)}
        self.name_of: dict[Any, str] = aliases | {name: name for name in infos}


def is_part(value: object) -> TypeGuard[BaseModel]:
    """Whether ``value`` is a model with fields."""
    return isinstance(value, BaseModel) and not isinstance(value, RootModel)


def shape_of(model: type[BaseModel]) -> Shape:
    """Give the fields of ``model``."""
    known: Shape | None = model.__dict__.get(_SHAPE)
    if known is None:
        if not model.__pydantic_complete__:
            model.model_rebuild()
        known = Shape(model)
        # Kept with the class: a dictionary of classes would keep them alive.
        setattr(model, _SHAPE, known)
    return known


def field_at(models: Sequence[type[BaseModel]], names: Sequence[str]) -> FieldShape:
    """Give the field to which a path leads from any of ``models``.

    Raises
    ------
    AttributeError
        There is no such field, or it is computed.
    """
    for name in names[:-1]:
        field = _member(models, name)
        if not field.parts:
            raise AttributeError(
                f"{_names(models)}.{name} is no model, so {'.'.join(names)} cannot be edited as a field of it.\n"
                f"  Edit it as a whole, or, if it is a list of models, row by row: form.rows(lambda m: m.{name})."
            )
        models = field.parts
    return _member(models, names[-1])


def _member(models: Sequence[type[BaseModel]], name: str) -> FieldShape:
    for model in models:
        if name in shape_of(model):
            return shape_of(model)[name]
    if any(hasattr(model, name) for model in models):
        raise AttributeError(
            f"{_names(models)}.{name} is no field but computed, so it cannot be edited.\n"
            f"  Show it with form.select(lambda s: s.value)."
        )
    known = [name for model in models for name in shape_of(model)]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(known)}."
    raise AttributeError(f"{_names(models)} has no field {name!r}. {hint}")


def _names(models: Iterable[type[BaseModel]]) -> str:
    return " | ".join(model.__name__ for model in models)


def _field_shape(model: type[BaseModel], name: str, info: FieldInfo) -> FieldShape:
    members = tuple(_members(info.annotation))
    parts = tuple(one for one in members if _is_model(one))
    lists = [one for one in members if _items_of(one)]
    rows = tuple(item for one in lists for item in _items_of(one))
    has_text = not all(isinstance(one, type) and issubclass(one, (*_NOT_TEXT, NoneType)) for one in members)
    if NoneType in members:
        blank: Any = None
    elif str in members:
        blank = ""
    elif bool in members:
        blank = False
    else:
        blank = UNSET
    return FieldShape(
        title=info.title or name.strip("_").replace("_", " ").capitalize(),
        key=_key_of(model, name, info),
        blank=blank,
        has_text=has_text,
        parts=parts,
        rows=rows,
        container=list if any(get_origin(one) is list for one in lists) else tuple,
        info=info,
    )


def _key_of(model: type[BaseModel], name: str, info: FieldInfo) -> str:
    alias = info.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    if any(isinstance(one, AliasPath) for one in choices) and not any(isinstance(one, str) for one in choices):
        raise TypeError(
            f"{model.__name__}.{name} is read from inside another value (AliasPath), where a form cannot put it.\n"
            f"  Write AliasChoices({name!r}, AliasPath(...)), which takes it by name too."
        )
    return input_name(model, name)


def _texts(*aliases: object) -> Iterator[str]:
    for alias in aliases:
        choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
        yield from (choice for choice in choices if isinstance(choice, str))


def _members(annotation: Any) -> Iterator[Any]:
    """Give what a union is made of, or the annotation itself, without what is only said about it."""
    for behind in ("__value__", "__supertype__"):  # of `type Names = ...`, and of NewType
        if hasattr(annotation, behind):
            yield from _members(getattr(annotation, behind))
            return
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for one in get_args(annotation):
            yield from _members(one)
    else:
        yield annotation


def _is_model(annotation: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel) and not issubclass(annotation, RootModel)


def _items_of(annotation: Any) -> tuple[type[BaseModel], ...]:
    """Give the models in ``list[X]``, ``tuple[X, ...]`` or ``Sequence[X]``; none if it is no such list."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin not in (list, tuple, Sequence) or not args or (origin is tuple and args[1:] != (...,)):
        return ()
    items = tuple(_members(args[0]))
    return tuple(one for one in items if _is_model(one)) if all(map(_is_model, items)) else ()
