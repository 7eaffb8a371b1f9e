"""Values that follow a state."""

from __future__ import annotations

from collections.abc import Callable
from operator import is_
from typing import Any, Generic, TypeVar, overload

from qtorch.ports import MISSING, Observable
from qtorch.state.equality import same
from qtorch.state.subscription import Subscription, hold, name_of

T = TypeVar("T")
U = TypeVar("U")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


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

    @property
    def observables(self) -> tuple[Observable[Any], ...]:
        """What it is computed from."""
        raise NotImplementedError

    def rebased(self, observable: Observable[Any], stand_in: Observable[Any]) -> Source[T]:
        """Give the same source of ``stand_in`` where it reads ``observable``; itself if it does not, or cannot tell."""
        return self

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

    @property
    def observables(self) -> tuple[Observable[Any], ...]:
        """What it is computed from."""
        return tuple(observable for root in self._roots for observable in root.observables)

    def rebased(self, observable: Observable[Any], stand_in: Observable[Any]) -> Source[T]:
        """Give the same source of ``stand_in`` where its roots read ``observable``."""
        return _Derived(tuple(parent.rebased(observable, stand_in) for parent in self._parents), self._function)

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
