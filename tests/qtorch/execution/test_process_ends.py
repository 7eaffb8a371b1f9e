"""How work in worker processes is stopped, and what dies with a worker: its own job alone."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qtorch import SEQUENTIAL, JobFailure, JobStatus, JobSuccess, JobTimeoutEvent, RetryPolicy, WorkerDiedError
from qtorch.execution.runners import worker_process
from tests.qtorch.execution.processes import Processes, gone, is_there, processes
from tests.qtorch.execution.rig import drive, run_of

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

pytestmark = pytest.mark.realtime

POLITE = ("polite", "called_back")
DEAF = ("spin", "sleep", "ignore_everything")


@pytest.fixture(scope="module")
def shared(qapp: QApplication) -> Iterator[Processes]:
    with processes() as made:
        yield made


def death_of(outcome: Any) -> WorkerDiedError:
    assert isinstance(outcome, JobFailure), outcome
    assert isinstance(outcome.error, WorkerDiedError), outcome
    return outcome.error


# -- cancel and timeout -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["cancel", "timeout"])
@pytest.mark.parametrize("what", DEAF)
def test_work_that_does_not_listen_really_ends(shared: Processes, what: str, how: str) -> None:
    handle = shared.start(what, timeout=5)
    shared.begun(handle)
    pid = shared.pid(handle)
    started = time.monotonic()
    if how == "cancel":
        handle.cancel("enough")
    else:
        shared.clock.advance(5)
    shared.end(handle)
    assert handle.status is (JobStatus.CANCELLED if how == "cancel" else JobStatus.TIMED_OUT)
    assert time.monotonic() - started < 0.2, "its end was not told at once"
    assert shared.log.for_job(handle.id)[-1].still_running  # type: ignore[attr-defined]
    assert handle.is_working
    shared.quiet()
    assert not handle.is_working
    gone(pid)
    assert run_of(handle).late == 1
    assert shared.types(handle)[-1] in ("Cancelled", "Timeout"), "something came after the end"


@pytest.mark.parametrize("how", ["cancel", "timeout"])
@pytest.mark.parametrize("what", POLITE)
def test_work_that_listens_cleans_up_and_its_worker_lives_on(
    shared: Processes, tmp_path: Path, what: str, how: str
) -> None:
    path = tmp_path / "cleaned"
    handle = shared.start(what, str(path), timeout=5)
    shared.begun(handle)
    pid = shared.pid(handle)
    if how == "cancel":
        handle.cancel("enough")
    else:
        shared.clock.advance(5)
    shared.quiet()
    assert path.exists()
    if what == "polite":
        reason = "enough" if how == "cancel" else "one attempt took longer than its timeout of 5 s"
        assert path.read_text() == f"cleaned up: {reason}"
    assert is_there(pid)
    drive(lambda: pid in shared.pool.pids)
    worker = next(one for one in shared.pool._idle if one.pid == pid)
    assert worker._timer is None, "it would be killed in the middle of another job"


def test_a_timed_out_attempt_is_tried_again_only_once_its_process_is_free(shared: Processes, tmp_path: Path) -> None:
    handle = shared.start("sleep", timeout=5, retry=RetryPolicy(max_retries=1, base_delay=1, retry_on=(TimeoutError,)))
    shared.begun(handle)
    shared.clock.advance(5)
    drive(lambda: handle.status is JobStatus.WAITING)
    drive(lambda: not handle.is_working)
    shared.clock.advance(1)
    drive(lambda: handle.status is JobStatus.RUNNING and run_of(handle).number == 2)
    handle.cancel()
    shared.quiet()
    assert shared.types(handle).count("Retrying") == 1


def test_a_sequential_lane_is_held_until_the_process_has_really_ended(shared: Processes) -> None:
    first = shared.start("spin", lane="files", policy=SEQUENTIAL)
    second = shared.start("give", 2, lane="files", policy=SEQUENTIAL)
    shared.begun(first)
    first.cancel()
    shared.end(first)
    assert second.status is JobStatus.QUEUED
    shared.end(second)
    assert not run_of(first).is_working
    assert second.outcome == JobSuccess(2)


def test_a_job_that_waits_for_a_worker_is_withdrawn(qapp: QApplication, tmp_path: Path) -> None:
    with processes(size=1) as made:
        path = tmp_path / "touched"
        starting = made.start("polite", str(path))
        starting.cancel()  # its worker has not started
        assert not starting.is_working
        made.end(starting)
        made.idle(1)
        assert made.do("give", 1) == JobSuccess(1)
        assert not path.exists()
        assert made.types(starting) == ["Cancelled"]


def test_three_hundred_jobs_cancelled_at_any_moment_end_once_each(shared: Processes, tmp_path: Path) -> None:
    chance = random.Random(7)
    handles = []
    for number in range(300):
        what: tuple[Any, ...] = chance.choice([("give", number), ("steps", 3), ("where",), ("count", 5)])
        handle = shared.start(*what)
        handles.append(handle)
        wait_until = time.perf_counter() + chance.uniform(0, 0.003)
        while time.perf_counter() < wait_until:
            drive(lambda: True)
        handle.cancel()
    shared.end(*handles)
    shared.quiet()
    ends = [event.correlation_id for event in shared.log.terminal]
    assert all(ends.count(handle.id) == 1 for handle in handles)
    assert {handle.status for handle in handles} <= {JobStatus.CANCELLED, JobStatus.SUCCEEDED}
    drive(lambda: shared.pool.counts["idle"] == shared.pool.counts["processes"])
    assert shared.do("give", 1) == JobSuccess(1)


# -- deaths -----------------------------------------------------------------------------------------------------------


def test_a_killed_worker_fails_its_job_and_its_neighbours_go_on(shared: Processes, tmp_path: Path) -> None:
    handles = [shared.start("wait", str(tmp_path / "go")) for _ in range(4)]
    for handle in handles:
        shared.begun(handle)
    os.kill(shared.pid(handles[1]), signal.SIGKILL)
    shared.end(handles[1])
    error = death_of(handles[1].outcome)
    assert error.exit_code == -9
    assert "ProcessJob died: killed by SIGKILL (exit code -9)" in str(error)
    assert "memory" in str(error)
    assert not any(handle.outcome for handle in handles if handle is not handles[1])
    (tmp_path / "go").touch()
    shared.end(*handles)
    assert [handle.outcome for handle in handles if handle is not handles[1]] == [JobSuccess("waited")] * 3
    assert shared.do("give", 1) == JobSuccess(1)


def test_a_worker_killed_while_it_sends_a_large_result_takes_nobody_along(shared: Processes, tmp_path: Path) -> None:
    neighbours = [shared.start("wait", str(tmp_path / "go")) for _ in range(3)]
    large = shared.start("big", 200_000_000)
    shared.begun(large)
    worker = next(one for one in shared.pool._working if one.attempt is run_of(large).attempt)
    # It is in the middle of its result once this side has begun to read that: as much as this process has grown.
    before = resident()
    drive(lambda: resident() > before + 20_000_000 or large.outcome, "the first part of the result")
    assert not large.outcome, "the result has come already"
    worker.kill()
    shared.end(large)
    assert death_of(large.outcome).exit_code == -9
    (tmp_path / "go").touch()
    shared.end(*neighbours)
    assert [handle.outcome for handle in neighbours] == [JobSuccess("waited")] * 3
    assert shared.do("give", 1) == JobSuccess(1)


def resident() -> int:
    """Bytes of memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize(
    ("what", "args", "code", "text"),
    [
        ("leave", (3,), 3, "exit code 3"),
        ("leave", (0,), 0, "exit code 0"),
        ("die", (signal.SIGTERM,), -15, "killed by SIGTERM"),
        ("crash", (), -11, "killed by SIGSEGV"),
    ],
)
def test_the_failure_says_how_the_worker_died(
    shared: Processes, what: str, args: tuple[Any, ...], code: int, text: str
) -> None:
    error = death_of(shared.do(what, *args))
    assert error.exit_code == code
    assert text in str(error)


