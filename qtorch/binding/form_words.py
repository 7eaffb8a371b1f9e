"""What is wrong with a field, in words for somebody who fills in a form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from qtorch.binding.refusals import own_words

Messages: TypeAlias = Callable[[str, Mapping[str, Any]], str | None]
"""From the type of a pydantic error and its context to the words for it; None for the usual ones."""

_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Fill this in.", ("missing",)),
    ("Enter a whole number.", ("int_parsing", "int_type", "int_from_float")),
    ("Enter a number.", ("float_parsing", "float_type", "decimal_parsing", "decimal_type", "finite_number")),
    ("Enter {ge} or more.", ("greater_than_equal",)),
    ("Enter more than {gt}.", ("greater_than",)),
    ("Enter {le} or less.", ("less_than_equal",)),
    ("Enter less than {lt}.", ("less_than",)),
    ("Enter a multiple of {multiple_of}.", ("multiple_of",)),
    ("Use at most {max_length} characters.", ("string_too_long", "bytes_too_long")),
    ("Use the expected format.", ("string_pattern_mismatch",)),
    ("Enter a text.", ("string_type",)),
    ("Enter a date.", ("date_parsing", "date_type", "date_from_datetime_parsing", "date_from_datetime_inexact")),
    ("Enter a date in the past.", ("date_past",)),
    ("Enter a date in the future.", ("date_future",)),
    ("Enter a time.", ("time_parsing", "time_type")),
    ("Enter a date and time.", ("datetime_parsing", "datetime_type", "datetime_from_date_parsing")),
    ("Choose {expected}.", ("enum", "literal_error")),
    ("Choose yes or no.", ("bool_parsing", "bool_type")),
    ("Add at least {min_length}.", ("too_short",)),
    ("Keep at most {max_length}.", ("too_long",)),
)
_BY_TYPE = {kind: words for words, kinds in _WORDS for kind in kinds}


def words_of(fault: Mapping[str, Any]) -> str:
    """Give the words for one of the errors of a ValidationError; what was typed, maybe a secret, is never in them."""
    kind, context = fault["type"], fault.get("ctx", {})
    if "url" not in fault:  # the program's own PydanticCustomError, which may be called like one of pydantic's
        return own_words(fault)
    if fault.get("input") == "" and kind in ("string_too_short", "string_pattern_mismatch"):
        return "Fill this in."
    if kind == "string_too_short":
        return f"Use at least {context['min_length']} characters."
    if kind in _BY_TYPE:
        return _BY_TYPE[kind].format_map(context)
    return own_words(fault)
