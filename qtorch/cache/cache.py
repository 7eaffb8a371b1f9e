"""The Runtime's cache: a provider, and the rule that an old answer never overwrites an invalidation."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from qtorch.job.durations import in_seconds

if TYPE_CHECKING:
    from datetime import timedelta

    from qtorch.cache.provider import CacheProvider


class Reading:
    """A read, or the work that stands in for one, that was begun and may end in a write."""

    __slots__ = ("__weakref__", "is_current", "key")

    def __init__(self, key: str) -> None:
        self.key = key
        self.is_current = True
        """False once the key was invalidated: what was read before then is out of date."""


class Cache:
    """What executors and the Runtime use; offers what the provider does. Any thread."""

    def __init__(self, provider: CacheProvider) -> None:
        self.provider = provider
        self.in_memory = bool(getattr(provider, "in_memory", False))
        # Not a WeakSet: a reading that dies on another thread while one is gone through makes that raise.
        self._readings: WeakValueDictionary[int, Reading] = WeakValueDictionary()
        self._next_number = itertools.count().__next__

    def begin(self, key: str) -> Reading:
        """Note that a result for ``key`` is being fetched."""
        reading = self._readings[self._next_number()] = Reading(key)
        return reading

    def write_result(self, reading: Reading, value: Any, ttl: float | None) -> None:
        """Keep ``value`` unless the key was invalidated since the reading began."""
        if not reading.is_current:
            return
        self.provider.write(reading.key, value, ttl)
        if not reading.is_current:
            # It was invalidated while a slow provider wrote.
            self.provider.delete(reading.key)

    def read(self, key: str) -> Any:
        """Give the value, or MISSING."""
        return self.provider.read(key)

    def write(self, key: str, value: Any, ttl: float | timedelta | None = None) -> None:
        """Keep ``value`` for ``ttl`` seconds (or a timedelta); None leaves it to the provider."""
        self.provider.write(key, value, None if ttl is None else in_seconds(ttl))

    def delete(self, key: str) -> None:
        """Forget one key, and what is being fetched for it now."""
        self._outdate(lambda known: known == key)
        self.provider.delete(key)

    def delete_matching(self, predicate: Callable[[str], bool]) -> None:
        """Forget every key for which ``predicate(key)`` is true, and what is being fetched for it now."""
        self._outdate(predicate)
        self.provider.delete_matching(predicate)

    def clear(self) -> None:
        """Forget everything."""
        self._outdate(lambda _: True)
        self.provider.clear()

    def _outdate(self, concerns: Callable[[str], bool]) -> None:
        for ref in self._readings.valuerefs():
            reading = ref()
            if reading is not None and concerns(reading.key):
                reading.is_current = False
