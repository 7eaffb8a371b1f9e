"""What crosses the border between two processes: pickled, or refused with the name of what does not pickle."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator, Mapping
from typing import Any, cast

from qtorch.errors import NoRetry, NotPicklableError, RemoteError, text_of

_DEPTH = 8
"""How deep to look for what does not pickle."""


def pickled(value: object, name: str, advice: str) -> bytes:
    """Pickle ``value``.

    Raises
    ------
    NotPicklableError
        It cannot be pickled. The text names the part of ``name`` that cannot, as in ``ResizeExecutor.api.lock``.
    """
    try:
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # noqa: BLE001 - __reduce__ and __getstate__ are user code
        raise _refusal(value, name, advice, error) from None


def check_class(cls: type, advice: str) -> None:
    """Refuse a class that a worker cannot import: that of a shell or of a program without a file.

    Raises
    ------
    NotPicklableError
        The class is in such a ``__main__``.
    """
    main: Any = sys.modules.get("__main__")
    if cls.__module__ == "__main__" and main.__spec__ is None and not hasattr(main, "__file__"):
        raise NotPicklableError(
            f"{cls.__name__} cannot go to a worker process: it was defined in an interactive shell or with python -c, "
            f"whose __main__ a worker cannot import.\n  {advice}"
        )


def _refusal(value: object, name: str, advice: str, error: BaseException) -> NotPicklableError:
    path, culprit, why = _find(value, name, error, _DEPTH)
    cls = culprit if isinstance(culprit, type) else type(culprit)
    if "<locals>" in cls.__qualname__:
        why = f"its class {cls.__qualname__} is defined inside a function, where another process cannot find it"
        advice = "Define the class at the top level of a module."
    return NotPicklableError(
        f"{path} ({cls.__module__}.{cls.__qualname__}) cannot go to another process: {why}.\n  {advice}"
    )


def _find(value: object, path: str, error: BaseException, depth: int) -> tuple[str, object, str]:
    """Give path, object and reason of the innermost part that does not pickle."""
    if depth:
        for label, part in _parts(value):
            try:
                pickle.dumps(part, pickle.HIGHEST_PROTOCOL)
            except Exception as inner:  # noqa: BLE001 - as in pickled()
                return _find(part, path + label, inner, depth - 1)
    return path, value, f"{type(error).__name__}: {text_of(error)}".rstrip(".")


def _parts(value: Any) -> Iterator[tuple[str, object]]:
    whole = value  # of any type, whatever it is found to be
    if isinstance(value, Mapping):
        for key, part in whole.items():
            yield f"[{key!r}]", part
    elif isinstance(value, list | tuple):
        for index, part in enumerate(whole):
            yield f"[{index}]", part
    elif not isinstance(value, type):
        state: Any = getattr(value, "__dict__", {})
        try:
            given: Any = value.__getstate__()  # what pickle would take, if it is a plain dictionary
            if isinstance(given, dict) and "__dict__" not in given:
                state = cast("dict[str, Any]", given)
        except Exception:  # noqa: BLE001 - user code: then its attributes are looked at
            pass
        for key, part in tuple(state.items()):
            yield f".{key}", part


PackedError = tuple["bytes | None", bool, str, str, str]
"""The error pickled, whether it is a NoRetry, then the name of its class, its text and its traceback."""


def packed_error(error: BaseException, traceback: str) -> PackedError:
    """Give ``error`` in a form that always crosses."""
    packed: bytes | None = None
    try:
        packed = pickle.dumps(error, pickle.HIGHEST_PROTOCOL)
        # One whose __init__ takes other arguments than its text fails here, and not sooner.
        if type(pickle.loads(packed)) is not type(error):
            packed = None
    except Exception:  # noqa: BLE001 - user code
        packed = None
    inner = error.error if isinstance(error, NoRetry) else error
    cls = type(inner)
    name = cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
    return packed, inner is not error, name, text_of(inner), traceback


def unpacked_error(packed: PackedError) -> tuple[BaseException, str]:
    """Give the error and its traceback; in place of one that cannot be had here a RemoteError."""
    pickled_error, is_no_retry, name, text, traceback = packed
    if pickled_error is not None:
        try:
            return pickle.loads(pickled_error), traceback
        except Exception:  # noqa: BLE001 - user code, or a class that is not here
            pass
    error = RemoteError(name, text, traceback)
    return NoRetry(error) if is_no_retry else error, traceback
