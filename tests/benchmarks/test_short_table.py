"""The README's short table is what the last full run measured."""

from __future__ import annotations

from pathlib import Path

from benchmarks import short
from benchmarks.results import load

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_readme_shows_what_is_in_the_results() -> None:
    table = "\n".join(short.lines(*load(short.RESULTS)))
    assert table in README.read_text(encoding="utf-8"), f"python -m benchmarks.short prints:\n{table}"
