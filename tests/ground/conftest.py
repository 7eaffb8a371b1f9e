"""The scripts of ``.ci``, for the tests of what they do on machines other than this one."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

CI = Path(__file__).resolve().parents[2] / ".ci"


@pytest.fixture(scope="session")
def script() -> Callable[..., ModuleType]:
    """Imports one script of a ``.ci`` folder in the way the scripts import each other, and leaves no trace."""

    def load(name: str, folder: Path = CI) -> ModuleType:
        sys.path.insert(0, str(folder))
        try:
            return importlib.import_module(name)
        finally:
            sys.path.remove(str(folder))
            for path in folder.glob("*.py"):
                sys.modules.pop(path.stem, None)

    return load


@pytest.fixture(scope="session")
def fake_python() -> Callable[..., None]:
    """Writes a command that answers as a Python would, or fails as a version manager's shim does."""

    def write(folder: Path, name: str, answer: str = "", exit_code: int = 0) -> None:
        path = folder / name
        path.write_text(f"#!/bin/sh\n[ {exit_code} -eq 0 ] || exit {exit_code}\necho '{answer}'\n", encoding="utf-8")
        path.chmod(0o755)

    return write
