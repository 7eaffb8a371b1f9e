"""Who hears what: by event class, job class and job id, found by index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from qtorch import (
    BaseEvent,
    BaseJob,
    BaseOrchestrator,
    BaseState,
    JobEvent,
    JobFailureEvent,
    JobStartedEvent,
    JobSuccessEvent,
    JobTimeoutEvent,
    SignalBus,
    executes,
)
from qtorch.bus.routes import Listener
from tests.qtorch.bus.rig import Left, Said, Shouted, turn

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from qtorch.testing.hygiene import TestRuntime


class FetchJob(BaseJob[int]):
    pass


class FetchSpecialJob(FetchJob):
    pass


class OtherJob(BaseJob[int]):
    pass


FETCH, SPECIAL, OTHER = FetchJob(), FetchSpecialJob(), OtherJob()
EVENTS: dict[str, BaseEvent] = {
    "said": Said("talk"),
    "shouted": Shouted("talk"),
    "left": Left("talk"),
    "fetch started": JobStartedEvent(FETCH.id, FETCH),
    "fetch succeeded": JobSuccessEvent(FETCH.id, FETCH, data=1),
    "fetch timed out": JobTimeoutEvent(FETCH.id, FETCH),
    "special succeeded": JobSuccessEvent(SPECIAL.id, SPECIAL, data=1),
    "other failed": JobFailureEvent(OTHER.id, OTHER),
    "about fetch": Said(FETCH.id),
}


@pytest.mark.parametrize(
    ("wanted", "heard"),
    [
        ({}, set(EVENTS)),
        ({"event_type": BaseEvent}, set(EVENTS)),
        ({"event_type": Said}, {"said", "shouted", "about fetch"}),
        ({"event_type": Shouted}, {"shouted"}),
        ({"event_type": JobSuccessEvent}, {"fetch succeeded", "special succeeded"}),
        ({"event_type": JobFailureEvent}, {"fetch timed out", "other failed"}),
        ({"event_type": JobTimeoutEvent}, {"fetch timed out"}),
        ({"job_type": FetchJob}, {"fetch started", "fetch succeeded", "fetch timed out", "special succeeded"}),
        ({"job_type": FetchSpecialJob}, {"special succeeded"}),
        ({"job_type": BaseJob}, {name for name, event in EVENTS.items() if isinstance(event, JobEvent)}),
        ({"event_type": JobSuccessEvent, "job_type": FetchJob}, {"fetch succeeded", "special succeeded"}),
        ({"event_type": Said, "job_type": FetchJob}, set()),
        ({"job_id": FETCH.id}, {"fetch started", "fetch succeeded", "fetch timed out", "about fetch"}),
        ({"job_id": FETCH.id, "event_type": JobSuccessEvent}, {"fetch succeeded"}),
        ({"job_id": FETCH.id, "job_type": OtherJob}, set()),
        ({"job_id": "unknown"}, set()),
    ],
    # The same in every process, for xdist: no ids of jobs, and sets in order.
    ids=lambda names: " ".join(sorted(names)),
)
def test_a_listener_hears_what_fits_all_that_it_asked_for_subclasses_included(
    bus: SignalBus, wanted: dict[str, Any], heard: set[str]
) -> None:
    names = {type(event).__name__ + event.correlation_id: name for name, event in EVENTS.items()}
    got: list[str] = []
    bus.subscribe(lambda event: got.append(names[type(event).__name__ + event.correlation_id]), **wanted)
    for event in EVENTS.values():
        bus.emit(event)
    turn(bus)
    assert set(got) == heard
    assert len(got) == len(heard)


def test_listeners_hear_in_the_order_of_their_subscription_those_of_one_job_last(bus: SignalBus) -> None:
    order: list[str] = []
    bus.subscribe(lambda event: order.append("by id"), job_id=FETCH.id)
    bus.subscribe(lambda event: order.append("by type"), event_type=JobEvent)
    bus.subscribe(lambda event: order.append("all"))
    bus.subscribe(lambda event: order.append("by job"), job_type=FetchJob)
    bus.emit(JobStartedEvent(FETCH.id, FETCH))
    turn(bus)
    assert order == ["by type", "all", "by job", "by id"]


class CountingListeners:
    """Counts how often a listener is looked at, not how long it takes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.looks = 0
        fits = Listener.fits

        def counted(listener: Listener, *kind: Any) -> bool:
            self.looks += 1
            return fits(listener, *kind)

        monkeypatch.setattr(Listener, "fits", counted)

    def during(self, bus: SignalBus, *events: BaseEvent) -> int:
        self.looks = 0
        for event in events:
            bus.emit(event)
        turn(bus)
        return self.looks


