"""Sources that read a state: what a selector gives, one field, or whether jobs run."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from collections.abc import Set as AbstractSet
from operator import is_, itemgetter
from sys import getrefcount
from typing import Any, TypeVar

from qtorch.errors import ClosedError
from qtorch.ports import MISSING, Observable
from qtorch.state.source import Source
from qtorch.state.straight_line import certain_reads
from qtorch.state.subscription import name_of
from qtorch.state.tracking import ALONE, EVERY_FIELD, reads_of, twin_of

S = TypeVar("S")
T = TypeVar("T")


class Selected(Source[T]):
    """What a selector reads of an observable's state, tracked per root field."""

    __slots__ = ("_certain", "_keys", "_observable", "_part", "_seen", "_selector", "_value")

    def __init__(self, observable: Observable[S], selector: Callable[[S], T]) -> None:
        super().__init__()
        self._observable: Observable[Any] = observable
        self._selector: Callable[[Any], T] = selector
        self._certain = certain_reads(selector, observable.state.__class__)
        self._keys: frozenset[str] = frozenset()
        self._part: Callable[[dict[str, Any]], tuple[Any, ...]] = _part_of(self._keys)
        self._seen: tuple[Any, ...] | None = None
        """What was read when the value was computed: the whole state would keep alive what nobody shows any more."""
        self._value: Any = MISSING

    def get(self) -> T:
        """Give what the selector gives for the state as it is now."""
        state = self._observable.state
        # Looked up, not remembered from what was told: a change is told at the end of a drain, and read before that.
        seen = self._seen
        if seen is not None and all(map(is_, seen, self._part(state.__dict__))):
            return self._value  # type: ignore[no-any-return]
        self._seen = None
        value = self._watched(state) if self._certain is None else self._selector(state)
        if self._downstream:
            self._seen, self._value = self._part(state.__dict__), value
        return value

    def _watched(self, state: Any) -> T:
        twin = twin_of(state)
        try:
            value = self._selector(twin)
        finally:
            # Also when it raised: what it read up to there decides when to try again.
            if self._downstream:
                self._observe(reads_of(twin))
        is_kept = getrefcount(twin) > ALONE
        if is_kept and self._downstream:
            # Whoever has the state can read any field of it, now or later.
            self._observe(EVERY_FIELD)
        return state if value is twin else value

    def _observe(self, keys: AbstractSet[str]) -> None:
        # Which fields are read can change with the state: `s.user.name if s.user else s.fallback`.
        known = self._keys
        if keys != known:
            for key in known - keys:
                self._observable.unobserve(key, self)
            for key in keys - known:
                self._observable.observe(key, self)
            self._keys = frozenset(keys)
            self._part = _part_of(self._keys)

    def invalidate(self, effects: dict[Callable[[], object], None]) -> None:
        """Forget the value, and add whoever listens to ``effects``."""
        self._seen = None
        for node in tuple(self._downstream):
            node.invalidate(effects)

    def _connect(self) -> None:
        # Without certain reads the first look tells, which whoever attaches takes next.
        self._observe(self._certain or frozenset())

    def _disconnect(self) -> None:
        self._observe(frozenset())
        self._seen, self._value = None, MISSING

    @property
    def observables(self) -> tuple[Observable[Any], ...]:
        """Whose state it reads."""
        return (self._observable,)

    def rebased(self, observable: Observable[Any], stand_in: Observable[Any]) -> Source[T]:
        """Give the same of ``stand_in`` if it reads ``observable``."""
        return Selected(stand_in, self._selector) if self._observable is observable else self

    def __repr__(self) -> str:
        return f"select({name_of(self._selector)})"


def _part_of(keys: frozenset[str]) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    """Give a function that picks the values of ``keys``; for every field it is the values' own dictionary."""
    if keys is EVERY_FIELD:
        return lambda values: (values,)
    if not keys:
        return lambda _: ()
    # One key more than once: of a single one itemgetter would give no tuple.
    return itemgetter(*keys, *keys)


