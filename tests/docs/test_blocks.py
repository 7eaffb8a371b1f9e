"""Every code block of the documentation is of a kind that is tested, and the tests can fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.docs.blocks import PAGES, Block, blocks_of
from tests.docs.running import run_page

if TYPE_CHECKING:
    from pathlib import Path

BLOCKS = [pytest.param(block, id=block.where) for page in PAGES for block in blocks_of(page)]


@pytest.mark.parametrize("block", BLOCKS)
def test_every_block_is_of_a_kind_that_is_tested(block: Block) -> None:
    assert block.kind
    if block.kind in ("program", "pytest", "failing"):
        assert block.argument, f"{block.where} has no name"


def test_there_is_something_to_test() -> None:
    assert len(BLOCKS) > 30
    assert {block.kind for page in PAGES for block in blocks_of(page)} >= {"script", "output", "program", "pytest"}


def page(folder: Path, text: str) -> Path:
    path = folder / "page.md"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("fence", ["```pycon", "```python\n```\n<!-- untested -->\n```python", "```", "```text"])
def test_a_block_of_an_unknown_kind_is_an_error(tmp_path: Path, fence: str) -> None:
    blocks = blocks_of(page(tmp_path, f"{fence}\n1 / 0\n```\n"))
    with pytest.raises(ValueError, match="nobody tests"):
        _ = blocks[-1].kind


@pytest.mark.parametrize(
    "text", ["```python\n1\n", "````python\n1\n````\n", "```python title=x\n1\n```\n", "~~~\n1\n~~~\n"]
)
def test_a_fence_that_would_hide_its_block_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"page\.md:1"):
        blocks_of(page(tmp_path, text))


def test_a_mark_counts_for_the_next_block_only(tmp_path: Path) -> None:
    blocks = blocks_of(page(tmp_path, "<!-- pytest: a.py -->\n\n```python\n1\n```\n\n```python\n2\n```\n"))
    assert [(block.mark, block.argument, block.line) for block in blocks] == [("pytest", "a.py", 4), ("", "", 8)]


def test_a_block_in_a_list_loses_its_indentation(tmp_path: Path) -> None:
    (block,) = blocks_of(page(tmp_path, "- a\n\n  ```python\n  if 1:\n      x = 1\n  ```\n"))
    assert block.text == "if 1:\n    x = 1\n"


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("```python\n1 / 0\n```", "page.md:2 raises"),
        ("```python\nx = 1\n```\n```python\nassert x == 2\n```", "page.md:5 raises"),
        ("```python\nprint(1)\n```\n<!-- output -->\n```text\n2\n```", "not what the block before it prints"),
        ("```python\nprint(1)\n```", "the page does not show it"),
        ("```python\nprint(1)\n```\n```python\n```", "the page does not show it"),
        ("```python\nimport sys; print(1, file=sys.stderr)\n```", "writes to stderr"),
        ("<!-- stderr: ValueError -->\n```python\n1\n```", "writes to stderr, not ValueError"),
        ("```python\nimport warnings; warnings.warn('old')\n```", "UserWarning"),
        ("```python\nraise SystemExit\n```", "raises"),
    ],
)
def test_a_page_that_is_wrong_is_found_out(tmp_path: Path, text: str, wrong: str) -> None:
    done = run_page(page(tmp_path, text + "\n"), tmp_path)
    assert done.returncode == 1
    assert wrong in done.stdout


@pytest.mark.realtime
def test_the_blocks_of_a_page_are_one_program(tmp_path: Path) -> None:
    first, second = "```python\nx = 1\nprint(__name__)\n```\n", "```python\nassert x == 1\n```\n"
    text = f"{first}<!-- output -->\n```text\n__main__\n```\n{second}"
    done = run_page(page(tmp_path, text), tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
