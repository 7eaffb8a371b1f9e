"""Why an edit was refused, in words for the user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

REFUSALS = (ValueError, ArithmeticError, LookupError)
"""What parsing and validating raise for an unfit value: pydantic's, ``decimal.InvalidOperation``, a missed look-up."""


def message_of(error: Exception, field: str) -> str:
    """Give the message of ``error``, that of ``field`` if there are several."""
    if not isinstance(error, ValidationError):
        return str(error) or type(error).__name__
    faults = error.errors(include_url=False, include_input=False)
    fault = next((one for one in faults if one["loc"] and one["loc"][-1] == field), faults[0])
    return own_words(fault)


def own_words(fault: Mapping[str, Any]) -> str:
    """Give pydantic's message, or what a validator's own exception says, without the "Value error, " before it."""
    own = fault.get("ctx", {}).get("error") if fault["type"] in ("value_error", "assertion_error") else None
    return str(own or fault["msg"])
