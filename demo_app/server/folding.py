"""Text as searching and sorting see it: without case and accents."""
# ruff: noqa: RUF001, RUF002, RUF003 - letters that look like others are what this is about

from __future__ import annotations

import unicodedata

# Letters that Unicode does not decompose, as people type them on a keyboard without them. Apostrophes go: nobody knows
# which of the seven a name is written with, and O’Rourke belongs between Ormond and Orwell.
_PLAIN = str.maketrans(
    {"đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ł": "l", "ø": "o", "þ": "th", "æ": "ae", "œ": "oe"}
    | dict.fromkeys("'‘’ʻʼʾʿ", "")
)


def fold(text: str) -> str:
    """Drop case, accents and apostrophes.

    Examples
    --------
    >>> fold("Nguyễn Thị Ánh Đào"), fold("O’ROURKE"), fold("Γιώργος")
    ('nguyen thi anh dao', 'orourke', 'γιωργοσ')
    """
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_PLAIN)
