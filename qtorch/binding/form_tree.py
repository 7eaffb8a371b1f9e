"""A model while it is edited: a tree of the same shape, in which anything may stand."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from qtorch.binding.form_shape import UNSET, FieldShape, is_part, shape_of
from qtorch.ports import MISSING
from qtorch.state.equality import same

if TYPE_CHECKING:
    from pydantic import BaseModel

Place: TypeAlias = tuple[str | int, ...]
"""Where something is in the tree: names of fields, and keys of rows, which stay when rows move."""

_keys = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Typed:
    """What a widget holds, before the rules have made a value of it.

    Attributes
    ----------
    content
        As the widget gave it.
    fault
        Why ``parse`` refused it; empty if nothing did.
    before
        What stood there when it was in order last.
    """

    content: Any = field(repr=False)  # it may be a secret
    fault: str = ""
    before: Any = field(default=UNSET, compare=False, repr=False)


class Part:
    """A model, or what is to become one. Its values are never changed in place."""

    __slots__ = ("extra", "model", "values")

    def __init__(self, model: type[BaseModel], values: Mapping[str, Any], extra: Mapping[str, Any] | None) -> None:
        self.model, self.values, self.extra = model, values, extra

    @classmethod
    def of(cls, value: BaseModel) -> Part:
        """Give the tree of a model."""
        values, shape = value.__dict__, shape_of(type(value))
        return cls(type(value), {name: planted(one, values[name]) for name, one in shape.items()}, value.model_extra)

    @classmethod
    def empty(cls, model: type[BaseModel]) -> Part:
        """Give the tree of a model that nobody has filled in: its defaults, else nothing."""
        return cls(model, {name: _empty(one) for name, one in shape_of(model).items()}, None)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Part)
            and self.model is other.model
            and self.extra == other.extra
            and all(alike(value, other.values[name]) for name, value in self.values.items())
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Part of {self.model.__name__}"  # a value in it may be a secret


class Rows:
    """A list of models: each with a key that stays its own."""

    __slots__ = ("container", "rows")

    def __init__(self, container: type[Any], rows: Iterable[tuple[int, Part]]) -> None:
        self.container, self.rows = container, tuple(rows)

    @classmethod
    def of(cls, container: type[Any], parts: Iterable[Part]) -> Rows:
        """Give rows with new keys."""
        return cls(container, ((next(_keys), part) for part in parts))

    @property
    def keys(self) -> list[int]:
        """The keys in order."""
        return [key for key, _ in self.rows]

    def part(self, key: object) -> Any:
        """Give the row with ``key``, MISSING if it is not there."""
        return next((part for own, part in self.rows if own == key), MISSING)

    def index(self, key: object) -> int | None:
        """Give where the row with ``key`` is, None if it is not there."""
        return next((index for index, (own, _) in enumerate(self.rows) if own == key), None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rows) and [part for _, part in self.rows] == [part for _, part in other.rows]

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{len(self.rows)} rows"


def alike(a: object, b: object) -> bool:
    """Whether two things in trees are the same; 1 is not True, and rows may have other keys."""
    return a is b or (type(a) is type(b) and same(a, b))


def planted(one: FieldShape, value: Any) -> Any:
    """Give what stands in a tree for a value of a field."""
    if one.parts and is_part(value):
        return Part.of(value)
    if one.rows and isinstance(value, list | tuple):
        items = [*cast("Iterable[Any]", value)]
        if all(map(is_part, items)):
            return Rows.of(one.container, map(Part.of, items))
    return cast("Any", value)


def _empty(one: FieldShape) -> Any:
    info = one.info
    if not info.is_required():
        if getattr(info, "default_factory_takes_validated_data", False):  # pydantic before 2.10 has none
            return UNSET
        return planted(one, info.get_default(call_default_factory=True))
    if one.blank is UNSET and len(one.parts) == 1:
        return Part.empty(one.parts[0])
    return Rows(one.container, ()) if one.blank is UNSET and one.rows else one.blank


def node_at(tree: Part, place: Place) -> Any:
    """Give what stands at ``place``, MISSING if the way there leads through None or a row that is gone."""
    node: Any = tree
    for step in place:
        if isinstance(node, Part):
            node = node.values.get(cast("str", step), MISSING)
        else:
            node = node.part(step) if isinstance(node, Rows) else MISSING
    return node


def replaced(node: Any, place: Place, new: Any) -> Any:
    """Give a tree with ``new`` at ``place``, which is there."""
    if not place:
        return new
    step, rest = place[0], place[1:]
    if isinstance(node, Part):
        assert isinstance(step, str)
        return Part(node.model, {**node.values, step: replaced(node.values[step], rest, new)}, node.extra)
    assert isinstance(node, Rows)
    return Rows(node.container, ((key, replaced(part, rest, new) if key == step else part) for key, part in node.rows))


def input_of(node: Any) -> Any:
    """Give what is validated: made anew each time, because a validator may change what it is given."""
    if isinstance(node, Part):
        shape = shape_of(node.model)
        given = {shape[name].key: input_of(value) for name, value in node.values.items() if value is not UNSET}
        return given if not node.extra else {**node.extra, **given}
    if isinstance(node, Rows):
        return node.container(input_of(part) for _, part in node.rows)
    return node.content if isinstance(node, Typed) else node
