"""What the documentation says of the test kit: how short tests are with it, and how long without."""

from __future__ import annotations

import re

from tests.docs.blocks import ROOT, blocks_of, prose_of

README = ROOT / "README.md"
BY_HAND = ROOT / "docs" / "testing-by-hand.md"


def file_of(page: str, file: str) -> str:
    (text,) = (block.text for block in blocks_of(ROOT / page) if (block.mark, block.argument) == ("pytest", file))
    return text


def test_the_readme_tests_debounce_retry_and_cancel_in_less_than_30_lines() -> None:
    text = file_of("README.md", "test_login.py")
    assert len(text.splitlines()) < 30
    assert len(re.findall(r"^def test_", text, re.MULTILINE)) == 3
    assert all(len(line) <= 120 for line in text.splitlines())


def test_the_same_tests_are_shown_beside_those_by_hand() -> None:
    kit = file_of("docs/testing-by-hand.md", "test_login.py")
    hand = file_of("docs/testing-by-hand.md", "test_login_by_hand.py")
    assert kit == file_of("README.md", "test_login.py")
    assert re.findall(r"^def (test_\w+)", kit, re.MULTILINE) == re.findall(r"^def (test_\w+)", hand, re.MULTILINE)
    assert "qtorch.testing" not in hand
    assert "qtorch_" not in hand


def test_the_counts_of_lines_are_right() -> None:
    said = re.search(r"^\| lines of the file \| (\d+) \| (\d+) \|$", prose_of(BY_HAND), re.MULTILINE)
    files = ("test_login.py", "test_login_by_hand.py")
    assert said
    assert [int(number) for number in said.groups()] == [
        len(file_of("docs/testing-by-hand.md", file).splitlines()) for file in files
    ]
