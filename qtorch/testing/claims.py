"""Errors that a test expects, and those that nobody expected."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from types import TracebackType

    from qtorch.errors import ErrorReport

Expected: TypeAlias = type[BaseException] | tuple[type[BaseException], ...]


class Claims:
    """The errors that were reported to one Runtime, and what the test says of them."""

    def __init__(self) -> None:
        self.reports: list[ErrorReport] = []
        """Those that nobody has claimed."""
        self.listeners: list[Callable[[ErrorReport], object]] = []
        """Where all go instead, while there are any: to those who assert each."""
        self._open: list[_Claim] = []

    def take(self, report: ErrorReport) -> None:
        """Give ``report`` to the innermost claim that it fits, else keep it."""
        for claim in reversed(self._open):
            if claim.fits(report.error):
                claim.reports.append(report)
                return
        for listener in self.listeners:
            listener(report)
        if not self.listeners:
            self.reports.append(report)

    @contextmanager
    def expect(self, expected: Expected, match: str | None) -> Generator[list[ErrorReport], None, None]:
        """See :meth:`TestRuntime.expect_error`."""
        claim = _Claim(expected, match)
        self._open.append(claim)
        before = sys.excepthook

        def hook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
            if not claim.fits(error):
                before(kind, error, traceback)

        sys.excepthook = hook
        try:
            yield claim.reports
        finally:
            sys.excepthook = before
            self._open.remove(claim)
        if not claim.reports:
            others = "".join(f"\n    {written(report)}" for report in self.reports)
            raise AssertionError(
                f"no {claim} was reported.{f' What was:{others}' if others else ''}\n"
                f"  Wait inside the with block until it is: errors of hooks and listeners are told when their event is."
            )


class _Claim:
    def __init__(self, expected: Expected, match: str | None) -> None:
        self._expected = expected if isinstance(expected, tuple) else (expected,)
        self._match = match
        self.reports: list[ErrorReport] = []

    def fits(self, error: BaseException) -> bool:
        return isinstance(error, self._expected) and (self._match is None or bool(re.search(self._match, str(error))))

    def __str__(self) -> str:
        names = " or ".join(kind.__name__ for kind in self._expected)
        return names if self._match is None else f"{names} matching {self._match!r}"


def written(report: ErrorReport) -> str:
    """Say what happened and where, in one line."""
    return f"{type(report.error).__name__}: {report.error} ({report.where})"
