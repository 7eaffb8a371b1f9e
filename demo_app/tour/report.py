"""What the tour expected and what it saw, step by step."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TextIO

from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QApplication

from demo_app.tour.script import TookTooLongError, Until

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

PATIENCE = 8.0
"""Seconds that something may take to be seen; on a busy machine most of them are needed now and then."""

IMPATIENCE = 1.0
"""Seconds that the rest may take when something was not as expected: what depends on it will not be either."""

HOPELESS = 3
"""Failed steps after which the others are not made."""


class Step:
    """One step: what did not match in it.

    Parameters
    ----------
    is_patient
        Whether to wait for as long as it may take on a busy machine.
    photograph
        Takes the step's picture.
    """

    def __init__(self, title: str, is_patient: bool = True, photograph: Callable[[str], object] | None = None) -> None:
        self.title = title
        self.mismatches: list[str] = []
        self._is_patient = is_patient
        self._photograph = photograph

    @property
    def patience(self) -> float:
        """Seconds to wait for something to be seen."""
        return PATIENCE if self._is_patient and not self.mismatches else IMPATIENCE

    async def sees(self, what: str, expected: object, look: Callable[[], object], seconds: float | None = None) -> None:
        """Wait until ``look()`` gives what is expected; else that is a mismatch."""
        if not await Until(lambda: look() == expected, self.patience if seconds is None else seconds):
            self.mismatches.append(f"{what}: expected {expected!r}, seen {look()!r}")

    def compare(self, what: str, expected: object, seen: object) -> None:
        """Note a mismatch at once if the two differ."""
        if expected != seen:
            self.mismatches.append(f"{what}: expected {expected!r}, seen {seen!r}")

    async def photograph(self) -> None:
        """Take the picture now, and not at the end of the step."""
        photograph, self._photograph = self._photograph, None
        if photograph is not None:
            await Until(lambda: False, 0.05)  # layouts are done in the next turn of the event loop
            photograph(self.title)


class Report:
    """Prints each step and counts.

    Parameters
    ----------
    window, folder
        What is photographed at the end of each step, and where to.
    out
        Where the lines go.
    """

    def __init__(self, window: QWidget, folder: Path, out: TextIO) -> None:
        self._window, self._folder, self._out = window, folder, out
        self._number = self.passed = self.failed = 0

    @asynccontextmanager
    async def step(self, title: str) -> AsyncIterator[Step]:
        """Make one step. What it raises is a mismatch too: the others are still worth seeing."""
        step = Step(title, not self.failed, self._photograph)
        try:
            yield step
            await step.photograph()
        except TookTooLongError as error:
            step.mismatches.append(f"expected the step to end, seen that {error}")
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is not what was expected
            step.mismatches.append(f"expected the step to end, seen {type(error).__name__}: {error}")
        finally:
            self.note(step)

    def note(self, step: Step) -> None:
        """Print and count a step that has ended."""
        self._number += 1
        if step.mismatches:
            self.failed += 1
        else:
            self.passed += 1
        self._print(f"{self._number:2}. {step.title} ... {'; '.join(step.mismatches) or 'ok'}")

    @property
    def is_hopeless(self) -> bool:
        """Whether so much is wrong that the other steps would only repeat it."""
        return self.failed >= HOPELESS

    def close(self, steps: int) -> int:
        """Print how many of the steps passed and failed, and give the exit code."""
        left_out = steps - self._number
        self._print(f"{self.passed} passed, {self.failed} failed" + (f", {left_out} not made" if left_out else ""))
        return 1 if self.failed or not self.passed else 0

    def _photograph(self, title: str) -> None:
        picture = self._window.grab()
        dialog = QApplication.activeModalWidget()
        if dialog is not None:
            painter = QPainter(picture)
            painter.drawPixmap(dialog.geometry().topLeft() - self._window.geometry().topLeft(), dialog.grab())
            painter.end()
        name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
        picture.save(str(self._folder / f"{self._number + 1:02}-{name}.png"))

    def _print(self, line: str) -> None:
        self._out.write(f"{line}\n")
        self._out.flush()
