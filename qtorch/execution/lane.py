"""How the jobs of one lane meet: who goes on, who waits, and who ends for another's sake."""

from __future__ import annotations

import sys
from threading import get_ident
from typing import TYPE_CHECKING, Any, Protocol

from qtorch.errors import QueueFullError
from qtorch.execution.places import Places
from qtorch.execution.waiting_line import WaitingLine
from qtorch.job.options import CONCURRENT, DROPPABLE, KEEP_LATEST, RESTARTABLE, SEQUENTIAL, LanePolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtorch.bus.mailbox import Mailbox
    from qtorch.execution.throttling import OpenWindows


class LaneJob(Protocol):
    """A run, as far as its lane is concerned."""

    queue_key: tuple[float, int]

    @property
    def is_settled(self) -> bool:
        """Whether it has ended."""
        ...

    @property
    def is_paced(self) -> bool:
        """Whether it is debounced or throttled."""
        ...

    def proceed(self) -> None:
        """Go on: the lane is free."""

    def hold(self, seconds: float) -> None:
        """Call the lane's ``come_due`` in so many seconds, unless it ends before."""

    def cancel(self, reason: str | None) -> None:
        """End."""

    def supersede(self) -> None:
        """End for another one's sake, without calling anybody now; no effect on one that has ended."""


