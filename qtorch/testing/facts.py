"""What happened, in words and as the code that asserts it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qtorch.events import JobCancelledEvent, JobEvent, JobFailureEvent, JobSuccessEvent, JobTimeoutEvent
from qtorch.testing.writing import written

if TYPE_CHECKING:
    from qtorch.testing.recording import Fact


class FactsError(AssertionError):
    """An orchestrator did something else than the test says."""


def line_of(fact: Fact) -> str:
    """Say what happened and what caused it."""
    cause = fact.cause if isinstance(fact.cause, str) else f"event #{fact.cause}"
    if fact.kind == "state":
        changes = ", ".join(f"{name}={written(value)}" for name, value in fact.changed.items())
        return f"state   {changes}  (by {cause})"
    if fact.kind == "event":
        return f"event   {written(fact.value)}"
    return f"{fact.kind:<7} {written(fact.value)}  (by {cause})"


def lines_of(title: str, lines: Sequence[str]) -> str:
    """Write a list under its title; nothing for an empty one."""
    return f"  {title}:\n" + "".join(f"    {line}\n" for line in lines) if lines else ""


def suggestion(facts: Sequence[Fact]) -> str:
    """Give the code that asserts ``facts``, one line for each cause."""
    calls: dict[Any, list[str]] = {}
    changes: dict[Any, dict[str, Any]] = {}
    for fact in facts:
        cause = fact.value.seq if fact.kind == "event" and isinstance(fact.value, JobEvent) else fact.cause
        mine = calls.setdefault(cause, [])
        if fact.kind == "event" and isinstance(fact.value, JobEvent):
            mine.insert(0, _event_call(fact.value))
        elif fact.kind == "state":
            changes.setdefault(cause, {}).update(fact.changed)
        else:
            mine.append(_call(fact))
    lines: list[str] = []
    for cause, mine in calls.items():
        if cause in changes:
            mine.insert(_place_of_changes(mine), f".changes({_arguments(changes[cause])})")
        start = "" if mine[0].startswith("t.") else "step"  # of an act: the step that it gave
        lines.append(f"    {start}{''.join(mine)}")
    return "\n".join(lines)


def _place_of_changes(calls: list[str]) -> int:
    return 1 if calls and calls[0].startswith("t.") else 0


def _event_call(event: JobEvent) -> str:
    job = type(event.job).__name__
    match event:
        case JobSuccessEvent():
            return f"t.end_of({job})"
        case JobTimeoutEvent():
            return f't.end_of({job}, outcome="timeout")'
        case JobFailureEvent():
            return f't.end_of({job}, outcome="failure")'
        case JobCancelledEvent():
            return f't.end_of({job}, outcome="cancelled")'
        case _:
            return f"t.event({type(event).__name__}, {job})"


def _call(fact: Fact) -> str:
    value: Any = fact.value
    if fact.kind == "job":
        fields = {name: getattr(value, name) for name in value.__class__.model_fields if name != "id"}
        return f".starts({', '.join([type(value).__name__, *_pairs(fields)])})"
    if fact.kind == "error":
        return f".error({type(value).__name__})"
    return f".{'emits' if fact.kind == 'event' else 'effect'}({value!r})"


def _arguments(fields: dict[str, Any]) -> str:
    return ", ".join(_pairs(fields))


def _pairs(fields: dict[str, Any]) -> list[str]:
    return [f"{name}={value!r}" for name, value in fields.items()]
