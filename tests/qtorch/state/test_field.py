"""One field of a state, to read and to write, and how sources are named."""

from __future__ import annotations

from typing import Any

import pytest

from qtorch import MISSING, Field, combine
from qtorch.state.path import path_of
from tests.qtorch.state.box import Box, Name, PersonState


def test_a_field_is_read_and_written_by_its_path(box: Box[PersonState]) -> None:
    field = box.field(lambda s: s.email)
    assert field.path == ("email",)
    field.set("a")
    assert (box.state.email, field.get()) == ("a", "a")


def test_a_path_that_leads_through_none_is_missing_and_one_that_ends_in_none_is_none(box: Box[PersonState]) -> None:
    path: Any = lambda s: s.name.first  # noqa: E731 - through what may be None
    first, anything = box.field(path), box.field(lambda s: s.anything)
    heard: list[Any] = []
    first.subscribe(heard.append)
    assert (first.get(), first.is_missing) == ("Ann", False)
    assert (anything.get(), anything.is_missing) == (None, False)
    box.update(name=None)
    assert first.is_missing
    box.update(name=Name(first="Bo"))
    assert heard == [MISSING, "Bo"]


def test_a_field_can_be_mapped_and_combined(box: Box[PersonState]) -> None:
    field = box.field(lambda s: s.age)
    assert isinstance(field, Field)
    assert combine(field, field.map(str), lambda a, b: (a, b)).get() == (30, "30")


@pytest.mark.parametrize(
    "selector",
    [
        lambda s: s,
        lambda s: 5,
        lambda s: s.email + "x",
        lambda s: s.email.upper(),
        lambda s: s.name.first if s.name else s.email,
        lambda s: s.name.first if s.name is not None else s.email,
        lambda s: s.name and s.name.first,
        lambda s: not s.is_strict,
        lambda s: s.age == 3,
        lambda s: s.age > 3,
        lambda s: len(s.email),
        lambda s: s.anything[0],
        lambda s: (s.email, s.age),
        lambda s: str(s.email),
        lambda s: f"{s.email}",
        lambda s: list(s.email),
    ],
)
def test_whatever_is_no_plain_path_is_refused_with_what_to_use_instead(selector: Any) -> None:
    with pytest.raises(TypeError, match=r"field\(\) takes a plain path(.|\n)*select\(\)"):
        path_of(selector)


def test_sources_are_named_by_what_they_read(box: Box[PersonState]) -> None:
    path: Any = lambda s: s.name.first  # noqa: E731 - any state's
    assert repr(box.field(path)) == "field(name.first)"
    assert repr(box.select(lambda s: s.age)).startswith("select(<lambda> at test_field.py:")
    assert repr(box.select(lambda s: s.age).map(str)).endswith(".map(str)")
