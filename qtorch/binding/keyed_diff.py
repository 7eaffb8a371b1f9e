"""The fewest row operations that turn one list of keys into another."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import gt
from typing import TypeAlias

MOST_MOVES = 16
"""Above so many moved rows one new layout is told: each single move makes a view go through its selection."""


@dataclass(frozen=True, slots=True)
class Remove:
    """Rows ``first`` to ``last`` go."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Move:
    """The row ``row`` goes before the row ``before``, both counted as it is before the move, as Qt does."""

    row: int
    before: int


@dataclass(frozen=True, slots=True)
class Reorder:
    """Every row gets a new place: ``rows[new]`` is the old one."""

    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Insert:
    """New rows come, which then are ``first`` to ``last``."""

    first: int
    last: int


Operation: TypeAlias = Remove | Move | Reorder | Insert


def operations(old: Sequence[Hashable], new: Sequence[Hashable], most_moves: int = MOST_MOVES) -> list[Operation]:
    """Give what to do, in order, to the rows with the keys ``old`` so that they have the keys ``new``.

    Each list has every key once. Row numbers hold for the moment when the operation is carried out.
    """
    wanted = {key: row for row, key in enumerate(new)}
    known = set(old)
    done: list[Operation] = []
    done += _removals([key in wanted for key in old])
    done += _moves([key for key in old if key in wanted], wanted, most_moves)
    done += _insertions([key in known for key in new])
    return done


def _removals(stays: list[bool]) -> list[Operation]:
    """Remove from the end, so that the rows before keep their numbers."""
    found: list[Operation] = []
    last = len(stays) - 1
    while last >= 0:
        first = last
        if not stays[last]:
            while first > 0 and not stays[first - 1]:
                first -= 1
            found.append(Remove(first, last))
        last = first - 1
    return found


def _insertions(is_there: list[bool]) -> list[Operation]:
    found: list[Operation] = []
    first = 0
    while first < len(is_there):
        after = first + 1
        if not is_there[first]:
            while after < len(is_there) and not is_there[after]:
                after += 1
            found.append(Insert(first, after - 1))
        first = after
    return found


def _moves(now: list[Hashable], wanted: dict[Hashable, int], most_moves: int) -> list[Operation]:
    """Move what is not part of the longest run that is in order already."""
    places = [wanted[key] for key in now]
    descents = sum(map(gt, places, islice(places, 1, None)))
    if not descents:
        return []
    # Of a run in falling order all rows but one move: so many move at least.
    stays = [] if descents > most_moves else _longest_increasing(places)
    if len(now) - len(stays) > most_moves:
        return [Reorder(tuple(sorted(range(len(now)), key=places.__getitem__)))]
    found: list[Operation] = []
    in_place = {now[row] for row in stays}
    before: Hashable = None
    for number, key in enumerate(sorted(now, key=wanted.__getitem__)):
        if key not in in_place:
            row = now.index(key)
            target = 0 if number == 0 else now.index(before) + 1
            if target not in (row, row + 1):
                found.append(Move(row, target))
                now.insert(target - (target > row), now.pop(row))
        before = key
    return found


def _longest_increasing(numbers: list[int]) -> list[int]:
    """Give the positions of a longest increasing subsequence (patience sorting)."""
    ends: list[int] = []
    """The smallest number that ends a run, by the length of the run."""
    at: list[int] = []
    previous: list[int] = []
    for position, number in enumerate(numbers):
        # Most follow the greatest so far.
        length = bisect_left(ends, number) if ends and number < ends[-1] else len(ends)
        previous.append(at[length - 1] if length else -1)
        if length == len(ends):
            ends.append(number)
            at.append(position)
        else:
            ends[length] = number
            at[length] = position
    found: list[int] = []
    position = at[-1] if at else -1
    while position >= 0:
        found.append(position)
        position = previous[position]
    return found[::-1]
