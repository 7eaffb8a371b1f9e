"""What happened, in words and as the code that asserts it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeAlias

from qtorch.events import JobCancelledEvent, JobEvent, JobSuccessEvent, JobTimeoutEvent
from qtorch.events.event import COMMON
from qtorch.state.base_state import model_fields_of
from qtorch.testing.writing import written

if TYPE_CHECKING:
    from qtorch.testing.recording import Fact

Cause: TypeAlias = int | str
"""The ``seq`` of an event of the bus, or what the test did."""

OUTSIDE = "outside of any act"


class FactsError(AssertionError):
    """An orchestrator did something else than the test says."""


def lines_of(title: str, shown: Iterable[Fact], facts: Sequence[Fact]) -> str:
    """Write some of ``facts`` under a title, each with what caused it; nothing if there are none."""
    return listed(title, [line_of(fact, facts) for fact in shown])


def listed(title: str, lines: Sequence[str]) -> str:
    """Write ``lines`` under a title; nothing if there are none."""
    return f"  {title}:\n" + "".join(f"    {line}\n" for line in lines) if lines else ""


def line_of(fact: Fact, facts: Sequence[Fact]) -> str:
    """Say what happened and what caused it, an act of the test or an event among ``facts``."""
    if fact.kind == "event" and isinstance(fact.value, JobEvent):
        return f"event   {written(fact.value)}"
    what = _pairs(fact.changed) if fact.kind == "state" else written(fact.value)
    cause = OUTSIDE if fact.cause == OUTSIDE else f"by {_cause_in_words(fact.cause, facts)}"
    return f"{fact.kind:<7} {what}  ({cause})"


def suggestion(left: Sequence[Fact], facts: Sequence[Fact], latest: Cause | None) -> str:
    """Give the code that asserts ``left``, one line for each cause; ``t.step`` is the step of the ``latest``.

    What was done outside of any act has no step that could assert it.
    """
    calls: dict[Cause, str] = {}
    for fact in left:
        if _is_a_step(fact, left):
            calls.setdefault(fact.value.seq, f"t.{_event_call(fact.value)}")
    for cause in dict.fromkeys(fact.cause for fact in left if not _is_a_step(fact, left)):
        if cause == OUTSIDE:
            continue
        mine = [fact for fact in left if fact.cause == cause and not _is_a_step(fact, left)]
        calls[cause] = calls.get(cause, "t.step" if cause == latest else "step") + _assertions(mine)
    return "\n".join(
        f"    {call}" + (f"  # step: that of {_cause_in_words(cause, facts)}" if call.startswith("step") else "")
        for cause, call in calls.items()
    )


def _cause_in_words(cause: Cause, facts: Sequence[Fact]) -> str:
    if isinstance(cause, str):
        return cause
    for fact in facts:
        if fact.kind == "event" and fact.value.seq == cause:
            event: Any = fact.value
            if not isinstance(event, JobEvent):
                return type(event).__name__
            return f"{type(event).__name__} {type(event.job).__name__} #{event.attempt}"
    return f"event no. {cause} of the bus"


def _is_a_step(fact: Fact, left: Sequence[Fact]) -> bool:
    """Whether the fact is an event that is waited for, not one that the step of its cause asserts."""
    if fact.kind != "event":
        return False
    return isinstance(fact.value, JobEvent) or any(one.cause == fact.value.seq for one in left)


def _assertions(facts: Sequence[Fact]) -> str:
    changes: dict[str, Any] = {}
    before = next((fact.old for fact in facts if fact.kind == "state"), None)
    for fact in facts:
        changes |= fact.changed if fact.kind == "state" else {}
    net = {name: value for name, value in changes.items() if getattr(before, name) != value}
    # What was changed and changed back is a change that no value tells of.
    changed = [] if before is None else [f".changes({_pairs(net)})" if net else ".unchanged()"]
    return "".join([*changed, *(_call(fact) for fact in facts if fact.kind != "state")])


def _event_call(event: Any) -> str:
    if not isinstance(event, JobEvent):
        return f"event({type(event).__name__})"
    job = type(event.job).__name__
    if not event.is_terminal:
        return f"event({type(event).__name__}, {job})"
    outcome = outcome_of(event)
    return f"end_of({job})" if outcome == "success" else f'end_of({job}, outcome="{outcome}")'


def outcome_of(event: JobEvent) -> str:
    """Give the word for how a job ended: "success", "failure", "timeout" or "cancelled"."""
    match event:
        case JobSuccessEvent():
            return "success"
        case JobTimeoutEvent():
            return "timeout"
        case JobCancelledEvent():
            return "cancelled"
        case _:
            return "failure"


def _call(fact: Fact) -> str:
    value: Any = fact.value
    name = type(value).__name__
    if fact.kind == "job":
        payload = {field: getattr(value, field) for field in model_fields_of(type(value)) if field != "id"}
        return f".starts({', '.join(filter(None, [name, _pairs(payload)]))})"
    if fact.kind == "error":
        return f".error({name})"
    if fact.kind == "event":
        own = {one.name: getattr(value, one.name) for one in fields(value) if one.name not in COMMON}
        return f".emits({', '.join(filter(None, [name, _pairs(own)]))})"
    return f".effect({value!r})"


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in values.items())
