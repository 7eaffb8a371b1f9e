"""What somebody gets who installs the distribution, not the checkout."""

from __future__ import annotations

import configparser
import email
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import qtorch

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.realtime


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from it: so the sdist is whole."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT, cwd=folder)
    return folder


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an empty environment with the wheel and nothing but what it requires."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, symlinks=True, with_pip=False)
    # This environment's pip serves the other one, which saves the time to put one there.
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check"]
    run(*pip, "--no-compile", wheel, cwd=folder)
    return folder / "bin"


def run(*command: str | Path, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    # Nothing of the checkout may be in reach by another way than the wheel.
    environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def files(folder: Path) -> list[Path]:
    """All files in a folder that are not what a tool left behind."""
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(part == "__pycache__" or part.endswith("_cache") for part in path.parts)
    ]


def test_the_wheel_has_every_module_of_the_packages(contents: set[str]) -> None:
    for package in ("qtorch", "demo_app"):
        expected = {str(path.relative_to(ROOT)) for path in (ROOT / package).rglob("*.py")}
        assert expected <= contents


def test_the_wheel_has_the_plugin_and_the_mark_of_a_typed_package(contents: set[str]) -> None:
    assert {"pytest_qtorch.py", "qtorch/py.typed"} <= contents


def test_the_wheel_has_the_resources_inside_the_demo(contents: set[str]) -> None:
    wanted = files(ROOT / "resources" / "common") + files(ROOT / "resources" / "demo")
    assert wanted
    assert {f"demo_app/_resources/{path.relative_to(ROOT / 'resources')}" for path in wanted} <= contents


def test_the_wheel_has_nothing_else(contents: set[str]) -> None:
    tops = {name.split("/")[0] for name in contents}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"qtorch", "demo_app", "pytest_qtorch.py"}
    assert not [name for name in contents if "__pycache__" in name]


def test_the_wheel_has_our_licence_and_those_of_the_resources(contents: set[str]) -> None:
    licences = {name.partition(".dist-info/licenses/")[2] for name in contents}
    assert "LICENSE" in licences
    assert {f"resources/LICENSES/{path.name}" for path in (ROOT / "resources" / "LICENSES").iterdir()} <= licences


def test_the_wheel_has_the_script_and_the_entry_point_of_the_plugin(wheel: Path, contents: set[str]) -> None:
    (name,) = (name for name in contents if name.endswith("/entry_points.txt"))
    points = configparser.ConfigParser()
    with zipfile.ZipFile(wheel) as archive:
        points.read_string(archive.read(name).decode())
    assert points["console_scripts"]["qtorch-demo"] == "demo_app.__main__:main"
    assert points["pytest11"]["qtorch"] == "pytest_qtorch"


def test_python_3_11_never_gets_the_pyside6_that_aborts_it(wheel: Path, contents: set[str]) -> None:
    (name,) = (name for name in contents if name.endswith("/METADATA"))
    with zipfile.ZipFile(wheel) as archive:
        metadata = email.message_from_bytes(archive.read(name))
    required = [line for line in metadata.get_all("Requires-Dist", []) if line.lower().startswith("pyside6-essentials")]
    assert any("!=6.12.0" in line and "python_version < '3.12'" in line.replace('"', "'") for line in required)
    assert all("!=6.12.0" in line or "python_version >= '3.12'" in line.replace('"', "'") for line in required)


def test_the_sdist_has_what_the_tests_and_the_make_targets_need(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    tracked = [ROOT / name for name in ("Makefile", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "pyproject.toml")]
    for folder in ("tests", "resources", ".ci", "docs", "benchmarks"):
        tracked += files(ROOT / folder)
    assert {str(path.relative_to(ROOT)) for path in tracked} <= names
    assert not [name for name in names if name.startswith((".venv", "build/", ".git/"))]


def test_an_editable_install_has_no_copies_that_go_stale(tmp_path: Path) -> None:
    # hatch copies force-included files into an editable install, and site-packages comes before the checkout.
    done = run(sys.executable, "-c", "import pytest_qtorch; print(pytest_qtorch.__file__)", cwd=tmp_path)
    assert done.stdout.strip() == str(ROOT / "pytest_qtorch.py")


def test_qtorch_is_imported_outside_the_checkout_and_knows_its_version(installed: Path, tmp_path: Path) -> None:
    ask = "from importlib.metadata import version; import qtorch; "
    code = ask + "print(qtorch.__file__, qtorch.__version__, version('qt-orchestrator'))"
    place, version, distribution = run(installed / "python", "-c", code, cwd=tmp_path).stdout.split()
    assert Path(place).is_relative_to(installed.parent)
    assert version == distribution == qtorch.__version__


def test_every_public_name_is_there_without_an_extra(installed: Path, tmp_path: Path) -> None:
    code = "import qtorch; print(len([getattr(qtorch, name) for name in qtorch.__all__]))"
    assert int(run(installed / "python", "-c", code, cwd=tmp_path).stdout) == len(qtorch.__all__) > 0


def test_the_demo_without_its_extra_says_in_one_line_how_to_get_it(installed: Path, tmp_path: Path) -> None:
    done = run(installed / "qtorch-demo", cwd=tmp_path, code=2)
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert "pip install qt-orchestrator[demo]" in done.stderr
