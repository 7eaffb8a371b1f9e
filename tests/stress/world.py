"""An application in which everything can happen at any time, and what has to hold after each step of it."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections import deque
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakSet

import shiboken6
from PySide6.QtCore import QCoreApplication, QTimer
from PySide6.QtWidgets import QApplication, QDialog

from qtorch import (
    BaseOrchestrator,
    CachePolicy,
    CancellationToken,
    ClosedError,
    JobHandle,
    JobStatus,
    LanePolicy,
    QueueFullError,
    RetryPolicy,
    SignalBus,
)
from qtorch.execution import items
from tests.qtorch.execution.rig import PATIENCE, Gate, NoState, Rig, SlowCache, drive, elsewhere, qasync_loop, run_of
from tests.stress.parents import ParentJob, ParentWorker, add_work, child_job
from tests.stress.recorder import Recorder

if TYPE_CHECKING:
    from qtorch.bus.core import BusCore
    from qtorch.events import JobEvent
    from qtorch.execution.lane import Lane

Action: TypeAlias = "tuple[str, int, dict[str, Any]]"
"""What to do, to which of the jobs there are, and how to dispatch if it is a dispatch."""


def waits_for_room(handle: JobHandle[Any]) -> bool:
    """Whether a stream has to wait until its items are told."""
    attempt = run_of(handle).attempt
    streamed = None if attempt is None else attempt.run.items  # of the shared work, if it is shared
    return streamed is not None and bool(streamed._waiting)


class PlannedError(Exception):
    """Raised on purpose by a listener."""


class Window(BaseOrchestrator[NoState]):
    """An orchestrator whose hooks do what is planned for them."""

    def __init__(self, world: World, bus: SignalBus) -> None:
        super().__init__(NoState(), runtime=world.rig.runtime, bus=bus)
        self._world = world
        self.spinner: list[bool] = []
        self.running().subscribe(self._spin)

    def _spin(self, is_running: bool) -> None:
        self.spinner.append(is_running)
        self._world.carry_out("spinner")

    def on_active_event(self, event: JobEvent) -> None:
        self._world.carry_out("hook")


class World:
    """A Runtime on fake time with two buses, the windows on them, and the jobs that were dispatched."""

    def __init__(self, app: QApplication, *, loop: str, cache: str, limit: int | None) -> None:
        self._ending = ExitStack()
        self.escaped: list[BaseException] = []
        hook, sys.excepthook = sys.excepthook, lambda _type, error, _traceback: self.escaped.append(error)
        self._ending.callback(setattr, sys, "excepthook", hook)
        given = self._ending.enter_context(qasync_loop(app)) if loop == "qasync" else None
        # So little that the short streams here have to wait for it.
        room, items.ROOM = items.ROOM, 3
        self._ending.callback(setattr, items, "ROOM", room)
        self.cache = SlowCache()
        # Every gate there was: those that calls wait at are not always the latest.
        self.gates = [self.cache.read_gate, self.cache.write_gate]
        self.rig = Rig(loop=given, cache=self.cache if cache == "slow" else None)
        self._ending.callback(self.rig.close)
        self.open_cache()
        self.parents = ParentWorker(self.rig)
        self.parents.max_concurrency = limit
        self.rig.runtime.register(self.parents)
        self.limit = limit
        if limit is not None:
            self.rig.limit_executors(limit)
        self.services = self.rig.runtime.dispatcher.services
        self.other_bus = SignalBus.scoped()
        self.handles: dict[str, JobHandle[Any]] = {}
        self.outcomes: dict[str, object] = {}
        self.recorders = {
            bus: Recorder(bus, self.handles, self.adopt) for bus in (self.rig.runtime.bus, self.other_bus)
        }
        for bus in self.recorders:
            bus.subscribe(self._listen)
        self.windows: dict[SignalBus, Window] = {}
        self.every_window: list[Window] = []
        self.plans: dict[str, deque[list[Action] | None]] = {}
        self.raised: list[PlannedError] = []
        self.called_back: list[str] = []
        self.tokens = [CancellationToken(), CancellationToken()]
        self.waits: list[tuple[JobHandle[Any], threading.Thread, list[object]]] = []
        self.lanes: WeakSet[Lane] = WeakSet()  # weak, as in qtorch: how long a lane lives is part of the proof
        self.counter = 0
        self.depth = 0
        self.trace: list[str] = []
        """What was done when, dialogs indented: a draw does not tell when its plan was carried out."""

    # -- what happens by plan -----------------------------------------------------------------------------------------

    def plan(self, place: str, actions: list[Action] | None) -> None:
        """Have the next call of ``place`` open a dialog under which ``actions`` are done; None: raise."""
        self.plans.setdefault(place, deque()).append(actions)

    def _listen(self, event: object) -> None:
        self.carry_out("listener")

    def _call_back(self, handle: JobHandle[Any]) -> None:
        assert self.recorder(handle).has_ended(handle), "called back before the terminal event"
        self.called_back.append(handle.id)
        self.carry_out("callback")

    def carry_out(self, place: str) -> None:
        """Do what is planned next for ``place``."""
        plans = self.plans.get(place)
        if not plans:
            return
        self.trace.append(f"{'  ' * self.depth}in a {place}: {'raise' if plans[0] is None else 'dialog'}")
        actions = plans.popleft()
        if actions is None:
            self.raised.append(PlannedError(place))
            raise self.raised[-1]
        self._ask(deque(actions))

    def _ask(self, actions: deque[Action]) -> None:
        dialog = QDialog()
        timer = QTimer(dialog)

        def look() -> None:
            if actions:
                self.do(*actions.popleft())
            else:
                dialog.accept()

        timer.timeout.connect(look)
        timer.start(0)
        self.depth += 1
        dialog.exec()
        self.depth -= 1
        shiboken6.delete(dialog)

    def recorder(self, handle: JobHandle[Any]) -> Recorder:
        """Give what records the bus of a job."""
        return next(one for bus, one in self.recorders.items() if bus.core is run_of(handle).bus)

    # -- what can be done ---------------------------------------------------------------------------------------------

    def window(self, bus: SignalBus) -> Window:
        """Give the window on ``bus``, a new one if the last was closed."""
        window = self.windows.get(bus)
        if window is None or not shiboken6.isValid(window) or window.is_closed:
            window = self.windows[bus] = Window(self, bus)
            self.every_window.append(window)
        return window

    def dispatch(self, options: dict[str, Any]) -> None:
        """Dispatch a job as ``options`` say, from one of five places; refused once its Runtime or bus is closed."""
        rig, name = self.rig, str(self.counter)
        self.counter += 1
        if "shares" in options:
            name = f"shared {options['shares']}"
        bus = self.other_bus if "other" in options["place"] else rig.runtime.bus
        if "shares" in options:
            options = {key: value for key, value in options.items() if key != "children"}  # of whom? it is one's work
        if name not in rig.works:
            add_work(rig, name, options)
            self.parents.plan(name, options.get("children", []))
        given = {key: options[key] for key in ("timeout", "deadline", "placeholder", "priority") if key in options}
        if "retries" in options:
            given["retry"] = RetryPolicy(max_retries=options["retries"], base_delay=2.0)
        if "revalidate" in options:
            given["cache"] = CachePolicy(key="one", revalidate=options["revalidate"])
        given |= options.get("pace", {})
        if "shared" in options:
            given["lane"] = self.shared_lane(options.get("policy", LanePolicy.CONCURRENT), options["shared"])
        elif "policy" in options:
            given |= {"lane": f"lane of {options['policy']}", "policy": options["policy"]}
        if "shares" in options:
            given["dedupe"] = True
        if "token" in options:
            given["token"] = self.tokens[options["token"]]
        job = child_job(rig, name, options)
        handles: list[JobHandle[Any]] = []
        try:
            if options["place"] == "nobody":
                handles.append(rig.runtime.dispatcher.dispatch(job, bus=bus, **given))
            elif "elsewhere" in options["place"]:
                elsewhere(lambda: handles.append(rig.runtime.dispatcher.dispatch(job, bus=bus, **given)))
            else:
                handles.append(self.window(bus).dispatch(job, **given))
        except ClosedError:
            assert rig.runtime.is_closed or bus.is_closed or bus.core.is_refusing
            return
        except QueueFullError:
            assert given["lane"].max_queue is not None
            return
        self.take(handles[0])

    def take(self, handle: JobHandle[Any]) -> None:
        """Note that a job was dispatched."""
        if handle.id not in self.handles:
            self.handles[handle.id] = handle
            handle.add_done_callback(self._call_back)

    def adopt(self, job_id: str, core: BusCore) -> None:
        """Note that a child was dispatched, of which an event came."""
        self.take(core.jobs.find(job_id).handle())

    def shared_lane(self, policy: LanePolicy, number: int) -> Lane:
        """Give the shared lane of ``policy`` with that limit and queue, or none."""
        limit = 1 + number if policy in (LanePolicy.CONCURRENT, LanePolicy.DROPPABLE, LanePolicy.KEEP_LATEST) else None
        max_queue = (None, 0, 2)[number]
        return self.rig.runtime.lane(f"shared {policy} {number}", policy=policy, limit=limit, max_queue=max_queue)

    def _pause_or_resume(self, what: str, number: int) -> None:
        lanes = list(self.services.lanes)
        if lanes:
            lane = lanes[number % len(lanes)]
            act = lane.pause if what.startswith("pause") else lane.resume
            elsewhere(act) if "elsewhere" in what else act()

    def do(self, what: str, number: int = 0, options: dict[str, Any] | None = None) -> None:
        """Do one thing."""
        rig = self.rig
        self.trace.append(f"{'  ' * self.depth}{what} {number}")
        match what:
            case "dispatch":
                self.dispatch(options or {})
            case "drain":
                rig.drain()
            case "turn":
                QCoreApplication.processEvents()
            case "advance":
                rig.clock.advance(1.0 + number)
            case "cancel token":
                self.tokens[number % 2].cancel("token")
            case "new token":
                self.tokens[number % 2] = CancellationToken()
            case "pause" | "pause elsewhere" | "resume" | "resume elsewhere":
                self._pause_or_resume(what, number)
            case "block cache":
                self.cache.read_gate, self.cache.write_gate = Gate(), Gate()
                self.gates += [self.cache.read_gate, self.cache.write_gate]
            case "open cache":
                self.open_cache()
            case "close bus":
                self.other_bus.close()
            case "close bus elsewhere":
                elsewhere(self.other_bus.close)
            case "close runtime":
                self.close_runtime(waits=number % 2 == 0)
            case "close window" | "delete window" | "cancel window":
                self._end_window(what, number)
            case _:
                if self.handles:
                    self._do_to_job(what, list(self.handles.values())[number % len(self.handles)])

    def _do_to_job(self, what: str, handle: JobHandle[Any]) -> None:
        match what:
            case "finish" | "finish and see":
                name = str(handle.job.name)  # type: ignore[attr-defined]
                for own in (one for one in self.rig.works if one == name or one.startswith(f"{name}.")):
                    self.rig.works[own].gate.open()
                # Those of a parent may wait, for others or to be tried again; a stream for the next frame.
                if what == "finish and see" and not isinstance(handle.job, ParentJob):
                    drive(lambda: not handle.is_working or waits_for_room(handle))
            case "cancel":
                handle.cancel("here")
            case "cancel elsewhere":
                elsewhere(lambda: handle.cancel("elsewhere"))
            case "progress":
                self.rig.worker.emit_progress(handle.job, 0.5)  # type: ignore[arg-type]
            case "progress elsewhere":
                elsewhere(lambda: self.rig.worker.emit_progress(handle.job, 0.7))  # type: ignore[arg-type]
            case "wait elsewhere":
                self._wait_elsewhere(handle)
            case _:
                raise AssertionError(what)

    def _wait_elsewhere(self, handle: JobHandle[Any]) -> None:
        outcomes: list[object] = []
        thread = threading.Thread(target=lambda: outcomes.append(asyncio.run(handle.result())), daemon=True)
        thread.start()
        self.waits.append((handle, thread, outcomes))

    def _end_window(self, what: str, number: int) -> None:
        window = self.windows.get(list(self.recorders)[number % 2])
        if window is None or not shiboken6.isValid(window):
            return
        match what:
            case "close window":
                window.close(keep_jobs=number % 3 == 0)
            case "delete window":
                shiboken6.delete(window)
            case "cancel window":
                window.cancel_all("all")

    def open_cache(self) -> None:
        """Let every read and write of the slow cache through."""
        for gate in self.gates:
            gate.open()

    def close_runtime(self, *, waits: bool) -> None:
        """Close the Runtime, with all work willing to end or with work that it must leave behind."""
        if waits:
            self.rig.open_all()
            self.open_cache()
        self.rig.runtime.close(PATIENCE if waits else 0.01)

    # -- the end ------------------------------------------------------------------------------------------------------

    def is_quiet(self) -> bool:
        """Whether all jobs and all work have ended."""
        return not self.services.running and not self.services.working

    def left(self) -> str:
        """Give what has not ended, for a message."""
        services = self.services
        runs = [f"{run.handle()!r} is_settled={run.is_settled}" for run in tuple(services.running.values())]
        work = [f"{attempt.run.id} has_begun={attempt.has_begun}" for attempt in services.working]
        mailbox = self.rig.runtime.bus.core.mailbox
        rest = [
            services.threads.counts,
            services.loop.counts,
            f"{len(mailbox.queue)} queued {mailbox.wake_is_pending=}",
        ]
        return f"{runs}, {work}, {rest}, {self.trace}"

    def come_to_an_end(self) -> None:
        """Let all work end, retries included, and have everything told."""
        self.plans.clear()
        self.rig.drain()
        for lane in self.services.lanes:
            lane.resume()
        self.rig.open_all()
        self.open_cache()

        def is_waiting() -> bool:
            return any(run.status is JobStatus.WAITING for run in tuple(self.services.running.values()))

        def is_quiet() -> bool:
            self.rig.clock.advance(0.016)  # the frame in which streams go on
            return self.is_quiet() or is_waiting()

        while not self.is_quiet():
            try:
                drive(is_quiet)
            except AssertionError:
                raise AssertionError(f"work did not end: {self.left()}") from None
            if is_waiting():
                self.rig.clock.advance(2.0)
        # A call of the cache outlives the job it is made for, and posts what nobody wants any more.
        drive(lambda: self.services.threads.counts["threads"] == self.services.threads.counts["idle"], "idle threads")
        self.rig.drain()
        self.rig.clock.advance(0.016)  # the frame in which progress would have been shown
        self.rig.drain()
        for _, thread, _ in self.waits:
            thread.join(PATIENCE)

    def close(self) -> None:
        """Leave nothing behind."""
        self._ending.close()
        # A signal holds this list out of the collector's sight, and the frames of what was raised hold all the rest.
        self.rig.reports.clear()
