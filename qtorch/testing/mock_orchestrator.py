"""Stands in for an orchestrator in tests of a view: shows the states it is given, and notes what the view asks for."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from functools import wraps
from types import FunctionType, SimpleNamespace, new_class
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast, overload

from qtorch.bus.mailbox import UnattendedSink
from qtorch.bus.signal_bus import SignalBus
from qtorch.orchestrator.base_orchestrator import BaseOrchestrator
from qtorch.state.base_state import BaseState
from qtorch.testing.writing import written

S = TypeVar("S", bound=BaseState)

if TYPE_CHECKING:
    from qtorch.job.base_job import BaseJob

    _Base = BaseOrchestrator
else:
    # What is made is of both classes. PySide would give it the properties of the first QObject among its bases only.
    _Base = Generic

_OWN = ("calls", "show_next", "show_running")
_NOTED = ("dispatch", "cancel_job", "cancel_all")
"""Methods of every orchestrator that ask for work, or for its end."""


class MockOrchestrator(_Base[S]):
    """An orchestrator for tests of a view. It needs no Runtime, and does no work.

    It begins with the first of the states and is really an orchestrator: properties, notify signals, ``select``,
    ``field``, ``running``, ``emit``, ``update``, ``changed`` and ``effect`` are the real ones. ``dispatch``,
    ``cancel_job``, ``cancel_all`` and, with ``of``, the public methods and slots of that class do nothing but are
    noted.

    The ``__init__`` of that class is not run. Attributes that it would make, such as commands, have to be set:
    ``mock.save = Command(...)``. ``dispatch`` gives None, there being no job.

    For mypy, which does not heed what a ``__new__`` gives, write ``mock: Any = MockOrchestrator(states, of=Login)``.

    Parameters
    ----------
    states
        What it shows, at least one.
    of
        The class it stands in for: it is an instance of it. None: an orchestrator without methods.

    Attributes
    ----------
    calls
        What was asked for, in order: ``("login", ("ann",), {})``.

    Raises
    ------
    TypeError
        There are no states, they are not those of the class, or the class has a member of a name needed here.

    Examples
    --------
    >>> class LoginState(BaseState):
    ...     user: str = ""
    >>> class Login(BaseOrchestrator[LoginState]):
    ...     def login(self, user: str) -> None: ...
    >>> mock = MockOrchestrator([LoginState(), LoginState(user="ann")], of=Login)
    >>> mock.login("ann")
    >>> mock.show_next()
    >>> mock.calls, mock.state.user, isinstance(mock, Login)
    ([('login', ('ann',), {})], 'ann', True)
    """

    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]]
    _shown: list[Any]

    @overload
    def __new__(cls, states: Sequence[S], *, of: None = None) -> Self: ...
    @overload
    def __new__(cls, states: Sequence[S], *, of: type[BaseOrchestrator[S]]) -> Any: ...
    def __new__(cls, states: Sequence[S], *, of: type[BaseOrchestrator[S]] | None = None) -> Any:
        """Make one of a class that is made for it."""
        if not states or not all(isinstance(state, BaseState) for state in cast("Sequence[object]", states)):
            raise TypeError(
                f"MockOrchestrator shows states, at least one, and was given {written(states)}.\n"
                f"  Write MockOrchestrator([LoginState(), LoginState(user='ann')])."
            )
        real: Any = of or _orchestrator_of(type(states[0]))
        for name in _OWN:
            if hasattr(real, name):
                raise TypeError(
                    f"{real.__name__} has a member {name!r}, and so has MockOrchestrator, for the test.\n"
                    f"  Make a subclass of {real.__name__} for the test that does what you need."
                )
        made: Any = cast("Any", type(real))(f"Mock{real.__name__}", (cls, real), _noting(real))
        mock: Self = real.__new__(made)
        return mock

    def __init__(self, states: Sequence[S], *, of: type[BaseOrchestrator[S]] | None = None) -> None:
        sink: Any = SimpleNamespace(services=SimpleNamespace(sink=UnattendedSink()))
        # That of the class it stands in for is left out.
        real: Any = BaseOrchestrator
        real.__init__(self, states[0], bus=SignalBus.scoped(), dispatcher=sink)
        for state in states:
            if not isinstance(state, cast("type[Any]", self._state_type)):
                raise TypeError(f"{type(self).__name__} cannot show {written(state)}: its states are of another class")
        self.calls = []
        self._shown = []
        self._to_show = list(states[1:])

    def show_next(self) -> None:
        """Show the next of the states.

        Raises
        ------
        LookupError
            The last one is shown already.
        """
        if not self._to_show:
            raise LookupError(
                f"{type(self).__name__} shows the last of its states already, {written(self.state)}.\n"
                f"  Give it more of them, or write mock.emit(state) or mock.update(field=value)."
            )
        self.emit(self._to_show.pop(0))

    def show_running(self, *jobs: BaseJob[Any]) -> None:
        """Show ``jobs`` as running, and no others: in ``running(FetchUserJob)`` and ``busy``."""
        core: Any = self._core
        for run in self._shown:
            core.forget(run)
        self._shown = [
            SimpleNamespace(id=job.id, job=job, is_settled=False, progress=0.0, cancel=_nothing) for job in jobs
        ]
        for run in self._shown:
            core.track(run)
        core.flush(math.inf)

    if not TYPE_CHECKING:  # for type checkers it has what its class has

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(
                f"{type(self).__name__} has no attribute {name!r}; what an __init__ makes is missing, for that was not "
                f"run.\n"
                f"  If the view needs it, set it: mock.{name} = ..."
            )


def _orchestrator_of(state_type: type[BaseState]) -> type[Any]:
    base: Any = BaseOrchestrator
    return new_class(f"{state_type.__name__.removesuffix('State')}Orchestrator", (base[state_type],))


def _noting(real: type[Any]) -> dict[str, Any]:
    """Give the members that replace those of ``real``."""
    members: dict[str, Any] = {name: _noted(name, getattr(BaseOrchestrator, name)) for name in _NOTED}
    for cls in reversed(real.__mro__):
        if cls in BaseOrchestrator.__mro__:
            continue
        for name, member in vars(cls).items():
            if not isinstance(member, FunctionType) or name.startswith("_") or name in _NOTED:
                continue
            # A hook that it overrides is for what happens to jobs, and nobody calls it here.
            members[name] = getattr(BaseOrchestrator, name, None) or _noted(name, member)
    return members


def _noted(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(method):

        @wraps(method)
        async def note_async(self: MockOrchestrator[Any], *args: Any, **kwargs: Any) -> None:
            self.calls.append((name, args, kwargs))

        return note_async

    @wraps(method)
    def note(self: MockOrchestrator[Any], *args: Any, **kwargs: Any) -> None:
        self.calls.append((name, args, kwargs))

    return note


def _nothing(reason: str | None) -> None:
    """Cancel what does not run."""
