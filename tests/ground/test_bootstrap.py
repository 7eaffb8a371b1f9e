"""How a make target finds a Python, and what it says where there is none."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.realtime

ROOT = Path(__file__).resolve().parents[2]
CI = ROOT / ".ci"
FakePython = Callable[..., None]


@pytest.fixture
def path_with_tools(tmp_path: Path) -> Path:
    """A folder for PATH that has what the scripts use, and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("sh", "sed", "awk", "make"):
        found = shutil.which(tool)
        assert found, tool
        (folder / tool).symlink_to(found)
    return folder


def find_python(folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(CI / "python"), "-c", "import sys; print(sys.executable)"]
    environ = {"PATH": str(folder), **environ}
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def test_a_python_that_is_found_but_does_not_run_is_passed_over(path_with_tools: Path, fake_python: FakePython) -> None:
    fake_python(path_with_tools, "python3", exit_code=127)
    (path_with_tools / "python3.13").symlink_to(sys.executable)
    assert find_python(path_with_tools).stdout.strip() == str(path_with_tools / "python3.13")


def test_a_python_that_is_too_old_is_passed_over(path_with_tools: Path, fake_python: FakePython) -> None:
    fake_python(path_with_tools, "python3", answer="Python 3.9")
    (path_with_tools / "python3.11").symlink_to(sys.executable)
    assert find_python(path_with_tools).stdout.strip() == str(path_with_tools / "python3.11")


def test_python3_is_preferred_to_a_name_with_a_version(path_with_tools: Path, fake_python: FakePython) -> None:
    (path_with_tools / "python3").symlink_to(sys.executable)
    fake_python(path_with_tools, "python3.11", exit_code=1)
    assert find_python(path_with_tools).stdout.strip() == str(path_with_tools / "python3")


def test_the_python_that_the_user_names_is_the_only_one_tried(
    path_with_tools: Path, tmp_path: Path, fake_python: FakePython
) -> None:
    fake_python(path_with_tools, "python3", answer="Python 3.9")
    folder = tmp_path / "of Ann"
    folder.mkdir()
    (folder / "python").symlink_to(sys.executable)
    assert find_python(path_with_tools, PYTHON=str(folder / "python")).stdout.strip() == str(folder / "python")
    assert find_python(path_with_tools, PYTHON="nothing").returncode == 2


def test_without_a_new_enough_python_the_message_says_what_was_found_and_what_to_install(
    path_with_tools: Path, fake_python: FakePython
) -> None:
    fake_python(path_with_tools, "python3", answer="Python 3.9")
    fake_python(path_with_tools, "python3.12", exit_code=127)
    done = find_python(path_with_tools)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Python 3.11 or newer" in done.stderr
    assert "python3: Python 3.9" in done.stderr
    assert "python3.12: does not run" in done.stderr
    assert "apt-get install -y python3 python3-venv" in done.stderr


def test_make_stops_with_exit_code_2_and_no_traceback_where_there_is_no_python(path_with_tools: Path) -> None:
    done = subprocess.run(
        ["make", "test"], cwd=ROOT, env={"PATH": str(path_with_tools)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "none was found here" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_entry_parses_in_python_3_6_so_that_an_old_python_can_say_so() -> None:
    tree = ast.parse((CI / "bootstrap.py").read_text(encoding="utf-8"), feature_version=(3, 6))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "__future__"]


def test_an_old_python_gets_one_line_and_exit_code_2() -> None:
    code = (
        "import runpy, sys; sys.version_info = (3, 9, 2); sys.path.insert(0, sys.argv[1]);"
        "runpy.run_path(sys.argv[1] + '/bootstrap.py', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code, str(CI)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == f"setup: qtorch needs Python 3.11 or newer; {sys.executable} is 3.9\n"


def test_make_alone_lists_every_target() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("demo", "test", "lint", "types", "bench", "test-matrix", "stress", "clean"):
        assert f"make {target} " in listed
