"""The kinds of messages between a Runtime and a worker process: the first byte of each."""

from __future__ import annotations

import pickle
from io import BytesIO

# From the Runtime.
WORK = b"W"
"""(number, executor's number, executor or None if the worker has it, job), both pickled."""
CANCEL = b"C"
"""(number of the work, reason)."""
ROOM = b"A"
"""(number of the work): a batch of its items was taken."""
END = b"X"
"""No more work."""

# From the worker.
READY = b"R"
"""It has started."""
BEGUN = b"B"
"""It has taken the work: from here on its death is the job's failure."""
PROGRESS = b"P"
"""(progress, message, step, total)."""
ITEMS = b"I"
"""A batch of items, each pickled."""
DATA = b"D"
"""The result, pickled."""
ERROR = b"E"
"""An error as :func:`~qtorch.execution.worker.crossing.packed_error` gives it."""
RECORD = b"L"
"""The fields of a log record."""
FAULT = b"F"
"""(where, error): an executor's close() raised."""

KEPT_EXECUTORS = 16
"""Executors that a worker keeps for their next job; both sides count along."""


def frame(kind: bytes, content: object) -> bytes:
    """Give a message."""
    return kind + pickle.dumps(content, pickle.HIGHEST_PROTOCOL)


def frame_of(kind: bytes, packed: bytes) -> memoryview:
    """Give a message of what is pickled already."""
    buffer = BytesIO()
    buffer.write(kind)
    buffer.write(packed)
    return buffer.getbuffer()


def content(message: bytes) -> object:
    """Give what :func:`frame` was given."""
    return pickle.loads(memoryview(message)[1:])
