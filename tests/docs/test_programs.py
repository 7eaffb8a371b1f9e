"""The whole programs of the documentation, as printed: each is run, used like a user would, and closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.docs.blocks import PAGES, Block, blocks_of
from tests.docs.running import HERE, run_python

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.realtime

PROGRAMS = {block.argument: block for page in PAGES for block in blocks_of(page) if block.kind == "program"}


def drive(program: Path, visit: str) -> tuple[int, str, str]:
    done = run_python("-W", "error", HERE / "drive.py", program, visit, cwd=program.parent)
    # The offscreen platform says this of every window; it is no fault of the program.
    said = [line for line in done.stderr.splitlines() if line != "This plugin does not support propagateSizeHints()"]
    return done.returncode, done.stdout, "\n".join(said)


@pytest.mark.parametrize("block", PROGRAMS.values(), ids=PROGRAMS)
def test_a_program_runs_as_printed_and_its_window_shows_what_it_should(block: Block, tmp_path: Path) -> None:
    program = tmp_path / f"{block.argument}.py"
    program.write_text(block.text, encoding="utf-8")
    assert drive(program, block.argument) == (0, "visited\n", "")


def test_the_readme_has_a_counter_and_a_user_viewer() -> None:
    assert {name for name, block in PROGRAMS.items() if block.page.name == "README.md"} == {"counter", "user_viewer"}


def test_a_program_that_shows_something_else_is_found_out(tmp_path: Path) -> None:
    counter = PROGRAMS["counter"]
    program = tmp_path / "counter.py"
    program.write_text(counter.text.replace("self.state.count + 1", "self.state.count + 2"), encoding="utf-8")
    code, out, err = drive(program, "counter_quickly")
    assert (code, out) == (1, "")
    assert "AssertionError: never came: 'Clicked 1 times'" in err
