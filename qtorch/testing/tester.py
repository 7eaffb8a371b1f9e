"""An orchestrator followed step by step: what it does is asserted, all of it, with what caused it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

from qtorch.events import BaseEvent, JobEvent
from qtorch.testing import turns
from qtorch.testing.facts import OUTSIDE, Cause, FactsError, line_of, lines_of, listed, outcome_of, suggestion
from qtorch.testing.recording import Fact, Recording
from qtorch.testing.step import Step

if TYPE_CHECKING:
    from types import TracebackType

    from qtorch.job.base_job import BaseJob
    from qtorch.orchestrator.base_orchestrator import BaseOrchestrator
    from qtorch.testing.fake_clock import FakeClock
    from qtorch.testing.hygiene import TestRuntime
    from qtorch.testing.turns import Turns

Exhaustive: TypeAlias = "bool | Literal['show']"


class Tester:
    """Follows one orchestrator; the fixture ``tester`` makes one: ``t = tester(orchestrator)``.

    The test acts (:meth:`act`, :meth:`advance`) or waits for an event (:meth:`end_of`, :meth:`event`); each gives a
    :class:`Step`, on which everything that was caused by it has to be asserted before the next: changes of the state,
    jobs, effects, emitted events, errors. What caused a fact is recorded when it happens, so that a job which ends
    early is not taken for a part of the act. At the end no job may run and nothing may be left.

    Parameters
    ----------
    exhaustive
        True: what is not asserted fails the test. False: it does not. "show": it does not, and is printed.

    Examples
    --------
    >>> t = tester(search)  # doctest: +SKIP
    >>> t.act("type", "ab").changes(query="ab").starts(SearchJob, text="ab")  # doctest: +SKIP
    >>> t.end_of(SearchJob).changes(items=("abacus",)).effect(Toast("1 found"))  # doctest: +SKIP
    """

    __test__ = False

    def __init__(
        self,
        orchestrator: BaseOrchestrator[Any],
        runtime: TestRuntime,
        clock: FakeClock,
        *,
        exhaustive: Exhaustive = True,
    ) -> None:
        self.orchestrator = orchestrator
        self.skipped: list[str] = []
        """What was not asserted, in lines, with ``exhaustive`` False or "show"."""
        self._clock = clock
        self._exhaustive = exhaustive
        self._name = type(orchestrator).__name__
        self._recording: Recording | None = Recording(orchestrator, runtime)
        self._facts = self._recording.facts
        self._numbers: dict[str, int] = {}
        self._latest: Step | None = None

    # -- steps ------------------------------------------------------------------------------------------------------

    @property
    def step(self) -> Step:
        """The step of the last act or event, also of an act that raised."""
        if self._latest is None:
            raise FactsError(
                f"{self._name} has no step yet.\n  Begin with t.act(...), t.advance(...) or t.end_of(...)."
            )
        return self._latest

    def act(self, what: str | Callable[..., object], /, *args: object, **named: object) -> Step:
        """Call a method of the orchestrator, by name, or any callable, such as ``button.click``.

        In an ``async def`` test a coroutine function is called by :meth:`act_async`.
        """
        function = getattr(self.orchestrator, what) if isinstance(what, str) else what
        name = self._begin(_written_call(what, args, named))
        step = self._step(name, name)
        with self._recorder.acting(name):
            function(*args, **named)
        return step

    async def act_async(self, what: str | Callable[..., Any], /, *args: object, **named: object) -> Step:
        """Do what :meth:`act` does with a coroutine function, awaited."""
        function = getattr(self.orchestrator, what) if isinstance(what, str) else what
        name = self._begin(_written_call(what, args, named))
        step = self._step(name, name)
        with self._recorder.acting(name):
            await function(*args, **named)
        return step

    def advance(self, seconds: float) -> Step:
        """Let fake time pass; the step has what time alone caused, such as debounced edits and jobs."""
        return turns.run(self._advanced(seconds))

    async def advance_async(self, seconds: float) -> Step:
        """Do what :meth:`advance` does, in a coroutine."""
        return await turns.run_async(self._advanced(seconds))

    def end_of(self, job: type[BaseJob[Any]], /, **attributes: object) -> Step:
        """Wait for the end of a job of that class, which has to be a success unless ``outcome`` says otherwise.

        Parameters
        ----------
        job
            The class of the job; the earliest end that is not asserted yet.
        **attributes
            Of the event, each as an entry of :func:`~qtorch.testing.matches`. ``outcome`` is "success" (the default),
            "failure", "timeout" or "cancelled".

        Raises
        ------
        FactsError
            No such job runs or has ended; or it has ended otherwise.
        """
        return turns.run(self._ended(job, dict(attributes)))

    async def end_of_async(self, job: type[BaseJob[Any]], /, **attributes: object) -> Step:
        """Do what :meth:`end_of` does, in a coroutine."""
        return await turns.run_async(self._ended(job, dict(attributes)))

    def event(
        self, event_type: type[BaseEvent], job: type[BaseJob[Any]] | None = None, /, **attributes: object
    ) -> Step:
        """Wait for any other event, such as JobProgressEvent or one of your own; the step has what it caused."""
        return turns.run(self._came(event_type, job, attributes))

    async def event_async(
        self, event_type: type[BaseEvent], job: type[BaseJob[Any]] | None = None, /, **attributes: object
    ) -> Step:
        """Do what :meth:`event` does, in a coroutine."""
        return await turns.run_async(self._came(event_type, job, attributes))

    # -- leaving things out -----------------------------------------------------------------------------------------

    def skip_rest(self, *, strict: bool = True) -> None:
        """Assert nothing of what happened up to now. ``strict`` fails if there is nothing to skip."""
        left = self._left()
        if strict and not left:
            raise FactsError(f"there is nothing to skip of {self._name}: all is asserted.\n  Remove skip_rest().")
        self._skip(left)

    def explain(self) -> str:
        """Give the code that would assert what is not asserted yet. Read it: it says what is, not what should be."""
        return self._suggestion(self._left())

    # -- the end ----------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self.finish()
        else:
            self.stop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            await turns.run_async(self._finishing())
        else:
            self.stop()

    def finish(self) -> None:
        """Check that nothing runs and nothing is left to assert, and follow no longer. At the end by itself."""
        turns.run(self._finishing())

    def stop(self) -> None:
        """Follow no longer, and check nothing."""
        if self._recording is not None:
            self._recording.stop()
            self._recording = None

    # -- how ----------------------------------------------------------------------------------------------------------

    @property
    def _recorder(self) -> Recording:
        if self._recording is None:
            raise FactsError(f"the tester of {self._name} has finished; make another one by tester(orchestrator).")
        return self._recording

    def _begin(self, name: str) -> str:
        """Check what came before, and give the act a name of its own."""
        self._check(f"before {name}")
        self._numbers[name] = number = self._numbers.get(name, 0) + 1
        return name if number == 1 else f"{name} (no. {number})"

    def _step(self, title: str, cause: Cause) -> Step:
        is_lenient = self._exhaustive is not True
        self._latest = Step(self._name, title, self._facts, cause, is_lenient)
        return self._latest

    def _advanced(self, seconds: float) -> Turns[Step]:
        name = self._begin(f"advance({seconds:g})")
        with self._recorder.acting(name):
            yield from self._clock.passing(seconds)
        return self._step(name, name)

    def _ended(self, job: type[BaseJob[Any]], attributes: dict[str, object]) -> Turns[Step]:
        outcome = attributes.pop("outcome", "success")
        fact = yield from self._found(
            lambda event: isinstance(event, JobEvent) and event.is_terminal and event.is_from(job)
        )
        title = f"the end of {job.__name__}"
        if fact is None:
            raise FactsError(self._missing(f"{title} has not come"))
        if (came := outcome_of(fact.value)) != outcome:
            raise FactsError(
                f"{job.__name__} of {self._name} ended in {came}, not in {outcome}:\n    {line_of(fact, self._facts)}\n"
                f"  Write end_of({job.__name__}, outcome={came!r}) if that is right."
            )
        return self._take(fact, title, attributes)

    def _came(
        self, kind: type[BaseEvent], job: type[BaseJob[Any]] | None, attributes: dict[str, object]
    ) -> Turns[Step]:
        fact = yield from self._found(
            lambda event: (
                isinstance(event, kind) and (job is None or (isinstance(event, JobEvent) and event.is_from(job)))
            )
        )
        title = kind.__name__ if job is None else f"{kind.__name__} of {job.__name__}"
        if fact is None:
            raise FactsError(self._missing(f"{title} has not come"))
        return self._take(fact, title, attributes)

    def _found(self, is_it: Callable[[Any], bool]) -> Turns[Fact | None]:
        """Give the first event that is not asserted yet and fits, once all has come to rest if need be."""
        assert self._recorder
        for _ in range(2):
            for fact in self._facts:
                # One that was emitted has no number before it is delivered.
                if fact.kind == "event" and not fact.is_claimed and fact.value.seq and is_it(fact.value):
                    return fact
            yield from self._clock.settling()
        return None

    def _take(self, fact: Fact, title: str, attributes: dict[str, object]) -> Step:
        step = self._step(title, fact.value.seq)
        step.take(fact, attributes)
        return step

    def _missing(self, what: str) -> str:
        running = self._recorder.running
        return (
            f"{what}, though everything has come to rest; fake time is {self._clock.now():g} s.\n"
            f"{listed('running', running) or '  No job of the orchestrator is running.' + chr(10)}"
            f"{lines_of('not asserted', self._left(), self._facts)}"
            f"  Let time pass by advance(), release the gate that holds it, or assert what did come."
        )

    def _left(self) -> list[Fact]:
        return [fact for fact in self._facts if not fact.is_claimed]

    def _skip(self, facts: list[Fact]) -> None:
        for fact in facts:
            fact.is_claimed = True
        self.skipped += [line_of(fact, self._facts) for fact in facts]

    def _suggestion(self, left: list[Fact]) -> str:
        return suggestion(left, self._facts, None if self._latest is None else self._latest.cause)

    def _check(self, when: str) -> None:
        # An error is nothing to overlook: while the tester follows, nobody else hears of it.
        left = [fact for fact in self._left() if self._exhaustive is True or fact.kind == "error"]
        if left:
            raise FactsError(
                f"{self._name} did more than was asserted {when}:\n"
                f"{lines_of('not asserted', left, self._facts)}{self._ways_out(left)}"
            )
        left = self._left()
        if left and self._exhaustive == "show":
            print(lines_of(f"{self._name}, not asserted {when}", left, self._facts), end="")  # noqa: T201
        self._skip(left)

    def _ways_out(self, left: list[Fact]) -> str:
        code = self._suggestion(left)
        outside = "  What is done outside of an act has no step: write t.act(...) around it.\n"
        return (
            f"{outside if any(fact.cause == OUTSIDE and fact.kind != 'event' for fact in left) else ''}"
            f"{f'  Assert it; this would pass:{chr(10) * 2}{code}{chr(10) * 2}' if code else ''}"
            f"  Or skip it by skip_rest()"
            f"{', or follow with tester(..., exhaustive=False)' if self._exhaustive is True else ''}."
        )

    def _finishing(self) -> Generator[bool, None, None]:
        if self._recording is None:
            return
        try:
            yield from self._clock.settling()
            running = self._recorder.running
            if running and self._exhaustive is True:
                raise FactsError(
                    f"jobs of {self._name} are running at the end of the test:\n"
                    f"{listed('running', running)}"
                    f"  Wait for them by end_of(), let time pass, release the gate that holds them, or cancel them."
                )
            self._check("at the end of the test")
        finally:
            self.stop()


def _written_call(what: str | Callable[..., object], args: tuple[object, ...], named: dict[str, object]) -> str:
    name = what if isinstance(what, str) else getattr(what, "__name__", repr(what))
    arguments = [*map(repr, args), *(f"{key}={value!r}" for key, value in named.items())]
    return f"{name}({', '.join(arguments)})"
