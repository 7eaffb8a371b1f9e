from __future__ import annotations

import platform
from collections.abc import Callable

import pytest

_FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture
def note(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Has a line of figures shown at the end of the run: ``note("2,000 examples, 0 faults")``."""
    return pytestconfig.stash.setdefault(_FIGURES, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if figures := config.stash.get(_FIGURES, []):
        import PySide6

        versions = f"Python {platform.python_version()}, PySide6 {PySide6.__version__}"
        terminalreporter.section(f"proofs ({versions})")
        for line in figures:
            terminalreporter.write_line(line)
