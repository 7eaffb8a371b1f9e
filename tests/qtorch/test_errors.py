"""Exceptions that say what to do, and what is done with the users' own."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from qtorch import ErrorReport, JobCancelledError, JobTimeoutError, NoRetry, QtorchError, errors
from qtorch.errors import text_of, without_frames


class Speechless(Exception):
    def __str__(self) -> str:
        raise RuntimeError("broken __str__")


@pytest.mark.parametrize("name", [name for name in errors.__all__ if name.endswith("Error") and name != "QtorchError"])
def test_every_error_is_a_qtorch_error_and_says_in_its_docstring_when(name: str) -> None:
    cls = getattr(errors, name)
    assert issubclass(cls, QtorchError)
    assert (cls.__doc__ or "").strip().endswith((".", "``"))


@pytest.mark.parametrize(
    "error",
    [JobCancelledError(), JobCancelledError("superseded"), JobTimeoutError(2.5), JobTimeoutError(9.0, "deadline")],
    ids=repr,
)
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_the_errors_of_jobs_can_be_copied_and_sent_to_another_process(error: QtorchError, copied: Any) -> None:
    back = copied(error)
    assert (type(back), str(back), vars(back)) == (type(error), str(error), vars(error))


def test_no_retry_keeps_its_error_through_a_pickle() -> None:
    back = pickle.loads(pickle.dumps(NoRetry(PermissionError("locked"))))
    assert (type(back.error), str(back)) == (PermissionError, "locked")


def test_a_timeout_is_a_timeout_error_without_an_errno_of_its_own() -> None:
    error = JobTimeoutError(5)
    assert isinstance(error, TimeoutError)
    assert error.errno is None


def test_a_report_has_no_job_and_no_event_unless_given() -> None:
    error = ValueError()
    assert ErrorReport(error, "somewhere") == ErrorReport(error=error, where="somewhere", job=None, event=None)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("Exception: bad"), "Exception: bad"),
        (ConnectionError("Connection closed"), "Connection closed"),
        (KeyError("name"), "'name'"),
        (ValueError(), "ValueError"),
        (ValueError(""), "ValueError"),
        (Speechless(), "Speechless"),
    ],
)
def test_the_text_of_an_error_is_its_own_unmangled(error: Exception, text: str) -> None:
    assert text_of(error) == text


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


def test_no_frames_are_left_on_an_error_its_causes_and_the_members_of_its_groups() -> None:
    root, context, member = raised(OSError()), raised(KeyError()), raised(ValueError())
    group = raised(ExceptionGroup("several", [member, Speechless()]))
    group.__cause__, group.__context__ = root, context
    root.__context__ = group  # a circle
    assert without_frames(group) is group
    assert [one.__traceback__ for one in (root, context, member, group)] == [None] * 4
    assert group.__cause__ is root
