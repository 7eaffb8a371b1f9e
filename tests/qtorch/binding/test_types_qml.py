"""What type checkers infer of what commands show to QML, checked by ``make types`` and run by pytest."""

from __future__ import annotations

from typing import assert_type

from qtorch import Command


def test_the_error_and_its_text_have_types(qapp: object) -> None:
    command = Command(print)
    assert_type(command.error, BaseException | None)
    assert_type(command.errorMessage, str)
    assert command.error is None
    assert command.errorMessage == ""
