"""What one act, or one event, caused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtorch.testing.diff import differences
from qtorch.testing.facts import Cause, FactsError, lines_of
from qtorch.testing.matchers import having, matches
from qtorch.testing.recording import Fact, Kind, caused_by
from qtorch.testing.writing import written

if TYPE_CHECKING:
    from qtorch.events import BaseEvent
    from qtorch.job.base_job import BaseJob

_NO_CHANGE = "(no change)"


class Step:
    """What one act or event caused; every method asserts a part of it and gives the step again.

    What happens later to jobs that it started is no part of it: their events are steps of their own.
    """

    def __init__(self, owner: str, title: str, facts: list[Fact], cause: Cause, is_lenient: bool) -> None:
        self._owner = owner
        self._title = title
        self._facts = facts
        self.cause = cause
        self._is_lenient = is_lenient

    def changes(self, **fields: object) -> Step:
        """Assert which fields of the state were changed, computed ones included, and to what, in the end.

        Each is an entry of :func:`~qtorch.testing.matches`. A field that is not named may not have changed, unless the
        tester is not exhaustive.
        """
        if not fields:
            raise FactsError("changes() names no field.\n  Name those that change, or write unchanged().")
        mine = self._of("state")
        came = self._net(mine)
        names = [name for name in (*fields, *came) if name in fields or not self._is_lenient]
        lines: list[str] = []
        for name in dict.fromkeys(names):
            expected, value = fields.get(name, _NO_CHANGE), came.get(name, _NO_CHANGE)
            if not matches(expected, value):
                lines += [f"    - {name}: {_text(expected)}", f"    + {name}: {_text(value)}"]
        if lines:
            listed = "\n".join(lines)
            raise FactsError(
                f"the state of {self._owner} after {self._title} is another one than expected:\n"
                f"    - expected   + came\n{listed}\n"
                f"  Correct changes(...), or the code that sets these fields."
            )
        self._claim(mine)
        return self

    def unchanged(self) -> Step:
        """Assert that the state was not changed, or was changed and changed back."""
        changes = self._of("state")
        if self._net(changes):
            raise FactsError(
                f"the state of {self._owner} was changed by {self._title}:\n"
                f"{lines_of('changes', changes, self._facts)}"
                f"  Assert it by changes(...)."
            )
        self._claim(changes)
        return self

    def starts(self, job: type[BaseJob[Any]], /, **fields: object) -> Step:
        """Assert that a job of that class was dispatched, with these values."""
        return self._take("job", having(job, **fields), f"{job.__name__} was dispatched by")

    def effect(self, value: object) -> Step:
        """Assert that ``orchestrator.effect`` was emitted with ``value``, an entry."""
        return self._take("effect", value, f"effect {_text(value)} came from")

    def emits(self, event: type[BaseEvent] | object, /, **attributes: object) -> Step:
        """Assert that an event of your own was emitted: a value, a matcher, or a class and attributes."""
        expected = having(event, **attributes) if isinstance(event, type) else event
        return self._take("event", expected, f"event {_text(expected)} was emitted by")

    def error(self, error: object) -> Step:
        """Assert that a hook or listener raised ``error``: a class, an exception, or another entry."""
        return self._take("error", error, f"{_text(error)} was reported by")

    def take(self, fact: Fact, attributes: dict[str, object]) -> None:
        """Assert the event that the step is about."""
        if attributes and (text := differences([having(**attributes)], [fact.value])):
            raise FactsError(f"{self._title} is not as expected:\n{text}\n  Correct the values, or the code.")
        self._claim([fact])

    def _of(self, kind: Kind) -> list[Fact]:
        return caused_by(self._facts, self.cause, kind)

    @staticmethod
    def _net(changes: list[Fact]) -> dict[str, Any]:
        """Give what they changed in the end: what was changed and changed back is no change."""
        came: dict[str, Any] = {}
        for fact in changes:
            came |= fact.changed
        return {name: value for name, value in came.items() if getattr(changes[0].old, name, _NO_CHANGE) != value}

    def _take(self, kind: Kind, expected: object, what: str) -> Step:
        mine = self._of(kind)
        for fact in mine:
            if matches(expected, fact.value):
                self._claim([fact])
                return self
        others = [fact for fact in self._facts if fact.kind == kind and not fact.is_claimed and fact not in mine]
        raise FactsError(
            f"no {what} {self._title}.\n"
            f"{differences([expected], [fact.value for fact in mine]) + chr(10) if mine else ''}"
            f"{lines_of('caused by it', mine, self._facts)}"
            f"{lines_of('caused by something else', others, self._facts)}"
            f"  Correct the assertion, make it on the step that causes it, or correct the code."
        )

    @staticmethod
    def _claim(facts: list[Fact]) -> None:
        for fact in facts:
            fact.is_claimed = True


def _text(value: object) -> str:
    return value if value is _NO_CHANGE else written(value)
