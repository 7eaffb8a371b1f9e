"""When two values count as the same, and which fields of two states differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def same(a: object, b: object) -> bool:
    """Whether ``a`` may stand for ``b``: ``is``, then ``==``.

    An ``==`` that raises or does not give a bool (arrays) counts as a change: to paint once too often is harmless.
    """
    if a is b:
        return True
    try:
        equal = a == b
    except Exception:  # noqa: BLE001 - user code; see above
        return False
    return equal is True


def changed_fields(new: object, old: object, names: Iterable[str]) -> list[str]:
    """Give those of ``names`` whose values differ between two states."""
    a, b = new.__dict__, old.__dict__
    return [name for name in names if a[name] is not b[name] and not same(a[name], b[name])]


def all_changed_fields(new: object, old: object) -> list[str]:
    """Give the fields that differ between two states of any classes; one that only one of them has always does."""
    a, b = new.__dict__, old.__dict__
    return [name for name in dict.fromkeys((*b, *a)) if name not in a or name not in b or not same(a[name], b[name])]
