"""What the import of qtorch is measured against."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.realtime
def test_the_floor_is_charged_with_qt_s_own_namespace_which_is_no_cost_of_qtorch() -> None:
    # It once stood in the message of an assert, and was not evaluated: PySide6's 15 ms were counted as qtorch's.
    code = (
        "from benchmarks.children import imports\n"
        "print('Qt' in vars(imports.QtCore))\n"
        "imports.main(imports.FLOOR, 1)\n"
        "print('Qt' in vars(imports.QtCore), 'qtorch' in imports.sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    before, _, after = done.stdout.splitlines()
    assert (before, after) == ("False", "True False")
