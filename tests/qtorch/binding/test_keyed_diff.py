"""Row operations, carried out on plain lists."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qtorch.binding.keyed_diff import Insert, Move, Operation, Remove, Reorder, operations

Keys = st.lists(st.integers(0, 30), unique=True, max_size=25)


def carried_out(old: list[int], new: list[int], done: list[Operation]) -> list[int]:
    rows = list(old)
    for operation in done:
        match operation:
            case Remove(first, last):
                assert 0 <= first <= last < len(rows)
                del rows[first : last + 1]
            case Move(row, before):
                # What Qt refuses: a move to where the row is already.
                assert before not in (row, row + 1)
                rows.insert(before - (before > row), rows.pop(row))
            case Reorder(order):
                assert sorted(order) == list(range(len(rows)))
                rows = [rows[row] for row in order]
            case Insert(first, last):
                rows[first:first] = new[first : last + 1]
    return rows


@given(Keys, Keys, st.sampled_from([0, 2, 16]))
def test_the_operations_lead_from_the_old_keys_to_the_new_ones(old: list[int], new: list[int], most: int) -> None:
    assert carried_out(old, new, operations(old, new, most)) == new


@given(Keys)
def test_nothing_is_done_where_nothing_differs(keys: list[int]) -> None:
    assert operations(keys, list(keys)) == []


@given(Keys, Keys)
def test_a_key_that_stays_is_neither_removed_nor_inserted(old: list[int], new: list[int]) -> None:
    rows = list(old)
    for operation in operations(old, new):
        if isinstance(operation, Remove):
            assert not set(rows[operation.first : operation.last + 1]) & set(new)
        if isinstance(operation, Insert):
            assert not set(new[operation.first : operation.last + 1]) & set(old)
        rows = carried_out(rows, new, [operation])


def test_neighbours_go_and_come_in_one_range() -> None:
    assert operations([1, 2, 3, 4], [1, 4]) == [Remove(1, 2)]
    assert operations([1, 4], [1, 2, 3, 4]) == [Insert(1, 2)]


def test_one_row_that_went_elsewhere_is_one_move() -> None:
    assert operations([1, 2, 3, 4], [4, 1, 2, 3]) == [Move(3, 0)]
    assert operations([1, 2, 3, 4], [2, 3, 4, 1]) == [Move(0, 4)]


def test_many_rows_that_moved_are_one_new_layout() -> None:
    assert operations(list(range(40)), list(range(39, -1, -1))) == [Reorder(tuple(range(39, -1, -1)))]


@given(st.permutations(range(12)), st.integers(0, 6))
def test_more_rows_than_allowed_are_never_moved_one_by_one_and_fewer_always(new: list[int], most_moves: int) -> None:
    old = list(range(12))
    fewest = operations(old, new, most_moves=12)
    assert operations(old, new, most_moves) == (fewest if len(fewest) <= most_moves else operations(old, new, 0))
