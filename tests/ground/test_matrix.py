"""Which Pythons the test matrix takes, and what it skips."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

FakePython = Callable[..., None]
Script = Callable[..., "ModuleType"]


def test_the_matrix_says_aloud_what_it_skips(script: Script) -> None:
    matrix = script("matrix")
    found = matrix.combinations({(3, 11): "/usr/bin/python3.11"})
    assert [(row.name, row.interpreter, row.skipped) for row in found] == [
        ("oldest", "/usr/bin/python3.11", ""),
        ("newest-qt", "/usr/bin/python3.11", ""),
        ("newest", "", "no Python newer than 3.11 answers here"),
    ]


def test_the_matrix_takes_the_newest_python_and_misses_the_oldest_aloud(script: Script) -> None:
    matrix = script("matrix")
    found = matrix.combinations({(3, 9): "/a", (3, 12): "/b", (3, 13): "/c"})
    assert [(row.interpreter, row.skipped) for row in found] == [
        ("", "no Python 3.11 answers here"),
        ("", "no Python 3.11 answers here"),
        ("/c", ""),
    ]


@pytest.mark.realtime
def test_the_matrix_finds_interpreters_of_pyenv_and_passes_over_shims_that_do_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: Script, fake_python: FakePython
) -> None:
    shims, real = tmp_path / "shims", tmp_path / "pyenv" / "versions" / "3.x" / "bin"
    shims.mkdir()
    real.mkdir(parents=True)
    fake_python(shims, "python3.12", exit_code=127)
    fake_python(real, "python3", answer="3 12")
    monkeypatch.setenv("PATH", str(shims))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    assert script("matrix").interpreters()[(3, 12)] == str(real / "python3")
