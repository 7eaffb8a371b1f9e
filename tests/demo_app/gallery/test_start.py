"""The command line of the gallery, and its photographs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from demo_app.gallery.pages import NAMES

pytestmark = pytest.mark.realtime

Done = subprocess.CompletedProcess[str]

ROOT = Path(__file__).resolve().parents[3]

# Its work need not be done in the picture: nobody looks at these.
HASTY = """
import sys
from demo_app.gallery import pages, screenshots
from demo_app.gallery.__main__ import main

screenshots._AT_WORK = 50
"""

BROKEN = """
from demo_app.gallery.pages import lists

def fail(self):
    raise LookupError("nobody to shuffle")

lists.People.shuffle = fail
pages.ORDER = ("one_way", "lists")
"""

PHOTOGRAPH = "sys.exit(main(['--screenshots', sys.argv[1]]))"


def run(*options: str, program: tuple[str, ...] = ("-m", "demo_app.gallery"), **environ: str) -> Done:
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.run(
        [sys.executable, *program, *options],
        cwd=ROOT,
        env={**kept, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_page_is_photographed_in_both_themes(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "pictures"
    result = run(str(folder), program=("-c", HASTY + PHOTOGRAPH))
    assert (result.returncode, result.stderr) == (0, "")
    expected = [str(folder / f"gallery-{name}-{mode}.png") for mode in ("light", "dark") for name in NAMES]
    assert result.stdout.splitlines() == expected
    assert not any(QImage(file).isNull() for file in expected)


def test_a_page_that_raises_is_told_of_and_the_others_are_photographed(tmp_path: Path) -> None:
    result = run(str(tmp_path), program=("-c", HASTY + BROKEN + PHOTOGRAPH))
    assert result.returncode == 1
    assert result.stderr.count("LookupError: nobody to shuffle") == 2
    assert len(list(tmp_path.glob("*.png"))) == 4


def test_without_a_display_it_says_what_needs_none() -> None:
    result = run(QT_QPA_PLATFORM="offscreen")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "qtorch-gallery: error: there is no display to show a window on (--screenshots DIR needs none)\n"
    )


def test_an_unknown_page_is_told_of_with_the_known_ones() -> None:
    result = run("--page", "trees")
    assert result.returncode == 2
    assert "'trees'" in result.stderr
    assert "mistakes" in result.stderr
    assert result.stderr.count("\n") == 1


def test_help_lists_the_options() -> None:
    result = run("--help")
    assert result.returncode == 0
    for option in ("--page", "--theme", "--screenshots"):
        assert option in result.stdout
