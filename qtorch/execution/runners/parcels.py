"""Executors and jobs as they are sent to worker processes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from qtorch.execution.worker.crossing import check_class, pickled

if TYPE_CHECKING:
    from qtorch.job.base_job import BaseJob

_KNOWN_EXECUTORS = 64

Parcel = tuple[int, bytes, bytes]
"""The executor's number, the executor and the job, pickled."""


class Parcels:
    """Pickles jobs and executors, and numbers the executors: one is sent to a worker once.

    What is pickled to the same bytes is the same executor. Any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()  # reentrant: a finalizer may dispatch
        self._executors: OrderedDict[bytes, tuple[int, bytes]] = OrderedDict()
        self._last_number = 0

    def prepare(self, executor: object, job: BaseJob[Any]) -> Parcel:
        """Give executor and job as they will be sent. Where the job is dispatched, before anything is tracked.

        Raises
        ------
        NotPicklableError
            One of them does not pickle, or a worker could not import its class.
        """
        cls = type(executor)
        advice = (
            f"Make it where it is used, in {cls.__name__}.process, or leave it out in __getstate__; "
            f"or let the executor run on a thread."
        )
        check_class(cls, "Put the executor's class into a module.")
        check_class(type(job), "Put the job's class into a module.")
        packed_job = pickled(job, type(job).__name__, "Give the job plain data, and open files in process().")
        packed = pickled(executor, cls.__name__, advice)
        with self._lock:
            known = self._executors.get(packed)
            if known is None:
                self._last_number += 1
                known = self._executors[packed] = (self._last_number, packed)
                if len(self._executors) > _KNOWN_EXECUTORS:
                    self._executors.popitem(last=False)
            else:
                self._executors.move_to_end(packed)
        return *known, packed_job
