"""What an orchestrator knows of its own jobs."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from qtorch import BaseJob, ClosedError, JobCancelled, JobStatus, WrongThreadError, executes
from tests.qtorch.execution.rig import LoopJob, NoState, Owner, Rig, ThreadJob, WorkJob, drive, elsewhere

pytestmark = pytest.mark.realtime


class QuickJob(BaseJob[int]):
    number: int = 0


@executes(QuickJob)
def quick(job: QuickJob) -> int:
    return job.number


def test_running_is_true_while_an_own_job_of_the_class_runs_subclasses_included(rig: Rig) -> None:
    owner = rig.owner
    seen: dict[str, list[bool]] = {"all": [], "thread": [], "loop": [], "base": []}
    sources = {
        "all": owner.running(),
        "thread": owner.running(ThreadJob),
        "loop": owner.running(LoopJob),
        "base": owner.running(WorkJob),
    }
    for name, source in sources.items():
        source.subscribe(seen[name].append)
    rig.work()
    handle = rig.dispatch("thread")
    drive(rig.works["work"].begun.is_set)
    rig.drain()
    assert seen == {"all": [True], "thread": [True], "loop": [], "base": [True]}
    assert (sources["base"].get(), sources["loop"].get()) == (True, False)
    rig.works["work"].gate.open()
    rig.end(handle)
    assert seen == {"all": [True, False], "thread": [True, False], "loop": [], "base": [True, False]}


def test_running_and_busy_are_told_net_after_the_hooks(rig: Rig) -> None:
    order: list[str] = []

    class Chaining(Owner):
        left = 5

        def on_active_success(self, event: Any) -> None:
            order.append("hook")
            if self.left:
                self.left -= 1
                self.dispatch(QuickJob())

    rig.runtime.register(quick)
    chaining = Chaining(NoState(), runtime=rig.runtime)
    chaining.running().subscribe(lambda value: order.append(f"running {value}"))
    chaining.busyChanged.connect(lambda value: order.append(f"busy {value}"))
    chaining.dispatch(QuickJob())
    assert order == [], "nobody is told before dispatch returns"
    drive(lambda: not chaining.has_active_jobs and order and order[-1].endswith("False"))
    assert order == ["running True", "busy True", *["hook"] * 6, "running False", "busy False"]
    assert chaining.property("busy") is False


def test_jobs_of_others_are_not_ones_own(rig: Rig) -> None:
    other = Owner(NoState(), runtime=rig.runtime)
    rig.work()
    handle = rig.dispatch("thread")
    assert not other.has_active_jobs
    assert not other.is_job_running(handle)
    assert not other.cancel_job(handle)
    assert other.job_progress(handle) is None
    assert not handle.status.is_final
    rig.open_all()
    rig.end(handle)


def test_questions_about_a_job_take_its_handle_or_its_id(rig: Rig) -> None:
    work = rig.work()
    handle = rig.dispatch("thread")
    drive(work.begun.is_set)
    rig.drain()
    owner = rig.owner
    assert owner.is_job_running(handle)
    assert owner.is_job_running(handle.id)
    assert owner.is_job_type_running(WorkJob)
    assert not owner.is_job_type_running(LoopJob)
    assert owner.job_progress(handle) == owner.job_progress(handle.id) == 0.0
    rig.worker.emit_progress(handle.job, 0.5)  # type: ignore[arg-type]
    rig.drain()
    assert owner.job_progress(handle) == handle.progress == 0.5
    assert owner.cancel_job(handle.id, "enough")
    assert not owner.cancel_job(handle), "a job is cancelled once"
    rig.end(handle)
    assert handle.outcome == JobCancelled("enough")
    assert owner.job_progress(handle) is None
    assert not owner.is_job_running(handle)


def test_cancel_job_keeps_tracking_until_the_cancel_was_told(rig: Rig) -> None:
    heard: list[tuple[str, bool]] = []

    class Hearing(Owner):
        def on_active_cancelled(self, event: Any) -> None:
            heard.append(("active", self.is_job_running(event.job_id)))

        def on_passive_event(self, event: Any) -> None:
            heard.append(("passive", True))

    hearing = Hearing(NoState(), runtime=rig.runtime)
    work = rig.work(is_deaf=True)
    handle = hearing.dispatch(ThreadJob())
    drive(work.begun.is_set)
    rig.drain()
    hearing.cancel_job(handle)
    assert hearing.is_job_running(handle)
    rig.end(handle)
    work.gate.open()
    rig.quiet()
    assert heard == [("active", False)]


def test_cancel_all_cancels_ones_own_and_no_others(rig: Rig) -> None:
    other = Owner(NoState(), runtime=rig.runtime)
    rig.work()
    own = [rig.dispatch("loop") for _ in range(3)]
    foreign = other.dispatch(LoopJob())
    rig.owner.cancel_all("all of them")
    rig.end(*own)
    assert {handle.outcome for handle in own} == {JobCancelled("all of them")}
    assert not foreign.status.is_final
    rig.open_all()
    rig.end(foreign)


# -- helpers of dispatch ----------------------------------------------------------------------------------------------


def test_dispatch_all_gives_the_handles_in_order(rig: Rig) -> None:
    rig.runtime.register(quick)
    handles = rig.owner.dispatch_all((QuickJob(number=n) for n in range(5)), timeout=3)
    rig.end(*handles)
    assert [handle.outcome.unwrap() for handle in handles if handle.outcome] == [0, 1, 2, 3, 4]
    assert all(rig.owner.is_job_running(handle) is False for handle in handles)


def test_dispatch_replacing_previous_cancels_the_one_before_of_its_class(rig: Rig) -> None:
    rig.work("old")
    rig.work("new", "fresh", is_open=True)
    rig.work("other")
    other_class = rig.dispatch("loop", "other")
    old = rig.owner.dispatch_replacing_previous(ThreadJob(name="old"))
    new = rig.owner.dispatch_replacing_previous(ThreadJob(name="new"))
    rig.end(old, new)
    assert old.outcome == JobCancelled("superseded")
    assert new.status is JobStatus.SUCCEEDED
    assert not other_class.status.is_final
    other_class.cancel()
    rig.quiet()


def test_dispatch_if_not_running_gives_none_while_one_of_its_class_runs(rig: Rig) -> None:
    work = rig.work()
    first = rig.owner.dispatch_if_not_running(ThreadJob())
    assert first is not None
    assert rig.owner.dispatch_if_not_running(ThreadJob()) is None
    other_class = rig.owner.dispatch_if_not_running(LoopJob())
    assert other_class is not None
    work.gate.open()
    rig.end(first, other_class)
    again = rig.owner.dispatch_if_not_running(ThreadJob())
    assert again is not None
    rig.end(again)


def test_dispatch_on_another_thread_says_what_to_use_there(rig: Rig) -> None:
    rig.work()
    owner = rig.owner
    with pytest.raises(WrongThreadError, match=r"dispatcher\.dispatch"):
        elsewhere(lambda: owner.dispatch(ThreadJob()))
    assert not owner.has_active_jobs


def test_dispatch_of_a_closed_orchestrator_is_refused(rig: Rig) -> None:
    rig.owner.close()
    with pytest.raises(ClosedError, match=r"Owner is closed.*ThreadJob"):
        rig.owner.dispatch(ThreadJob())


# -- memory -----------------------------------------------------------------------------------------------------------


def test_memory_stays_flat_over_many_jobs(rig: Rig) -> None:
    rig.runtime.register(quick)
    rig.log.close()
    assert not gc.isenabled(), "without the collector, so that only reference counts free anything"

    def run(jobs: int) -> int:
        for start in range(0, jobs, 500):
            handles = rig.owner.dispatch_all(QuickJob(number=start) for _ in range(500))
            rig.end(*handles)
        handles = None
        gc.collect()
        return len(gc.get_objects())

    run(2_000)  # the last thousand are remembered
    before = run(500)
    after = run(18_000)
    assert after - before < 200


def test_jobs_are_freed_by_reference_counts_alone(rig: Rig) -> None:
    rig.runtime.register(quick)
    rig.log.close()
    gc.collect()
    rig.end(*rig.owner.dispatch_all(QuickJob() for _ in range(1_500)))
    gc.collect()
    rig.end(*rig.owner.dispatch_all(QuickJob() for _ in range(2_000)))
    assert gc.collect() < 200, "finished jobs are left to the cyclic collector"
