"""The attribute path that a selector reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def path_of(selector: Callable[[Any], object]) -> tuple[str, ...]:
    """Give the attribute path that ``selector`` reads, such as ``("user", "name")``.

    Raises
    ------
    TypeError
        It is anything but a plain path.
    """
    reads: list[tuple[str, ...]] = []
    try:
        probe = selector(_PathProbe((), reads))
    except TypeError:  # something was done with a field: called, compared, counted, asked whether it is true
        probe = None
    if isinstance(probe, _PathProbe):
        path: tuple[str, ...] = object.__getattribute__(probe, "_path")
        # Whatever else was read decided which path it is: `s.a if s.b is None else s.c`.
        if path and len(reads) == len(path):
            return path
    raise TypeError(
        "field() takes a plain path to one field, such as lambda s: s.user.name, because it is written to.\n"
        "  For anything computed use select()."
    )


class _PathProbe:
    """Stands for a state and notes which attributes are asked of it."""

    def __init__(self, path: tuple[str, ...], reads: list[tuple[str, ...]]) -> None:
        object.__setattr__(self, "_path", path)
        object.__setattr__(self, "_reads", reads)

    def __getattribute__(self, name: str) -> Any:
        if name in ("__class__", "__dict__"):
            return object.__getattribute__(self, name)
        path = (*object.__getattribute__(self, "_path"), name)
        reads: list[tuple[str, ...]] = object.__getattribute__(self, "_reads")
        reads.append(path)
        return _PathProbe(path, reads)

    def __bool__(self) -> bool:
        raise TypeError
