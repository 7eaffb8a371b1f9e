"""What `make demo` and `make test` do on a machine that has only Python and make."""

from __future__ import annotations

import ast
import contextlib
import importlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
CI = ROOT / ".ci"
MODULES = ("reporting", "system_packages", "environment", "bootstrap", "matrix")
XCB = {"DISPLAY": ":0"}


def load(name: str, folder: Path) -> ModuleType:
    """Import one script of a ``.ci`` folder as the scripts import each other, and leave no trace."""
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))
        for module in MODULES:
            sys.modules.pop(module, None)


# ------------------------------------------------------------------------------------------------- finding Python


def fake_python(folder: Path, name: str, *, version: str = "", exit_code: int = 0) -> None:
    """A command that answers the version question like a Python that is too old, or fails like a shim."""
    text = f"#!/bin/sh\n[ {exit_code} -eq 0 ] || exit {exit_code}\necho 'Python {version}'\n"
    path = folder / name
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


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


def test_a_python_that_is_found_but_does_not_run_is_passed_over(path_with_tools: Path) -> None:
    fake_python(path_with_tools, "python3", exit_code=127)
    (path_with_tools / "python3.13").symlink_to(sys.executable)
    assert find_python(path_with_tools).stdout.strip() == str(path_with_tools / "python3.13")


def test_a_python_that_is_too_old_is_passed_over(path_with_tools: Path) -> None:
    fake_python(path_with_tools, "python3", version="3.9")
    (path_with_tools / "python3.11").symlink_to(sys.executable)
    assert find_python(path_with_tools).stdout.strip() == str(path_with_tools / "python3.11")


def test_python3_is_preferred_to_a_name_with_a_version(path_with_tools: Path) -> None:
    (path_with_tools / "python3").symlink_to(sys.executable)
    fake_python(path_with_tools, "python3.11", exit_code=1)
    assert find_python(path_with_tools).stdout.strip() == str(path_with_tools / "python3")


def test_the_python_that_the_user_names_is_the_only_one_tried(path_with_tools: Path, tmp_path: Path) -> None:
    fake_python(path_with_tools, "python3", version="3.9")
    folder = tmp_path / "of Ann"
    folder.mkdir()
    (folder / "python").symlink_to(sys.executable)
    assert find_python(path_with_tools, PYTHON=str(folder / "python")).stdout.strip() == str(folder / "python")
    assert find_python(path_with_tools, PYTHON="nothing").returncode == 2


def test_without_a_new_enough_python_the_message_says_what_was_found_and_what_to_install(path_with_tools: Path) -> None:
    fake_python(path_with_tools, "python3", version="3.9")
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


# ------------------------------------------------------------------------------------------------- the system


