"""How values are written in the messages of the test kit."""

from __future__ import annotations

from functools import partial

import pytest
from pydantic import Field, SecretStr

from qtorch import BaseJob, JobFailureEvent, JobProgressEvent, JobStartedEvent, JobSuccessEvent
from qtorch.testing.writing import shortened, written


class LoginJob(BaseJob[str]):
    user: str
    password: SecretStr = SecretStr("secret")
    note: str = Field(default="", repr=False)


LOGIN = LoginJob(user="ada")


class Broken:
    def __repr__(self) -> str:
        raise KeyError("x")


def named() -> None: ...


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        ("a\nb", r"'a\nb'"),
        (LoginJob, "LoginJob"),
        (LOGIN, "LoginJob(user='ada', password=SecretStr('**********'))"),
        (named, "named"),
        (len, "len"),
        (LOGIN.fingerprint, "BaseJob.fingerprint"),
        (Broken(), "<Broken, whose repr raises KeyError>"),
        (OSError("down"), "OSError('down')"),
    ],
)
def test_a_value_is_written_shortly(value: object, text: str) -> None:
    assert written(value) == text


def test_a_lambda_is_written_with_its_place() -> None:
    nameless = lambda: None  # noqa: E731
    assert written(nameless) == f"<lambda> at test_writing.py:{nameless.__code__.co_firstlineno}"


def test_a_repr_of_several_lines_becomes_one() -> None:
    class Table:
        def __repr__(self) -> str:
            return "a\nb"

    assert written(Table()) == "a b"


def test_anything_else_is_written_by_its_repr() -> None:
    assert written(partial(named)) == repr(partial(named))


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (JobStartedEvent("i", LOGIN), " #1"),
        (JobStartedEvent("i", LOGIN, 3), " #3"),
        (JobProgressEvent("i", LOGIN, 1, 0.5, "half"), " #1 progress=0.5 message='half'"),
        (JobSuccessEvent("i", LOGIN, 1, "ok"), " #1 data='ok'"),
        (JobFailureEvent("i", LOGIN, 2, OSError("down"), "Traceback ..."), " #2 error=OSError('down')"),
    ],
)
def test_an_event_is_written_with_its_job_its_attempt_and_what_is_not_as_always(event: object, text: str) -> None:
    assert written(event) == f"{type(event).__name__} LoginJob(user='ada', password=SecretStr('**********')){text}"


@pytest.mark.parametrize("limit", [7, 8, 20, 25, 26])
def test_a_long_text_is_shortened_in_the_middle_to_the_limit(limit: int) -> None:
    text = "abcdefghijklmnopqrstuvwxyz"
    short = shortened(text, limit)
    assert len(short) == limit
    assert short == text or (short[0], short[-1], " ... " in short) == ("a", "z", True)
