"""Finding jobs that would wait for each other for ever.

A parent waits for its children, a job in a lane's queue for those inside, an attempt at its executor's limit for those
at work. No circle is without a child: everybody else who holds something gets on by himself.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, cast

from qtorch.errors import DeadlockError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtorch.execution.run import JobRun


SHARED = "the work it shares"


def end_circle(run: JobRun) -> None:
    """Fail a child of the circle that ``run`` closes, if it does so by what it waits for now. The bus's thread.

    That is ``run`` itself if it is a child, else the last child on the way back to it.
    """
    holders, queue = _waits_for(run)
    # Most often one of them is plainly at work, and a wide fan-out need not be looked through for each of its children.
    if not queue or not all(_waits_for(one)[0] for one in holders) or not _is_waited_for(run):
        return
    stuck = _stuck_with(run)
    if run not in stuck:
        return
    circle = _way_back_to(run, stuck)
    children = [one for one in circle if one.parent is not None]
    child = run if run in children else children[-1]
    child.fail_now(DeadlockError(_text(child, circle)))


def _waits_for(run: JobRun) -> tuple[Sequence[JobRun], str]:
    """Give whom ``run`` waits for, and where it queues, "" if it awaits children."""
    if run.is_settled:  # its work ends as soon as it can, whoever it waited for
        return (), ""
    if run.shared_work is not None:
        return (run.shared_work,), SHARED
    if run.lane is not None and (inside := run.lane.held_by(run)):
        return inside, f"lane {run.lane.name!r}"
    gate = run.registration.gate
    if gate is not None and (at_work := gate.held_by(run.attempt)):
        return [attempt.run for attempt in at_work], f"max_concurrency of {type(run.registration.executor).__name__}"
    family = None if run.attempt is None else run.services.families.of.get(run.attempt)
    return () if family is None else tuple(family.runs), ""


def _is_waited_for(run: JobRun) -> bool:
    """Whether somebody queues where ``run`` or one of its ancestors is inside: no circle comes back without that.

    It costs little, and is not so in a mere fan-out, however wide.
    """
    new, seen = [run], {run}
    while new:
        one = new.pop()
        gate = one.registration.gate
        if (
            one.members  # whoever joins waits for it, wherever it is
            or (one.lane is not None and one.lane.keeps_others_waiting(one))
            or (gate is not None and gate.keeps_others_waiting(one.attempt))
        ):
            return True
        if one.parent is not None and one.parent.run not in seen:
            parent = cast("JobRun", one.parent.run)
            seen.add(parent)
            new.append(parent)
    return False


def _stuck_with(run: JobRun) -> dict[JobRun, Sequence[JobRun]]:
    """Give those that ``run`` leads to and that can never get on, with whom each waits for.

    Who queues gets on when one of those inside does, a parent only when all of its children do. So all are taken to be
    stuck at first, and those that are not are taken out until there is nothing to take out.
    """
    waits: dict[JobRun, tuple[Sequence[JobRun], str]] = {}
    new = [run]
    while new:
        one = new.pop()
        if one not in waits:
            waits[one] = _waits_for(one)
            new.extend(waits[one][0])
    before = -1
    while before != len(waits):
        before = len(waits)
        for one in reversed(tuple(waits)):
            others, queue = waits[one]
            is_stuck = all(other in waits for other in others) if queue else any(other in waits for other in others)
            if not (others and is_stuck):
                del waits[one]
    return {one: others for one, (others, _) in waits.items()}


def _way_back_to(run: JobRun, stuck: dict[JobRun, Sequence[JobRun]]) -> list[JobRun]:
    """Give a shortest circle, beginning with ``run``."""
    came_from: dict[JobRun, JobRun] = {}
    new = deque([run])
    while new:
        one = new.popleft()
        for other in stuck[one]:
            if other is run:
                circle = [one]
                while circle[-1] is not run:
                    circle.append(came_from[circle[-1]])
                return circle[::-1]
            if other in stuck and other not in came_from:
                came_from[other] = one
                new.append(other)
    raise AssertionError(f"{run.id} is stuck, and there was no circle before it came to wait")


def _text(child: JobRun, circle: Sequence[JobRun]) -> str:
    lines: list[str] = []
    for one, following in zip(circle, (*circle[1:], circle[0]), strict=True):
        queue = _waits_for(one)[1]
        if not queue:
            how = f"waits for its child {_name(following)}"
        elif queue is SHARED:
            how = f"shares the work of {_name(following)}"
        else:
            how = f"waits for {queue}, which {_name(following)} holds"
        lines.append(f"    {_name(one)} {how}")
    return (
        f"{_name(child)} would wait for itself, and so for ever:\n" + "\n".join(lines) + "\n"
        "  Give the child a lane of its own (lane=...), raise max_concurrency, or call the work itself instead of "
        "self.run()."
    )


def _name(run: JobRun) -> str:
    return f"{type(run.job).__name__} {run.id}"
