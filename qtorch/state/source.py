"""Values that follow a state."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from collections.abc import Set as AbstractSet
from operator import is_, itemgetter
from sys import getrefcount
from typing import Any, Generic, TypeVar, overload

from qtorch.ports import MISSING, Observable
from qtorch.state.equality import same
from qtorch.state.straight_line import certain_reads
from qtorch.state.subscription import Subscription, hold, name_of
from qtorch.state.tracking import ALONE, EVERY_FIELD, reads_of, twin_of

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

    __slots__ = ("__weakref__", "_downstream")

    def __init__(self) -> None:
        self._downstream: dict[Source[Any] | Effect[Any], None] = {}

    def get(self) -> T:
        """Give the value for the state as it is now. What the selector raises is raised here."""
        raise NotImplementedError

    def map(self, function: Callable[[T], U]) -> Source[U]:
        """Give a source of ``function(value)``."""
        return _Derived((self,), function)

    def subscribe(self, callback: Callable[[T], object]) -> Subscription:
        """Call ``callback(value)`` at every change from now on.

        Bound methods are held weakly, functions until the subscription is closed.
        """
        return _Subscriber(self, callback).subscription

    def attach(self, node: Source[Any] | Effect[Any]) -> None:
        """Tell ``node`` of changes."""
        if not self._downstream:
            self._connect()
        self._downstream[node] = None

    def detach(self, node: Source[Any] | Effect[Any]) -> None:
        """Undo :meth:`attach`; the last one makes the source let go of what it was computed from."""
        if self._downstream.pop(node, MISSING) is None and not self._downstream:
            self._disconnect()

    def invalidate(self, effects: dict[Callable[[], object], None]) -> None:
        """Add whoever listens to ``effects``: they are to look again."""
        for node in tuple(self._downstream):
            node.invalidate(effects)

    def _connect(self) -> None:
        raise NotImplementedError

    def _disconnect(self) -> None:
        raise NotImplementedError


class Effect(Generic[T]):
    """What is done with the value of a source, now and at every change: the end of a chain.

    Made, it holds the current value; what the selector raises then is raised to whoever makes it.
    """

    __slots__ = ("_source", "value")

    def __init__(self, source: Source[T]) -> None:
        self._source: Source[T] | None = source
        source.attach(self)
        try:
            self.value: T = source.get()
        except BaseException:
            self.end()
            raise

    def invalidate(self, effects: dict[Callable[[], object], None]) -> None:
        """Have this called when all that changed is known."""
        effects[self] = None

    def __call__(self) -> None:
        """Look at the source, and apply its value if that has changed."""
        source = self._source
        if source is not None:
            value = source.get()
            if not same(value, self.value):
                self.value = value
                self.apply(value)

    def apply(self, value: T) -> None:
        """Do what is to be done with a new value."""
        raise NotImplementedError

    @property
    def label(self) -> str:
        """How it is named in messages."""
        return f"{type(self).__name__} of {self._source!r}"

    def end(self) -> None:
        """Hear nothing any more. Idempotent."""
        source, self._source = self._source, None
        if source is not None:
            source.detach(self)


class _Subscriber(Effect[T]):
    """Calls a callback."""

    __slots__ = ("_callback", "subscription")

    def __init__(self, source: Source[T], callback: Callable[[T], object]) -> None:
        super().__init__(source)
        self.subscription = Subscription(self.end)
        self._callback = hold(callback, self.subscription.close)

    def apply(self, value: T) -> None:
        callback = self._callback()
        if callback is not None:
            callback(value)

    @property
    def label(self) -> str:
        return f"{name_of(self._callback())} for {self._source!r}"


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

    def __repr__(self) -> str:
        return f"running({'' if self._key is None else name_of(self._key)})"


class Field(Source[T]):
    """One field of a state, by its path from the root; it can be written too.

    A path that leads through None gives MISSING: there is nothing to show or to write.
    """

    __slots__ = ("_write", "observable", "path")

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
        """
        self._write(self.path, value)

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

    def __repr__(self) -> str:
        return f"field({'.'.join(self.path)})"


