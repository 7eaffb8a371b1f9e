"""Stands in for a real executor, and does what the test says."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable
from typing import Any, TypeVar, get_args

from qtorch.execution.base_executor import BaseExecutor
from qtorch.job.base_job import BaseJob
from qtorch.ports import MISSING
from qtorch.testing.gates import Gate
from qtorch.testing.raising import Error, fresh
from qtorch.testing.steps import Fail, Items, Ok, Progress, Step, Wait, fail, ok, takes_of
from qtorch.testing.writing import written

J = TypeVar("J", bound=BaseJob[Any])


class FakeExecutor(BaseExecutor[J]):
    """Does the jobs of one class by a script, on a thread of the pool. Give exactly one of ``result, error, steps``.

    The class of the jobs is the first argument, or stands in brackets: ``FakeExecutor[FetchUserJob](result=ada)``,
    ``class Fake(FakeExecutor[FetchUserJob])``. A job that is cancelled ends between two steps, and in the middle of a
    wait.

    Parameters
    ----------
    job_type
        Whose jobs it does.
    result
        What every job gives; a callable is called with the job and gives the result.
    error
        What every attempt raises: an exception or a class of them.
    steps
        What is done, step by step: ``progress, items, wait``, a ``gate()``, and as endings ``ok`` and ``fail``. Each
        attempt, of whichever job, does those up to the next ending; when all are used up, the last of these parts is
        repeated.

    Attributes
    ----------
    calls
        The jobs it was asked for, once for each attempt, in order.

    Raises
    ------
    TypeError
        Not exactly one is given, or the steps are no such steps.

    Examples
    --------
    >>> from qtorch.testing.steps import fail, ok, progress
    >>> class FetchUserJob(BaseJob[str]):
    ...     user_id: str
    >>> FakeExecutor(FetchUserJob, steps=[fail(OSError("down")), progress(0.5), ok("Ada")])
    FakeExecutor(FetchUserJob, steps=[fail(OSError('down')), progress(0.5), ok('Ada')])
    """

    def __init__(
        self,
        job_type: type[J] | None = None,
        /,
        *,
        result: Any = MISSING,
        error: Error | Any = MISSING,
        steps: Iterable[Step] | Any = MISSING,
    ) -> None:
        given = {"result": result, "error": error, "steps": steps}
        names = [f"{name}=" for name, value in given.items() if value is not MISSING]
        if len(names) != 1:
            raise TypeError(
                f"{type(self).__name__} was given {' and '.join(names) or 'nothing to do'}.\n"
                f"  Give exactly one: result=, error=, or for both and more steps=[progress(.5), fail(..), ok(..)]."
            )
        if job_type is not None:
            self._do_jobs_of(job_type)
        script = [ok(result)] if result is not MISSING else [fail(error)] if error is not MISSING else steps
        self.calls: list[J] = []
        self._takes = takes_of(script)
        self._lock = threading.Lock()

    def _do_jobs_of(self, given: object) -> None:
        job_type: Any = given
        if not (isinstance(given, type) and issubclass(given, BaseJob)):
            raise TypeError(
                f"{type(self).__name__} takes the class of its jobs first, not {written(job_type)}.\n"
                f"  Write FakeExecutor(FetchUserJob, result=...)."
            )
        self.job_type = job_type  # type: ignore[misc]  # per object here

    # Set by typing for what is called by its brackets.
    __orig_class__ = property(fset=lambda self, alias: self._do_jobs_of(get_args(alias)[0]))

    def process(self, job: J) -> Generator[Any, None, Any]:
        """Do the next part of the script. A thread of the pool."""
        token = self.token(job)
        with self._lock:
            take = self._takes[min(len(self.calls), len(self._takes) - 1)]
            self.calls.append(job)
        for step in take:
            token.raise_if_cancelled()
            match step:
                case Progress(value, message):
                    self.emit_progress(job, value, message=message)
                case Items(values):
                    yield from values
                case Wait(seconds):
                    token.wait(seconds)
                case Gate():
                    step.wait()
                case Fail(error):
                    raise fresh(error)
                case Ok(result):
                    return result(job) if callable(result) else result
        raise AssertionError("a part of the script has an ending")

    def __repr__(self) -> str:
        job_type = self.job_type.__name__ if self.job_type else "?"
        steps = ", ".join(repr(step) for take in self._takes for step in take)
        return f"{type(self).__name__}({job_type}, steps=[{steps}])"
