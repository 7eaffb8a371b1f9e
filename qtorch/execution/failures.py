"""Exceptions on their way from where they were raised to the GUI thread."""

from __future__ import annotations

import traceback

from qtorch.errors import without_frames


def ship(error: BaseException) -> str:
    """Strip ``error`` of its frames, see :func:`~qtorch.errors.without_frames`, and give its traceback as text."""
    try:
        text = "".join(traceback.format_exception(error))
    except Exception:  # noqa: BLE001 - a broken __str__ of the user's exception must not lose the exception
        text = f"{type(error).__name__} (its text cannot be shown)\n"
    without_frames(error)
    return text
