"""What is going on behind the window: how many jobs, and which of them have to be tried again."""

from __future__ import annotations

from collections.abc import Mapping

from qtorch import BaseOrchestrator, BaseState, JobEvent, JobRetryingEvent, Runtime, on


class ActivityState(BaseState):
    """The jobs of the whole window.

    Attributes
    ----------
    jobs
        How many jobs have not ended.
    retrying
        What is said of jobs whose last attempt has failed, by their id.
    """

    jobs: int = 0
    retrying: Mapping[str, str] = {}


class Activity(BaseOrchestrator[ActivityState]):
    """Listens to the jobs of all the others; has none of its own."""

    def __init__(self, *, runtime: Runtime) -> None:
        super().__init__(ActivityState(), runtime=runtime)
        self._runtime = runtime

    @on(JobRetryingEvent, passive=True)
    def _retries(self, event: JobRetryingEvent) -> None:
        words = (
            f"{event.last_error} Trying again in {event.delay:.1f} s "
            f"(attempt {event.next_attempt} of {event.max_retries + 1})."
        )
        self.update(retrying={**self.state.retrying, event.job_id: words})

    @on(JobEvent, passive=True)
    def _happened(self, event: JobEvent) -> None:
        retrying = self.state.retrying
        if event.is_terminal and event.job_id in retrying:
            retrying = {job_id: words for job_id, words in retrying.items() if job_id != event.job_id}
        self.update(jobs=len(self._runtime.running_jobs), retrying=retrying)


def activity_text(jobs: int, retrying: Mapping[str, str]) -> str:
    """Say what is going on in one line; empty if nothing is."""
    if retrying:
        return list(retrying.values())[-1]
    return f"{jobs} {'job' if jobs == 1 else 'jobs'} running" if jobs else ""
