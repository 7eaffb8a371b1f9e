"""The commands that the documentation names exist, with the options it gives them."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Callable
from functools import cache

import pytest

from tests.docs.blocks import PAGES, ROOT, blocks_of
from tests.docs.running import run_python

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"].keys()

COMMANDS = [
    pytest.param(line, id=f"{block.where}-{line}"[:60])
    for page in PAGES
    for block in blocks_of(page)
    if block.kind == "console"
    for line in block.text.splitlines()
]


@cache
def help_of(module: str) -> str:
    done = run_python("-m", module, "--help", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def options_exist(module: str, arguments: list[str]) -> bool:
    return all(re.search(rf"(?<![\w-]){re.escape(one)}\b", help_of(module)) for one in arguments if one.startswith("-"))


def make(arguments: list[str]) -> bool:
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    variables = {name for name in ("ARGS", "PYTHON") if f"{name}" in (ROOT / "Makefile").read_text(encoding="utf-8")}
    named = [one for one in arguments if "=" not in one]
    given = {one.partition("=")[0] for one in arguments if "=" in one}
    return bool(named) and set(named) <= targets and given <= variables


def pip(arguments: list[str]) -> bool:
    verb, *rest = arguments
    for requirement in (one for one in rest if not one.startswith("-")):
        name, _, extras = requirement.partition("[")
        ours = name in (".", PROJECT["name"])
        if not ours and not name.startswith("PySide6-Essentials") and (verb, name) != ("uninstall", "qtorch"):
            return False
        if not set(filter(None, re.split(r"[,\]]", extras))) <= (EXTRAS if ours else set()):
            return False
    known = {"--yes", "--force-reinstall", "--no-deps", "-e", "--upgrade"}
    return verb in ("install", "uninstall") and {one for one in rest if one.startswith("-")} <= known


def python(arguments: list[str]) -> bool:
    flag, module, *rest = arguments
    if flag != "-m":
        return False
    match module:
        case "pip":
            return pip(rest)
        case "venv" | "pytest":
            return True
        case "demo_app" | "demo_app.gallery" | "demo_app.server" | "benchmarks" | "benchmarks.counted":
            return options_exist(module, rest)
    return False


def system_packages() -> set[str]:
    """What the set-up itself would install, by its table of libraries and packages."""
    return set(re.findall(r': "(lib[\w.-]+)"', (ROOT / ".ci" / "system_packages.py").read_text(encoding="utf-8")))


def packages(arguments: list[str]) -> bool:
    named = {one for one in arguments[2:] if not one.startswith("-")}
    return arguments[:2] == ["apt-get", "install"] and bool(named) and named <= system_packages()


KNOWN: dict[str, Callable[[list[str]], bool]] = {
    "make": make,
    "python": python,
    "sudo": packages,
    "bash": lambda arguments: all((ROOT / one).exists() for one in arguments),
    "qtorch-demo": lambda arguments: "qtorch-demo" in PROJECT["scripts"] and options_exist("demo_app", arguments),
    ".": lambda arguments: arguments == [".venv/bin/activate"],
    ".venv\\Scripts\\activate": lambda arguments: not arguments,
    "ldd": lambda arguments: len(arguments) == 1,
}


def is_right(line: str) -> bool:
    words = shlex.split(line.replace("\\", "\\\\"))
    while re.fullmatch(r"[A-Z_]+=\S*", words[0]):  # variables of the environment
        words.pop(0)
    check = KNOWN.get(words[0])
    return check is not None and check(words[1:])


@pytest.mark.realtime
@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_documentation_exists(line: str) -> None:
    assert is_right(line)


@pytest.mark.realtime
@pytest.mark.parametrize(
    "line",
    [
        "make demos",
        "make",
        "rm -rf .venv",
        "python -m demo_app --no-such-option",
        'python -m pip install -e ".[tests]"',
        "python -m pip install qtorch",
        "sudo apt-get install -y libqt",
        "bash .ci/runs",
    ],
)
def test_a_command_that_does_not_exist_is_found_out(line: str) -> None:
    assert not is_right(line)


def test_the_libraries_for_linux_are_all_named() -> None:
    text = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    assert len(system_packages()) > 10
    assert {package for package in system_packages() if package not in text} == set()
