"""Values that follow a state."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar, overload

from qtorch.ports import MISSING, MissingType, Observable
from qtorch.state.equality import same
from qtorch.state.subscription import Subscription, hold
from qtorch.state.tracking import read_tracked

T = TypeVar("T")
U = TypeVar("U")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
S = TypeVar("S")


class Source(Generic[T]):
    """A value computed from a state: read it, derive others from it, or hear of its changes.

    A source that nobody listens to costs nothing: it is computed when it is read. One that is listened to computes
    once per change, however many listen, and tells them only if the new value differs (``is``, then ``==``).
    Everything happens on the thread of the orchestrator it came from.

    Examples
    --------
    >>> name = orchestrator.select(lambda s: s.user.name if s.user else "-")  # doctest: +SKIP
    >>> greeting = name.map(lambda n: f"Hello {n}")  # doctest: +SKIP
    """

    __slots__ = ("__weakref__", "_downstream", "_fresh", "_value")

    def __init__(self) -> None:
        self._downstream: dict[Source[Any] | _Effect[Any], None] = {}
        self._fresh = False
        self._value: Any = MISSING

    def get(self) -> T:
        """Give the current value. What the selector raises is raised here."""
        if self._fresh:
            return self._value  # type: ignore[no-any-return]
        value = self._compute()
        if self._downstream:
            self._value, self._fresh = value, True
        return value

    def map(self, function: Callable[[T], U]) -> Source[U]:
        """Give a source of ``function(value)``."""
        return _Derived((self,), function)

    def subscribe(self, callback: Callable[[T], object]) -> Subscription:
        """Call ``callback(value)`` at every change from now on.

        Bound methods are held weakly, functions until the subscription is closed.
        """
        effect = _Effect(self, callback)
        self.attach(effect)
        return effect.subscription

    def attach(self, node: Source[Any] | _Effect[Any]) -> None:
        """Tell ``node`` of changes."""
        if not self._downstream:
            self._connect()
        self._downstream[node] = None

    def detach(self, node: Source[Any] | _Effect[Any]) -> None:
        """Undo :meth:`attach`; the last one makes the source let go of what it was computed from."""
        if self._downstream.pop(node, MISSING) is None and not self._downstream:
            self._disconnect()
            self._fresh, self._value = False, MISSING

    def invalidate(self, effects: dict[Callable[[], object], None]) -> None:
        """Forget the value; what listens is added to ``effects``."""
        self._fresh = False
        for node in tuple(self._downstream):
            node.invalidate(effects)

    def _compute(self) -> T:
        raise NotImplementedError

    def _connect(self) -> None:
        raise NotImplementedError

    def _disconnect(self) -> None:
        raise NotImplementedError


class _Effect(Generic[T]):
    """A listener at the end of a chain of sources."""

    __slots__ = ("_callback", "_last", "_source", "subscription")

    def __init__(self, source: Source[T], callback: Callable[[T], object]) -> None:
        self._source: Source[T] | None = source
        self._last: Any = source.get()
        self.subscription = Subscription(self._end)
        self._callback = hold(callback, self.subscription.close)

    def invalidate(self, effects: dict[Callable[[], object], None]) -> None:
        effects[self._run] = None

    def _run(self) -> None:
        if self._source is None:
            return
        value = self._source.get()
        if not same(value, self._last):
            self._last = value
            callback = self._callback()
            if callback is not None:
                callback(value)

    def _end(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.detach(self)


class Selected(Source[T]):
    """What a selector reads of an observable's state, tracked per root field."""

    __slots__ = ("_keys", "_observable", "_selector")

    def __init__(self, observable: Observable[S], selector: Callable[[S], T]) -> None:
        super().__init__()
        self._observable: Observable[Any] = observable
        self._selector: Callable[[Any], T] = selector
        self._keys: frozenset[str] = frozenset()

    def _compute(self) -> T:
        value, keys = read_tracked(self._observable.state, self._selector)
        if keys != self._keys and self._downstream:
            self._observe(keys)
        return value

    def _observe(self, keys: frozenset[str]) -> None:
        # Which fields are read can change with the state: `s.user.name if s.user else s.fallback`.
        for key in self._keys - keys:
            self._observable.unobserve(key, self)
        for key in keys - self._keys:
            self._observable.observe(key, self)
        self._keys = keys

    def _connect(self) -> None:
        _, keys = read_tracked(self._observable.state, self._selector)
        self._observe(keys)

    def _disconnect(self) -> None:
        self._observe(frozenset())


