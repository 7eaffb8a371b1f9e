"""A program may import PySide6, pydantic and qtorch in any order."""

from __future__ import annotations

import itertools
import subprocess
import sys

import pytest

pytestmark = pytest.mark.realtime

IMPORTS = ("from pydantic import BaseModel", "from PySide6.QtWidgets import QApplication", "from qtorch import BaseJob")


def _package(line: str) -> str:
    return line.split()[1].partition(".")[0]


@pytest.mark.parametrize(
    "order", list(itertools.permutations(IMPORTS)), ids=lambda order: "-".join(map(_package, order))
)
def test_it_can_be_imported_in_this_order(order: tuple[str, ...]) -> None:
    program = "\n".join((*order, "from pydantic import Field, SecretStr, TypeAdapter, field_validator"))
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, "")
