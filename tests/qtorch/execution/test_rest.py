"""When a job's work has ended, which may be later than the job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.qtorch.execution.rig import Rig, drive

if TYPE_CHECKING:
    from qtorch import JobHandle

pytestmark = pytest.mark.realtime


def test_a_rest_callback_waits_for_work_that_outlives_its_job(rig: Rig) -> None:
    work = rig.work(is_deaf=True)
    handle = rig.dispatch("thread")
    rested: list[JobHandle[object]] = []
    handle.add_rest_callback(rested.append)
    drive(lambda: handle.is_working, "the work")
    handle.cancel()
    rig.end(handle)
    assert rested == []
    work.gate.open()
    drive(lambda: rested, "rest")
    assert rested == [handle]
    assert not handle.is_working


def test_a_rest_callback_of_a_job_that_left_no_work_behind_is_called_after_its_end(rig: Rig) -> None:
    rig.work(is_open=True)
    handle = rig.dispatch("thread")
    rested: list[str] = []
    handle.add_rest_callback(lambda it: rested.append(str(it.status)))
    drive(lambda: rested, "rest")
    handle.add_rest_callback(lambda it: rested.append("late"))
    drive(lambda: len(rested) == 2, "the late one")
    assert rested == ["succeeded", "late"]


def test_a_job_that_never_ran_is_at_rest_once_it_is_cancelled(rig: Rig) -> None:
    rig.work()
    handle = rig.dispatch("thread")
    rested: list[object] = []
    handle.add_rest_callback(rested.append)
    handle.cancel()
    drive(lambda: rested, "rest")
