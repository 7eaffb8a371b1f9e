"""How many attempts of one executor are at work at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtorch.execution.waiting_line import WaitingLine

if TYPE_CHECKING:
    from collections.abc import Callable


class Gate:
    """At most ``limit`` attempts of one executor at work. The bus's thread."""

    __slots__ = ("_inside", "_limit", "_waiting")

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"max_concurrency has to be at least 1, got {limit}")
        self._limit = limit
        self._inside: set[Any] = set()
        self._waiting = WaitingLine()

    def enter(self, attempt: Any, key: tuple[float, int], proceed: Callable[[Any], object]) -> None:
        """Call ``proceed(attempt)`` now or when there is room."""
        if len(self._inside) < self._limit:
            self._inside.add(attempt)
            proceed(attempt)
        else:
            self._waiting.add(attempt, key)

    def leave(self, attempt: Any, proceed: Callable[[Any], object]) -> None:
        """Hear that the work of ``attempt`` has ended, or will never begin."""
        self._waiting.remove(attempt)
        self._inside.discard(attempt)
        while len(self._inside) < self._limit and (following := self._waiting.pop()) is not None:
            self._inside.add(following)
            proceed(following)

    def held_by(self, attempt: Any) -> tuple[Any, ...]:
        """Give those at work of whom one has to end before ``attempt`` can begin; none if it does not wait."""
        return tuple(self._inside) if attempt in self._waiting else ()

    def keeps_others_waiting(self, attempt: Any) -> bool:
        """Whether ``attempt`` is at work and others wait."""
        return len(self._waiting) > 0 and attempt in self._inside