class System:
    """A machine on paper: which libraries load, who the user is, what apt-get does."""

    def __init__(self, module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        self.module = module
        self.absent: set[str] = set()
        self.ensurepip = True
        self.apt_works = self.update_works = True
        self.ran: list[list[str]] = []
        self._patch = monkeypatch
        monkeypatch.setattr(module, "is_loadable", lambda library: library not in self.absent)
        monkeypatch.setattr(module, "has_ensurepip", lambda: self.ensurepip)
        monkeypatch.setattr(module, "run_quietly", self._run)
        self.is_debian(True)
        self.is_root(True)

    def is_debian(self, value: bool) -> None:
        self._patch.setattr(self.module, "is_debian", lambda: value)

    def is_root(self, value: bool) -> None:
        self._patch.setattr(os, "geteuid", lambda: 0 if value else 1000)

    def _run(self, command: list[str], environ: dict[str, str]) -> None:
        assert environ["DEBIAN_FRONTEND"] == "noninteractive"
        self.ran.append(command)
        if not self.update_works and command[1] == "update":
            raise self.module.SetupError("no such host")
        if self.apt_works and command[1] == "install":
            self.absent.clear()
            self.ensurepip = True


@pytest.fixture
def packages() -> ModuleType:
    return load("system_packages", CI)


@pytest.fixture
def system(packages: ModuleType, monkeypatch: pytest.MonkeyPatch) -> System:
    return System(packages, monkeypatch)


def test_a_complete_system_is_left_alone(system: System, packages: ModuleType) -> None:
    packages.provide(["offscreen", "xcb"], "3.11")
    assert system.ran == []


def test_root_on_debian_installs_what_is_missing_after_an_update(system: System, packages: ModuleType) -> None:
    system.absent = {"libEGL.so.1"}
    system.ensurepip = False
    packages.provide(["offscreen"], "3.12")
    assert system.ran == [
        ["apt-get", "update"],
        ["apt-get", "install", "-y", "--no-install-recommends", "libegl1", "python3.12-venv"],
    ]


def test_a_dead_package_source_does_not_stop_the_installation(
    system: System, packages: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    system.absent = {"libEGL.so.1"}
    system.update_works = False
    packages.provide(["offscreen"], None)
    assert [command[1] for command in system.ran] == ["update", "install"]
    assert "no such host" in capsys.readouterr().out


def test_a_user_on_debian_is_told_the_exact_command(system: System, packages: ModuleType) -> None:
    system.is_root(False)
    system.absent = {"libEGL.so.1", "libxcb-icccm.so.4"}
    system.ensurepip = False
    with pytest.raises(Exception, match="missing on this system") as caught:
        packages.provide(["offscreen", "xcb"], "3.11")
    assert str(caught.value).endswith(
        "sudo apt-get update && sudo apt-get install -y --no-install-recommends libegl1 libxcb-icccm4 python3.11-venv"
    )
    assert system.ran == []


def test_on_another_system_the_libraries_are_named(system: System, packages: ModuleType) -> None:
    system.is_debian(False)
    system.absent = {"libEGL.so.1"}
    with pytest.raises(Exception, match=r"libEGL\.so\.1"):
        packages.provide(["offscreen"], None)
    assert system.ran == []


def test_what_is_missing_after_the_installation_is_an_error(system: System, packages: ModuleType) -> None:
    system.ensurepip = system.apt_works = False
    with pytest.raises(Exception, match="ensurepip still missing after apt-get install"):
        packages.provide(["offscreen"], "3.11")


def test_ensurepip_is_needed_only_to_make_an_environment(system: System, packages: ModuleType) -> None:
    system.ensurepip = False
    packages.provide(["offscreen"], None)
    assert system.ran == []


@pytest.mark.parametrize(
    ("environ", "platforms"),
    [
        ({}, ["offscreen"]),
        (XCB, ["offscreen", "xcb"]),
        ({**XCB, "QT_QPA_PLATFORM": "xcb"}, ["offscreen", "xcb"]),
        ({**XCB, "QT_QPA_PLATFORM": "offscreen"}, ["offscreen"]),
    ],
)
def test_the_libraries_of_windows_are_needed_only_where_windows_show(
    packages: ModuleType, environ: dict[str, str], platforms: list[str]
) -> None:
    assert packages.qt_platforms(environ, "linux") == platforms
    assert packages.qt_platforms(environ, "darwin") == []


def test_a_library_is_missing_if_the_loader_does_not_find_it(packages: ModuleType) -> None:
    assert packages.is_loadable("libc.so.6") or sys.platform != "linux"
    assert not packages.is_loadable("libqtorch-no-such-thing.so.1")


def test_a_command_that_fails_shows_what_it_said() -> None:
    reporting = load("reporting", CI)
    code = "import sys; print('one'); print('two', file=sys.stderr); sys.exit(7)"
    with pytest.raises(reporting.SetupError, match=r"exit code 7:\n(one\ntwo|two\none)"):
        reporting.run_quietly([sys.executable, "-c", code])


# ------------------------------------------------------------------------------------------------- the environment

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

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scripts = load("environment", folder / ".ci")
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
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(CI, folder / ".ci", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    (folder / "backend.py").write_text(BACKEND, encoding="utf-8")
    return Checkout(folder)


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

    def test_two_set_ups_at_a_time_wait_for_each_other(self, made: Checkout) -> None:
        code = "import sys; sys.path.insert(0, '.ci'); import bootstrap\nwith bootstrap.alone(): print('its turn')"
        with load("bootstrap", made.folder / ".ci").alone():
            other = subprocess.Popen([sys.executable, "-c", code], cwd=made.folder, stdout=subprocess.PIPE, text=True)
            assert other.stdout is not None
            assert "waiting for another set-up" in other.stdout.readline()
            assert other.poll() is None
        said, _ = other.communicate(timeout=30)
        assert said == "its turn\n"


# ------------------------------------------------------------------------------------------------- the matrix


def test_the_matrix_says_aloud_what_it_skips() -> None:
    matrix = load("matrix", CI)
    found = matrix.combinations({(3, 11): "/usr/bin/python3.11"})
    assert [(row.name, row.interpreter, row.skipped) for row in found] == [
        ("oldest", "/usr/bin/python3.11", ""),
        ("newest-qt", "/usr/bin/python3.11", ""),
        ("newest", "", "no Python newer than 3.11 answers here"),
    ]


def test_the_matrix_takes_the_newest_python_and_misses_the_oldest_aloud() -> None:
    matrix = load("matrix", CI)
    found = matrix.combinations({(3, 9): "/a", (3, 12): "/b", (3, 13): "/c"})
    assert [(row.interpreter, row.skipped) for row in found] == [
        ("", "no Python 3.11 answers here"),
        ("", "no Python 3.11 answers here"),
        ("/c", ""),
    ]


def test_the_matrix_finds_interpreters_of_pyenv_and_passes_over_shims_that_do_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shims, real = tmp_path / "shims", tmp_path / "pyenv" / "versions" / "3.x" / "bin"
    shims.mkdir()
    real.mkdir(parents=True)
    fake_python(shims, "python3.12", exit_code=127)
    (real / "python3").write_text("#!/bin/sh\necho 3 12\n")
    (real / "python3").chmod(0o755)
    monkeypatch.setenv("PATH", str(shims))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    assert load("matrix", CI).interpreters()[(3, 12)] == str(real / "python3")
