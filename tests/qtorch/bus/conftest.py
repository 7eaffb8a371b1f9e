from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from qtorch import SignalBus

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication


@pytest.fixture
def bus(qapp: QApplication) -> Iterator[SignalBus]:
    """A bus without a Runtime."""
    made = SignalBus.scoped()
    yield made
    made.close()
    made.deleteLater()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """What reached ``sys.excepthook``."""
    errors: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda cls, error, trace: errors.append(error))
    return errors
