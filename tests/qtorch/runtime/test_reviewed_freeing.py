"""What is closed and dropped is freed by its reference count: where the cyclic collector runs next, nobody knows."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from qtorch import BaseJob, Runtime, SignalBus, executes
from tests.qtorch.execution.rig import NoState, Owner, drive

pytestmark = pytest.mark.realtime


class OneJob(BaseJob[int]):
    pass


@executes(OneJob)
def one(job: OneJob) -> int:
    return 1


class Hearing(Owner):
    def on_active_success(self, event: Any) -> None:
        return

    def on_passive_event(self, event: Any) -> None:
        return


@pytest.fixture(autouse=True)
def no_collector(qapp: object) -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def parts_of_a_closed_runtime() -> dict[str, weakref.ref[Any]]:
    runtime = Runtime(executors=[one])
    orchestrator = Hearing(NoState(), runtime=runtime)
    orchestrator.running(OneJob).subscribe(print).close()
    runtime.clock.call_later(3600, print)
    handles = [orchestrator.dispatch(OneJob()), runtime.dispatcher.dispatch(OneJob())]
    drive(lambda: all(handle.outcome for handle in handles))
    orchestrator.close()
    runtime.close()
    parts = {
        "runtime": runtime,
        "bus": runtime.bus,
        "dispatcher": runtime.dispatcher,
        "orchestrator": orchestrator,
        "handle": handles[0],
    }
    return {name: weakref.ref(part) for name, part in parts.items()}


def test_a_closed_runtime_is_freed_with_all_its_parts() -> None:
    parts = parts_of_a_closed_runtime()
    # Its mailbox and the core of its bus are no QObjects: the collector may take them on any thread.
    # A bus is Qt's child of its Runtime, and goes with it.
    assert [name for name, part in parts.items() if part() is not None] == []
    assert one.running_jobs == ()


def test_a_closed_orchestrator_is_freed_while_its_runtime_goes_on() -> None:
    runtime = Runtime(executors=[one])
    try:
        orchestrator = Hearing(NoState(), runtime=runtime)
        handle = orchestrator.dispatch(OneJob())
        drive(lambda: handle.outcome)
        drive(lambda: runtime.bus.core.mailbox.is_idle)
        orchestrator.close()
        freed = weakref.ref(orchestrator)
        del orchestrator
        assert freed() is None
    finally:
        runtime.close()


def test_a_bus_that_is_dropped_unclosed_is_freed_with_what_it_held() -> None:
    runtime = Runtime()
    try:
        bus = SignalBus.scoped()
        listener = lambda event: None  # noqa: E731 - it has to be an object
        bus.subscribe(listener)
        freed, core, heard = weakref.ref(bus), weakref.ref(bus.core), weakref.ref(listener)
        del bus, listener
        assert freed() is None
        gc.collect()  # a listener refers to where it is unlisted; neither is a QObject
        assert (core(), heard()) == (None, None)
    finally:
        runtime.close()