class Lane:
    """Jobs that concern each other, under one policy.

    ``runtime.lane(name, ...)`` makes one for all orchestrators of a Runtime and for ``dispatcher.dispatch``: dispatch
    with ``lane=name``, or with the object. It lives as long as the Runtime. Names of which the Runtime has no lane are
    private to the orchestrator that uses them; nobody gets to see those.

    Attributes
    ----------
    name, policy
        As they were given.
    limit
        How many jobs are inside at a time; None for any number. Work that goes on although its job has ended counts.
    max_queue
        How many jobs may wait for those inside; None for any number. With more, ``dispatch`` raises QueueFullError.
    is_paused
        Whether nobody is let in.

    Examples
    --------
    >>> uploads = runtime.lane("uploads", limit=2, max_queue=100)  # doctest: +SKIP
    >>> files.dispatch(UploadJob(path=path), lane=uploads)  # doctest: +SKIP
    >>> uploads.pause()  # doctest: +SKIP
    """

    __slots__ = ("__weakref__", "_inside", "_mailbox", "_pending", "_places", "_room",
                 "_waiting", "_windows", "is_paused", "limit", "max_queue", "name", "policy",
                 "window_ends")  # fmt: skip

    def __init__(
        self,
        name: str,
        policy: LanePolicy,
        limit: int | None,
        max_queue: int | None,
        mailbox: Mailbox,
        windows: OpenWindows | None = None,
    ) -> None:
        self.name = name
        self.policy = policy
        self.limit = limit
        self.max_queue = max_queue
        self.is_paused = False
        self.window_ends = 0.0
        """When, on the clock, the throttled job that ran last lets another one run."""
        self._mailbox = mailbox
        self._windows = windows
        # A RESTARTABLE job does not wait for the work of those it superseded, of which some may never stop.
        self._room = None if policy is RESTARTABLE else limit
        self._inside: dict[LaneJob, None] = {}
        self._waiting = WaitingLine()
        self._pending: LaneJob | None = None
        """The debounced or throttled job that is not yet in the lane; there is never more than the latest."""
        self._places = None if max_queue is None else Places()

    # -- any thread -----------------------------------------------------------------------------------------------

    def pause(self) -> None:
        """Let nobody in until :meth:`resume`; those inside go on, and deadlines run on. From other threads a request.

        Meanwhile the policy holds among those that wait: DROPPABLE jobs are dropped, and of KEEP_LATEST and
        RESTARTABLE only the latest one waits. A RESTARTABLE job supersedes those inside all the same.
        """
        self._ask(self._pause)

    def resume(self) -> None:
        """Let those that wait in, by priority, as far as there is room. From other threads a request."""
        self._ask(self._resume)

    def _ask(self, take: Callable[[object], None]) -> None:
        if get_ident() == self._mailbox.thread:
            take(None)
        else:
            self._mailbox.post(take)

    def _pause(self, _: object) -> None:
        self.is_paused = True

    def _resume(self, _: object) -> None:
        self.is_paused = False
        self._let_in()

    @property
    def counts(self) -> dict[str, int]:
        """How many jobs are inside, how many wait, are debounced or throttled, and how many have ended inside but work
        on.
        """
        inside = [run.is_settled for run in tuple(self._inside)]
        pending = self._pending
        return {
            "running": inside.count(False),
            "queued": sum(not run.is_settled for run in self._waiting),
            "waiting": int(pending is not None and not pending.is_settled),
            "still_working": inside.count(True),
        }

    def claim(self, job_name: str, is_paced: bool, *, is_late: bool = False) -> None:
        """Reserve a place for a job that is about to be dispatched into this bounded lane; :meth:`leave` gives it back.

        One that ``is_late`` was dispatched without, and gets one however many wait.

        Raises
        ------
        QueueFullError
            It would have to wait, and as many wait as may.
        """
        room = len(self._inside) if self.is_paused else self._room
        assert self._places is not None
        assert self.max_queue is not None
        if is_late or room is None or self.policy is DROPPABLE:
            free = sys.maxsize  # it does not wait
        elif self.policy in (KEEP_LATEST, RESTARTABLE) and self.max_queue > 0:
            free = sys.maxsize  # it takes the place of the one that waits
        else:
            free = room + self.max_queue - 1
        others = self._places.claim(is_paced, get_ident() == self._mailbox.thread, free)
        if others is not None:
            raise self._full(job_name, others)

    def _full(self, job_name: str, others: int) -> QueueFullError:
        limit = "no limit" if self.limit is None else f"limit={self.limit}"
        inside = f"{len(self._inside)} inside ({'paused' if self.is_paused else limit})"
        waiting = f"{max(0, others - len(self._inside))} waiting (max_queue={self.max_queue})"
        return QueueFullError(
            f"lane {self.name!r} is full, with {inside} and {waiting}: {job_name} was not dispatched.\n"
            f"  Dispatch it again when one of them has ended, raise max_queue of runtime.lane({self.name!r}, ...), or "
            f"use KEEP_LATEST if only the newest matters."
        )

    # -- the bus's thread -----------------------------------------------------------------------------------------

    def enter(self, run: LaneJob) -> None:
        """Let ``run`` proceed now or later, or end, by the policy."""
        if self._pending is not None:
            self._supersede_pending()
        if self._places is not None:
            self._places.arrive(run)
        policy, inside, waiting = self.policy, self._inside, self._waiting
        if policy is RESTARTABLE:
            for other in (*waiting, *inside):
                other.supersede()
        elif policy is DROPPABLE:
            assert self.limit is not None
            if self.is_paused or sum(not other.is_settled for other in inside) >= self.limit:
                run.cancel("dropped")
                return
            inside[run] = None
            run.proceed()
            return
        if not self.is_paused and (self._room is None or (len(inside) < self._room and not waiting)):
            inside[run] = None
            run.proceed()
            return
        if policy is KEEP_LATEST:
            for other in waiting:
                other.supersede()
        waiting.add(run, run.queue_key)

    def pace(self, run: LaneJob, debounce: float | None, throttle: float | None, now: float) -> None:
        """Let ``run`` enter when it is time, unless a newer one comes before."""
        if self._pending is not None:
            self._supersede_pending()
        wait = self.window_ends - now if debounce is None else debounce
        if wait > 0:
            self._pending = run
            if self._places is not None:
                self._places.hold_back(run)
            run.hold(wait)
        else:
            self._enter_paced(run, throttle, now)

    def come_due(self, run: LaneJob, throttle: float | None, now: float) -> None:
        """Let ``run`` enter, whose time of waiting is over."""
        self._pending = None
        if self._places is not None and self._places.is_newer_coming:
            # For both there may be no place.
            run.supersede()
        else:
            self._enter_paced(run, throttle, now)

    def _enter_paced(self, run: LaneJob, throttle: float | None, now: float) -> None:
        if throttle is not None:
            self.window_ends = now + throttle
            if self._windows is not None:
                self._windows.add(self, now)
        self.enter(run)

    def _supersede_pending(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            if self._places is not None:
                self._places.leave(pending)
            pending.supersede()

    def leave(self, run: LaneJob) -> None:
        """Hear that ``run`` has ended, its work included, or will never come, and let the next one in."""
        if run is self._pending:
            self._pending = None
        self._waiting.remove(run)
        # In this order: another thread that looks now sees too few places free, never too many.
        self._inside.pop(run, None)
        if self._places is not None:
            self._places.leave(run)
        self._let_in()

    def _let_in(self) -> None:
        inside, room = self._inside, self._room
        while (
            not self.is_paused
            and (room is None or len(inside) < room)
            and (following := self._waiting.pop()) is not None
        ):
            if not following.is_settled:
                inside[following] = None
                following.proceed()

    def held_by(self, run: Any) -> tuple[Any, ...]:
        """Give those inside of whom one has to leave before ``run`` can enter; none if it waits for none of them."""
        # A pause does not matter: it ends, and then there is still no room.
        is_held = self._room is not None and len(self._inside) >= self._room and run in self._waiting
        return tuple(self._inside) if is_held else ()

    def keeps_others_waiting(self, run: LaneJob) -> bool:
        """Whether ``run`` is inside and others wait."""
        return len(self._waiting) > 0 and run in self._inside

    def __repr__(self) -> str:
        return f"<Lane {self.name!r} {self.policy}{' paused' if self.is_paused else ''}>"


def limit_of(policy: LanePolicy, limit: int | None) -> int | None:
    """Give how many jobs are inside a lane of ``policy`` at a time, where ``limit`` was asked for."""
    if policy is CONCURRENT:
        return limit
    if policy in (SEQUENTIAL, RESTARTABLE):
        return 1
    return 1 if limit is None else limit
