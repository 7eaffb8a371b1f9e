"""Who hears of which place in a form: an edit of one field is no news to the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from qtorch.binding.form_tree import Part, Place, Rows

if TYPE_CHECKING:
    import weakref

    from qtorch.binding.form_core import FormCore
    from qtorch.binding.form_state import FormDraft
    from qtorch.ports import Observer

About: TypeAlias = Literal["value", "error"]

_Observers: TypeAlias = dict[Place, dict["Observer", None]]


class News:
    """An observer of the draft as a whole, that tells those of single places."""

    __slots__ = ("_core", "_observers", "_told")

    def __init__(self, draft: FormDraft, core: weakref.ref[FormCore]) -> None:
        self._told = draft
        self._core = core
        self._observers: dict[About, _Observers] = {"value": {}, "error": {}}

    def observe(self, about: About, place: Place, observer: Observer) -> None:
        """Tell ``observer`` of the value at ``place``, or of what is wrong there."""
        self._observers[about].setdefault(place, {})[observer] = None

    def unobserve(self, about: About, place: Place, observer: Observer) -> None:
        """Undo :meth:`observe`."""
        observers = self._observers[about]
        known = observers.get(place)
        if known is not None:
            known.pop(observer, None)
            if not known:
                del observers[place]

    def invalidate(self, effects: dict[Callable[[], object], None]) -> None:
        """Tell those whose place differs from what was told last."""
        core = self._core()
        if core is None:
            return
        old, self._told = self._told, core.draft
        new = self._told
        values, errors = self._observers["value"], self._observers["error"]
        changed = {one: None for place in _differing(new.tree, old.tree, ()) for one in _heard_at(place, values)}
        observers = [*(values[place] for place in changed)]
        if new.shown != old.shown:
            observers += [errors[place] for place in errors if new.shown.get(place) != old.shown.get(place)]
        for known in observers:
            for observer in tuple(known):
                observer.invalidate(effects)


def _heard_at(place: tuple[Place, bool], observers: _Observers) -> Iterator[Place]:
    """Give the observed places to which a change matters: those on the way to it, and those in what was replaced."""
    where, is_replaced = place
    yield from (where[:length] for length in range(len(where) + 1) if where[:length] in observers)
    if is_replaced:
        yield from (one for one in observers if one[: len(where)] == where)


def _differing(new: Any, old: Any, place: Place) -> Iterator[tuple[Place, bool]]:
    """Give the places that differ, and whether a whole branch does."""
    if new is old:
        return
    if isinstance(new, Part) and isinstance(old, Part) and new.model is old.model:
        for name, value in new.values.items():
            yield from _differing(value, old.values[name], (*place, name))
    elif isinstance(new, Rows) and isinstance(old, Rows) and new.keys == old.keys:
        for (key, part), (_, before) in zip(new.rows, old.rows, strict=True):
            yield from _differing(part, before, (*place, key))
    else:
        yield place, isinstance(new, Part | Rows) or isinstance(old, Part | Rows)
