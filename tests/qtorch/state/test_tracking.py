"""Which root fields of a state a selector reads."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Any

import pytest
from pydantic import BaseModel, PrivateAttr, computed_field

from qtorch import BaseState
from qtorch.state.selected import Selected
from qtorch.state.tracking import ANY_FIELD
from tests.qtorch.state.box import Box


class Name(BaseModel, frozen=True):
    first: str = "Ann"
    last: str = "Lee"


class FormState(BaseState):
    name: Name | None = Name()
    email: str = ""
    age: int = 30
    tags: tuple[str, ...] = ()
    _mood: str = PrivateAttr(default="fine")

    @property
    def is_adult(self) -> bool:
        return self.age >= 18

    @computed_field  # type: ignore[prop-decorator]
    @property
    def label(self) -> str:
        return f"{self.greeting()} ({self.age})" if self.is_adult else self.greeting()

    @cached_property
    def tag_line(self) -> str:
        return ", ".join(self.tags)

    def greeting(self) -> str:
        return f"Hello {self.name.first}" if self.name else "Hello"

    def with_age(self, age: int) -> FormState:
        return self.copy_with(age=age)

    @classmethod
    def limit(cls) -> int:
        return 99

    @staticmethod
    def fixed() -> int:
        return 7


class SubState(FormState):
    extra: int = 0

    def greeting(self) -> str:
        return f"{super().greeting()}!" + str(self.extra)


def keys_of(selector: Callable[[Any], object], state: BaseState | None = None) -> set[Hashable]:
    """What is observed while somebody listens to ``select(selector)``."""
    box = Box(state or FormState())
    with box.select(selector).subscribe(lambda _: None):
        return box.keys


@pytest.mark.parametrize(
    ("selector", "keys"),
    [
        (lambda s: s.email, {"email"}),
        (lambda s: s.name.first, {"name"}),
        (lambda s: (s.email, s.age), {"email", "age"}),
        (lambda s: s.email or s.age, {"email", "age"}),
        (lambda s: s.is_adult, {"age"}),
        (lambda s: s.greeting(), {"name"}),
        (lambda s: s.label, {"name", "age"}),
        (lambda s: getattr(s, "email"), {"email"}),  # noqa: B009 - on trial
        (lambda s: [s.email for _ in range(2)], {"email"}),
        (lambda s: FormState.greeting(s), {"name"}),
        (lambda s: s.limit() + s.fixed(), set()),
        (lambda s: 5, set()),
        (lambda s: isinstance(s, FormState), set()),
    ],
)
def test_only_the_root_fields_that_were_read_are_observed(selector: Callable[[Any], object], keys: set[object]) -> None:
    assert keys_of(selector) == keys


def test_a_class_pattern_reads_what_it_names() -> None:
    def select(state: FormState) -> str:
        match state:
            case FormState(age=30, email=email):
                return email
            case _:
                return "?"

    assert keys_of(select) == {"age", "email"}


def test_methods_of_subclasses_and_of_their_bases_are_followed() -> None:
    assert keys_of(lambda s: s.greeting(), SubState()) == {"name", "extra"}


@pytest.mark.parametrize(
    "selector",
    [
        lambda s: s,
        lambda s: s.model_dump(),
        lambda s: s.model_dump_json(),
        lambda s: s.model_copy(),
        lambda s: s.copy_with(age=1),
        lambda s: s.with_age(1),
        lambda s: repr(s),
        lambda s: str(s),
        lambda s: f"{s}",
        lambda s: dict(s),
        lambda s: vars(s),
        lambda s: s.__dict__,
        lambda s: s == FormState(),
        lambda s: FormState() == s,
        lambda s: hash(s),
        lambda s: copy.copy(s),
        lambda s: copy.deepcopy(s),
        lambda s: s.tag_line,
        lambda s: pickle.loads(pickle.dumps(s)),
        lambda s: s.greeting,
        lambda s: (s.email for _ in range(2)),
        lambda s: (s, 1),
        lambda s: [s.email, s],
        lambda s: lambda: s.email,
    ],
)
def test_whatever_reads_or_keeps_the_whole_state_depends_on_every_field(selector: Callable[[Any], object]) -> None:
    assert keys_of(selector) == {ANY_FIELD}


def test_a_cached_property_is_shown_anew_when_what_it_read_changes() -> None:
    box, shown = Box(FormState(tags=("a",))), list[str]()
    box.select(lambda s: s.tag_line).subscribe(shown.append)
    box.update(tags=("a", "b"))
    box.update(email="x")
    box.update(tags=("c",))
    assert shown == ["a, b", "c"]


# -- what the selector is given ----------------------------------------------------------------------------------------


def select(state: FormState, selector: Callable[[Any], Any]) -> Any:
    return Selected(Box(state), selector).get()


def test_the_selector_s_state_is_of_its_class_and_equal_to_it() -> None:
    state = FormState(email="a@b.c")
    assert select(state, lambda s: s.__class__) is FormState
    assert select(state, lambda s: isinstance(s, BaseState))
    assert select(state, lambda s: s == state)
    assert select(state, lambda s: state == s)
    assert select(state, hash_or_text) == hash_or_text(state)
    assert select(state, repr) == repr(state)
    assert select(state, lambda s: s._mood) == "fine"


def hash_or_text(state: BaseState) -> object:
    return hash(state)


def test_selecting_the_state_itself_gives_the_very_object() -> None:
    state = FormState()
    assert select(state, lambda s: s) is state


@pytest.mark.parametrize(
    "copied",
    [
        lambda s: s.model_copy(update={"age": 1}),
        lambda s: s.model_copy(update={"age": 1}, deep=True),
        lambda s: s.copy_with(age=1),
        lambda s: s.copy_with(age=1, email="x"),
        lambda s: s.with_age(1),
        copy.copy,
        copy.deepcopy,
        lambda s: pickle.loads(pickle.dumps(s)),
    ],
)
def test_a_copy_made_by_a_selector_is_an_ordinary_state(copied: Callable[[Any], FormState]) -> None:
    new = select(FormState(), copied)
    assert type(new) is FormState
    assert new.age in (1, 30)
    assert new.copy_with(email="y").email == "y"


def test_the_state_s_class_gains_no_subclass_that_others_can_see() -> None:
    class LonelyState(BaseState):
        x: int = 0

    assert Selected(Box(LonelyState()), lambda s: s.x).get() == 0
    assert [cls for cls in LonelyState.__subclasses__() if cls is not LonelyState] == []
    assert set(LonelyState.model_fields) == {"x"}
