"""What every run of a Runtime needs."""

from __future__ import annotations

import threading
from collections import Counter
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from qtorch.execution.families import Families
from qtorch.execution.lanes import SharedLanes
from qtorch.ports import OVERDUE, STEP_ASIDE

if TYPE_CHECKING:
    from collections.abc import Callable
    from weakref import ref

    from qtorch.bus.mailbox import Mailbox
    from qtorch.cache.cache import Cache
    from qtorch.execution.attempt import Attempt, Runner
    from qtorch.execution.dispatcher import Dispatcher
    from qtorch.execution.flight import FlightKey, SharedWork
    from qtorch.execution.run import JobRun
    from qtorch.execution.runners.loop import LoopRunner
    from qtorch.execution.runners.process_pool import ProcessPoolRunner
    from qtorch.execution.runners.thread_pool import ThreadPoolRunner
    from qtorch.execution.telling import Telling
    from qtorch.ports import Clock, ErrorSink, Random, Timer

FRAME = 0.016
"""Seconds between two events of progress, or of items, of one job: nobody sees more than 60 a second."""

_NO_PROCESSES = {"processes": 0, "idle": 0, "queued": 0}

_OFFER = 0.0002
"""Seconds of work between two offers of the interpreter."""


class Services:
    """The clock, cache, runners and books of one Runtime, shared by all its runs."""

    __slots__ = (
        "_frame_timer", "_in_frame", "_make_process_pool", "_yielded", "cache", "clock", "dispatcher", "families",
        "flights", "given_runners", "lanes", "loop", "mailbox", "owns_clock", "processes", "random", "running",
        "shared", "sink", "threads", "working",
    )  # fmt: skip

    dispatcher: ref[Dispatcher]
    """Who starts child jobs; weakly, because it refers to this."""

    def __init__(
        self,
        *,
        clock: Clock,
        owns_clock: bool,
        random: Random,
        cache: Cache,
        sink: ErrorSink,
        mailbox: Mailbox,
        threads: ThreadPoolRunner,
        loop: LoopRunner,
        make_process_pool: Callable[[], ProcessPoolRunner],
    ) -> None:
        self.clock = clock
        self.owns_clock = owns_clock
        self.random = random
        self.cache = cache
        self.sink = sink
        self.mailbox = mailbox
        self.lanes = SharedLanes(mailbox)
        self.threads = threads
        self.loop = loop
        self.processes: ProcessPoolRunner | None = None
        """None until an executor asks for it."""
        self._make_process_pool = make_process_pool
        self.given_runners: dict[int, Runner] = {}
        """Runners that executors brought along, by their object's id."""
        self.running: dict[str, JobRun] = {}
        """Runs that have not ended, by id. Added to on any thread, removed from on the bus's."""
        self.working: dict[Attempt, None] = {}
        """Attempts whose work goes on, that of ended jobs included. The bus's thread."""
        self.families = Families()
        """The child jobs by the attempts that wait for them. The bus's thread."""
        self.flights: dict[FlightKey, SharedWork] = {}
        """Work that an equal job can join. The bus's thread."""
        self.shared: dict[str, SharedWork] = {}
        """Shared work that has not ended, by the id of the job that began it. The bus's thread."""
        self._in_frame: dict[Callable[[bool], object], Telling] = {}
        self._frame_timer: Timer | None = None
        self._yielded = threading.local()

    def process_pool(self) -> ProcessPoolRunner:
        """Give the pool of worker processes."""
        if self.processes is None:
            self.processes = self._make_process_pool()
        return self.processes

    def give_way(self) -> None:
        """Let other threads have the interpreter, at length if the GUI thread is overdue. Any thread.

        Threads that report progress without a break starve the GUI thread of the GIL: its timers are 170 to 190 ms late
        then. Stepping aside once per frame, and when it is overdue, makes that 8 to 11 ms; to offer the GIL every
        fraction of a millisecond as well, which costs a thread next to nothing, 1 to 3 ms. On the GUI thread itself it
        does nothing.
        """
        if threading.get_ident() == self.mailbox.thread:
            return
        now, mine = monotonic(), self._yielded
        if (
            now - getattr(mine, "at", 0.0) > FRAME
            or self.mailbox.lateness() > OVERDUE
            or self.clock.lateness() > OVERDUE
        ):
            mine.at = mine.offered = now
            sleep(STEP_ASIDE)
        elif now - getattr(mine, "offered", 0.0) > _OFFER:
            mine.offered = now
            sleep(0)

    def show_in_next_frame(self, run: Telling, take: Callable[[bool], object]) -> None:
        """Have ``take(True)``, a method of ``run``, called when the next frame is due. The bus's thread."""
        self._in_frame[take] = run
        if self._frame_timer is None:
            self._frame_timer = self.clock.call_later(FRAME, self._frame_due)

    def show_no_more(self, run: Telling) -> None:
        """Forget :meth:`show_in_next_frame`: the run has ended."""
        self._in_frame.pop(run.take_progress, None)
        self._in_frame.pop(run.take_items, None)
        if not self._in_frame and self._frame_timer is not None:
            self._frame_timer.cancel()
            self._frame_timer = None

    def _frame_due(self) -> None:
        self._frame_timer = None
        due, self._in_frame = self._in_frame, {}
        for take, run in due.items():
            run.bus.mailbox.post(take, True)

    def snapshot(self) -> dict[str, Any]:
        """Give the figures of :meth:`Runtime.snapshot`. The bus's thread."""
        by_status: dict[str, int] = {"queued": 0, "running": 0, "waiting": 0}
        for run in tuple(self.running.values()):
            if run.status.value in by_status:
                by_status[run.status.value] += 1
        stuck = [attempt.run for attempt in self.working if attempt.run.is_settled]
        still_working = [run.id for run in stuck]
        by_runner = Counter(id(run.registration.runner) for run in stuck)  # the user's need not be hashable
        processes = _NO_PROCESSES if self.processes is None else self.processes.counts
        return {
            **by_status,
            "still_working": len(still_working),
            "still_working_jobs": tuple(still_working),
            "lanes": self._lanes_by_name(),
            "runners": {
                "threads": {**self.threads.counts, "still_working": by_runner[id(self.threads)]},
                "loop": {**self.loop.counts, "still_working": by_runner[id(self.loop)]},
                "processes": {**processes, "still_working": by_runner[id(self.processes)]},
            },
        }

    def _lanes_by_name(self) -> dict[str, dict[str, Any]]:
        # Work that goes on after its job has ended holds its lane, too.
        runs = (*self.running.values(), *self.shared.values(), *(attempt.run for attempt in self.working))
        by_name: dict[str, dict[str, Any]] = {}
        for lane in dict.fromkeys((*self.lanes, *(run.lane for run in runs))):
            if lane is not None:
                # Lanes of several orchestrators can have one name.
                of_name = by_name.setdefault(lane.name, {**dict.fromkeys(lane.counts, 0), "paused": False})
                for what, number in lane.counts.items():
                    of_name[what] += number
                of_name["paused"] |= lane.is_paused
        return by_name
