"""A draft held against the rules of its model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from qtorch.binding.form_shape import UNSET, shape_of
from qtorch.binding.form_tree import Part, Place, Rows, Typed, input_of
from qtorch.binding.form_words import Messages, words_of


class Verdict(NamedTuple):
    """What the rules say of a draft.

    Attributes
    ----------
    value
        The model, None if something is wrong.
    errors
        What is wrong, by place.
    crash
        What a rule raised that is no refusal.
    """

    value: BaseModel | None
    errors: Mapping[Place, str]
    crash: Exception | None = None


class Rules:
    """Those of a model.

    Parameters
    ----------
    model
        Whose rules.
    messages
        The program's own words for some errors.
    report
        Is told what ``messages`` raises; pydantic's words stand in for its own.
    """

    def __init__(self, model: type[BaseModel], messages: Messages | None, report: Callable[[Exception], None]) -> None:
        self.model = model
        self._messages = messages
        self._report = report

    def judge(self, tree: Part) -> Verdict:
        """Validate, once."""
        errors = unparsed(tree)
        try:
            value = self.model.model_validate(input_of(tree))
        except ValidationError as error:
            for fault in error.errors():
                place = place_of(tree, fault["loc"])
                # Of a field whose content could not even be parsed, that is what there is to say.
                if place is not None and place not in errors:
                    errors[place] = self._words(fault)
            return Verdict(None, errors or {(): "This does not fit."})
        except Exception as error:  # noqa: BLE001 - a validator's own fault: the form goes on, and its author is told
            return Verdict(None, {**errors, (): f"This cannot be checked ({type(error).__name__})."}, error)
        return Verdict(None if errors else value, errors)

    def _words(self, fault: Mapping[str, Any]) -> str:
        if self._messages is not None:
            try:
                own = self._messages(fault["type"], fault.get("ctx", {}))
            except Exception as error:  # noqa: BLE001 - user code
                self._report(error)
            else:
                if own is not None:
                    return own
        return words_of(fault)


def unparsed(node: Any, place: Place = ()) -> dict[Place, str]:
    """Give what ``parse`` refused, by place."""
    if isinstance(node, Part):
        steps: Any = node.values.items()
    elif isinstance(node, Rows):
        steps = node.rows
    else:
        return {place: node.fault} if isinstance(node, Typed) and node.fault else {}
    found: dict[Place, str] = {}
    for step, child in steps:
        if isinstance(child, Part | Rows | Typed):
            found |= unparsed(child, (*place, step))
    return found


def place_of(tree: Part, loc: Sequence[str | int]) -> Place | None:
    """Give the place that an error is about: the nearest that is there.

    None if it is about a member of a union that the draft does not hold.
    """
    node: Any = tree
    place: Place = ()
    candidates: tuple[type[BaseModel], ...] = ()
    for step in loc:
        if isinstance(node, Part):
            shape = shape_of(node.model)
            name = shape.name_of.get(step)
            if name is not None:
                place, node, candidates = (*place, name), node.values[name], shape[name].parts or shape[name].rows
            elif step in {one.__name__ for one in candidates if one is not node.model}:
                return None
            # Else the tag of a union, or the name of a validator.
        elif isinstance(node, Rows) and isinstance(step, int) and 0 <= step < len(node.rows):
            key, node = node.rows[step]
            place = (*place, key)
    return place


def titled(tree: Part, place: Place) -> tuple[str, ...]:
    """Give how users know a place: the titles on the way to it, and the numbers of rows."""
    node: Any = tree
    titles: list[str] = []
    for step in place:
        if isinstance(node, Part):
            titles.append(shape_of(node.model)[str(step)].title)
            node = node.values.get(str(step), UNSET)
        elif isinstance(node, Rows):
            index = node.index(step)
            if index is None:
                break
            titles[-1] += f" {index + 1}"
            node = node.rows[index][1]
    return tuple(titles)


def in_order(tree: Any, place: Place = ()) -> list[Place]:
    """Give every place of a tree, in the order of the model; what is about a part comes before its fields."""
    steps: Any = tree.values.items() if isinstance(tree, Part) else tree.rows if isinstance(tree, Rows) else ()
    return [place, *(found for step, child in steps for found in in_order(child, (*place, step)))]
