"""Equality of dataclasses, written once for all of them."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class ByFields:
    """Makes dataclasses equal, and hashes them, by their fields; write ``@dataclass(eq=False)`` on them.

    The decorator would compile two methods more for each class, when it is imported, and there are many classes.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return _compared(self) == _compared(other) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(_compared(self))


def _compared(one: Any) -> tuple[object, ...]:
    known: DataclassInstance = one
    return tuple(getattr(known, field.name) for field in fields(known) if field.compare)
