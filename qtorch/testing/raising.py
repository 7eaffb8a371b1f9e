"""Exceptions that a test wants raised."""

from __future__ import annotations

from typing import TypeAlias

from qtorch.testing.writing import written

Error: TypeAlias = BaseException | type[BaseException]
"""An exception, or a class of which one is made without arguments."""


def checked(error: Error, where: str) -> Error:
    """Give ``error``, which was given to ``where``.

    Raises
    ------
    TypeError
        It cannot be raised.
    """
    if not is_error(error):
        raise TypeError(f"{where} takes an exception or a class of them, not {written(error)}")
    return error


def is_error(value: object) -> bool:
    """Whether ``value`` can be raised."""
    return isinstance(value, BaseException) or (isinstance(value, type) and issubclass(value, BaseException))


def fresh(error: Error) -> BaseException:
    """Give what to raise for ``error``: without the frames of an earlier raise, which would pile up on it."""
    return error.with_traceback(None) if isinstance(error, BaseException) else error()
