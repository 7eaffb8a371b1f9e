"""The virtual environment: made, kept, mended or replaced."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType

CI = Path(__file__).resolve().parents[2] / ".ci"
Script = Callable[..., "ModuleType"]


# A project that installs without the network: its build back end is inside it.
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "sample"
version = "1"
[project.optional-dependencies]
test = []
dev = []
"""
BACKEND = """
import pathlib, zipfile
def build_editable(folder, config_settings=None, metadata_directory=None):
    info = "sample-1.dist-info"
    extras = "Provides-Extra: test\\nProvides-Extra: dev\\n"
    with zipfile.ZipFile(pathlib.Path(folder, "sample-1-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("sample.pth", str(pathlib.Path().resolve()))
        wheel.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: sample\\nVersion: 1\\n" + extras)
        wheel.writestr(info + "/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "/RECORD", "")
    return "sample-1-py3-none-any.whl"
"""


class Checkout:
    """A small project with the real scripts in it."""

    def __init__(self, folder: Path, scripts: ModuleType) -> None:
        self.folder = folder
        self.scripts = scripts
        self.venv = folder / ".venv"
        self.record_file = self.venv / "qtorch-setup.json"
        self.marker = self.venv / "marker"

    def environment(self, *extras: str, **options: str) -> Any:
        return self.scripts.Environment(self.venv, extras or ("test",), **options)

    def record(self) -> dict[str, Any]:
        return json.loads(self.record_file.read_text(encoding="utf-8"))

    def installed(self, name: str) -> Path:
        (found,) = self.venv.glob(f"lib/python*/site-packages/{name}")
        return found


