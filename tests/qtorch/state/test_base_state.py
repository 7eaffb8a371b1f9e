"""What is shown: immutable snapshots and their changed copies."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Self

import pytest
from pydantic import (
    AliasChoices,
    BaseModel,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    computed_field,
    field_validator,
    model_validator,
)

from qtorch import BaseState


class Person(BaseModel, frozen=True):
    name: str


class UserState(BaseState):
    name: str = "Ann"
    age: int = 30
    people: tuple[Person, ...] = (Person(name="Bo"),)
    scores: Mapping[str, int] = Field(default_factory=dict)
    anything: Any = None

    @cached_property
    def shout(self) -> str:
        return self.name.upper()

    @computed_field  # type: ignore[prop-decorator]
    @property
    def is_adult(self) -> bool:
        return self.age >= 18


class RangeState(BaseState):
    low: int = 0
    high: int = 10
    middle: int = 5
    checks: ClassVar[list[tuple[int, int]]] = []

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        self.checks.append((self.low, self.high))
        if self.low > self.high:
            raise ValueError("low above high")
        return self


# -- frozen ------------------------------------------------------------------------------------------------------------


def test_a_state_cannot_be_changed_and_has_no_unknown_fields() -> None:
    state = UserState()
    with pytest.raises(ValidationError, match="frozen"):
        state.name = "Cy"  # type: ignore[misc]  # the point
    with pytest.raises(ValidationError, match="nmae"):
        UserState(nmae="Cy")  # type: ignore[call-arg]  # the point


def test_states_are_values() -> None:
    assert UserState(name="Cy") == UserState().copy_with(name="Cy")
    assert UserState(name="Cy") != UserState()


# -- one change, several, none -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{"age": 31}, {"age": 31, "name": "Cy"}], ids=["one field", "several fields"])
def test_a_copy_has_the_changes_and_the_original_has_not(changes: dict[str, Any]) -> None:
    old = UserState()
    new = old.copy_with(**changes)
    assert {name: getattr(new, name) for name in changes} == changes
    assert old == UserState()
    assert type(new) is UserState


@pytest.mark.parametrize("changes", [{}, {"age": 31}, {"age": 31, "name": "Cy"}])
def test_fields_not_named_keep_their_very_objects(changes: dict[str, Any]) -> None:
    marker = object()
    old = UserState(scores={"a": 1}, anything=marker)
    new = old.copy_with(**changes)
    for name in ("people", "scores", "anything"):
        assert getattr(new, name) is getattr(old, name)
    assert new.people[0] is old.people[0]


@pytest.mark.parametrize("others", [{}, {"name": "Cy"}], ids=["one field", "several fields"])
def test_values_are_validated_and_converted_as_in_the_constructor(others: dict[str, Any]) -> None:
    new = UserState().copy_with(age="31", **others)
    assert new.age == 31
    with pytest.raises(ValidationError, match="age"):
        UserState().copy_with(age="many", **others)


@pytest.mark.parametrize("others", [{}, {"name": "Cy"}], ids=["one field", "several fields"])
def test_an_invalid_change_leaves_the_original_as_it_was(others: dict[str, Any]) -> None:
    state = UserState(scores={"a": 1})
    before = dict(state)
    with pytest.raises(ValidationError):
        state.copy_with(age=None, **others)
    assert dict(state) == before


@pytest.mark.parametrize("others", [{}, {"age": 1}], ids=["alone", "with a good one"])
def test_an_unknown_field_names_the_nearest_or_all(others: dict[str, Any]) -> None:
    with pytest.raises(AttributeError, match=r"UserState has no field 'nmae'. Did you mean 'name'\?"):
        UserState().copy_with(nmae="Cy", **others)
    with pytest.raises(AttributeError, match=r"no field 'zzz'. It has: name, age, people"):
        UserState().copy_with(zzz=1, **others)


def test_computed_fields_and_properties_are_no_fields_to_change() -> None:
    for name in ("is_adult", "shout", "copy_with", "model_fields_set"):
        with pytest.raises(AttributeError, match="has no field"):
            UserState().copy_with(**{name: True})


# -- rules across fields -----------------------------------------------------------------------------------------------


def test_rules_across_fields_see_all_changes_at_once() -> None:
    RangeState.checks.clear()
    state = RangeState().copy_with(low=20, high=30)
    assert (state.low, state.high) == (20, 30)
    # In either order, one after the other would have been refused.
    assert state.copy_with(high=5, low=1).low == 1
    assert RangeState.checks == [(0, 10), (20, 30), (1, 5)]


def test_rules_across_fields_hold_for_a_single_change_too() -> None:
    state = RangeState()
    with pytest.raises(ValidationError, match="low above high"):
        state.copy_with(low=11)
    with pytest.raises(ValidationError, match="low above high"):
        state.copy_with(low=11, middle=3)
    assert (state.low, state.middle) == (0, 5)


def test_a_field_validator_sees_the_other_new_values() -> None:
    class Trip(BaseState):
        start: int = 0
        end: int = 0

        @field_validator("end")
        @classmethod
        def _after_start(cls, end: int, info: Any) -> int:
            if end < info.data["start"]:
                raise ValueError("ends before it starts")
            return end

    assert Trip(start=5, end=6).copy_with(end=3, start=1) == Trip(start=1, end=3)
    with pytest.raises(ValidationError, match="ends before it starts"):
        Trip(start=5, end=6).copy_with(end=3)


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("others", [{}, {"b": 2}], ids=["one field", "several fields"])
def test_fields_with_aliases_are_changed_by_their_names(others: dict[str, Any]) -> None:
    class Aliased(BaseState):
        a: int = Field(default=0, alias="theA")
        b: int = Field(default=0, validation_alias="theB", serialization_alias="outB")
        c: int = Field(default=0, validation_alias=AliasChoices("theC", "altC"))

    state = Aliased.model_validate({"theA": 7, "theC": 9})
    new = state.copy_with(a=1, **others)
    assert (new.a, new.b, new.c) == (1, others.get("b", 0), 9)
    assert state.copy_with(c=3, **others).c == 3
    with pytest.raises(AttributeError, match="no field 'theA'"):
        state.copy_with(theA=1)


def test_what_was_set_is_remembered() -> None:
    assert UserState(age=1).copy_with(name="Cy").model_fields_set == {"age", "name"}
    assert UserState(age=1).copy_with(name="Cy", scores={}).model_fields_set == {"age", "name", "scores"}
    assert UserState(age=1).model_fields_set == {"age"}


# -- what is no field --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("others", [{}, {"age": 1}], ids=["one field", "several fields"])
def test_a_cached_property_of_the_old_values_is_not_that_of_the_new_ones(others: dict[str, Any]) -> None:
    old = UserState(name="Ann")
    assert old.shout == "ANN"
    assert old.copy_with(name="Cy", **others).shout == "CY"
    assert old.shout == "ANN"


def test_private_attributes_are_kept_and_not_shared() -> None:
    class Counted(BaseState):
        count: int = 0
        _seen: int = PrivateAttr(default=0)

    old = Counted()
    old._seen = 3
    new = old.copy_with(count=1)
    new._seen = 9
    assert (old._seen, new._seen) == (3, 9)


def test_secrets_are_not_shown() -> None:
    class Login(BaseState):
        password: SecretStr = SecretStr("")

    assert "hunter2" not in repr(Login().copy_with(password="hunter2"))


def test_a_nested_model_is_not_copied_and_may_be_of_a_subclass() -> None:
    class Boss(Person, frozen=True):
        team: int = 0

    boss = Boss(name="Di", team=3)
    new = UserState().copy_with(people=(boss,))
    assert new.people[0] is boss
    assert new.copy_with(age=1, name="x").people[0] is boss
