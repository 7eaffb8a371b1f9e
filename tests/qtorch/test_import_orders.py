"""A program may import PySide6, pydantic and qtorch in any order."""

from __future__ import annotations

import itertools
import subprocess
import sys

import pytest

IMPORTS = ("from pydantic import BaseModel", "from PySide6.QtWidgets import QApplication", "from qtorch import BaseJob")


@pytest.mark.parametrize(
    "order", itertools.permutations(IMPORTS), ids=lambda order: " ".join(o.split()[1] for o in order)
)
def test_it_can_be_imported_in_this_order(order: tuple[str, ...]) -> None:
    program = "\n".join((*order, "from pydantic import Field, SecretStr, TypeAdapter, field_validator"))
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, "")
