"""The one stretch by which two texts differ, in the units that Qt counts in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TextChange:
    """``old[start:end]`` becomes ``text``; positions count UTF-16 units, as Qt does: an emoji is two."""

    start: int
    end: int
    text: str

    @property
    def length(self) -> int:
        """How many units come in."""
        return units(self.text)

    def moved(self, position: int) -> int:
        """Give where a caret that was at ``position`` belongs after the change."""
        if position <= self.start:
            return position
        if position >= self.end:
            return position + self.length - (self.end - self.start)
        # Inside it keeps its offset: a text that was only turned into capitals moves no caret.
        inside = min(position - self.start, self.length)
        return self.start + units(_head(self.text, inside))


def change_between(old: str, new: str) -> TextChange:
    """Give the smallest stretch of ``old`` whose replacement makes it ``new``."""
    start = _alike(old, new)
    # What both begin with is not looked at again: "aa" to "aaa" is one letter more, not two that overlap.
    end = len(old) - _alike(old[start:][::-1], new[start:][::-1])
    first = units(old[:start])
    return TextChange(first, first + units(old[start:end]), new[start : len(new) - len(old) + end])


def _alike(a: str, b: str) -> int:
    """Give how many characters ``a`` and ``b`` begin with in common, by halves: a loop takes 50 ms for a megabyte."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def units(text: str) -> int:
    """Give the length of ``text`` in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _head(text: str, wanted: int) -> str:
    """Give the first ``wanted`` units of ``text``, and never half of a character."""
    if text.isascii():
        return text[:wanted]
    return text.encode("utf-16-le", "surrogatepass")[: wanted * 2].decode("utf-16-le", "ignore")
