"""One try of a job's work."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

from qtorch.execution.items import Items
from qtorch.job.cancellation import CancellationToken

if TYPE_CHECKING:
    from qtorch.execution.tries import Tries
    from qtorch.job.base_job import BaseJob
    from qtorch.ports import Timer


class Attempt:
    """One try of a job's work, between the bus's thread and the thread, loop or process that does it.

    A :class:`Runner` is given one. What it needs of it: :attr:`job` and :attr:`token`, :meth:`take` before the work
    begins, :meth:`tell_begun` when it does, and :meth:`offer_data` or :meth:`offer_error`, once, when it has ended.

    Attributes
    ----------
    token
        Cancelled when the work is to stop, before :meth:`Runner.stop` is called.
    number
        1 for the first try.
    stop_by
        Free for the runner, to note what it stops the work by; None once the work has ended.
    """

    __slots__ = ("__weakref__", "_tickets", "has_ended", "has_timed_out", "is_announced", "is_stopped", "number", "run",
                 "started_at", "stop_by", "timer", "token")  # fmt: skip

    def __init__(self, run: Tries, number: int) -> None:
        self.run = run
        self.number = number
        self.token = CancellationToken.of_run(run.services.clock, run.services.sink)
        self.has_ended = False
        """Whether no work is going on any more (the bus's thread)."""
        self.has_timed_out = False
        self.is_announced = False
        """Whether the bus's thread tells that it begins, so that the runner need not."""
        self.is_stopped = False
        """Whether its runner was asked to stop it (the bus's thread)."""
        self.started_at = 0.0
        self.timer: Timer | None = None
        self.stop_by: Any = None
        """Whatever its runner stops it by."""
        # list.pop is atomic: either the runner takes the attempt, or the bus's thread withdraws it.
        self._tickets = [None]

    @property
    def job(self) -> BaseJob[Any]:
        """The job."""
        return self.run.job

    def take(self) -> bool:
        """Claim the attempt, just before its work begins; False if it was withdrawn. The runner's thread."""
        try:
            self._tickets.pop()
        except IndexError:
            return False
        return True

    withdraw = take
    """Claim the attempt so that its work never begins; False if it has begun. The bus's thread."""

    @property
    def has_begun(self) -> bool:
        """Whether its work began. Any thread."""
        return not self._tickets

    def tell_begun(self) -> None:
        """Tell the bus's thread that the work begins now. The runner's thread."""
        run = self.run
        self.started_at = run.services.clock.now()
        run.bus.mailbox.post(run.take_begun, self)

    def offer_items(self, items: Sequence[Any], resume: Callable[[], object]) -> bool:
        """Offer ``items``, at least one, as the next of the stream; give whether there is room for more.

        If there is not, wait: ``resume()`` is called, once, on the bus's thread, when there is room again or the
        attempt is over. It may not raise. Any thread, one at a time.
        """
        run = self.run
        if run.items is None:
            run.items = Items()
        return run.items.offer(run, self, items, resume)

    def give_way(self) -> None:
        """Let other threads have the interpreter, the GUI thread first. Any thread."""
        self.run.services.give_way()

    def offer_data(self, data: Any) -> None:
        """Offer ``data`` as the result. The runner's thread; call it or :meth:`offer_error` once."""
        run = self.run
        run.bus.mailbox.post(run.take_data, (self, data))

    def do(self, process: Callable[[Any], Any]) -> None:
        """Call ``process(job)``, a plain function, here and now, and offer what comes of it. The runner's thread."""
        before = current_attempt.set(self)
        try:
            self.run.do(self, process)
        finally:
            current_attempt.reset(before)

    def offer_error(self, error: BaseException, traceback: str) -> None:
        """Offer a failure; ``error`` without frames, see :func:`~qtorch.execution.failures.ship`."""
        run = self.run
        run.bus.mailbox.post(run.take_error, (self, error, traceback))


current_attempt: ContextVar[Attempt | None] = ContextVar("current_attempt", default=None)
"""The attempt whose work this thread or task does."""


class Runner(Protocol):
    """Where work is done: threads, a loop, processes, or whatever an application has of its own.

    An executor names one by its attribute ``runner``. Inherit from it: then only :meth:`submit` has to be written.
    All methods are called on the bus's thread and may not block.

    It may have two methods more. ``call(function)`` has ``function()``, which does not raise, called where the work is
    done: so the ``close`` of an executor is; without it that is called on a thread of the Runtime's pool.
    ``close()`` ends whatever the runner started; the Runtime calls it, on the bus's thread, at the end of its own.

    Examples
    --------
    >>> class ThreadPerJob(Runner):
    ...     def submit(self, attempt: Attempt, process: Callable[[Any], Any]) -> bool:
    ...         threading.Thread(target=self._work, args=(attempt, process)).start()
    ...         return False
    ...
    ...     def _work(self, attempt: Attempt, process: Callable[[Any], Any]) -> None:
    ...         if not attempt.take():  # the job was cancelled before
    ...             return
    ...         attempt.tell_begun()
    ...         attempt.do(process)
    """

    @abstractmethod
    def submit(self, attempt: Attempt, process: Callable[[Any], Any]) -> bool:
        """Have ``process(attempt.job)`` called, soon and elsewhere; give whether the work begins now.

        If it does not, the runner calls ``attempt.tell_begun()`` when it does. It must ``take()`` the attempt first,
        and then ``do(process)``, or set :data:`current_attempt` where it calls ``process`` itself, and offer data or
        an error when the work has really ended.
        """
        raise NotImplementedError

    # Each with a body: type checkers take one without for abstract.

    def stop(self, attempt: Attempt) -> None:
        """Stop the work as far as that is possible. Its token is cancelled already."""
        return

    def withdrawn(self, attempt: Attempt) -> None:
        """Hear that an attempt will never begin."""
        return

    def ended(self, attempt: Attempt) -> None:
        """Hear that the work of a stopped attempt has ended at last."""
        return