def test_an_event_s_cost_does_not_depend_on_how_many_listen_to_other_kinds(
    bus: SignalBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[object] = []
    for _ in range(1_000):
        bus.subscribe(heard.append, event_type=Left)
    for _ in range(3):
        bus.subscribe(lambda event: heard.append(event), event_type=Said)
    counting = CountingListeners(monkeypatch)
    counting.during(bus, Said("talk"))
    assert counting.during(bus, *(Said("talk") for _ in range(50))) == 0
    assert len(heard) == 51 * 3


def test_a_listener_to_one_job_costs_the_events_of_other_jobs_nothing(
    bus: SignalBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[object] = []
    for number in range(1_000):
        bus.subscribe(heard.append, job_id=f"job {number}")
    counting = CountingListeners(monkeypatch)
    assert counting.during(bus, *(JobStartedEvent(f"job {number}", FETCH) for number in range(10))) == 10
    assert len(heard) == 10


def test_subscribing_to_one_job_does_not_throw_the_index_of_the_others_away(
    bus: SignalBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(100):
        bus.subscribe(lambda event: None, event_type=Said)
    counting = CountingListeners(monkeypatch)
    counting.during(bus, Said("talk"))
    bus.subscribe(lambda event: None, job_id="a job").close()
    assert counting.during(bus, Said("talk")) == 0


def test_nothing_of_a_closed_listener_is_left_in_the_index(bus: SignalBus) -> None:
    routes = bus.core.routes
    for wanted in ({}, {"event_type": Said}, {"job_id": FETCH.id}, {"job_type": FetchJob}):
        options: dict[str, Any] = wanted
        bus.subscribe(lambda event: None, **options).close()
    assert not routes._listeners
    assert not routes._by_job


# -- in a Runtime ------------------------------------------------------------------------------------------------------


class EmptyState(BaseState):
    pass


@pytest.mark.realtime
def test_for_one_event_come_the_signal_the_subscribers_the_owner_and_the_passive_orchestrators(
    qtorch_runtime: TestRuntime, qtbot: QtBot
) -> None:
    order: list[str] = []

    @executes(FetchJob)
    def fetch(job: FetchJob) -> int:
        return 1

    class Owner(BaseOrchestrator[EmptyState]):
        def on_active_success(self, event: JobSuccessEvent[Any]) -> None:
            order.append("owner")

    class Bystander(BaseOrchestrator[EmptyState]):
        def on_passive_event(self, event: BaseEvent) -> None:
            if isinstance(event, JobSuccessEvent):
                order.append("passive")

    def signal(event: BaseEvent) -> None:
        if isinstance(event, JobSuccessEvent):
            order.append("signal")

    qtorch_runtime.register(fetch)
    bystander, owner = Bystander(EmptyState()), Owner(EmptyState())
    qtorch_runtime.bus.event_emitted.connect(signal)
    qtorch_runtime.bus.subscribe(lambda event: order.append("subscriber"), event_type=JobSuccessEvent)
    owner.dispatch(FetchJob())
    qtbot.waitUntil(lambda: "passive" in order)
    assert order == ["signal", "subscriber", "owner", "passive"]
    bystander.close()


@pytest.mark.realtime
def test_a_job_asks_no_orchestrator_but_its_own(
    qtorch_runtime: TestRuntime, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qtorch.orchestrator.core import OrchestratorCore

    heard: list[str] = []

    @executes(FetchJob)
    def fetch(job: FetchJob) -> int:
        return 1

    class Many(BaseOrchestrator[EmptyState]):
        def on_active_success(self, event: JobSuccessEvent[Any]) -> None:
            heard.append(event.job_id)

    qtorch_runtime.register(fetch)
    many = [Many(EmptyState()) for _ in range(200)]
    asked: set[str] = set()
    active_steps = OrchestratorCore.active_steps

    def counted(core: OrchestratorCore, *kind: Any) -> Any:
        asked.add(str(id(core)))
        return active_steps(core, *kind)

    monkeypatch.setattr(OrchestratorCore, "active_steps", counted)
    handle = many[7].dispatch(FetchJob())
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == [handle.id]
    assert len(asked) == 1