def test_a_job_whose_worker_died_is_tried_again_if_its_policy_says_so(shared: Processes, tmp_path: Path) -> None:
    path = str(tmp_path / "died")
    assert isinstance(shared.do("die_the_first_time", path), JobFailure)
    (tmp_path / "died").unlink()
    handle = shared.start("die_the_first_time", path, retry=RetryPolicy(max_retries=1, base_delay=1))
    drive(lambda: handle.status is JobStatus.WAITING)
    shared.clock.advance(1)
    shared.end(handle)
    assert handle.outcome == JobSuccess("the second time")


def test_idle_workers_that_were_killed_are_replaced_in_silence(
    shared: Processes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for round_number in range(2):
        folder = tmp_path / str(round_number)
        folder.mkdir()
        for pid in shared.warm_up(folder, 2):
            os.kill(pid, signal.SIGKILL)
        # At once: whether a worker is known to be dead or takes the work with it, the job never hears of that.
        assert shared.do("give", round_number) == JobSuccess(round_number)
    assert "died while it was idle" in caplog.text


def test_a_worker_that_dies_with_work_it_has_not_begun_gives_it_back(shared: Processes, tmp_path: Path) -> None:
    (pid,) = {shared.do("where").data[0]}
    os.kill(pid, signal.SIGSTOP)
    worker = next(one for one in shared.pool._idle if one.pid == pid)
    # The next one to be taken.
    shared.pool._idle.remove(worker)
    shared.pool._idle.append(worker)
    handle, cancelled = shared.start("where"), shared.start("where")
    assert handle.status is JobStatus.RUNNING
    assert worker.attempt is run_of(handle).attempt
    shared.end(cancelled)
    os.kill(pid, signal.SIGKILL)
    shared.end(handle)
    assert isinstance(handle.outcome, JobSuccess)
    data: Any = handle.outcome.data
    assert data[0] != pid
    assert shared.types(handle) == ["Started", "Success"]


def test_a_worker_that_hangs_before_it_begins_is_killed_when_its_job_is_cancelled(shared: Processes) -> None:
    pid = shared.do("where").data[0]
    os.kill(pid, signal.SIGSTOP)
    worker = next(one for one in shared.pool._idle if one.pid == pid)
    shared.pool._idle.remove(worker)
    shared.pool._idle.append(worker)
    handle = shared.start("length", bytes(5_000_000))  # more than the pipe takes: it is never sent to its end
    handle.cancel()
    shared.quiet()
    gone(pid)
    assert handle.status is JobStatus.CANCELLED


def test_a_worker_that_never_starts_fails_its_job(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(worker_process, "START_LIMIT", 0.001)
    with processes(size=1) as made:
        error = death_of(made.do("give", 1))
        assert "no worker process could be started for ProcessJob: it had not started after 0.001 s" in str(error)
        assert 'if __name__ == "__main__":' in str(error)
        monkeypatch.setattr(worker_process, "START_LIMIT", 60)
        assert made.do("give", 1) == JobSuccess(1)


def test_a_process_that_cannot_be_made_fails_its_job(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    import multiprocessing.context

    def refuse(process: object) -> None:
        raise BlockingIOError("too many processes")

    monkeypatch.setattr(multiprocessing.context.SpawnProcess, "start", refuse)
    with processes(size=1) as made:
        error = death_of(made.do("give", 1))
        assert "no worker process could be started for ProcessJob: too many processes" in str(error)
        assert error.exit_code is None


# -- closing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["nothing", "starting", "idle", "polite", "deaf", "queued", "deaf, no time"])
def test_close_leaves_no_process_and_no_open_job(qapp: QApplication, tmp_path: Path, stage: str) -> None:
    made = Processes(size=1)
    handles: list[Any] = []
    if stage == "idle":
        made.do("give", 1)
    elif stage != "nothing":
        what = {"polite": "polite", "starting": "give"}.get(stage, "spin")
        args = (str(tmp_path / "cleaned"),) if what == "polite" else (1,) if what == "give" else ()
        handles += [made.start(what, *args) for _ in range(5 if stage == "queued" else 1)]
        if stage != "starting":
            made.begun(handles[0])
    pids = made.pool.pids
    started = time.monotonic()
    made.runtime.close(0.0 if stage == "deaf, no time" else 5.0)
    took = time.monotonic() - started
    assert took < (0.5 if stage == "deaf, no time" else 3.0)
    assert made.pool.counts == {"processes": 0, "idle": 0, "queued": 0}
    gone(*pids)
    assert [handle.status for handle in handles] == [JobStatus.CANCELLED] * len(handles)
    ends = [event.correlation_id for event in made.log.terminal]
    assert sorted(ends) == sorted(set(ends))
    assert (tmp_path / "cleaned").exists() == (stage == "polite")
    assert not any(isinstance(event, JobTimeoutEvent) for event in made.log.terminal)
