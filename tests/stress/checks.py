"""What has to hold in a World at any time, and once all has come to its end."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import shiboken6

from qtorch import CONCURRENT, DROPPABLE, KEEP_LATEST, RESTARTABLE, SEQUENTIAL, JobHandle, JobStatus, JobSuccessEvent
from qtorch.execution.flight import SharedWork
from qtorch.execution.member import Member
from tests.qtorch.execution.rig import (
    ITEMS,
    LoopJob,
    LoopStreamJob,
    ThreadJob,
    ThreadStreamJob,
    WorkJob,
    holds_no_place,
    run_of,
)

if TYPE_CHECKING:
    from qtorch.execution.lane import Lane
    from tests.stress.world import Window, World


def check(world: World) -> None:
    """Check what holds after each step."""
    # 5: only what was raised on purpose escaped, each once
    for error in world.escaped:
        if error not in world.raised:
            raise error
    assert world.escaped == world.raised, "what was raised was not reported once, in order"
    # Parents on a loop of their own dispatch at any moment: what is there now, children and all, is what is checked.
    running = dict(world.services.running)
    for run in running.values():
        world.take(run.handle())
    handles = list(world.handles.values())
    runtime = world.rig.runtime
    # 1: tracked until the end, and no longer
    assert set(running) == {handle.id for handle in handles if not run_of(handle).is_ended}
    for handle in handles:
        assert (handle.outcome is not None) == handle.status.is_final
        assert world.outcomes.setdefault(handle.id, handle.outcome or None) in (None, handle.outcome)
        if handle.outcome is not None:
            world.outcomes[handle.id] = handle.outcome
        if runtime.is_closed or run_of(handle).bus.is_closed:
            assert run_of(handle).is_ended, f"{handle} outlives its bus"
            # A child that came while its bus was being closed may have come too late for it to tell anything.
            is_unheard = handle.parent_id is not None and handle.id not in world.recorder(handle).events
            assert is_unheard or world.recorder(handle).has_ended(handle), f"{handle}'s end was never told"
    # 4: work is in the books until it has ended
    for attempt in world.services.working:
        assert not attempt.has_ended
    attempts = {run_of(handle).attempt for handle in handles if handle.is_working}
    at_work = Counter(type(attempt.run.job) for attempt in attempts if attempt is not None)
    assert world.limit is None or all(count <= world.limit for count in at_work.values()), at_work
    check_flights(world, handles)
    check_lanes(world, handles)
    check_children(handles)
    for window in world.every_window:
        check_window(window, handles)


def check_flights(world: World, handles: list[JobHandle[Any]]) -> None:
    """What equal jobs share goes on for as long as one of them has not ended."""
    services = world.services
    members = [run for run in map(run_of, handles) if isinstance(run, Member) and run.outcome is None]
    works = {run: run._work for run in members if run._work is not None}
    for work in services.flights.values():
        assert not work.is_settled, "a flight that is over can be joined"
    for run, work in works.items():
        assert work.outcome is None
        assert run in work._members
        assert services.shared[work.id] is work
        attempt = work.attempt
        if attempt is not None and attempt.token.is_cancelled:
            assert attempt.has_timed_out, f"{run.id} has not ended, and its work was cancelled"
    for work in services.shared.values():
        assert work.is_settled or work in works.values(), f"nobody is left of the flight of {work.id}"


def check_lanes(world: World, handles: list[JobHandle[Any]]) -> None:
    lanes: dict[Lane, list[Any]] = {}
    shared = [attempt.run for attempt in world.services.working if isinstance(attempt.run, SharedWork)]
    for run in dict.fromkeys((*map(run_of, handles), *world.services.shared.values(), *shared)):
        if run.lane is not None:
            lanes.setdefault(run.lane, []).append(run)
    world.lanes.update(lanes)
    for lane, runs in lanes.items():
        inside = [run for run in runs if run in lane._inside]
        # A flight goes on for the others when the one that is in the lane was superseded.
        unsettled = [run for run in inside if not run.is_settled and not is_for_others(run)]
        match lane.policy:
            case _ if lane.policy is SEQUENTIAL:
                assert len(inside) <= 1, "two in a sequential lane"
                assert sum(run.is_working for run in runs) <= 1, "two writes overlap"
            case _ if lane.policy is KEEP_LATEST:
                assert sum(not run.is_settled and not is_for_others(run) for run in lane._waiting) <= 1
            case _ if lane.policy is RESTARTABLE:
                assert len(unsettled) <= 1
                assert sum(not run.is_settled and not is_for_others(run) for run in lane._waiting) <= 1
            case _ if lane.policy is DROPPABLE:
                assert not lane.counts["queued"], "one waits where nobody ever does"
        if lane.limit is not None:
            assert len(unsettled) <= lane.limit
        if lane.limit is not None and lane.policy in (CONCURRENT, KEEP_LATEST):
            assert len(inside) <= lane.limit
        assert sum(run.status is JobStatus.WAITING and not run.number for run in runs) == lane.counts["waiting"] <= 1
        if lane.is_paused:
            assert all(run.number == 0 for run in lane._waiting), "one that waits has been tried"


def is_for_others(run: object) -> bool:
    return isinstance(run, SharedWork) and run._first_member is None


def check_children(handles: list[JobHandle[Any]]) -> None:
    """No child goes on once the attempt that awaits it has ended or was stopped."""
    for run in map(run_of, handles):
        parent = run.parent
        if parent is not None and not run.is_settled:
            assert not parent.has_ended, f"{run.id} outlives {parent.run.id}"
            family = run.services.families.of.get(parent)
            # One that was dispatched on the loop's thread a moment ago has not begun, and will not.
            has_begun = family is not None and run in family.runs
            assert not (parent.is_stopped and has_begun), f"{run.id} goes on while {parent.run.id} stops"


def check_window(window: Window, handles: list[JobHandle[Any]]) -> None:
    """Tracking and ``running()`` of one orchestrator."""
    core = vars(window)["_core"]
    own = {handle.id for handle in handles if run_of(handle).owner is core and not run_of(handle).is_ended}
    if window.is_closed:
        assert not core.jobs
        return
    assert set(core.jobs) == own
    if shiboken6.isValid(window):
        assert window.has_active_jobs == bool(own)
        for kind in (WorkJob, ThreadJob, LoopJob):
            assert window.running(kind).get() == any(isinstance(run.job, kind) for run in core.jobs.values())


def check_end(world: World) -> None:
    """Check what holds once all work has ended and everything was told."""
    check(world)
    assert world.is_quiet()
    told = Counter(world.called_back)
    attempts = Counter[str]()
    for handle in world.handles.values():
        if handle.parent_id is not None and handle.id not in world.recorder(handle).events:
            continue  # see check()
        # 1, 2: exactly one terminal event, the last
        assert world.recorder(handle).has_ended(handle), f"{handle}'s end was never told"
        events = world.recorder(handle).events[handle.id]
        assert [event.is_terminal for event in events] == [False] * (len(events) - 1) + [True], events
        assert told[handle.id] == 1, f"{handle}: {told[handle.id]} calls of its done callback"
        assert not handle.is_working
        # no more attempts were made than were told of
        retries = [event for event in events if type(event).__name__ == "JobRetryingEvent"]
        name: str = handle.job.name  # type: ignore[attr-defined]
        attempts[name] += len(retries) + 1
        work = world.rig.works[name]
        assert len(work.tokens) == len(set(map(id, work.tokens))), "every attempt has a token of its own"
        # 7: of a stream that came to its good end nothing was dropped
        last = events[-1]
        if isinstance(handle.job, ThreadStreamJob | LoopStreamJob):
            if isinstance(last, JobSuccessEvent) and not last.is_from_cache:
                assert world.recorder(handle).items[handle.id, last.attempt] == list(range(ITEMS))
            assert not run_of(handle).items or not run_of(handle).items.pending  # type: ignore[union-attr]
    for name, most in attempts.items():
        assert world.rig.works[name].calls <= most
    for handle, thread, outcomes in world.waits:
        assert not thread.is_alive(), f"who waits for {handle} was never woken"
        assert outcomes == [handle.outcome]
    for window in world.every_window:
        if shiboken6.isValid(window) and window.spinner:
            assert window.spinner[-1] is False, f"{window} spins on: {window.spinner}, {world.trace}"
    assert not world.services.flights
    assert not world.services.shared
    for lane in world.lanes:
        assert not any(lane.counts.values()), f"{lane} is not empty: {lane.counts}"
        assert holds_no_place(lane), f"{lane} holds places for nobody"
    assert world.rig.clock.pending == 0, "a timer was left behind"
    assert world.services.threads._stuck == 0
    assert not world.services.families.of
    assert world.rig.runtime.bus.core.mailbox.is_idle
    reported = [report.error for report in world.rig.reports]
    if not world.rig.runtime.is_closed:
        assert reported == world.raised
