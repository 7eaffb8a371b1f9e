"""What differs between the entries a test expects and those that came."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeAlias, cast

from pydantic import BaseModel

from qtorch.job.base_job import BaseJob
from qtorch.ports import MISSING
from qtorch.state.base_state import model_fields_of
from qtorch.testing.matchers import Difference, Matcher, differing, differing_values, matches
from qtorch.testing.writing import shortened, written

_LEGEND = "- expected   + came   [n] its place among the expected, or among what came"

_SHOWN_AROUND = 2
"""Entries shown before and after one that differs."""

_SHOWN_FIELDS = 8
"""Fields and items of one entry whose difference is shown; the others are counted."""

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")

_Pair: TypeAlias = "tuple[int | None, int | None]"
"""The place of an entry among the expected and among what came; None where it is missing."""


def differences(
    expected: Sequence[object], actual: Sequence[object], *, show: Callable[[object], str] | None = None
) -> str:
    """Give what differs between two lists, for a test to fail with; "" if each entry matches its own.

    One that is missing, or too many, does not make those after it differ. Of an entry that differs only the fields
    that do are written.

    Parameters
    ----------
    expected
        Values, classes, callables, matchers or dicts of attributes: see :func:`~qtorch.testing.matchers.matches`.
    actual
        What came.
    show
        Writes one entry, of either list; None for the usual way.

    Examples
    --------
    >>> print(differences([1, 2, 3], [1, 3, 4]))
    - expected   + came   [n] its place among the expected, or among what came
        [0] 1
      - [1] 2
        [1] 3
      + [2] 4
    """
    pairs = _aligned(expected, actual, matches)
    if all(None not in pair for pair in pairs):
        return ""
    write = show or written
    lines = [_LEGEND]
    unchanged: list[str] = []
    for pair in _with_changed(pairs, expected, actual):
        i, j = pair
        if i is not None and j is not None and matches(expected[i], actual[j]):
            unchanged.append(f"    [{j}] {shortened(write(actual[j]))}")
            continue
        lines += _cut(unchanged, is_first=len(lines) == 1)
        unchanged = []
        if i is not None and j is not None:
            lines.append(f"    [{j}] {shortened(_headline(expected[i], actual[j], write))}")
            lines += [f"      {line}" for line in _explained(expected[i], actual[j])]
        elif i is not None:
            lines.append(f"  - [{i}] {shortened(write(expected[i]))}")
        elif j is not None:
            lines.append(f"  + [{j}] {shortened(write(actual[j]))}")
    lines += _cut(unchanged, is_last=True)
    return "\n".join(lines)


def difference(expected: object, actual: object) -> str:
    """Give what differs between one entry and what came for it, as :func:`differences` does for lists.

    Examples
    --------
    >>> print(difference(int, "3"))
    - int
    + '3'
    """
    return "\n".join(_explained(expected, actual))


# -- which belongs to which ---------------------------------------------------------------------------------------


def _aligned(
    expected: Sequence[object], actual: Sequence[object], fits: Callable[[object, object], bool]
) -> list[_Pair]:
    """Pair entries that fit, as many as can be paired in order; the others stand alone, the missing ones first."""
    start = 0
    while start < min(len(expected), len(actual)) and fits(expected[start], actual[start]):
        start += 1
    end = 0
    while end < min(len(expected), len(actual)) - start and fits(expected[-1 - end], actual[-1 - end]):
        end += 1
    rows, columns = range(start, len(expected) - end), range(start, len(actual) - end)
    fitting = {(i, j) for i in rows for j in columns if fits(expected[i], actual[j])}
    # How many pairs there can be from (i, j) on.
    best: dict[_Pair, int] = {}
    for i in reversed(rows):
        for j in reversed(columns):
            skipping = max(best.get((i + 1, j), 0), best.get((i, j + 1), 0))
            best[i, j] = max(skipping, best.get((i + 1, j + 1), 0) + 1) if (i, j) in fitting else skipping
    pairs: list[_Pair] = [(n, n) for n in range(start)]
    i = j = start
    while i in rows or j in columns:
        if (i, j) in fitting:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif i in rows and best.get((i + 1, j), 0) >= best.get((i, j + 1), 0):
            pairs.append((i, None))
            i += 1
        else:
            pairs.append((None, j))
            j += 1
    return [*pairs, *zip(range(rows.stop, len(expected)), range(columns.stop, len(actual)), strict=True)]


def _with_changed(pairs: list[_Pair], expected: Sequence[object], actual: Sequence[object]) -> Iterator[_Pair]:
    """Pair, in each gap between entries that match, those which only differ in a field."""
    at = 0
    while at < len(pairs):
        gap_end = at
        while gap_end < len(pairs) and None in pairs[gap_end]:
            gap_end += 1
        missing = [pair[0] for pair in pairs[at:gap_end] if pair[0] is not None]
        extra = [pair[1] for pair in pairs[at:gap_end] if pair[1] is not None]
        for m, n in _aligned([expected[i] for i in missing], [actual[j] for j in extra], _are_alike):
            yield None if m is None else missing[m], None if n is None else extra[n]
        if gap_end < len(pairs):
            yield pairs[gap_end]
        at = gap_end + 1


def _are_alike(expected: object, actual: object) -> bool:
    """Whether there is more to say of the two than that they differ."""
    return all(one.path or one.note for one in _in_detail(expected, actual))


def _cut(lines: list[str], *, is_first: bool = False, is_last: bool = False) -> list[str]:
    """Leave out entries that match and are far from those that differ."""
    before = 0 if is_first else _SHOWN_AROUND
    after = 0 if is_last else _SHOWN_AROUND
    left_out = len(lines) - before - after
    if left_out < 2:
        return lines
    return [*lines[:before], f"    ... {left_out} that match", *lines[len(lines) - after :]]


# -- one entry ----------------------------------------------------------------------------------------------------


def _headline(expected: object, actual: object, write: Callable[[object], str]) -> str:
    return write(expected) if isinstance(expected, Matcher) else write(actual)


def _in_detail(expected: object, actual: object) -> Iterator[Difference]:
    for one in differing(expected, actual):
        for part in _split(one):
            yield replace(part, note=part.note or _same_text(part))


def _same_text(one: Difference) -> str:
    if isinstance(one.expected, Matcher) or _ADDRESS.sub("", written(one.expected)) != _ADDRESS.sub(
        "", written(one.actual)
    ):
        return ""
    return (
        f"same repr, different objects: give {type(one.actual).__name__} value equality (a frozen pydantic model or "
        f"frozen dataclass), or write a matcher"
    )


def _split(one: Difference) -> Iterator[Difference]:
    """Give the parts of two values of one class that differ, each by its path; else the difference as it is."""
    # Any: what isinstance() makes of `object` has unknown parts.
    expected: Any = one.expected
    actual: Any = one.actual
    path = one.path
    if type(expected) is not type(actual):
        yield one
        return
    kind = cast("type[object]", type(expected))
    if kind in (tuple, list):
        if len(expected) != len(actual):
            yield Difference(path, expected, actual, f"{len(expected)} items expected, {len(actual)} came")
            return
        pairs = [(f"{path}[{n}]", a, b) for n, (a, b) in enumerate(zip(expected, actual, strict=True))]
    elif issubclass(kind, Mapping) and expected.keys() == actual.keys():
        pairs = [(f"{path}[{key!r}]", expected[key], actual[key]) for key in expected]
    else:
        dot = f"{path}." if path else ""
        pairs = [(dot + name, getattr(expected, name), getattr(actual, name)) for name in _names(expected)]
    parts = [part for inner, a, b in pairs for part in differing_values(a, b, inner)]
    for part in parts:
        yield from _split(part)
    if not parts:
        yield one


def _names(value: object) -> list[str]:
    if isinstance(value, BaseModel):
        return [name for name in model_fields_of(type(value)) if not (name == "id" and isinstance(value, BaseJob))]
    if is_dataclass(value) and not isinstance(value, type):
        return [one.name for one in fields(value) if one.compare]
    return []


def _explained(expected: object, actual: object) -> list[str]:
    lines: list[str] = []
    parts = list(_in_detail(expected, actual))
    for one in parts[:_SHOWN_FIELDS]:
        lead = f"{one.path}: " if one.path else ""
        before, after = _both_shortened(written(one.expected), written(one.actual))
        lines.append(f"- {lead}{before}")
        if one.actual is not MISSING:
            lines.append(f"+ {lead}{after}")
        if one.note:
            lines.append(f"  {one.note}")
    left_out = len(parts) - _SHOWN_FIELDS
    return [*lines, f"  ... {left_out} more differ"] if left_out > 0 else lines


def _both_shortened(before: str, after: str) -> tuple[str, str]:
    """Shorten both, keeping the place at which they begin to differ."""
    short = shortened(before), shortened(after)
    if short[0] != short[1] or before == after:
        return short
    at = next(n for n, (a, b) in enumerate(zip(before + "\n", after + "\n", strict=False)) if a != b) - 20
    return f"... {shortened(before[at:])}", f"... {shortened(after[at:])}"
