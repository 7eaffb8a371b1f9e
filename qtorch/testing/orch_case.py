"""One orchestrator, one act, and all that came of it, compared at once."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, TypeVar

from qtorch.testing import turns
from qtorch.testing.asyncio_time import has_open_sockets
from qtorch.testing.diff import differences
from qtorch.testing.fake_clock import FakeClock, StuckError
from qtorch.testing.recording import Recording
from qtorch.testing.waiting_tasks import waiting_for_nothing
from qtorch.testing.writing import written

if TYPE_CHECKING:
    from qtorch.events import BaseEvent
    from qtorch.orchestrator.base_orchestrator import BaseOrchestrator
    from qtorch.testing.hygiene import TestRuntime
    from qtorch.testing.turns import Turns

O = TypeVar("O", bound="BaseOrchestrator[Any]")  # noqa: E741 - an orchestrator

Entries: TypeAlias = Sequence[object] | Callable[[], Iterable[object]]
"""Entries as :func:`~qtorch.testing.matches` takes them, or a function that makes them anew for each test."""

_PATIENCE = 5.0
"""Seconds of real time in which the condition of ``wait`` has to come true, or what a coroutine awaits has to come."""


@dataclass(frozen=True)
class CaseResult(Generic[O]):
    """What came of an act: everything, also what was not compared."""

    orchestrator: O
    states: list[Any]
    events: list[BaseEvent]
    effects: list[object]
    errors: list[BaseException]

    if TYPE_CHECKING:

        def __await__(self) -> Generator[Any, None, Self]:
            """In a coroutine, what the fixture gives is to be awaited."""
            ...


class OrchCase:
    """The fixture ``orch_case``: call it.

    Parameters
    ----------
    build
        Makes the orchestrator; the default Runtime is that of the test.
    seed
        The state to begin with, or a function that gives it. It is not among those that are compared.
    act
        Does something with the orchestrator; in an ``async def`` test it may be a coroutine function.
    wait
        Seconds of fake time that pass after it; or a condition, a function of the orchestrator, that has to come true,
        in real time but within 5 s. Before and after, all that is at work is waited for.
    skip
        How many states are left out, from the first on.
    expect, events, effects
        The states, the events of the bus, and what ``effect`` emitted, each in order: values, classes, predicates,
        matchers such as ``having(name="Ada")``, or dicts for a part of the attributes. Not compared if None.
    errors
        The errors that were reported, and what ``act`` raised, as above; with None there may be none.
    verify
        Called with the closed orchestrator at the end. It may assert; if it gives False, the test fails, too.

    Returns
    -------
    CaseResult
        Everything that was recorded. In an ``async def`` test it has to be awaited: ``await orch_case(...)``.

    Raises
    ------
    AssertionError
        Something differs; the message says what.

    Examples
    --------
    >>> orch_case(  # doctest: +SKIP
    ...     build=lambda: Users(UserState()),
    ...     act=lambda users: users.load("42"),
    ...     wait=3.0,
    ...     expect=[having(name="Ada", error="")],
    ... )
    """

    def __init__(self, runtime: TestRuntime, clock: FakeClock) -> None:
        self._runtime = runtime
        self._clock = clock

    def __call__(
        self,
        build: Callable[[], O],
        *,
        seed: object = None,
        act: Callable[[O], object] | None = None,
        wait: float | Callable[[O], object] | None = None,
        skip: int = 0,
        expect: Entries | None = None,
        errors: Entries | None = None,
        events: Entries | None = None,
        effects: Entries | None = None,
        verify: Callable[[O], object] | None = None,
    ) -> CaseResult[O]:
        """Run the case; see the class."""
        procedure = self._run(build, seed, act, wait, skip, expect, errors, events, effects, verify)
        return turns.run_or_await(procedure, "orch_case")

    def _run(
        self,
        build: Callable[[], O],
        seed: object,
        act: Callable[[O], object] | None,
        wait: float | Callable[[O], object] | None,
        skip: int,
        expect: Entries | None,
        errors: Entries | None,
        events: Entries | None,
        effects: Entries | None,
        verify: Callable[[O], object] | None,
    ) -> Turns[CaseResult[O]]:
        orchestrator = build()
        if seed is not None:
            orchestrator.emit(seed() if callable(seed) else seed)
        yield from self._clock.settling()
        recording = Recording(orchestrator, self._runtime)
        heard: list[BaseEvent] = []
        listening = orchestrator.bus.subscribe(heard.append)
        raised: list[BaseException] = []
        try:
            with recording.acting("act"):
                if act is not None:
                    try:
                        yield from awaited(act(orchestrator), self._clock)
                    except Exception as error:
                        if errors is None:
                            raise
                        raised.append(error)
            yield from self._waited(orchestrator, wait)
        finally:
            listening.close()
            # Closed before anything is compared: nothing later can slip in.
            orchestrator.close()
            recording.stop()
        yield from self._clock.settling()
        result = CaseResult(
            orchestrator, recording.of("state"), heard, recording.of("effect"), raised + recording.of("error")
        )
        self._compare(result, skip, expect, () if errors is None else errors, events, effects)
        if verify is not None and (yield from awaited(verify(orchestrator), self._clock)) is False:
            raise AssertionError(
                f"verify gave False for {type(orchestrator).__name__}, whose state is\n"
                f"    {written(orchestrator.state)}\n"
                f"  Let it assert what it means, then the failure says more."
            )
        return result

    def _waited(self, orchestrator: O, wait: float | Callable[[O], object] | None) -> Turns[None]:
        if callable(wait):
            until = monotonic() + _PATIENCE
            while not wait(orchestrator):
                if monotonic() > until:
                    raise StuckError(
                        f"what orch_case waits for has not come true in {_PATIENCE:g} s of real time; the state of "
                        f"{type(orchestrator).__name__} is\n    {written(orchestrator.state)}\n"
                        f"  Fake time stands still meanwhile: give wait= a number to let it pass."
                    )
                yield True
        elif wait is not None:
            yield from self._clock.passing(wait)
        yield from self._clock.settling()

    def _compare(
        self,
        result: CaseResult[Any],
        skip: int,
        expect: Entries | None,
        errors: Entries,
        events: Entries | None,
        effects: Entries | None,
    ) -> None:
        parts = [
            ("states", expect, result.states[skip:]),
            ("errors", errors, result.errors),
            ("events", events, result.events),
            ("effects", effects, result.effects),
        ]
        faults: list[str] = []
        for name, entries, came in parts:
            if entries is None:
                continue
            expected = list(entries() if callable(entries) else entries)
            if difference := differences(expected, came):
                faults.append(f"the {name} of {type(result.orchestrator).__name__} differ:\n{difference}")
        if not faults:
            return
        if events is None and result.events:
            log = "\n".join(f"    {written(event)}" for event in result.events)
            faults.append(f"the events were:\n{log}")
        raise AssertionError("\n".join(faults))


def awaited(thing: object, clock: FakeClock) -> Turns[object]:
    """Wait for ``thing`` if it is a coroutine, or can be awaited otherwise; give its value."""
    if not inspect.isawaitable(thing):
        return thing
    import asyncio

    if turns.running_loop() is None:
        if inspect.iscoroutine(thing):
            thing.close()
        raise TypeError("a coroutine was given in a plain test, which has no loop to run it: write an async def test")
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(_value_of(thing))
    since = monotonic()
    while not task.done():
        busy = yield from clock.settling()
        if task.done():
            break
        if busy or has_open_sockets(loop):
            since = monotonic()
            yield True
        elif clock.pending:  # it awaits something: only if time passes can it go on
            since = monotonic()
            clock.jump()
        elif monotonic() - since > _PATIENCE:
            message = waiting_for_nothing(loop, clock)
            task.cancel()
            raise StuckError(message)
        else:
            yield True
    return task.result()


async def _value_of(thing: Awaitable[object]) -> object:
    return await thing
