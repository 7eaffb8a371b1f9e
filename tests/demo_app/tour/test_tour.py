"""The tour passes on the real server, and fails on one that lies."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.realtime

Tour: TypeAlias = subprocess.CompletedProcess[str]

LIAR = """
import sys
from demo_app.server import app, store
from demo_app.server.__main__ import main

def change(self, person_id, changes):
    # Answers as if it were stored.
    current = self.person(person_id)
    return current.model_copy(update=changes.model_dump(exclude_none=True) | {"version": current.version + 1})

store.Store.change = change
sys.exit(main(["--db", sys.argv[1], "--control"]))
"""


def take_tour(folder: Path, *options: str, **environ: str) -> Tour:
    """Take the tour as a user on a machine without a display would, in a folder of its own."""
    bare = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.run(
        [sys.executable, "-m", "demo_app", *options],
        cwd=folder,
        env={**bare, **environ},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


@contextmanager
def liar(database: Path) -> Iterator[str]:
    """Run a server that answers changes as if it had stored them; give its address."""
    with subprocess.Popen([sys.executable, "-c", LIAR, str(database)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.kill()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the honest tour is made."""
    return tmp_path_factory.mktemp("tour")


@pytest.fixture(scope="module")
def tours(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Tour, Tour]:
    """The tour without a display, and the one of a server that lies: at once, as both mostly wait."""
    elsewhere = tmp_path_factory.mktemp("lies")
    with liar(elsewhere / "people.db") as url, ThreadPoolExecutor() as pool:
        honest = pool.submit(take_tour, folder, QT_QPA_PLATFORM="")
        lied_to = pool.submit(take_tour, elsewhere, "--tour", "--api-url", url)
        return honest.result(), lied_to.result()


def test_without_a_display_the_tour_is_made_and_passes(tours: tuple[Tour, Tour], folder: Path) -> None:
    result, _ = tours
    assert result.returncode == 0, result.stdout + result.stderr
    lines = result.stdout.splitlines()
    steps, end = lines[:-1], lines[-1]
    assert len(steps) >= 10
    assert [line for line in steps if not re.fullmatch(r" ?\d+\. .+ \.\.\. ok", line)] == []
    assert end == f"{len(steps)} passed, 0 failed"
    assert result.stderr == ""
    pictures = sorted(file.name for file in (folder / "build" / "tour").glob("*.png"))
    # The last step is over when the window is gone.
    assert [name[:2] for name in pictures] == [f"{number:02}" for number in range(1, len(steps))]


def test_a_server_that_answers_wrongly_makes_the_tour_fail(tours: tuple[Tour, Tour]) -> None:
    _, result = tours
    assert result.returncode == 1, result.stdout + result.stderr
    assert re.search(r"Save: .+ \.\.\. stored: expected .+, seen ", result.stdout)
    end = result.stdout.splitlines()[-1]
    assert re.fullmatch(r"\d+ passed, 3 failed, \d+ not made", end)


def test_a_tour_that_cannot_begin_ends_with_one_line_and_code_2(tmp_path: Path) -> None:
    file = tmp_path / "people.db"
    file.write_text("This is no database, only a text of some length.")
    result = take_tour(tmp_path, "--tour", "--db", str(file))
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"qtorch-demo: error: The server did not start: {file} is not an SQLite database")
    assert result.stderr.count("\n") == 1


def test_a_server_that_cannot_be_controlled_is_left_alone(tmp_path: Path) -> None:
    server = [sys.executable, "-m", "demo_app.server", "--db", str(tmp_path / "people.db")]
    with subprocess.Popen(server, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        result = take_tour(tmp_path, "--tour", "--api-url", url)
        process.kill()
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"qtorch-demo: error: the server at {url} was not started with --control\n"
