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

Hook: TypeAlias = "Callable[[type[BaseException], BaseException, TracebackType | None], object]"

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
        claim = _Claim(expected, match, before=sys.excepthook)
        self._open.append(claim)
        sys.excepthook = claim
        try:
            yield claim.reports
        finally:
            sys.excepthook = claim.before
            self._open.remove(claim)
        if not claim.reports:
            others = "".join(f"\n    {written(report)}" for report in self.reports)
            raise AssertionError(
                f"no {claim} was reported.{f' What was:{others}' if others else ''}\n"
                f"  Wait inside the with block until it is: errors of hooks and listeners are told when their event is."
            )


def is_handled_elsewhere() -> bool:
    """Whether somebody put a hook for uncaught exceptions in place of Python's: pytest-qt, or the test itself."""
    hook: Hook = sys.excepthook
    while isinstance(hook, _Claim):
        hook = hook.before
    return hook is not sys.__excepthook__


class _Claim:
    """Keeps the errors that fit from whoever handled uncaught exceptions before."""

    def __init__(self, expected: Expected, match: str | None, before: Hook) -> None:
        self.before = before
        self._expected = expected if isinstance(expected, tuple) else (expected,)
        self._match = match
        self.reports: list[ErrorReport] = []

    def __call__(self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if not self.fits(error):
            self.before(kind, error, traceback)

    def fits(self, error: BaseException) -> bool:
        return isinstance(error, self._expected) and (self._match is None or bool(re.search(self._match, str(error))))

    def __str__(self) -> str:
        names = " or ".join(kind.__name__ for kind in self._expected)
        return names if self._match is None else f"{names} matching {self._match!r}"


def written(report: ErrorReport) -> str:
    """Say what happened and where, in one line."""
    return f"{type(report.error).__name__}: {report.error} ({report.where})"
