"""The table of invariants names tests that exist, and at least one for each of the thirteen."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
TABLE = (ROOT / "docs" / "invariants.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d+) \|(.*)$", TABLE, re.MULTILINE)


def named_in(row: str) -> list[tuple[str, str]]:
    return re.findall(r"`([\w/]+\.py)::(\w+)`", row)


def test_all_thirteen_are_there_each_with_a_test() -> None:
    assert [int(number) for number, _ in ROWS] == list(range(1, 14))
    assert all(named_in(row) for _, row in ROWS)


def test_every_test_that_is_named_exists() -> None:
    for _, row in ROWS:
        for file, name in named_in(row):
            tree = ast.parse((ROOT / "tests" / "qtorch" / file).read_text(encoding="utf-8"))
            known = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
            assert name in known, f"{file} has no {name}"
