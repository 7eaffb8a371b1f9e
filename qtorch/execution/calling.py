"""One call of a plain ``process``, whatever it gives."""

from __future__ import annotations

from collections.abc import Callable
from types import AsyncGeneratorType, GeneratorType
from typing import TYPE_CHECKING, Any, cast

from qtorch.execution.streaming import stream

if TYPE_CHECKING:
    from qtorch.execution.streaming import Producer


def call(process: Callable[[Any], Any], job: Any, attempt: Producer, executor: object) -> Any:
    """Give the result of ``process(job)``; a generator that it gives is run here, its items offered to ``attempt``.

    Raises
    ------
    TypeError
        It gave something that has to be awaited.
    """
    data: Any = process(job)
    kind = cast("type[object]", type(data))
    if kind is GeneratorType:  # made elsewhere: `return (row for row in rows)`
        return stream(data, attempt)
    if kind is AsyncGeneratorType or hasattr(kind, "__await__"):
        raise _not_awaited(executor, data)
    return data


def _not_awaited(executor: object, awaitable: object) -> TypeError:
    close: Callable[[], object] | None = getattr(awaitable, "close", None)
    if close is not None:
        close()  # else Python warns of a coroutine that was never awaited
    inside = "await" if hasattr(type(awaitable), "__await__") else "`yield`"
    return TypeError(
        f"{type(executor).__name__}.process is a plain def and returned a {type(awaitable).__name__}, "
        f"which nobody awaits.\n"
        f"  Write it as `async def process`, and {inside} inside."
    )
