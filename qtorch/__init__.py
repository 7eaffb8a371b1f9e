"""State management for PySide6: jobs, events, immutable state and bindings.

The everyday names are here; each is imported when it is first used.
"""

from __future__ import annotations

import logging
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any


def _is_in_worker() -> bool:
    processes = sys.modules.get("multiprocessing.process")
    return processes is not None and processes.current_process().name.startswith("qtorch-worker")


def _keep_unread() -> None:
    # Shiboken reads the source of every module that is imported while PySide6 is there, to see whether
    # `from __feature__ import snake_case` in another module concerns it (PYSIDE-2029). To read a module of pydantic
    # 2.14 that came before PySide6 makes pydantic import itself in a circle ("cannot import name 'import_string' from
    # partially initialized module"); and `from pydantic import BaseModel` sorts before PySide6.
    read = getattr(sys.modules.get("shibokensupport.feature"), "pyside_feature_dict", {})
    for name in [name for name in sys.modules if name.partition(".")[0] == "pydantic"]:
        read.setdefault(name, -1)  # -1: it knows no PySide6
    # And of qtorch itself: to read it was a tenth of its import. All of it uses PySide6's own names, also where the
    # text does not say PySide6: an object may be asked for its properties there.
    if read:
        root = os.path.dirname(__file__)
        for folder, folders, files in os.walk(root):
            folders[:] = [name for name in folders if name != "__pycache__"]
            package = "qtorch" + folder[len(root) :].replace(os.sep, ".")
            for file in files:
                name, _, kind = file.rpartition(".")
                if kind == "py":
                    read.setdefault(package if name == "__init__" else f"{package}.{name}", 0)  # 0: no feature


class _ComingQt:
    """Keeps pydantic and qtorch unread in a process where PySide6 may be imported later, or never."""

    def find_spec(self, name: str, *_: object) -> None:
        if "shibokensupport.feature" in sys.modules and name.partition(".")[0] != "shibokensupport":
            sys.meta_path.remove(self)
            _keep_unread()


if _is_in_worker():
    # Qt would be a third of the time that a worker takes to start, and its work has no window.
    sys.meta_path.insert(0, _ComingQt())
else:
    import PySide6

    if sys.version_info < (3, 12) and PySide6.__version_info__[:3] == (6, 12, 0):
        raise ImportError(
            "PySide6 6.12.0 aborts the process on Python before 3.12, at about the 570th signal (PYSIDE-3474).\n"
            '  Install another: pip install "PySide6-Essentials!=6.12.0", or use Python 3.12 or newer.'
        )
_keep_unread()

__version__ = "0.1.0"

# Whether a library's warnings are shown is the application's choice; without a handler Python prints them to stderr.
logging.getLogger("qtorch").addHandler(logging.NullHandler())

