"""How values are written in the messages of the test kit."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, cast

from qtorch.events import JobEvent
from qtorch.events.event import COMMON
from qtorch.job.base_job import BaseJob
from qtorch.state.subscription import name_of

_GAP = " ... "
_NOT_WRITTEN = COMMON | {"traceback"}


def written(value: object) -> str:
    """Write ``value`` in one line: events and jobs shortly, classes and functions by name, all else by its repr.

    Examples
    --------
    >>> class FetchUserJob(BaseJob[str]):
    ...     user_id: str
    >>> written(FetchUserJob(user_id="42"))
    "FetchUserJob(user_id='42')"
    """
    try:
        return " ".join(_text(value).split("\n"))
    except Exception as error:  # noqa: BLE001 - a value whose repr raises must not hide what a test has found
        return f"<{type(value).__name__}, whose repr raises {type(error).__name__}>"


def shortened(text: str, limit: int = 100) -> str:
    """Give ``text`` with its middle left out if it is longer than ``limit``.

    Examples
    --------
    >>> shortened("abcdefghijklmnopqrstuvwxyz", 15)
    'abcde ... vwxyz'
    """
    if len(text) <= limit:
        return text
    end = (limit - len(_GAP)) // 2
    return f"{text[: limit - len(_GAP) - end]}{_GAP}{text[-end:]}"


def _text(value: object) -> str:
    if isinstance(value, JobEvent):
        own = [one for one in fields(value) if _tells(value, one)]
        figures = [f" {one.name}={written(getattr(value, one.name))}" for one in own]
        return f"{type(value).__name__} {written(value.job)} #{value.attempt}{''.join(figures)}"
    if isinstance(value, BaseJob):
        job = cast("Any", value)
        # Its id is made anew for each job: what tells two jobs apart is their payload.
        payload = [f"{name}={one!r}" for name, one in job.__repr_args__() if name != "id"]
        return f"{type(job).__name__}({', '.join(payload)})"
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, (FunctionType, BuiltinFunctionType, MethodType)):
        return name_of(value).rpartition("<locals>.")[2]
    return repr(value)


def _tells(event: JobEvent, one: Field[Any]) -> bool:
    """Whether a field of ``event`` is one of its own and is not as it always is."""
    if one.name in _NOT_WRITTEN:
        return False
    value = getattr(event, one.name)
    return one.default is MISSING or repr(value) != repr(one.default)
