"""What a FakeExecutor does, step by step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from qtorch.testing.gates import Gate
from qtorch.testing.raising import Error, checked, is_error
from qtorch.testing.writing import written


@dataclass(frozen=True)
class Progress:
    """See :func:`progress`."""

    value: float
    message: str | None = None

    def __repr__(self) -> str:
        return f"progress({self.value})" if self.message is None else f"progress({self.value}, {self.message!r})"


@dataclass(frozen=True)
class Items:
    """See :func:`items`."""

    values: tuple[Any, ...]

    def __repr__(self) -> str:
        return f"items({', '.join(map(written, self.values))})"


@dataclass(frozen=True)
class Wait:
    """See :func:`wait`."""

    seconds: float

    def __repr__(self) -> str:
        return f"wait({self.seconds})"


@dataclass(frozen=True)
class Fail:
    """See :func:`fail`."""

    error: Error

    def __repr__(self) -> str:
        return f"fail({written(self.error)})"


@dataclass(frozen=True)
class Ok:
    """See :func:`ok`."""

    result: Any

    def __repr__(self) -> str:
        return f"ok({written(self.result)})"


Step: TypeAlias = Progress | Items | Wait | Gate | Fail | Ok
"""One step of a FakeExecutor."""


def progress(value: float, message: str | None = None) -> Step:
    """Report that the work is ``value`` done, 0..1.

    Of several reports within a frame only the latest is told: put a ``gate()`` or ``wait(0.02)`` between those that a
    test wants to see.
    """
    return Progress(value, message)


def items(*values: Any) -> Step:
    """Stream ``values``. The job's result is the last item if the ending is ``ok(None)``."""
    return Items(values)


def wait(seconds: float) -> Step:
    """Work for ``seconds``: those of the Runtime's clock, so a test with a FakeClock does not wait.

    Raises
    ------
    ValueError
        ``seconds`` is negative.
    """
    if seconds < 0:
        raise ValueError(f"time does not go back: wait({seconds})")
    return Wait(seconds)


def fail(error: Error) -> Step:
    """End this attempt with ``error``.

    Raises
    ------
    TypeError
        ``error`` is no exception.
    """
    return Fail(checked(error, "fail()"))


def ok(result: Any = None) -> Step:
    """End the job with ``result``; a callable is called with the job and gives the result."""
    return Ok(result)


def takes_of(steps: Iterable[object]) -> tuple[tuple[Step, ...], ...]:
    """Give the steps of each attempt: those up to the next ending.

    Raises
    ------
    TypeError
        Something is no step, or the last one is no ending.
    """
    return tuple(_takes(tuple(steps)))


def _takes(steps: tuple[object, ...]) -> Iterator[tuple[Step, ...]]:
    take: list[Step] = []
    for number, step in enumerate(steps):
        if not isinstance(step, Step):
            wanted = f"fail({written(step)})" if is_error(step) else f"ok({written(step)})"
            raise TypeError(
                f"steps[{number}] is {written(step)}, which is no step.\n"
                f"  Write progress(..), items(..), wait(..), gate(), fail(..) or ok(..); did you mean {wanted}?"
            )
        take.append(step)
        if isinstance(step, Fail | Ok):
            yield tuple(take)
            take = []
    if take or not steps:
        last = f"are {list(steps)}" if steps else "are empty"
        raise TypeError(
            f"the steps {last}, and it is not said how the work ends.\n  Write ok(result) or fail(error) as the last."
        )