if TYPE_CHECKING:
    from qtorch.binding.column import Column
    from qtorch.binding.command import Command
    from qtorch.binding.command_binding import bind_command
    from qtorch.binding.form import Form
    from qtorch.binding.form_rows import FormRow, FormRows
    from qtorch.binding.form_state import FormState
    from qtorch.binding.keyed_list_model import KeyedListModel
    from qtorch.binding.keyed_table_model import KeyedTableModel
    from qtorch.binding.one_way import Binding, bind
    from qtorch.binding.two_way import bind_two_way
    from qtorch.bus import SignalBus, Subscription
    from qtorch.cache.in_memory import InMemoryCacheProvider
    from qtorch.cache.invalidate import InvalidateCacheJob
    from qtorch.cache.provider import CacheProvider
    from qtorch.clock import QtClock
    from qtorch.errors import (
        ClosedError,
        DeadlockError,
        DuplicateExecutorError,
        ErrorReport,
        EventLoopError,
        ExecutorNotFoundError,
        JobCancelledError,
        JobTimeoutError,
        NoRetry,
        NoRuntimeError,
        NotPicklableError,
        QtorchError,
        QueueFullError,
        RemoteError,
        StateLoopError,
        StateMutatedError,
        UnknownJobError,
        WorkerDiedError,
        WrongThreadError,
    )
    from qtorch.events import (
        BaseEvent,
        EventLog,
        JobCacheHitEvent,
        JobCancelledEvent,
        JobEvent,
        JobFailureEvent,
        JobItemsEvent,
        JobPlaceholderEvent,
        JobProgressEvent,
        JobRetryingEvent,
        JobStartedEvent,
        JobSuccessEvent,
        JobTimeoutEvent,
    )
    from qtorch.execution.attempt import Attempt, Runner
    from qtorch.execution.base_executor import BaseExecutor, executes
    from qtorch.execution.dispatcher import Dispatcher
    from qtorch.execution.handle import JobHandle
    from qtorch.execution.lane import Lane
    from qtorch.execution.status import JobStatus
    from qtorch.job.base_job import BaseJob
    from qtorch.job.cancellation import CancellationToken
    from qtorch.job.data_strategy import DataStrategy
    from qtorch.job.ids import generate_job_id
    from qtorch.job.job_builder import JobBuilder
    from qtorch.job.options import (
        CONCURRENT,
        DROPPABLE,
        KEEP_LATEST,
        RESTARTABLE,
        SEQUENTIAL,
        CachePolicy,
        JobOptions,
        LanePolicy,
    )
    from qtorch.job.results import JobCancelled, JobFailure, JobOutcome, JobResult, JobSuccess, JobTimeout
    from qtorch.job.retry import RetryPolicy
    from qtorch.orchestrator.base_orchestrator import BaseOrchestrator
    from qtorch.orchestrator.handlers import on
    from qtorch.ports import MISSING
    from qtorch.runtime import Runtime
    from qtorch.state.async_state import AsyncState, AsyncStatus
    from qtorch.state.base_state import BaseState
    from qtorch.state.selected import Field
    from qtorch.state.source import Source, combine

