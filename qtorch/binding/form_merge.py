"""What two trees of one model have in common, and what came of each since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from qtorch.binding.form_shape import FieldShape, is_part, shape_of
from qtorch.binding.form_tree import Part, Place, Rows, alike, planted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel


def settled(part: Part, value: BaseModel) -> Part:
    """Give ``part`` with the values that validation made of what was typed; what is the same stays the very object."""
    if type(value) is not part.model:
        return Part.of(value)
    now, shape = value.__dict__, shape_of(part.model)
    values = {name: _settled(shape[name], old, now[name]) for name, old in part.values.items()}
    is_same = all(new is old for new, old in zip(values.values(), part.values.values(), strict=True))
    return part if is_same else Part(part.model, values, part.extra)


def _settled(field: FieldShape, old: Any, new: Any) -> Any:
    if isinstance(old, Part) and is_part(new):
        return settled(old, new)
    if isinstance(old, Rows) and isinstance(new, list | tuple):
        values = [*cast("Sequence[Any]", new)]
        if len(values) == len(old.rows) and all(map(is_part, values)):
            rows = [(key, settled(part, value)) for (key, part), value in zip(old.rows, values, strict=True)]
            is_same = all(new_part is part for (_, new_part), (_, part) in zip(rows, old.rows, strict=True))
            return old if is_same else Rows(old.container, rows)
    new = cast("Any", new)
    return old if alike(old, new) else aligned(planted(field, new), old)


def aligned(tree: Any, like: Any) -> Any:
    """Give ``tree`` with the keys that rows have in ``like``, and its very objects where both are the same."""
    if alike(tree, like):
        return like
    if isinstance(tree, Part) and isinstance(like, Part) and tree.model is like.model:
        values = {name: aligned(value, like.values[name]) for name, value in tree.values.items()}
        return Part(tree.model, values, tree.extra)
    if isinstance(tree, Rows) and isinstance(like, Rows):
        return _aligned_rows(tree, like)
    return tree


def _aligned_rows(tree: Rows, like: Rows) -> Rows:
    free = dict(like.rows)
    keys: list[int | None] = []
    for _, part in tree.rows:
        key = next((key for key, other in free.items() if alike(part, other)), None)
        keys.append(key)
        if key is not None:
            del free[key]
    rows: list[tuple[int, Part]] = []
    for index, ((new, part), key) in enumerate(zip(tree.rows, keys, strict=True)):
        # One that differs takes the place of the row that stood there, so that its widgets stay.
        there = like.rows[index][0] if index < len(like.rows) else new
        if key is None:
            key = there if free.pop(there, None) is not None else new
        rows.append((key, aligned(part, dict(like.rows).get(key))))
    return Rows(tree.container, rows)


def merged(mine: Any, base: Any, theirs: Any, conflicts: set[Place], place: Place = ()) -> Any:
    """Give ``theirs`` with what ``mine`` changed in ``base``; where both changed it, mine stays and is a conflict.

    A list of models is one thing: rows have no names by which to tell which one of theirs is which of mine.
    """
    if alike(mine, base):
        return aligned(theirs, mine)
    parts = isinstance(mine, Part) and isinstance(base, Part) and isinstance(theirs, Part)
    if parts and mine.model is base.model is theirs.model:
        values = {
            name: merged(value, base.values[name], theirs.values[name], conflicts, (*place, name))
            for name, value in mine.values.items()
        }
        return Part(mine.model, values, theirs.extra)
    if not alike(theirs, base) and not alike(theirs, mine):
        conflicts.add(place)
    return mine


def changed_names(mine: Any, base: Any) -> Any:
    """Give what differs as pydantic's ``include``: names in names, and True for a value."""
    if isinstance(mine, Part) and isinstance(base, Part) and mine.model is base.model:
        return {
            name: changed_names(value, base.values[name])
            for name, value in mine.values.items()
            if not alike(value, base.values[name])
        }
    return True