class _Derived(Source[T]):
    """A function of other sources.

    It hears of changes from its roots, the sources that derive from no other, and not from its parents: through a
    diamond each change would come twice, through ten of them a thousand times. And it computes what lies between in a
    loop, so that a chain may be as long as it likes.
    """

    __slots__ = ("_args", "_function", "_holders", "_line", "_parents", "_roots", "_seen", "_value")

    def __init__(self, parents: tuple[Source[Any], ...], function: Callable[..., T]) -> None:
        super().__init__()
        self._parents, self._function = parents, function
        roots = tuple(dict.fromkeys(root for parent in parents for root in _roots_of(parent)))
        self._roots: tuple[Source[Any], ...] = parents if roots == parents else roots
        self._line: tuple[_Derived[Any], ...] = ()
        """While somebody listens: what :meth:`_find_line` gives."""
        self._holders = 0
        """How many that are listened to, itself included, are computed from it: while there are any, it remembers."""
        self._seen: list[Any] | None = None
        """The values of the roots when it was asked last."""
        self._args: list[Any] | None = None
        self._value: Any = MISSING

    def get(self) -> T:
        """Give the function's value for those of its parents."""
        roots = self._roots
        # Looked up like the state itself: it can be read before a change is told.
        now = [root.get() for root in roots]
        seen = self._seen
        if seen is not None and all(map(is_, now, seen)):
            return self._value  # type: ignore[no-any-return]
        if roots is self._parents:
            value: Any = self._function(*now)
            if self._holders:
                self._seen, self._args, self._value = now, now, value
            return value  # type: ignore[no-any-return]
        known: dict[Source[Any], Any] = dict(zip(roots, now, strict=True))
        for node in self._line or self._find_line():
            args = [known[parent] for parent in node._parents]
            of_value = node._args
            if of_value is not None and all(map(is_, args, of_value)):
                known[node] = node._value
            else:
                known[node] = value = node._function(*args)
                if node._holders:
                    # What it saw itself, when it was asked last, belongs to the value before.
                    node._seen, node._args, node._value = None, args, value
        if self._holders:
            self._seen = now
        return known[self]  # type: ignore[no-any-return]

    def _find_line(self) -> tuple[_Derived[Any], ...]:
        """Give every derived source that it is computed from, each after its parents, and itself."""
        line: dict[_Derived[Any], None] = {}
        waiting: list[_Derived[Any]] = [self]
        while waiting:
            node = waiting[-1]
            before = [one for one in node._parents if isinstance(one, _Derived) and one not in line]
            if before:
                waiting += before
            else:
                line[waiting.pop()] = None
        return tuple(line)

    def _connect(self) -> None:
        for root in self._roots:
            root.attach(self)
        self._line = self._find_line()
        for node in self._line:
            node._holders += 1

    def _disconnect(self) -> None:
        for root in self._roots:
            root.detach(self)
        line, self._line, self._seen = self._line, (), None
        for node in line:
            node._holders -= 1
            if not node._holders:
                node._seen, node._args, node._value = None, None, MISSING

    def __repr__(self) -> str:
        maps: list[str] = []
        node: Source[Any] = self
        while isinstance(node, _Derived) and len(node._parents) == 1:
            maps.append(f".map({name_of(node._function)})")
            node = node._parents[0]
        # Of the roots, not the parents: diamonds on diamonds would be named a thousand times.
        made = (
            f"combine({', '.join(map(repr, node._roots))}, {name_of(node._function)})"
            if isinstance(node, _Derived)
            else repr(node)
        )
        return made + "".join(reversed(maps))


def _roots_of(source: Source[Any]) -> tuple[Source[Any], ...]:
    return source._roots if isinstance(source, _Derived) else (source,)  # pyright: ignore[reportPrivateUsage]


@overload
def combine(a: Source[A], b: Source[B], function: Callable[[A, B], T], /) -> Source[T]: ...
@overload
def combine(a: Source[A], b: Source[B], c: Source[C], function: Callable[[A, B, C], T], /) -> Source[T]: ...
@overload
def combine(
    a: Source[Any], b: Source[Any], c: Source[Any], d: Source[Any], /, *more_then_function: Any
) -> Source[Any]: ...
def combine(*sources_then_function: Any) -> Source[Any]:
    """Give a source of ``function(a, b, ...)`` over sources, also of several orchestrators.

    Examples
    --------
    >>> full = combine(people.select(lambda s: s.name), app.select(lambda s: s.title), "{} {}".format)  # doctest: +SKIP
    """
    *sources, function = sources_then_function or (None,)
    if not sources or not callable(function) or not all(isinstance(source, Source) for source in sources):
        raise TypeError("combine takes sources and, last, a function of their values: combine(a, b, lambda a, b: ...)")
    return _Derived(tuple(sources), function)
