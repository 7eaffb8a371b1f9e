"""What a cache has to offer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class CacheProvider(Protocol):
    """Keeps values by key; any object with these methods will do.

    The methods are called on a pool thread, several at a time, unless the provider has ``in_memory = True``; then on
    whichever thread needs them, so they have to be quick and thread-safe. What they raise never fails a job: it is
    reported, and a read that fails or is late counts as a miss.
    """

    def read(self, key: str) -> Any:
        """Give the value, or ``MISSING``; None is a value."""
        ...

    def write(self, key: str, value: Any, ttl: float | None = None) -> None:
        """Keep ``value`` for ``ttl`` seconds; None leaves it to the provider."""
        ...

    def delete(self, key: str) -> None:
        """Forget one key; one that is not there is no error."""
        ...

    def delete_matching(self, predicate: Callable[[str], bool]) -> None:
        """Forget every key for which ``predicate(key)`` is true."""
        ...

    def clear(self) -> None:
        """Forget everything."""
        ...
