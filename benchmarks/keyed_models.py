"""What a change of items and a scrolled frame cost in views of keyed models: ``python -m benchmarks.keyed_models``."""

from __future__ import annotations

import gc
import os
import statistics
import sys
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import TypeAlias

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QApplication, QListView, QTableView

from qtorch import BaseState, KeyedListModel
from qtorch.binding.column import Column
from qtorch.binding.keyed_table_model import KeyedTableModel

_ROWS = (1_000, 10_000, 100_000)
_FRAMES = 60

_BUDGETS = {
    ("one changed", 10_000): 0.5,
    ("one changed", 100_000): 10.0,
    ("scrolled frame, p95 of 60", 100_000): 33.0,
}
"""In milliseconds."""


class Person(BaseState):
    id: int
    name: str
    age: int = 30
    city: str = "Paris"
    is_vip: bool = False


People: TypeAlias = tuple[Person, ...]
Model: TypeAlias = KeyedListModel[Person] | KeyedTableModel[Person]


def a_list() -> tuple[Model, QAbstractItemView]:
    roles = {Qt.ItemDataRole.DisplayRole: lambda person: person.name}
    view = QListView()
    view.setUniformItemSizes(True)  # else it asks the model for the size of every row after every change
    return KeyedListModel[Person](key=lambda person: person.id, roles=roles), view


def a_table() -> tuple[Model, QAbstractItemView]:
    columns = [
        Column[Person]("Name", lambda person: person.name, edit=lambda person, name: person.copy_with(name=name)),
        Column[Person]("Age", lambda person: person.age, align=Qt.AlignmentFlag.AlignRight),
        Column[Person]("City", lambda person: person.city, text=str.upper),
        Column[Person]("VIP", lambda person: person.is_vip, check=True),
    ]
    return KeyedTableModel[Person](key=lambda person: person.id, columns=columns), QTableView()


def changes_of(people: People) -> dict[str, People]:
    """Give other tuples of people, by what has to be done to get there."""
    half = len(people) // 2
    before, one, after = people[:half], people[half], people[half + 1 :]
    return {
        "one changed": (*before, one.copy_with(name="x"), *after),
        "one inserted": (*before, Person(id=-1, name="x"), one, *after),
        "one removed": (*before, *after),
        "last moved to first": (people[-1], *people[:-1]),
        "all reversed": people[::-1],
        "every other removed": people[::2],
        "all changed": tuple(person.copy_with(name="x") for person in people),
    }


def time_of(task: Callable[[], object]) -> float:
    """Do ``task``; in milliseconds."""
    started = perf_counter()
    task()
    return (perf_counter() - started) * 1000


def frames_of(view: QAbstractItemView) -> Iterable[float]:
    """Scroll all over the rows, and give how long each frame took."""
    bar = view.verticalScrollBar()
    for frame in range(_FRAMES):

        def scroll(value: int = frame * bar.maximum() // _FRAMES) -> None:
            bar.setValue(value)
            view.viewport().repaint()

        yield time_of(scroll)


def measure(make: Callable[[], tuple[Model, QAbstractItemView]], rows: int) -> dict[str, float]:
    """Give the milliseconds of every operation on so many rows in a view that shows 30; of a change, the best try."""
    people = tuple(Person(id=number, name=f"Person {number}") for number in range(rows))
    model, view = make()
    model.set_items(people)
    view.setModel(model)
    view.resize(600, 940)
    view.show()
    QApplication.processEvents()
    found: dict[str, float] = {}
    for name, changed in changes_of(people).items():
        alone, shown = [], []
        for _ in range(15 if name.startswith("one") else 3):
            gc.collect()
            alone.append(time_of(lambda changed=changed: model.set_items(changed)))
            shown.append(alone[-1] + time_of(QApplication.processEvents))
            model.set_items(people)
            QApplication.processEvents()
        found[name] = min(alone)
        found[f"{name}, and shown"] = min(shown)
    found[f"scrolled frame, p95 of {_FRAMES}"] = statistics.quantiles(frames_of(view), n=20)[-1]
    view.setModel(None)  # type: ignore[arg-type]  # the stubs know no None
    view.close()
    return found


def run_keyed_models() -> bool:
    """Print what every operation costs by the number of rows; give whether all budgets are met."""
    are_met = True
    for name, make in (("KeyedListModel in a QListView", a_list), ("KeyedTableModel in a QTableView", a_table)):
        print(f"\n{name + ', ms':<44}" + "".join(f"{f'{rows:,} rows':>14}" for rows in _ROWS), flush=True)
        columns = [measure(make, rows) for rows in _ROWS]
        for operation in columns[0]:
            line, verdicts = f"{operation:<44}", ""
            for rows, column in zip(_ROWS, columns, strict=True):
                line += f"{column[operation]:14.2f}"
                budget = _BUDGETS.get((operation, rows))
                if budget is not None:
                    is_met = column[operation] <= budget
                    are_met &= is_met
                    verdicts += f"  {rows:,}: <= {budget:g} {'met' if is_met else 'MISSED'}"
            print(line + verdicts, flush=True)
    return are_met


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication(sys.argv[:1])
    sys.exit(0 if run_keyed_models() else 1)
