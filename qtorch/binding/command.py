"""Something a window can do, with what its buttons have to know."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeGuard, cast

import shiboken6
from PySide6.QtCore import SIGNAL, Property, QObject, Signal, Slot

from qtorch.binding.coroutine_job import dispatch_coroutine, report_progress
from qtorch.binding.followed_job import FollowedJob
from qtorch.binding.home import Home
from qtorch.binding.permission import Permission
from qtorch.binding.places import refuse_closed
from qtorch.binding.weak_call import held_for
from qtorch.execution.handle import JobHandle
from qtorch.job.base_job import BaseJob
from qtorch.job.options import CONCURRENT, DROPPABLE, KEEP_LATEST, RESTARTABLE, SEQUENTIAL, LanePolicy
from qtorch.job.results import JobCancelled, JobSuccess
from qtorch.orchestrator.base_orchestrator import own_source
from qtorch.orchestrator.qml import from_qml, keep_from_engines
from qtorch.state.subscription import name_of

if TYPE_CHECKING:
    from qtorch.state.source import Source


class Command(QObject):
    """Something a user can do: whether it is allowed now, whether it is at work, how far, and what went wrong.

    ``bind_command`` ties buttons to it. It is allowed while ``can`` says so, and, unless the policy lets it run anew,
    while it is not at work.

    Parameters
    ----------
    function
        Called by :meth:`trigger`. What it returns is the work: a job is dispatched (by the orchestrator whose method
        ``function`` is, else by ``parent`` if that is one, else on the default Runtime), a JobHandle is followed, a
        coroutine becomes a job; with anything else the work is done already. ``async def`` runs on the Runtime's loop:
        under qasync that is the GUI thread's, else it has a thread of its own, where no state can be written; what it
        returns comes in ``finished``.
    can
        A source; the command is enabled only while its value is true.
    policy
        What a trigger does while it is at work. None or DROPPABLE: nothing, it is disabled meanwhile. RESTARTABLE:
        cancel that and begin anew; results and errors of what was superseded are dropped. CONCURRENT: run beside it.
        SEQUENTIAL: wait for its turn. KEEP_LATEST: the same, and what waited before is forgotten. The function of
        what waits is called when its turn has come, with the state as it is then.
    parent
        The QObject that owns it.

    Attributes
    ----------
    enabled, running, cancellable
        Qt properties, each with a signal: ``enabledChanged(bool)``. ``running`` lasts until the work has really ended,
        not until cancel was pressed; ``cancellable`` is false from that press on.
    progress
        Qt property, 0..1, with ``progressChanged(float)``; 0 again when it begins.
    error
        Qt property: the exception of the last run, else None, with ``errorChanged(object)``. If nobody is connected to
        that, and no hook of the orchestrator hears of it, it is reported to ``runtime.error_occurred``. A cancelled
        job is no error.
    errorMessage
        Qt property: the text of ``error``, else ""; for QML, to which an exception is opaque.
    finished
        Qt signal with the result of a run that ended well.

    Examples
    --------
    >>> class Profile(BaseOrchestrator[ProfileState]):  # doctest: +SKIP
    ...     def __init__(self) -> None:
    ...         super().__init__(ProfileState())
    ...         self.save = Command(self._save, can=self.select(lambda s: s.is_dirty), parent=self)
    ...
    ...     def _save(self) -> SaveProfileJob:
    ...         return SaveProfileJob(profile=self.state.profile)
    >>> bind_command(save_button, profile.save, cancel=cancel_button)  # doctest: +SKIP
    """

    enabledChanged = Signal(bool)
    runningChanged = Signal(bool)
    cancellableChanged = Signal(bool)
    progressChanged = Signal(float)
    errorChanged = Signal(object)
    finished = Signal(object)

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        can: Source[Any] | None = None,
        policy: LanePolicy | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        keep_from_engines(self)
        if not callable(function):
            raise TypeError(f"Command takes a function, not {function!r}; write Command(self.save), without brackets")
        self._label = f"Command {name_of(function)}"
        self._home = Home(getattr(function, "__self__", None), parent)
        self._function = held_for(parent, function)
        self._policy = LanePolicy(policy or DROPPABLE)
        self._jobs: dict[FollowedJob, None] = {}
        self._latest: FollowedJob | None = None
        self._waiting: deque[tuple[tuple[Any, ...], dict[str, Any]]] = deque()
        """The arguments of the triggers whose turn has not come."""
        self._is_calling = False
        self._progress = 0.0
        self._error: BaseException | None = None
        if can is not None:
            refuse_closed(self._label, can)
            can = own_source(parent, can)
        self._can = None if can is None else Permission(can, self._allow, self._label)
        self._is_allowed = self._can is None or bool(self._can.value)
        self._told = self._flags()

    # -- what it is like now ----------------------------------------------------------------------------------------

    def _get_enabled(self) -> bool:
        return self._is_allowed and (not self._jobs or self._policy is not DROPPABLE)

    def _get_running(self) -> bool:
        return bool(self._jobs or self._waiting)

    def _get_cancellable(self) -> bool:
        return bool(self._waiting) or any(job.is_cancellable for job in self._jobs)

    def _get_progress(self) -> float:
        return self._progress

    def _get_error(self) -> BaseException | None:
        return self._error

    def _get_error_message(self) -> str:
        return "" if self._error is None else str(self._error) or type(self._error).__name__

    # The casts tell type checkers what reading them gives.
    enabled = cast("bool", Property(bool, _get_enabled, notify=enabledChanged))
    running = cast("bool", Property(bool, _get_running, notify=runningChanged))
    cancellable = cast("bool", Property(bool, _get_cancellable, notify=cancellableChanged))
    progress = cast("float", Property(float, _get_progress, notify=progressChanged))
    error = cast("BaseException | None", Property("QVariant", _get_error, notify=errorChanged))  # type: ignore[arg-type]
    errorMessage = cast("str", Property(str, _get_error_message, notify=errorChanged))

    def _flags(self) -> tuple[bool, bool, bool]:
        return self._get_enabled(), self._get_running(), self._get_cancellable()

    def _tell(self) -> None:
        """Emit the signals of the flags that differ from what was told last."""
        told, now = self._told, self._flags()
        self._told = now
        signals = (self.enabledChanged, self.runningChanged, self.cancellableChanged)
        for signal, before, after in zip(signals, told, now, strict=True):
            if before != after:
                signal.emit(after)

    def _allow(self, is_allowed: bool) -> None:
        self._is_allowed = is_allowed
        self._tell()

    # -- what can be done -------------------------------------------------------------------------------------------

    @Slot()
    @Slot("QVariant")
    @Slot("QVariant", "QVariant")
    @Slot("QVariant", "QVariant", "QVariant")
    def trigger(self, *args: Any, **kwargs: Any) -> None:
        """Do it, if it is enabled: call the function with these arguments and follow the work it returns.

        Connected to ``clicked`` or ``triggered`` it gets no arguments. QML may give up to three; its arrays and
        objects become lists and dicts.
        """
        if not self._may_begin():
            return
        args = tuple(map(from_qml, args))  # now: what waits must not need the engine it came from
        if self._policy in (SEQUENTIAL, KEEP_LATEST) and (self._is_calling or self._get_running()):
            if self._policy is KEEP_LATEST:
                self._waiting.clear()
            self._waiting.append((args, kwargs))
            self._tell()
        elif not self._is_calling or self._policy is CONCURRENT:
            self._begin(args, kwargs)
            self._begin_waiting()

    def _may_begin(self) -> bool:
        if self._can is not None:
            self._can()  # a change of the state may wait to be told
        return self._get_enabled()

    def _begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        function = self._function()
        if function is None:
            return
        if self._policy is RESTARTABLE:
            self._supersede()
        self._set_error(None)
        self._is_calling = True
        try:
            work = function(*args, **kwargs)
            handle = self._handle_of(work)
        except Exception as error:  # noqa: BLE001 - user code; shown or reported like what a job raises
            self._tell()
            self._set_error(error)
            return
        finally:
            self._is_calling = False
        if handle is not None:
            self._follow(handle)
            return
        self._tell()
        self.finished.emit(work)

    def _begin_waiting(self) -> None:
        if self._waiting and not self._home.is_open:
            # Its jobs were ended by a close: what waits for them is not to be begun on top of that.
            self._waiting.clear()
            self._tell()
        while self._waiting and not self._jobs and not self._is_calling:
            args, kwargs = self._waiting.popleft()
            if self._is_allowed:
                self._begin(args, kwargs)
            else:
                self._tell()

    __call__ = trigger

    @Slot()
    def cancel(self) -> None:
        """Cancel what is at work; ``running`` ends when the work has."""
        self._waiting.clear()
        for job in tuple(self._jobs):
            job.cancel()
        self._tell()

    @staticmethod
    def report_progress(progress: float, message: str | None = None) -> None:
        """Tell how far the coroutine is that calls this, 0..1; as often as you like. Any thread that works for it.

        Raises
        ------
        RuntimeError
            Called outside the ``async def`` of a command.
        """
        report_progress(progress, message)

    def _supersede(self) -> None:
        jobs, self._jobs = self._jobs, {}
        for job in jobs:
            job.supersede()

    def _handle_of(self, work: object) -> JobHandle[Any] | None:
        if _is_handle(work):
            return work
        if _is_job(work):
            return self._home.dispatch(work)
        if inspect.isawaitable(work):
            return dispatch_coroutine(work, self._label, self._home)
        return None

    # -- how the work goes on ---------------------------------------------------------------------------------------

    def _follow(self, handle: JobHandle[Any]) -> None:
        job = self._latest = FollowedJob(handle, self._home, self._job_changed)
        self._jobs[job] = None
        self._set_progress(0.0)
        self._tell()

    def _job_changed(self, job: FollowedJob) -> None:
        if job not in self._jobs or not shiboken6.isValid(self):
            return
        if not job.has_ended:
            if job is self._latest:
                self._set_progress(job.progress)
            return
        if job.is_at_rest:
            del self._jobs[job]
        self._tell()
        outcome, job.outcome = job.outcome, None
        match outcome:
            case None | JobCancelled():
                pass
            case JobSuccess(data):
                self.finished.emit(data)
            case _:
                self._set_error(outcome.error_or_none, job)
        if shiboken6.isValid(self):
            self._begin_waiting()

    def _set_progress(self, progress: float) -> None:
        if progress != self._progress:
            self._progress = progress
            self.progressChanged.emit(progress)

    def _set_error(self, error: BaseException | None, job: FollowedJob | None = None) -> None:
        if error is self._error:
            return
        is_heard = self.receivers(SIGNAL("errorChanged(PyObject)")) > 0 or (job is not None and job.has_hook)
        self._error = error
        self.errorChanged.emit(error)
        if error is not None:
            if not is_heard:
                self._home.report(error, self._label, None if job is None else job.handle.job)
            # Its frames would keep alive whatever was in use where it was raised, this included.
            error.__traceback__ = None


def home_of(command: Command) -> Home:
    """Give where ``command`` is at home, to its widgets."""
    home: Home = vars(command)["_home"]
    return home


def _is_handle(work: object) -> TypeGuard[JobHandle[Any]]:
    return isinstance(work, JobHandle)


def _is_job(work: object) -> TypeGuard[BaseJob[Any]]:
    return isinstance(work, BaseJob)
