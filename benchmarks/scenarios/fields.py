"""One field of a state is set, and labels show it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING, TypeAlias

from PySide6.QtWidgets import QLabel

from benchmarks.measure import Budget, Contestant, Scenario
from benchmarks.peers import states, with_qtorch
from benchmarks.peers.states import SetFirst

if TYPE_CHECKING:
    from benchmarks.scenarios.pace import Pace

_FIELDS = 10
_UPDATES = 500
_next = count().__next__

MakeState: TypeAlias = Callable[[int, list[int], list[QLabel]], SetFirst]
Shape: TypeAlias = Callable[[int], tuple[int, list[int]]]
"""For a size, how many fields there are, and the field that each label shows; the first is set."""


def _same_field(size: int) -> tuple[int, list[int]]:
    return _FIELDS, [0] * size


def _other_fields(size: int) -> tuple[int, list[int]]:
    return _FIELDS, [0, *(1 + n % (_FIELDS - 1) for n in range(size - 1))]


def _of_so_many(size: int) -> tuple[int, list[int]]:
    return size, [0]


def _timed(set_first: SetFirst, labels: list[QLabel], updates: int) -> float:
    values = [str(_next()) for _ in range(updates)]
    started = perf_counter()
    for value in values:
        set_first(value)
    elapsed = perf_counter() - started
    assert labels[0].text() == values[-1]
    return elapsed / updates


@contextmanager
def qtorch_fields(shape: Shape, size: int) -> Iterator[Callable[[], float]]:
    """Set the first field of an orchestrator's state."""
    fields, shown = shape(size)
    labels = [QLabel() for _ in shown]
    with with_qtorch.a_runtime() as runtime:
        yield _sample(states.qtorch_state(runtime, fields, shown, labels), labels)


@contextmanager
def bare_fields(make: MakeState, shape: Shape, size: int) -> Iterator[Callable[[], float]]:
    """Set the first field of a peer's state."""
    fields, shown = shape(size)
    labels = [QLabel() for _ in shown]
    yield _sample(make(fields, shown, labels), labels)


def _sample(set_first: SetFirst, labels: list[QLabel]) -> Callable[[], float]:
    _timed(set_first, labels, 10)
    # Where a thousand labels are set, fewer times are enough.
    once = _timed(set_first, labels, 1)
    updates = _UPDATES if once < 0.000_1 else 20
    return lambda: _timed(set_first, labels, updates)


def _contestants(shape: Shape) -> tuple[Contestant, ...]:
    peers: dict[str, MakeState] = {
        states.EVENTED_MODEL: states.evented_model,
        states.PSYGNAL_SIGNAL: states.psygnal_signals,
        states.PROPERTY: states.qt_properties,
    }
    return (
        Contestant(with_qtorch.NAME, partial(qtorch_fields, shape)),
        *(Contestant(name, partial(bare_fields, make, shape)) for name, make in peers.items()),
    )


def scenarios(pace: Pace) -> Iterator[Scenario]:  # noqa: ARG001
    """Give the scenarios of this family."""
    yield Scenario(
        "field-same",
        "one field of ten is set; every label shows it",
        "labels bound to it",
        (1, 100, 1_000),
        _contestants(_same_field),
        budgets=(Budget(1.6, against=states.EVENTED_MODEL, size=1, bare=states.PROPERTY),),
        growth="every label is set: the work grows with their number",
    )
    yield Scenario(
        "field-others",
        "one field of ten is set; one label shows it, the others show other fields",
        "labels bound",
        (1, 100, 1_000),
        _contestants(_other_fields),
        budgets=(Budget(1.2, against=with_qtorch.NAME, against_size=1),),
    )
    yield Scenario(
        "field-of-many",
        "one field is set; one label shows it",
        "fields of the state",
        (10, 30, 100),
        _contestants(_of_so_many),
    )
