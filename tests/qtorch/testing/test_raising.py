"""Exceptions that a test wants raised."""

from __future__ import annotations

import pytest

from qtorch.testing.raising import fresh


def test_an_exception_is_raised_again_without_the_frames_of_before() -> None:
    error = OSError("down")
    with pytest.raises(OSError, match="down"):
        raise error
    assert error.__traceback__ is not None
    assert fresh(error) is error
    assert error.__traceback__ is None


def test_a_class_gives_a_new_exception_each_time() -> None:
    assert type(fresh(KeyError)) is KeyError
    assert fresh(KeyError) is not fresh(KeyError)
