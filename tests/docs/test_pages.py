"""What the pages show happens: their code runs, their tests pass, their links lead somewhere."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.docs.blocks import PAGES, ROOT, Block, blocks_of, prose_of
from tests.docs.running import run_page, run_python

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

INDEX = ROOT / "docs" / "index.md"
TESTING = ROOT / "docs" / "testing.md"


def pages_with(kind: str) -> list[Path]:
    return [page for page in PAGES if any(block.kind == kind for block in blocks_of(page))]


def names(page: Path) -> str:
    return page.stem


@pytest.mark.realtime
@pytest.mark.parametrize("page", pages_with("script"), ids=names)
def test_the_code_of_a_page_runs_from_top_to_bottom_and_prints_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    done = run_page(page, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""


def run_tests(blocks: list[Block], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run files of tests with the settings that the documentation gives, beside what any page shows to be tested."""
    modules = [
        block
        for page in PAGES
        for block in blocks_of(page)
        if block.kind == "pytest" and not block.argument.startswith("test_")
    ]
    for block in (*modules, *blocks):
        (folder / block.argument).write_text(block.text, encoding="utf-8")
    (settings,) = (block.text for block in blocks_of(TESTING) if block.kind == "settings")
    (folder / "pyproject.toml").write_text(settings, encoding="utf-8")
    return run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder)


def count_of_tests(blocks: list[Block]) -> int:
    return sum(len(re.findall(r"^(?:async )?def test_", block.text, re.MULTILINE)) for block in blocks)


@pytest.mark.realtime
@pytest.mark.parametrize("page", pages_with("pytest"), ids=names)
def test_the_tests_that_a_page_shows_pass(page: Path, tmp_path: Path) -> None:
    files = [block for block in blocks_of(page) if block.kind == "pytest"]

    done = run_tests(files, tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{count_of_tests(files)} passed" in done.stdout, done.stdout


FAILING = [
    pytest.param(test, said, id=test.argument)
    for page in PAGES
    for test, said in pairwise(blocks_of(page))
    if test.kind == "failing"
]


@pytest.mark.realtime
@pytest.mark.parametrize(("test", "said"), FAILING)
def test_a_test_that_a_page_shows_to_fail_says_what_the_page_shows(test: Block, said: Block, tmp_path: Path) -> None:
    assert said.kind == "says", f"{test.where}: what it says does not follow"

    done = run_tests([test], tmp_path)

    assert done.returncode == 1, done.stdout + done.stderr
    assert says(done.stdout, said.text), done.stdout


def says(output: str, text: str) -> bool:
    """Whether the errors that pytest shows have these lines in a row, however they are indented."""
    told = "\n".join(line[1:].strip() for line in output.splitlines() if re.match(r"E( |$)", line))
    wanted = "\n".join(".*".join(map(re.escape, line.strip().split("..."))) for line in text.splitlines())
    return re.search(f"^{wanted}$", told, re.MULTILINE) is not None


def test_what_pytest_does_not_say_is_found_out() -> None:
    output = "E   X: a job\nE     b 7\nE   \nE     c\nanything"
    assert says(output, "X: a job\n  b ...\n\n  c\n")
    assert not says(output, "X: a job\n  c\n")
    assert not says(output, "job\n  b 7\n")
    assert not says(output, "X: a job\n  b 8\n")
    assert not says(output, "anything\n")


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", prose_of(page))
    dead = [link for link in links if not leads_somewhere(page, link)]
    assert not [link for link in dead if not link.endswith(".png")], dead


def leads_somewhere(page: Path, link: str) -> bool:
    if link.startswith(("https://", "mailto:")):
        return True
    target, _, anchor = link.partition("#")
    path = (page.parent / target).resolve() if target else page
    if not path.is_relative_to(ROOT) or not path.exists():
        return False
    return not anchor or anchor in anchors_of(path)


def anchors_of(page: Path) -> set[str]:
    """The anchors that GitHub makes of the headings."""
    headings = re.findall(r"^#+ (.+)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.replace("`", "")).strip().lower().replace(" ", "-") for heading in headings}


def test_links_to_nowhere_are_found_out(tmp_path: Path) -> None:
    inside = ROOT / "docs"
    assert leads_somewhere(INDEX, "../README.md")
    assert not leads_somewhere(INDEX, "no-such-page.md")
    assert not leads_somewhere(INDEX, "../README.md#no-such-heading")
    assert not leads_somewhere(INDEX, "../../outside.md")
    assert anchors_of(inside / "troubleshooting.md") >= {"the-process-aborts-pyside6-6120-on-python-311"}


def test_every_picture_of_a_page_is_there() -> None:
    wanted = {
        (page.parent / link).resolve() for page in PAGES for link in re.findall(r"\]\((\S+\.png)\)", prose_of(page))
    }
    assert wanted
    assert not [str(path.relative_to(ROOT)) for path in wanted if not path.exists()]


def test_the_index_lists_every_page() -> None:
    linked = set(re.findall(r"\]\((\w[\w-]*\.md)\)", INDEX.read_text(encoding="utf-8")))
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"} <= linked
