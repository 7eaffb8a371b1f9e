"""Who does the work: executors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar, Unpack, cast, get_args, get_origin

from qtorch.execution.attempt import Attempt, current_attempt
from qtorch.job.base_job import BaseJob

if TYPE_CHECKING:
    from qtorch.cache.cache import Cache
    from qtorch.execution.attempt import Runner
    from qtorch.execution.run import JobRun
    from qtorch.job.cancellation import CancellationToken
    from qtorch.job.options import DispatchOptions

R = TypeVar("R")
J = TypeVar("J", bound="BaseJob[Any]")  # as text: pydantic would make a class of it


class BaseExecutor(Generic[J]):
    """Does the jobs of one class, subclasses included.

    Define ``process`` as ``def`` and it runs on a thread of the Runtime's pool; as ``async def`` and it runs on the
    Runtime's loop. Return the result or raise; everything else is done for you. Executors need not call
    ``super().__init__()``. If one has ``def close(self)`` or ``async def aclose(self)``, the Runtime calls it once,
    where ``process`` runs, when it is closed.

    Attributes
    ----------
    max_concurrency
        At most so many jobs of this executor at a time; None for no limit.
    runner
        Where the work is done. None: by the kind of ``process``, as above. ``"process"``: in a worker process of the
        Runtime's, which really ends work that is cancelled or times out; executor and jobs are pickled, ``process`` is
        a plain ``def``. Or an object that is a :class:`~qtorch.Runner`.

    Examples
    --------
    >>> class AddJob(BaseJob[int]):
    ...     a: int
    ...     b: int
    >>> class AddExecutor(BaseExecutor[AddJob]):
    ...     def process(self, job: AddJob) -> int:
    ...         return job.a + job.b
    """

    job_type: ClassVar[type[BaseJob[Any]] | None] = None
    max_concurrency: int | None = None
    runner: Runner | Literal["process"] | None = None

    # Filled where the executor is registered: the running jobs by id, for calls from outside a job's own context.
    running_jobs: tuple[Mapping[str, JobRun], ...] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for base in cls.__dict__.get("__orig_bases__", ()):
            origin = get_origin(base)
            if isinstance(origin, type) and issubclass(origin, BaseExecutor):
                cls.job_type = next((_whole(one) for one in get_args(base) if _is_job_type(one)), cls.job_type)

    @abstractmethod
    def process(self, job: J) -> Any:
        """Do ``job`` and return its result; ``def`` or ``async def``. What it raises is the job's failure.

        With a ``yield`` in it, it streams: each item is told in a JobItemsEvent, and the result is the last one, or
        what a plain generator returns. If the job is cancelled, JobCancelledError is raised at the ``yield``, in an
        async generator CancelledError.

        Look at ``self.token(job)`` or call ``self.checkpoint(job)`` in long work: a thread cannot be stopped from
        outside.
        """
        raise NotImplementedError

    def __getstate__(self) -> Any:
        # What runs here stays here: runs hold the Runtime.
        state: Any = super().__getstate__()
        if type(state) is dict:
            attributes = dict(cast("dict[str, Any]", state))
            attributes.pop("running_jobs", None)
            return attributes
        return state

    def emit_progress(
        self,
        job: J,
        progress: float,
        *,
        message: str | None = None,
    ) -> None:
        """Tell how far the work is, 0..1 (clamped). Any thread; as often as you like, at most one a frame is told.

        It sleeps for half a millisecond now and then, so that reporting threads leave the GUI thread its time.
        """
        attempt = self._attempt(job)
        if attempt is not None:
            attempt.run.report_progress(attempt, progress, message, None, None)

    def emit_step(self, job: J, current: int, total: int, *, message: str | None = None) -> None:
        """Tell that step ``current`` of ``total`` is done; the progress is their quotient, 0 if ``total`` is not
        positive. Any thread.
        """
        attempt = self._attempt(job)
        if attempt is not None:
            attempt.run.report_progress(attempt, current / total if total > 0 else 0.0, message, current, total)

    def token(self, job: J) -> CancellationToken:
        """Give the token of this attempt: cancelled with the job, by the user's token, and by the timeout.

        Raises
        ------
        RuntimeError
            The job does not run now.
        """
        return self._running_attempt(job).token

    def checkpoint(self, job: J) -> None:
        """Raise JobCancelledError if the work is to stop; else let other threads, the GUI's first, have the
        interpreter. Call it every few hundred microseconds of pure Python work.
        """
        attempt = self._running_attempt(job)
        attempt.token.raise_if_cancelled()
        attempt.run.services.give_way()

    def run(
        self, job: BaseJob[R], *, share: float | None = None, **options: Unpack[DispatchOptions]
    ) -> Coroutine[Any, Any, R]:
        """Run ``job`` as a child of the job that this coroutine works for, and give its data: ``await self.run(job)``.

        The child is a job like any other, on its parent's bus, with its own options and events, which carry
        ``parent_id``; no orchestrator counts it as its own. It is cancelled with its parent, for the same reason, at
        the parent's end at the latest, and when nobody awaits it any more. In an ``async def process`` only.

        Parameters
        ----------
        job
            What to do.
        share
            The part of this job's progress, 0..1, that the child makes up. It is added to what this job reports
            itself, as the child gets on, in full when it has succeeded, and not at all once it has failed.
        **options
            As for ``dispatch``. Lanes are those of ``runtime.dispatcher``.

        Raises
        ------
        Exception
            The child's own error if it failed.
        JobCancelledError
            The child was cancelled, or this job is to stop: then nothing is dispatched.
        JobTimeoutError
            The child ran out of time.
        DeadlockError
            The child would have to wait for this very job, or in a circle of jobs for itself.
        RuntimeError
            Called outside ``async def process``.

        Examples
        --------
        >>> class SumExecutor(BaseExecutor[SumJob]):  # doctest: +SKIP
        ...     async def process(self, job: SumJob) -> int:
        ...         async with asyncio.TaskGroup() as group:
        ...             parts = [group.create_task(self.run(PartJob(n=n), share=0.25)) for n in range(4)]
        ...         return sum(part.result() for part in parts)
        """
        # Here, for it brings Qt along, which a worker process has no use for.
        from qtorch.execution.children import run_child

        return run_child(self, job, share, options)

    @property
    def cache(self) -> Cache:
        """The Runtime's cache, to read, write and delete by hand.

        Raises
        ------
        RuntimeError
            No job of this executor runs in this thread or task.
        """
        attempt = current_attempt.get()
        if attempt is None:
            raise RuntimeError(
                f"{type(self).__name__}.cache was used outside process(), where it is not known whose cache it is.\n"
                f"  Use runtime.cache there."
            )
        return attempt.run.services.cache

    def _attempt(self, job: J) -> Attempt | None:
        attempt = current_attempt.get()
        if attempt is not None and attempt.run.job is job:
            return attempt
        for running in self.running_jobs:
            if (run := running.get(job.id)) is not None:
                return run.attempt
        return None

    def _running_attempt(self, job: J) -> Attempt:
        attempt = self._attempt(job)
        if attempt is None:
            raise RuntimeError(f"{job.id} is not running, so it has no token.\n  Ask only while process() works on it.")
        return attempt


def know_running(executor: BaseExecutor[Any], running: Mapping[str, JobRun]) -> None:
    """Let ``executor`` find the runs of a Runtime by their job's id."""
    if not any(known is running for known in executor.running_jobs):
        executor.running_jobs = (*executor.running_jobs, running)


