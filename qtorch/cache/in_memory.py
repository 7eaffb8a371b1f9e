"""The cache that ends with the process."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from qtorch.job.durations import in_seconds
from qtorch.ports import MISSING, Clock

if TYPE_CHECKING:
    from datetime import timedelta

    from cachetools import TLRUCache


class InMemoryCacheProvider:
    """Keeps the most recently used values, expired ones dropped first. Any thread.

    Parameters
    ----------
    max_entries
        Values kept at most.
    default_ttl
        Seconds (or a timedelta) until a value expires that was written without a ttl; None for never.
    clock
        Where time comes from; the Runtime gives its own to a provider that has none.

    Examples
    --------
    >>> cache = InMemoryCacheProvider(max_entries=2)
    >>> cache.write("a", 1); cache.write("b", None); cache.write("c", 3)
    >>> cache.read("a"), cache.read("b"), cache.read("c")
    (MISSING, None, 3)
    """

    in_memory = True

    def __init__(
        self, max_entries: int = 1_000, default_ttl: float | timedelta | None = None, clock: Clock | None = None
    ) -> None:
        if max_entries < 1:
            raise ValueError(f"max_entries has to be at least 1, got {max_entries}")
        self._max_entries = max_entries
        self.clock = clock
        self._default_ttl = None if default_ttl is None else in_seconds(default_ttl)
        if self._default_ttl is not None and not self._default_ttl > 0:
            raise ValueError(f"default_ttl has to be longer than 0 s, or None, got {default_ttl}")
        # Re-entrant: a predicate may look into the cache, a finalizer may run while it is held.
        self._lock = threading.RLock()

    @cached_property  # under the lock
    def _entries(self) -> TLRUCache[str, tuple[Any, float]]:
        # At first use: every Runtime has a cache, and a program that caches nothing would start 2 ms later for it.
        from cachetools import TLRUCache

        return TLRUCache(self._max_entries, ttu=lambda _, entry, now: now + entry[1], timer=self._now)

    def _now(self) -> float:
        return self.clock.now() if self.clock is not None else time.monotonic()

    def read(self, key: str) -> Any:
        """Give the value, or MISSING."""
        # Time stands still meanwhile: what expires between two looks at it would be a KeyError.
        with self._lock, self._entries.timer:
            entry = self._entries.get(key)
            return MISSING if entry is None else entry[0]

    def write(self, key: str, value: Any, ttl: float | None = None) -> None:
        """Keep ``value`` for ``ttl`` seconds, or the default; for none if that is no time."""
        given = self._default_ttl if ttl is None else ttl
        seconds = math.inf if given is None else given
        with self._lock, self._entries.timer:
            if seconds > 0:
                self._entries[key] = (value, seconds)
            else:
                self._entries.pop(key, None)

    def delete(self, key: str) -> None:
        """Forget one key."""
        with self._lock, self._entries.timer:
            self._entries.pop(key, None)

    def delete_matching(self, predicate: Callable[[str], bool]) -> None:
        """Forget every key for which ``predicate(key)`` is true."""
        with self._lock:
            keys = list(self._entries)
        # Asked outside the lock: a slow predicate must not hold up whoever reads, which may be the GUI thread.
        for key in [key for key in keys if predicate(key)]:
            self.delete(key)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()

    def __len__(self) -> int:
        with self._lock:
            self._entries.expire()
            return len(self._entries)
