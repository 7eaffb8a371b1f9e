"""What travels between the demo's server and its client, and the rules of each field.

The client builds its form on the same annotated types (``Name``, ``Email``, ..), so a rule is written once and a
message reads the same whether the window or the server found the fault.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

MAX_AVATAR_BYTES = 5 * 1024 * 1024
"""The largest picture the server takes."""

AVATAR_TYPES = ("image/png", "image/jpeg", "image/webp")
"""The pictures the server takes, told by their content and not by their name."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def _at_most(limit: int) -> Callable[[str], str]:
    def check(text: str) -> str:
        if len(text) > limit:
            raise PydanticCustomError(
                "too_long",
                "Use at most {limit} characters; this has {length}.",
                {"limit": limit, "length": len(text)},
            )
        return text

    return check


def _one_line(text: str) -> str:
    # A line separator (Zl, Zp) breaks a list row just as a line feed (Cc) does; a lone surrogate (Cs) has no UTF-8.
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in text):
        raise PydanticCustomError("not_one_line", "Write it on one line, without control characters.")
    return text


def _named(text: str) -> str:
    # Not only strip(): a name of zero-width characters is blank as well.
    if not any(unicodedata.category(character)[0] in "LNPS" for character in text):
        raise PydanticCustomError("blank", "Enter a name.")
    return text


def _address(text: str) -> str:
    if not text.isprintable() or not _EMAIL.fullmatch(text):
        raise PydanticCustomError("not_an_address", "Enter an address such as name@example.org")
    return text


def _plain_text(text: str) -> str:
    if any(unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\t" for character in text):
        raise PydanticCustomError("control_character", "Remove the control characters.")
    return text


Name = Annotated[
    str, AfterValidator(str.strip), AfterValidator(_named), AfterValidator(_at_most(120)), AfterValidator(_one_line)
]
"""1 to 120 characters on one line, something visible among them; blanks around it are dropped."""

Email = Annotated[str, AfterValidator(str.strip), AfterValidator(_at_most(254)), AfterValidator(_address)]
"""A plausible address; whether it exists only a letter could tell."""

Title = Annotated[str, AfterValidator(str.strip), AfterValidator(_at_most(120)), AfterValidator(_one_line)]
"""An occupation on one line, up to 120 characters; may be empty."""

Bio = Annotated[str, AfterValidator(_at_most(2000)), AfterValidator(_plain_text)]
"""Plain text of up to 2000 characters; line breaks are welcome."""

Role = Literal["viewer", "editor", "admin"]

ROLES: tuple[Role, ...] = get_args(Role)
"""The roles in rising order."""


class Person(BaseModel):
    """One person with everything the server knows.

    Parameters
    ----------
    version
        Rises by one with every stored change, from 1; the ticket that a change has to show.
    avatar
        Path of the picture on the server (``/people/7/avatar?v=3``), None without one. It changes with the picture,
        so it can be the key of a cache.
    """

    model_config = ConfigDict(frozen=True)

    id: int = Field(ge=1)
    name: Name
    email: Email = Field(title="E-mail")
    title: Title
    role: Role
    bio: Bio
    mentions: bool = Field(title="E-mail about mentions")
    public: bool = Field(title="Public profile")
    member_since: int
    version: int = Field(default=1, ge=1)
    avatar: str | None = None


class PersonSummary(BaseModel):
    """What a row of the list shows of a person."""

    model_config = ConfigDict(frozen=True)

    id: int
    name: str
    email: str
    role: Role
    avatar: str | None = None


class PeopleQuery(BaseModel):
    """Which part of the list is asked for.

    Parameters
    ----------
    q
        Words that all have to occur in the name, e-mail or title, whatever their case and accents; empty for all.
    offset, limit
        The first row, from 0, and how many rows at most.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    q: str = Field(default="", max_length=200)
    offset: int = Field(default=0, ge=0, lt=2**63)
    limit: int = Field(default=50, ge=1, le=200)


class PeoplePage(BaseModel):
    """A stretch of the list, ordered by name, and how long the whole list is."""

    model_config = ConfigDict(frozen=True)

    items: tuple[PersonSummary, ...]
    total: int
    offset: int
    limit: int


class PersonChanges(BaseModel):
    """The fields to change, and the version they were changed from.

    A field that is None (or absent) stays as it is.
    """

    # Strict: "yes" is no bool and "3" is no version, or a typo in a client would be stored as if it were meant.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: int = Field(ge=1)
    name: Name | None = None
    email: Email | None = None
    title: Title | None = None
    role: Role | None = None
    bio: Bio | None = None
    mentions: bool | None = None
    public: bool | None = None


class Health(BaseModel):
    """The server is up, and this many people are in its file."""

    model_config = ConfigDict(frozen=True)

    status: Literal["ok"] = "ok"
    people: int


class FaultSettings(BaseModel):
    """How slow and how unreliable the server makes itself.

    Parameters
    ----------
    latency
        Seconds before a request is looked at.
    fail_rate
        The share of requests, 0 to 1, that are answered with 503.
    fail_next
        How many of the next requests are answered with 503, whatever the rate.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    latency: float = Field(default=0.0, ge=0)
    fail_rate: float = Field(default=0.0, ge=0, le=1)
    fail_next: int = Field(default=0, ge=0)


class ApiError(BaseModel):
    """The body of every answer that is an error.

    Parameters
    ----------
    code
        For programs: ``malformed`` (400), ``not_found`` (404), ``method_not_allowed`` (405), ``conflict`` (409),
        ``too_large`` (413), ``unsupported_type`` (415), ``invalid`` (422), ``internal`` (500), ``unavailable`` and
        ``storage`` (503).
    message
        For people: one sentence.
    fields
        With ``invalid``: what is wrong, by the name of the field.
    current
        With ``conflict``: the person as the server has it now.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    message: str
    fields: Mapping[str, str] = Field(default_factory=dict)
    current: Person | None = None


def messages_by_field(error: ValidationError) -> dict[str, str]:
    """Say the first fault of each field, under the field's name (under ``""`` if it is about the whole)."""
    messages: dict[str, str] = {}
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        field = ".".join(str(part) for part in fault["loc"])
        unknown = fault["type"] == "extra_forbidden"
        messages.setdefault(field, "There is no such field." if unknown else fault["msg"])
    return messages
