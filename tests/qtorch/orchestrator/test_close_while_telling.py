"""Closing an orchestrator tells its listeners a last time, and they may do anything then."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from qtorch import BaseOrchestrator, ClosedError, JobStatus
from tests.qtorch.execution.rig import NoState

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.qtorch.execution.rig import Rig

pytestmark = pytest.mark.realtime


def with_a_running_job(rig: Rig) -> Any:
    rig.work()
    handle = rig.dispatch("thread")
    rig.drain()
    return handle


def at_its_last_word(rig: Rig, action: Callable[[], object]) -> list[bool]:
    """Call ``action`` when the owner is told, by its close, that nothing runs."""
    told: list[bool] = []

    def hear(is_running: bool) -> None:
        told.append(is_running)
        if not is_running:
            action()

    rig.owner.running().subscribe(hear)
    return told


def test_a_job_that_a_listener_dispatches_while_its_orchestrator_closes_is_refused(rig: Rig) -> None:
    refused: list[bool] = []

    def dispatch() -> None:
        try:
            rig.dispatch("thread")
        except ClosedError:
            refused.append(rig.owner.is_closed)

    told = at_its_last_word(rig, dispatch)
    first = with_a_running_job(rig)
    rig.owner.close()
    rig.quiet()
    assert refused == [True]
    assert first.status is JobStatus.CANCELLED
    assert told[-1] is False, "a spinner would stay for ever"
    assert len({event.correlation_id for event in rig.log}) == 1


def test_a_listener_may_close_the_orchestrator_that_is_being_closed(rig: Rig) -> None:
    class Passive(BaseOrchestrator[NoState]):
        def on_passive_event(self, event: Any) -> None:
            """Makes it one that hears of others' jobs."""

    rig.work()
    owner = Passive(NoState(), runtime=rig.runtime)
    told: list[bool] = []
    owner.running().subscribe(lambda is_running: (told.append(is_running), is_running or owner.close()))
    handle = owner.dispatch(rig.job("thread"))
    rig.drain()
    owner.close()
    rig.quiet()
    assert told[-1] is False
    assert owner.is_closed
    assert handle.status is JobStatus.CANCELLED


def test_sys_exit_in_a_listener_leaves_no_orchestrator_half_closed(rig: Rig) -> None:
    at_its_last_word(rig, lambda: sys.exit(3))
    handle = with_a_running_job(rig)
    with pytest.raises(SystemExit):
        rig.owner.close()
    assert rig.owner.is_closed
    assert handle.status is JobStatus.CANCELLED