class Observed(Source[T]):
    """What an observable tells of under one key that is not a field, such as whether jobs run."""

    __slots__ = ("_key", "_observable", "_read")

    def __init__(self, observable: Observable[Any], key: Hashable, read: Callable[[], T]) -> None:
        super().__init__()
        self._observable, self._key, self._read = observable, key, read

    def get(self) -> T:
        """Ask."""
        return self._read()

    def _connect(self) -> None:
        self._observable.observe(self._key, self)

    def _disconnect(self) -> None:
        self._observable.unobserve(self._key, self)

    @property
    def observables(self) -> tuple[Observable[Any], ...]:
        """Whose state it reads."""
        return (self._observable,)

    def rebased(self, observable: Observable[Any], stand_in: Observable[Any]) -> Source[T]:
        """Give the same of ``stand_in`` if it asks ``observable``."""
        return Observed(stand_in, self._key, self._read) if self._observable is observable else self

    def __repr__(self) -> str:
        return f"running({'' if self._key is None else name_of(self._key)})"


class Field(Source[T]):
    """One field of a state, by its path from the root; it can be written too.

    A path that leads through None gives MISSING: there is nothing to show or to write.
    """

    __slots__ = ("_write", "observable", "path")

    error: Source[str] | None = None
    """What is wrong with it, where a field can hold what is wrong: one of a form."""

    def __init__(
        self, observable: Observable[Any], path: tuple[str, ...], write: Callable[[tuple[str, ...], Any], object]
    ) -> None:
        super().__init__()
        self.observable, self.path, self._write = observable, path, write

    def set(self, value: T) -> None:
        """Write ``value`` through the orchestrator.

        Raises
        ------
        pydantic.ValidationError
            The value does not fit; the state stays as it is.
        LookupError
            The path leads through None.
        ClosedError
            The orchestrator is closed.
        """
        if self.observable.is_closed:
            raise ClosedError(
                f"{self!r} was written after {type(self.observable).__name__} was closed, so it stays as it is.\n"
                f"  Write before close(), or ask is_closed first."
            )
        self._write(self.path, value)

    # -- what a widget asks, and a field that can hold what is wrong answers otherwise -------------------------------

    @property
    def content(self) -> Any:
        """What a widget entered and no value has been made of, MISSING if there is a value."""
        return MISSING

    def enter(self, content: Any) -> None:
        """Write what a widget holds, which need not have the field's type."""
        self.set(content)

    def refuse(self, content: Any, error: Exception) -> None:
        """Hear that ``content`` could not be parsed; raises ``error`` unless the field holds it."""
        raise error

    def revert(self) -> None:
        """Take back what is wrong."""

    def shown_by(self, binding: Any) -> None:
        """Hear of a two-way binding."""

    @property
    def is_missing(self) -> bool:
        """Whether the path leads through None."""
        value: object = self.get()
        return value is MISSING

    def get(self) -> T:
        """Give the field's value, MISSING if the path leads through None."""
        value: Any = self.observable.state
        for name in self.path:
            if value is None:
                return MISSING  # type: ignore[return-value]  # documented: it stands for "no such field now"
            value = getattr(value, name)
        return value  # type: ignore[no-any-return]

    def _connect(self) -> None:
        self.observable.observe(self.path[0], self)

    def _disconnect(self) -> None:
        self.observable.unobserve(self.path[0], self)

    @property
    def observables(self) -> tuple[Observable[Any], ...]:
        """Whose state it reads."""
        return (self.observable,)

    def rebased(self, observable: Observable[Any], stand_in: Observable[Any]) -> Source[T]:
        """Give the same of ``stand_in`` if it reads ``observable``, to be read only: to write it would take that."""
        is_own = self.observable is observable and type(self) is Field
        return Field(stand_in, self.path, _write_nothing) if is_own else self

    def __repr__(self) -> str:
        return f"field({'.'.join(self.path)})"


def _write_nothing(path: tuple[str, ...], _: Any) -> None:
    raise AssertionError(f"{'.'.join(path)} is read only here")
