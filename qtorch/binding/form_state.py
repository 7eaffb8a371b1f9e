"""What a form holds: the draft, where it began, and what may be said of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from qtorch.binding.form_merge import aligned, merged, settled
from qtorch.binding.form_rules import Rules, Verdict, in_order, titled
from qtorch.binding.form_shape import UNSET
from qtorch.binding.form_tree import Part, Place, alike, node_at, replaced
from qtorch.ports import MISSING
from qtorch.state.base_state import BaseState

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FormDraft:
    """One snapshot of what is edited. Every method gives another.

    Attributes
    ----------
    tree, base
        What is there now, and what was loaded.
    verdict
        What the rules say of ``tree``.
    touched
        The places that were edited, and those on the way to them: what is wrong there may be shown.
    is_asked
        Whether a submit asked for everything that is wrong.
    refusals
        What the program, or its server, said of places.
    conflicts
        The places that were edited here, and otherwise elsewhere.
    shown
        What is wrong and may be shown, by place.
    """

    tree: Part
    base: Part
    verdict: Verdict
    touched: frozenset[Place] = frozenset()
    is_asked: bool = False
    refusals: Mapping[Place, str] = field(default_factory=dict[Place, str])
    conflicts: frozenset[Place] = frozenset()
    shown: Mapping[Place, str] = field(init=False)

    def __post_init__(self) -> None:
        touched, errors = self.touched, self.verdict.errors
        shown = {place: text for place, text in errors.items() if self.is_asked or place in touched}
        object.__setattr__(self, "shown", {**self.refusals, **shown})

    def __deepcopy__(self, memo: object) -> FormDraft:
        return self  # a strict Runtime copies states, to find what was changed in place: nothing here can be

    @classmethod
    def of(cls, tree: Part, rules: Rules) -> FormDraft:
        """Give a draft that is as it was loaded."""
        tree, verdict = _judged(tree, rules)
        return cls(tree, tree, verdict)

    def edited(self, place: Place, new: Any, rules: Rules) -> FormDraft:
        """Give it with ``new`` at ``place``."""
        if alike(node_at(self.tree, place), new):
            return self
        tree, verdict = _judged(replaced(self.tree, place, new), rules)
        way = [place[:length] for length in range(len(place) + 1)]
        refusals = {one: text for one, text in self.refusals.items() if one not in way and one[: len(place)] != place}
        conflicts = frozenset(one for one in self.conflicts if one != place)
        return replace(
            self,
            tree=tree,
            verdict=verdict,
            touched=self.touched.union(way),
            refusals=refusals,
            conflicts=conflicts,
        )

    def begun(self, place: Place, value: Any, rules: Rules) -> FormDraft:
        """Give it with ``value`` at ``place`` from the start."""
        tree, verdict = _judged(replaced(self.tree, place, value), rules)
        if node_at(self.base, place) is not UNSET:  # in a row that was added
            return replace(self, tree=tree, verdict=verdict)
        base, _ = _judged(replaced(self.base, place, value), rules)
        return replace(self, tree=tree, base=base, verdict=verdict)

    def loaded(self, theirs: Part, rules: Rules) -> FormDraft:
        """Give it on ``theirs``, with what was edited here."""
        base, _ = _judged(theirs, rules)
        conflicts: set[Place] = set()
        tree = merged(self.tree, self.base, base, conflicts)
        if alike(tree, base):
            return FormDraft.of(tree, rules)
        tree, verdict = _judged(tree, rules)
        refusals = {one: text for one, text in self.refusals.items() if node_at(tree, one) is not MISSING}
        return replace(self, tree=tree, base=base, verdict=verdict, refusals=refusals, conflicts=frozenset(conflicts))

    def reset(self, rules: Rules) -> FormDraft:
        """Give it as it was loaded."""
        return FormDraft.of(aligned(self.base, self.tree), rules)

    @property
    def is_dirty(self) -> bool:
        """Whether anything differs from what was loaded."""
        return not alike(self.tree, self.base)

    @property
    def summary(self) -> str:
        """Everything that is wrong and may be shown, one a line, in the order of the model."""
        lines: list[str] = []
        for place in self._ordered(self.shown):
            titles = ", ".join(titled(self.tree, place))
            lines.append(f"{titles}: {self.shown[place]}" if titles else self.shown[place])
        return "\n".join(lines)

    @property
    def conflicting(self) -> tuple[tuple[str, ...], ...]:
        """The titles of the conflicts."""
        return tuple(titled(self.tree, place) for place in self._ordered(self.conflicts))

    def _ordered(self, places: Collection[Place]) -> list[Place]:
        return [*places] if len(places) < 2 else [place for place in in_order(self.tree) if place in places]


def _judged(tree: Part, rules: Rules) -> tuple[Part, Verdict]:
    verdict = rules.judge(tree)
    return (tree if verdict.value is None else settled(tree, verdict.value)), verdict


class FormState(BaseState, Generic[M]):
    """What can be shown of a form, with ``form.select(lambda s: ...)`` or as Qt properties.

    Attributes
    ----------
    value
        The model, None while something is wrong.
    is_valid
        Whether nothing is wrong, shown or not.
    is_dirty
        Whether anything differs from what was loaded.
    summary
        Everything that is wrong and may be shown, one a line: what is about the whole first, then each with the titles
        of its field. What a form says of itself while it has never been edited nor submitted is empty.
    conflicts
        The titles of the fields that were edited here, and otherwise in what was loaded since.
    draft
        What the form's own fields read.
    """

    value: M | None = None
    is_valid: bool = False
    is_dirty: bool = False
    summary: str = ""
    conflicts: tuple[tuple[str, ...], ...] = ()
    draft: FormDraft

    @classmethod
    def of(cls, draft: FormDraft) -> FormState[M]:
        """Give the state of a form with ``draft``."""
        value: Any = draft.verdict.value
        # Nothing here is a user's: to validate it would only cost.
        return cls.model_construct(
            value=value,
            is_valid=value is not None,
            is_dirty=draft.is_dirty,
            summary=draft.summary,
            conflicts=draft.conflicting,
            draft=draft,
        )
