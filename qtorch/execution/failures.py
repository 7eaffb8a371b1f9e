"""Exceptions on their way from where they were raised to the GUI thread."""

from __future__ import annotations

import traceback
from typing import cast


def ship(error: BaseException) -> str:
    """Strip ``error`` of its frames, those of its causes too, and give its traceback as text.

    Frames keep everything alive that their local variables refer to: a widget in one of them would be destroyed on
    whichever thread drops the exception last.
    """
    try:
        text = "".join(traceback.format_exception(error))
    except Exception:  # noqa: BLE001 - a broken __str__ of the user's exception must not lose the exception
        text = f"{type(error).__name__} (its text cannot be shown)\n"
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.__traceback__ = None
        waiting += (one.__cause__, one.__context__)
        if isinstance(one, BaseExceptionGroup):
            waiting += cast("BaseExceptionGroup[BaseException]", one).exceptions
    return text
