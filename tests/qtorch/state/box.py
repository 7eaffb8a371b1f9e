"""The smallest observable: a state that tells of its changes at once, without Qt."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel

from qtorch import BaseState, Source
from qtorch.state.equality import changed_fields
from qtorch.state.path import path_of
from qtorch.state.selected import Field, Observed, Selected
from qtorch.state.tracking import ANY_FIELD

if TYPE_CHECKING:
    from qtorch.ports import Observer

S = TypeVar("S", bound=BaseState)
T = TypeVar("T")


class Box(Generic[S]):
    """Holds a state; ``held`` boxes put off telling until :meth:`tell`, as an orchestrator does in a drain."""

    is_closed = False

    def __init__(self, state: S, held: bool = False) -> None:
        self.state = state
        self.observers: dict[Hashable, dict[Observer, None]] = {}
        self._held = held
        self._told = state

    def observe(self, key: Hashable, observer: Observer) -> None:
        self.observers.setdefault(key, {})[observer] = None

    def unobserve(self, key: Hashable, observer: Observer) -> None:
        self.observers[key].pop(observer)
        if not self.observers[key]:
            del self.observers[key]

    def update(self, **changes: Any) -> None:
        self.state = self.state.copy_with(**changes)
        if not self._held:
            self.tell()

    def tell(self) -> None:
        changed = changed_fields(self.state, self._told, type(self.state).model_fields)
        self._told = self.state
        self.announce(*changed, *([ANY_FIELD] if changed else []))

    def announce(self, *keys: Hashable) -> None:
        effects: dict[Callable[[], object], None] = {}
        for key in keys:
            for observer in tuple(self.observers.get(key, ())):
                observer.invalidate(effects)
        for effect in effects:
            effect()

    def select(self, selector: Callable[[S], T]) -> Source[T]:
        return Selected(self, selector)

    def field(self, path: Callable[[S], T]) -> Field[T]:
        return Field(self, path_of(path), lambda names, value: self.update(**{names[0]: value}))

    def observed(self, key: Hashable, read: Callable[[], T]) -> Source[T]:
        return Observed(self, key, read)

    @property
    def keys(self) -> set[Hashable]:
        """What is observed."""
        return set(self.observers)


class Name(BaseModel, frozen=True):
    first: str = "Ann"
    last: str = "Lee"


class PersonState(BaseState):
    name: Name | None = Name()
    email: str = ""
    age: int = 30
    divisor: int = 1
    is_strict: bool = False
    anything: Any = None
