"""What a selector without branches reads, as far as its code tells."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import pytest
from pydantic import BaseModel

from qtorch import BaseState
from qtorch.state.straight_line import certain_reads
from tests.qtorch.state.box import Box


class Name(BaseModel, frozen=True):
    first: str = "Ann"


class PersonState(BaseState):
    name: Name | None = Name()
    email: str = ""
    age: int = 30
    s: int = 7

    @property
    def label(self) -> str:
        return self.email

    def greet(self) -> str:
        return self.email


OUTSIDE = Name(first="Zoe")


def with_local(s: PersonState) -> object:
    name = s.name
    return name  # noqa: RET504 - on trial


def renamed(s: PersonState) -> object:
    other = s
    return other.email


def reassigned(s: Any) -> object:
    s = s.name
    return s.first


def bare_except(s: PersonState) -> object:
    try:
        return s.name.first  # type: ignore[union-attr]
    except:  # noqa: E722 - its code has no jump
        return s.email


def deleted(s: PersonState) -> object:
    value = s.age
    del s
    return value


@pytest.mark.parametrize(
    ("selector", "reads"),
    [
        (lambda s: s.email, {"email"}),
        (lambda s: s.name.first, {"name"}),
        (lambda s: (s.email, s.age), {"email", "age"}),
        (lambda s: f"{s.email} {s.age}", {"email", "age"}),
        (lambda s: s.email.upper(), {"email"}),
        (lambda s: len(s.email) + s.age * 2, {"email", "age"}),
        (lambda s: s.s, {"s"}),
        (lambda s: OUTSIDE.first + s.email, {"email"}),
        (lambda s: 5, set()),
        (with_local, {"name"}),
        (PersonState.greet, {"email"}),
    ],
)
def test_straight_code_that_only_reads_fields_is_certain(selector: Any, reads: set[str]) -> None:
    assert certain_reads(selector, PersonState) == reads


@pytest.mark.parametrize(
    "selector",
    [
        lambda s: s,
        lambda s: (s, s.age),
        lambda s: s.label,
        lambda s: s.greet(),
        lambda s: s.model_dump(),
        lambda s: str(s),
        lambda s: s.name.first if s.name else "",
        lambda s: s.email or s.age,
        lambda s: [s.age for _ in range(2)],
        lambda s: lambda: s.age,
        lambda s, t=1: s.age,
        lambda *s: s[0].age,
        lambda s, **k: getattr(s, "age"),  # noqa: B009 - on trial
        renamed,
        reassigned,
        deleted,
        str,
    ],
)
def test_whatever_depends_on_what_it_finds_is_not(selector: Any) -> None:
    assert certain_reads(selector, PersonState) is None


@pytest.mark.parametrize(
    "selector",
    [
        lambda s: s.email,
        lambda s: s.name.first,
        lambda s: (s.email, s.age),
        lambda s: f"{s.email} {s.age}",
        with_local,
        bare_except,
    ],
)
def test_the_guess_is_never_less_than_what_watching_finds(selector: Callable[[Any], object]) -> None:
    class Watched:
        """The same selector, called by an object whose code tells nothing."""

        def __call__(self, state: Any) -> object:
            return selector(state)

    found: list[set[Hashable]] = []
    for one in (selector, Watched()):
        box = Box(PersonState())
        with box.select(one).subscribe(lambda _: None):
            found.append(box.keys)
    guessed, watched = found
    assert guessed >= watched
