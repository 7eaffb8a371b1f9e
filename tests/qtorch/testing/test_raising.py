"""Exceptions that a test wants raised."""

from __future__ import annotations

from qtorch.testing.raising import fresh


def test_an_exception_is_raised_again_without_the_frames_of_before() -> None:
    error = OSError("down")
    for _ in range(3):
        try:
            raise fresh(error)
        except OSError as caught:
            assert caught is error
            assert caught.__traceback__ is not None
            assert caught.__traceback__.tb_next is None


def test_a_class_gives_a_new_exception_each_time() -> None:
    assert type(fresh(KeyError)) is KeyError
    assert fresh(KeyError) is not fresh(KeyError)
