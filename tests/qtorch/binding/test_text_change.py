"""The stretch by which two texts differ."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtorch.binding.text_change import TextChange, change_between, units

Texts = st.text(alphabet="ab\n😀é", max_size=12)


def as_units(text: str) -> bytes:
    return text.encode("utf-16-le")


@given(Texts, Texts)
def test_the_change_makes_the_new_text_of_the_old_one(old: str, new: str) -> None:
    change = change_between(old, new)
    whole = as_units(old)
    assert whole[: change.start * 2] + as_units(change.text) + whole[change.end * 2 :] == as_units(new)


@given(Texts, Texts, st.data())
def test_a_caret_never_lands_outside_the_text_or_inside_a_character(old: str, new: str, data: st.DataObject) -> None:
    before = data.draw(st.sampled_from([units(old[:n]) for n in range(len(old) + 1)]))
    after = change_between(old, new).moved(before)
    assert after in [units(new[:n]) for n in range(len(new) + 1)]


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("hello world", "hello, dear world", TextChange(5, 5, ", dear")),
        ("aa", "aaa", TextChange(2, 2, "a")),
        ("axbcd", "aXbcd", TextChange(1, 2, "X")),
        ("same", "same", TextChange(4, 4, "")),
        ("😀b", "😀c", TextChange(2, 3, "c")),
        ("", "ab", TextChange(0, 0, "ab")),
        ("ab", "", TextChange(0, 2, "")),
    ],
)
def test_the_change_is_the_smallest_one(old: str, new: str, change: TextChange) -> None:
    assert change_between(old, new) == change


def test_a_caret_inside_what_became_capitals_stays() -> None:
    change = change_between("axyd", "aXYd")
    assert [change.moved(position) for position in range(5)] == [0, 1, 2, 3, 4]


def test_a_megabyte_is_compared_in_no_time() -> None:
    old = "x" * 500_000 + "a" + "y" * 500_000
    assert change_between(old, old.replace("a", "b")) == TextChange(500_000, 500_001, "b")
