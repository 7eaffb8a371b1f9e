"""PySide6 6.12.0 drops a reference to None or True on ordinary calls; CPython 3.11 dies of it (PYSIDE-3474)."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.realtime

# On a faulty pair this aborts the process at about the 570th emit, so it runs in one of its own.
COUNT_REFERENCES = """
import sys
from PySide6.QtCore import QObject, Signal

class Source(QObject):
    changed = Signal()

source = Source()
before = sys.getrefcount(True)
for _ in range(1000):
    source.changed.emit()
print(before - sys.getrefcount(True))
"""

IMPORT_QTORCH = """
import sys, PySide6
PySide6.__version_info__ = {pyside}
PySide6.__version__ = ".".join(map(str, PySide6.__version_info__[:3]))
sys.version_info = type("version", (tuple,), {{"major": 3, "minor": {python}[1]}})({python})
try:
    import qtorch
except ImportError as error:
    print(error)
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)


def test_a_thousand_emits_leave_the_references_to_true_alone() -> None:
    done = run(COUNT_REFERENCES)
    assert done.returncode == 0, done.stderr
    assert abs(int(done.stdout)) < 50


def import_qtorch(pyside: tuple[int, int, int], python: tuple[int, int, int]) -> str:
    """What ``import qtorch`` says on a pair of versions; empty if nothing."""
    done = run(IMPORT_QTORCH.format(pyside=pyside, python=python))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_refuses_the_pair_that_would_abort_and_says_what_to_do() -> None:
    message = import_qtorch(pyside=(6, 12, 0), python=(3, 11, 7))
    assert "PYSIDE-3474" in message
    assert "6.12.0" in message
    assert "3.12" in message, "it does not say that Python 3.12 works"


@pytest.mark.parametrize(
    ("pyside", "python"), [((6, 11, 3), (3, 11, 7)), ((6, 12, 1), (3, 11, 7)), ((6, 12, 0), (3, 12, 1))]
)
def test_import_accepts_every_other_pair(pyside: tuple[int, int, int], python: tuple[int, int, int]) -> None:
    assert import_qtorch(pyside, python) == ""