def forget_running(executor: BaseExecutor[Any], running: Mapping[str, JobRun]) -> None:
    """Undo :func:`know_running`."""
    executor.running_jobs = tuple(known for known in executor.running_jobs if known is not running)


def _is_job_type(argument: Any) -> bool:
    return isinstance(argument, type) and issubclass(argument, BaseJob)


def _whole(job_type: type[BaseJob[Any]]) -> type[BaseJob[Any]]:
    """Give the generic class of ``FetchJob[Any]``: for pydantic that is a subclass, beside ``FetchJob[User]``."""
    generic = job_type.__pydantic_generic_metadata__
    origin: Any = generic["origin"]
    return job_type if origin is None or any(one is not Any for one in generic["args"]) else origin


class _FunctionExecutor(BaseExecutor[Any]):
    """An executor made of one function."""

    def __init__(self, job_type: type[BaseJob[Any]], function: Callable[[Any], Any]) -> None:
        self.job_type = job_type  # type: ignore[misc]  # per object here
        self.function = function
        self.__module__ = getattr(function, "__module__", type(function).__module__)
        self.__name__ = getattr(function, "__name__", type(function).__name__)
        # Set on the object, so that `async def` is seen for what it is.
        self.process = function  # type: ignore[method-assign,assignment]

    def process(self, job: Any) -> Any:
        raise NotImplementedError

    def __reduce__(self) -> str:
        # By its name, as the function it was made of: in a worker process it is imported.
        return str(getattr(self.function, "__qualname__", self.__name__))

    def __repr__(self) -> str:
        return f"<executor {self.__name__} of {self.job_type.__name__ if self.job_type else '?'}>"


def executes(
    job_type: type[BaseJob[R]],
) -> Callable[
    [
        Callable[[Any], R]
        | Callable[[Any], Awaitable[R]]
        | Callable[[Any], Iterator[R]]
        | Callable[[Any], AsyncIterator[R]]
    ],
    BaseExecutor[Any],
]:
    """Make an executor of a function or coroutine function, or of a generator that streams.

    Examples
    --------
    >>> class GreetJob(BaseJob[str]):
    ...     name: str
    >>> @executes(GreetJob)
    ... def greet(job: GreetJob) -> str:
    ...     return f"Hello {job.name}"
    >>> greet
    <executor greet of GreetJob>
    """
    return partial(_FunctionExecutor, job_type)