@contextlib.contextmanager
def replaced(path: Path, text: str | None = None) -> Iterator[None]:
    """Put a file with ``text``, or nothing, in the place of a path for a while."""
    aside = path.with_name(path.name + ".aside")
    path.rename(aside)
    try:
        if text is not None:
            path.write_text(text, encoding="utf-8")
        yield
    finally:
        path.unlink(missing_ok=True)
        aside.rename(path)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, script: Script) -> Checkout:
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(CI, folder / ".ci", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    (folder / "backend.py").write_text(BACKEND, encoding="utf-8")
    return Checkout(folder, script("environment", folder / ".ci"))


@pytest.fixture
def made(checkout: Checkout) -> Checkout:
    """A checkout whose environment is whole; a test leaves it so, or is the reason that the next one waits."""
    checkout.environment().make()
    return checkout


@pytest.mark.realtime
class TestEnvironment:
    def test_it_is_made_and_holds_the_project(self, made: Checkout) -> None:
        code = "import importlib.metadata as m; print(m.version('sample'))"
        done = subprocess.run([made.venv / "bin" / "python", "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout == "1\n"
        assert not made.environment().has_to_be_made()

    def test_nothing_is_done_when_nothing_changed_and_it_takes_less_than_a_second(self, made: Checkout) -> None:
        before = made.record_file.stat().st_mtime_ns
        started = time.monotonic()
        made.environment().make()
        assert time.monotonic() - started < 1
        assert made.record_file.stat().st_mtime_ns == before

    def test_a_change_of_the_project_file_is_installed_into_it(self, made: Checkout) -> None:
        before = made.record()["project"]
        project = made.folder / "pyproject.toml"
        project.write_text(project.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
        made.marker.touch()
        made.environment().make()
        assert made.record()["project"] != before
        assert made.marker.exists(), "it was made anew"

    def test_another_extra_is_added_to_those_that_are_there(self, made: Checkout) -> None:
        made.environment("dev").make()
        assert made.record()["extras"] == ["dev", "test"]

    def test_one_that_somebody_made_by_hand_is_kept(self, made: Checkout) -> None:
        made.record_file.unlink()
        made.marker.touch()
        made.environment().make()
        assert made.record()["finished"]
        assert made.marker.exists(), "it was made anew"

    def test_an_installation_that_fails_is_shown_and_started_over(self, made: Checkout) -> None:
        whole = made.record_file.read_text(encoding="utf-8")
        with (
            replaced(made.folder / "backend.py", "raise SystemExit('no build today')"),
            pytest.raises(Exception, match="no build today"),
        ):
            made.environment().make(upgrade=True)
        assert "interrupted" in made.environment().fault()
        made.record_file.write_text(whole, encoding="utf-8")

    def test_one_with_a_fault_is_made_anew_also_from_inside_when_it_is_activated(self, made: Checkout) -> None:
        make = "from environment import *; made = Environment(ROOT / '.venv', ['test']); made.make();"
        made.marker.touch()
        made.record_file.write_text('{"fini', encoding="utf-8")
        python = str(made.venv / "bin" / "python")
        command = [python, "-c", make + "print(made.fault() or 'whole')"]
        done = subprocess.run(command, cwd=made.folder / ".ci", capture_output=True, text=True, check=True)
        assert done.stdout.startswith("setup: .venv is made anew: its installation was interrupted\n")
        assert done.stdout.endswith("whole\n")
        assert not made.marker.exists()

    def test_a_moved_checkout_is_a_fault(self, made: Checkout) -> None:
        with replaced(made.record_file, json.dumps({**made.record(), "root": "/elsewhere"})):
            assert made.environment().fault() == (
                f"it was made for /elsewhere, and the checkout is at {made.folder.resolve()} now"
            )

    def test_a_python_that_does_not_run_is_a_fault(self, made: Checkout) -> None:
        with replaced(made.venv / "bin" / "python"):
            assert made.environment().fault() == "its Python does not run"

    def test_another_version_of_python_is_a_fault(self, made: Checkout) -> None:
        assert made.environment(version="3.99").fault().endswith("and this is Python 3.99")

    def test_a_python_that_is_the_systems_is_a_fault_for_pip_would_install_there(self, made: Checkout) -> None:
        with replaced(made.venv / "pyvenv.cfg"), replaced(made.record_file):
            assert made.environment().fault() == "it is not a virtual environment"

    def test_a_half_made_one_without_pip_is_a_fault(self, made: Checkout) -> None:
        with replaced(made.installed("pip")):
            assert made.environment().fault() == "it has no pip"

    def test_a_package_that_is_gone_is_a_fault(self, made: Checkout) -> None:
        with replaced(made.installed("sample-1.dist-info")):
            assert made.environment().fault() == "sample is gone from it"

    def test_a_file_or_a_dead_link_in_its_place_is_a_fault(self, made: Checkout) -> None:
        with replaced(made.venv, "not a folder"):
            assert made.environment().has_to_be_made()
        with replaced(made.venv):
            made.venv.symlink_to("/nowhere")
            assert made.environment().has_to_be_made()

    def test_what_a_link_points_to_is_not_deleted(self, made: Checkout, tmp_path: Path) -> None:
        (tmp_path / "precious").touch()
        link = made.folder / "link"
        link.symlink_to(tmp_path)
        made.scripts.remove(link)
        assert (tmp_path / "precious").exists()
        assert not link.is_symlink()

    def test_a_library_that_qt_does_not_find_is_named(self, made: Checkout) -> None:
        package = made.folder / "PySide6"
        package.mkdir()
        (package / "__init__.py").touch()
        with pytest.raises(Exception, match=r"Qt's offscreen platform does not load: .*libqoffscreen\.so"):
            made.environment().load_qt(["offscreen"])
        assert made.record()["loaded"] == []

    def test_two_set_ups_at_a_time_wait_for_each_other(self, made: Checkout, script: Script) -> None:
        code = "import sys; sys.path.insert(0, '.ci'); import bootstrap\nwith bootstrap.alone(): print('its turn')"
        with script("bootstrap", made.folder / ".ci").alone():
            other = subprocess.Popen([sys.executable, "-c", code], cwd=made.folder, stdout=subprocess.PIPE, text=True)
            assert other.stdout is not None
            assert "waiting for another set-up" in other.stdout.readline()
            assert other.poll() is None
        said, _ = other.communicate(timeout=30)
        assert said == "its turn\n"
