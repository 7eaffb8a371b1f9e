"""What the rooms need from outside themselves."""

from __future__ import annotations

import logging
import random
import sys
from typing import TYPE_CHECKING

import pytest

from qtorch import MISSING, NoRuntimeError, QtClock, Runtime
from qtorch.ports import Clock, Random, call_excepthook, default_runtime
from qtorch.testing import FakeClock

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication


def test_missing_is_one_value_that_is_false_and_says_its_name() -> None:
    assert not MISSING
    assert repr(MISSING) == "MISSING"
    assert MISSING is type(MISSING)("MISSING")
    assert MISSING is not None


def test_without_a_runtime_there_is_no_default_and_the_error_shows_how_to_make_one() -> None:
    with pytest.raises(NoRuntimeError, match=r"no Runtime is open(.|\n)*runtime = Runtime\(executors=\[\.\.\.\]\)"):
        default_runtime()


def test_the_oldest_open_runtime_is_the_default_then_the_next(qapp: QApplication) -> None:
    first, second = Runtime(), Runtime()
    assert default_runtime() is first
    first.close()
    assert default_runtime() is second
    second.close()
    with pytest.raises(NoRuntimeError):
        default_runtime()


def test_the_clocks_and_the_random_module_fit_their_ports(qapp: QApplication) -> None:
    real = QtClock()
    clocks: list[Clock] = [real, FakeClock()]
    sources: list[Random] = [random, random.Random()]  # type: ignore[list-item]  # mypy sees no protocol in a module
    for clock in clocks:
        clock.call_later(10, lambda: None).cancel()
        assert clock.lateness() == 0
    assert all(0 <= source.uniform(0, 1) <= 1 for source in sources)
    real.deleteLater()


def test_the_excepthook_is_called_as_python_would(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[object, ...]] = []
    monkeypatch.setattr(sys, "excepthook", lambda *args: told.append(args))
    error = ValueError("x")
    call_excepthook(error)
    assert told == [(ValueError, error, None)]


def test_an_excepthook_that_raises_is_logged(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("the crash reporter crashed")

    monkeypatch.setattr(sys, "excepthook", crash)
    call_excepthook(ValueError("x"))
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("qtorch", logging.ERROR)
    assert "the crash reporter crashed" in caplog.text