class Observed(Source[T]):
    """What an observable tells of under one key that is not a field, such as whether jobs run."""

    __slots__ = ("_key", "_observable", "_read")

    def __init__(self, observable: Observable[Any], key: Hashable, read: Callable[[], T]) -> None:
        super().__init__()
        self._observable, self._key, self._read = observable, key, read

    def _compute(self) -> T:
        return self._read()

    def _connect(self) -> None:
        self._observable.observe(self._key, self)

    def _disconnect(self) -> None:
        self._observable.unobserve(self._key, self)


class Field(Source[T]):
    """One field of a state, by its path from the root; it can be written too.

    A path that leads through None gives MISSING: there is nothing to show or to write.
    """

    __slots__ = ("_observable", "_write", "path")

    def __init__(
        self, observable: Observable[Any], path: tuple[str, ...], write: Callable[[tuple[str, ...], Any], object]
    ) -> None:
        super().__init__()
        self._observable, self.path, self._write = observable, path, write

    def set(self, value: T) -> None:
        """Write ``value`` through the orchestrator.

        Raises
        ------
        pydantic.ValidationError
            The value does not fit; the state stays as it is.
        LookupError
            The path leads through None.
        """
        self._write(self.path, value)

    @property
    def is_missing(self) -> bool:
        """Whether the path leads through None."""
        value: object = self.get()
        return value is MISSING

    def _compute(self) -> T:
        value: Any = self._observable.state
        for name in self.path:
            if value is None:
                return MISSING  # type: ignore[return-value]  # documented: it stands for "no such field now"
            value = getattr(value, name)
        return value  # type: ignore[no-any-return]

    def _connect(self) -> None:
        self._observable.observe(self.path[0], self)

    def _disconnect(self) -> None:
        self._observable.unobserve(self.path[0], self)


class _Derived(Source[T]):
    """A function of other sources."""

    __slots__ = ("_function", "_parents")

    def __init__(self, parents: tuple[Source[Any], ...], function: Callable[..., T]) -> None:
        super().__init__()
        self._parents, self._function = parents, function

    def _compute(self) -> T:
        return self._function(*(parent.get() for parent in self._parents))

    def _connect(self) -> None:
        for parent in self._parents:
            parent.attach(self)

    def _disconnect(self) -> None:
        for parent in self._parents:
            parent.detach(self)


@overload
def combine(a: Source[A], b: Source[B], function: Callable[[A, B], T], /) -> Source[T]: ...
@overload
def combine(a: Source[A], b: Source[B], c: Source[C], function: Callable[[A, B, C], T], /) -> Source[T]: ...
@overload
def combine(*sources_then_function: Any) -> Source[Any]: ...
def combine(*sources_then_function: Any) -> Source[Any]:
    """Give a source of ``function(a, b, ...)`` over sources, also of several orchestrators.

    Examples
    --------
    >>> full = combine(people.select(lambda s: s.name), app.select(lambda s: s.title), "{} {}".format)  # doctest: +SKIP
    """
    *sources, function = sources_then_function
    if not sources or not callable(function) or not all(isinstance(source, Source) for source in sources):
        raise TypeError("combine takes sources and, last, a function of their values: combine(a, b, lambda a, b: ...)")
    return _Derived(tuple(sources), function)


def path_of(selector: Callable[[Any], object]) -> tuple[str, ...]:
    """Give the attribute path that ``selector`` reads, such as ``("user", "name")``.

    Raises
    ------
    TypeError
        It is anything but a plain path.
    """
    probe = selector(_PathProbe(()))
    if isinstance(probe, _PathProbe):
        path: tuple[str, ...] = object.__getattribute__(probe, "_path")
        if path:
            return path
    raise TypeError(
        "field() takes a plain path to one field, such as lambda s: s.user.name, because it is written to.\n"
        "  For anything computed use select()."
    )


class _PathProbe:
    """Stands for a state and notes which attribute is asked of it."""

    def __init__(self, path: tuple[str, ...]) -> None:
        object.__setattr__(self, "_path", path)

    def __getattribute__(self, name: str) -> Any:
        if name in ("__class__", "__dict__"):
            return object.__getattribute__(self, name)
        return _PathProbe((*object.__getattribute__(self, "_path"), name))

    def __bool__(self) -> bool:
        raise TypeError("field() takes a plain path, without conditions; for anything computed use select()")


__all__ = ["MISSING", "Field", "MissingType", "Observed", "Selected", "Source", "combine", "path_of"]