_ROOMS = {
    "qtorch.binding.column": ("Column",),
    "qtorch.binding.command": ("Command",),
    "qtorch.binding.command_binding": ("bind_command",),
    "qtorch.binding.form": ("Form",),
    "qtorch.binding.form_rows": ("FormRow", "FormRows"),
    "qtorch.binding.form_state": ("FormState",),
    "qtorch.binding.keyed_list_model": ("KeyedListModel",),
    "qtorch.binding.keyed_table_model": ("KeyedTableModel",),
    "qtorch.binding.one_way": ("Binding", "bind"),
    "qtorch.binding.two_way": ("bind_two_way",),
    "qtorch.bus": ("SignalBus", "Subscription"),
    "qtorch.cache.in_memory": ("InMemoryCacheProvider",),
    "qtorch.cache.invalidate": ("InvalidateCacheJob",),
    "qtorch.cache.provider": ("CacheProvider",),
    "qtorch.clock": ("QtClock",),
    "qtorch.errors": (
        "ClosedError",
        "DeadlockError",
        "DuplicateExecutorError",
        "ErrorReport",
        "EventLoopError",
        "ExecutorNotFoundError",
        "JobCancelledError",
        "JobTimeoutError",
        "NoRetry",
        "NoRuntimeError",
        "NotPicklableError",
        "QtorchError",
        "QueueFullError",
        "RemoteError",
        "StateLoopError",
        "StateMutatedError",
        "UnknownJobError",
        "WorkerDiedError",
        "WrongThreadError",
    ),
    "qtorch.events": (
        "BaseEvent",
        "EventLog",
        "JobCacheHitEvent",
        "JobCancelledEvent",
        "JobEvent",
        "JobFailureEvent",
        "JobItemsEvent",
        "JobPlaceholderEvent",
        "JobProgressEvent",
        "JobRetryingEvent",
        "JobStartedEvent",
        "JobSuccessEvent",
        "JobTimeoutEvent",
    ),
    "qtorch.execution.attempt": ("Attempt", "Runner"),
    "qtorch.execution.base_executor": ("BaseExecutor", "executes"),
    "qtorch.execution.dispatcher": ("Dispatcher",),
    "qtorch.execution.handle": ("JobHandle",),
    "qtorch.execution.lane": ("Lane",),
    "qtorch.execution.status": ("JobStatus",),
    "qtorch.job.base_job": ("BaseJob",),
    "qtorch.job.cancellation": ("CancellationToken",),
    "qtorch.job.data_strategy": ("DataStrategy",),
    "qtorch.job.ids": ("generate_job_id",),
    "qtorch.job.job_builder": ("JobBuilder",),
    "qtorch.job.options": (
        "CONCURRENT",
        "CachePolicy",
        "DROPPABLE",
        "JobOptions",
        "KEEP_LATEST",
        "LanePolicy",
        "RESTARTABLE",
        "SEQUENTIAL",
    ),
    "qtorch.job.results": ("JobCancelled", "JobFailure", "JobOutcome", "JobResult", "JobSuccess", "JobTimeout"),
    "qtorch.job.retry": ("RetryPolicy",),
    "qtorch.orchestrator.base_orchestrator": ("BaseOrchestrator",),
    "qtorch.orchestrator.handlers": ("on",),
    "qtorch.ports": ("MISSING",),
    "qtorch.runtime": ("Runtime",),
    "qtorch.state.async_state": ("AsyncState", "AsyncStatus"),
    "qtorch.state.base_state": ("BaseState",),
    "qtorch.state.selected": ("Field",),
    "qtorch.state.source": ("Source", "combine"),
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "AsyncState",
    "AsyncStatus",
    "Attempt",
    "BaseEvent",
    "BaseExecutor",
    "BaseJob",
    "BaseOrchestrator",
    "BaseState",
    "Binding",
    "CONCURRENT",
    "CachePolicy",
    "CacheProvider",
    "CancellationToken",
    "ClosedError",
    "Column",
    "Command",
    "DROPPABLE",
    "DataStrategy",
    "DeadlockError",
    "Dispatcher",
    "DuplicateExecutorError",
    "ErrorReport",
    "EventLog",
    "EventLoopError",
    "ExecutorNotFoundError",
    "Field",
    "Form",
    "FormRow",
    "FormRows",
    "FormState",
    "InMemoryCacheProvider",
    "InvalidateCacheJob",
    "JobBuilder",
    "JobCacheHitEvent",
    "JobCancelled",
    "JobCancelledError",
    "JobCancelledEvent",
    "JobEvent",
    "JobFailure",
    "JobFailureEvent",
    "JobHandle",
    "JobItemsEvent",
    "JobOptions",
    "JobOutcome",
    "JobPlaceholderEvent",
    "JobProgressEvent",
    "JobResult",
    "JobRetryingEvent",
    "JobStartedEvent",
    "JobStatus",
    "JobSuccess",
    "JobSuccessEvent",
    "JobTimeout",
    "JobTimeoutError",
    "JobTimeoutEvent",
    "KEEP_LATEST",
    "KeyedListModel",
    "KeyedTableModel",
    "Lane",
    "LanePolicy",
    "MISSING",
    "NoRetry",
    "NoRuntimeError",
    "NotPicklableError",
    "QtClock",
    "QtorchError",
    "QueueFullError",
    "RESTARTABLE",
    "RemoteError",
    "RetryPolicy",
    "Runner",
    "Runtime",
    "SEQUENTIAL",
    "SignalBus",
    "Source",
    "StateLoopError",
    "StateMutatedError",
    "Subscription",
    "UnknownJobError",
    "WorkerDiedError",
    "WrongThreadError",
    "bind",
    "bind_command",
    "bind_two_way",
    "combine",
    "executes",
    "generate_job_id",
    "on",
]


def __getattr__(name: str) -> Any:
    room = _HOME.get(name)
    if room is None:
        raise AttributeError(f"module 'qtorch' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(room), name)
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
