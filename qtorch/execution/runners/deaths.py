"""What is said of a worker process that died, or never started."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from qtorch.errors import WorkerDiedError, text_of

if TYPE_CHECKING:
    from qtorch.execution.attempt import Attempt


def how_it_died(exit_code: int | None) -> str:
    """Give what an exit code says."""
    if exit_code is None:
        return "its exit code is not known"
    if exit_code >= 0:
        return f"exit code {exit_code}"
    try:
        return f"killed by {signal.Signals(-exit_code).name} (exit code {exit_code})"
    except ValueError:
        return f"killed by signal {-exit_code} (exit code {exit_code})"


def death(attempt: Attempt, exit_code: int | None, problem: BaseException | None) -> WorkerDiedError:
    """Give the error of a job in the middle of which its worker ended."""
    why = f"{how_it_died(exit_code)}, after {problem!r}" if problem is not None else how_it_died(exit_code)
    return WorkerDiedError(
        f"the worker process that did {type(attempt.run.job).__name__} died: {why}.\n"
        f"  A negative code is a signal: -9 is kill -9, or the system's when memory runs out; -11 is a crash in C, "
        f"which PYTHONFAULTHANDLER=1 shows. Other jobs go on; give the job a RetryPolicy to have it tried again.",
        exit_code,
    )


def no_start(attempt: Attempt, exit_code: int | None, problem: BaseException | None) -> WorkerDiedError:
    """Give the error of a job for which no worker could be started."""
    why = text_of(problem) if problem is not None else f"it ended before it was ready: {how_it_died(exit_code)}"
    return WorkerDiedError(
        f"no worker process could be started for {type(attempt.run.job).__name__}: {why}.\n"
        f"  What it says itself is on stderr. A worker imports the program's main module anew, so that has to start "
        f"nothing when it is imported:\n"
        f'      if __name__ == "__main__":\n'
        f"          main()",
        exit_code,
    )
