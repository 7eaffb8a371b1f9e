"""A view's rows change."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias

from PySide6.QtWidgets import QAbstractItemView, QApplication

from benchmarks.measure import Budget, Contestant, Figures, Scenario
from benchmarks.peers.people import (
    COMPARE,
    RESET,
    ComparingModel,
    People,
    Person,
    ResettingModel,
    SetRows,
    by_hand,
    keyed_list,
    keyed_table,
    people,
)

if TYPE_CHECKING:
    from benchmarks.scenarios.pace import Pace

LIST, TABLE = "qtorch KeyedListModel", "qtorch KeyedTableModel"

_FRAMES = 60

_TIMES = 9
"""Changes of one row in a sample: a single one, that the processor has not seen for long, takes twice as much. Other
changes are not undone by their like."""

_SIZES = (100, 1_000, 10_000, 100_000)

_MAKERS: dict[str, Callable[[], tuple[SetRows, QAbstractItemView, Any]]] = {
    LIST: keyed_list,
    TABLE: keyed_table,
    RESET: partial(by_hand, ResettingModel),
    COMPARE: partial(by_hand, ComparingModel),
}

Change: TypeAlias = Callable[[People], People]


def _with_middle(rows: People, *instead: Person) -> People:
    half = len(rows) // 2
    return (*rows[:half], *instead, *rows[half + 1 :])


CHANGES: dict[str, tuple[str, Change]] = {
    "change": ("one row is changed", lambda rows: _with_middle(rows, rows[len(rows) // 2].copy_with(name="x"))),
    "insert": (
        "one row is inserted",
        lambda rows: _with_middle(rows, Person(id=-1, name="x"), rows[len(rows) // 2]),
    ),
    "remove": ("one row is removed", _with_middle),
    "move": ("the last row becomes the first", lambda rows: (rows[-1], *rows[:-1])),
    "reverse": ("all rows are reversed", lambda rows: rows[::-1]),
    "replace": ("all rows are changed", lambda rows: tuple(row.copy_with(name="x") for row in rows)),
}


@lru_cache(maxsize=len(_SIZES))
def _after(change: Change, size: int) -> People:
    return change(people(size))


@contextmanager
def changed(
    make: Callable[[], tuple[SetRows, QAbstractItemView, Any]], change: Change, times: int, size: int
) -> Iterator[Callable[[], Figures]]:
    """Change ``size`` rows in a view that shows 30 of them, so many times to and fro."""
    rows = people(size)
    after = _after(change, size)
    set_rows, view, model = make()
    set_rows(rows)
    view.setModel(model)
    view.resize(600, 940)
    view.show()
    # Not the first change of its life: that one is slower everywhere.
    set_rows(_with_middle(rows, rows[size // 2].copy_with(name="y")))
    set_rows(rows)
    QApplication.processEvents()

    def change_to(other: People) -> tuple[float, float]:
        started = perf_counter()
        set_rows(other)
        told = perf_counter()
        QApplication.processEvents()
        return told - started, perf_counter() - started

    def sample() -> Figures:
        told, shown = zip(*(change_to(rows if number % 2 else after) for number in range(times)), strict=True)
        return {"set": statistics.median(told), "and shown": statistics.median(shown)}

    yield sample
    view.setModel(None)  # type: ignore[arg-type]  # the stubs know no None
    view.close()


@contextmanager
def scrolled(make: Callable[[], tuple[SetRows, QAbstractItemView, Any]], size: int) -> Iterator[Callable[[], float]]:
    """Scroll all over the rows, and give the frame that 95 of 100 are faster than."""
    set_rows, view, model = make()
    set_rows(people(size))
    view.setModel(model)
    view.resize(600, 940)
    view.show()
    QApplication.processEvents()
    bar = view.verticalScrollBar()

    def frame(number: int) -> float:
        started = perf_counter()
        bar.setValue(number * bar.maximum() // _FRAMES)
        view.viewport().repaint()
        return perf_counter() - started

    yield lambda: statistics.quantiles([frame(number) for number in range(_FRAMES)], n=20)[-1]
    view.setModel(None)  # type: ignore[arg-type]  # the stubs know no None
    view.close()


def scenarios(pace: Pace) -> Iterator[Scenario]:  # noqa: ARG001
    """Give the scenarios of this family."""
    for key, (title, change) in CHANGES.items():
        budgets = (
            Budget(0.000_5, size=10_000, contestant=LIST, figure="set", bare=COMPARE),
            Budget(0.000_5, size=10_000, contestant=TABLE, figure="set", bare=COMPARE),
            Budget(0.010, size=100_000, contestant=LIST, figure="set", bare=COMPARE),
            Budget(0.010, size=100_000, contestant=TABLE, figure="set", bare=COMPARE),
        )
        yield Scenario(
            f"rows-{key}",
            title,
            "rows of the model",
            _SIZES,
            tuple(
                Contestant(name, partial(changed, make, change, _TIMES if key == "change" else 1))
                for name, make in _MAKERS.items()
            ),
            quick_sizes=_SIZES[:3],
            figures={"set": "second", "and shown": "second"},
            budgets=budgets if key == "change" else (),
            # A QListView takes a second to lay out 100,000 rows anew, again and again.
            most_rounds=15 if key == "change" else 3,
            warms_up=False,
        )
    yield Scenario(
        "rows-scroll",
        f"scrolling all over the rows: a frame that 95 of 100 are faster than, of {_FRAMES}",
        "rows of the model",
        _SIZES[1:],
        tuple(Contestant(name, partial(scrolled, _MAKERS[name])) for name in (LIST, TABLE, RESET)),
        quick_sizes=_SIZES[1:3],
        budgets=tuple(Budget(0.033, contestant=name, bare=RESET) for name in (LIST, TABLE)),
        most_rounds=3,
        warms_up=False,
    )
