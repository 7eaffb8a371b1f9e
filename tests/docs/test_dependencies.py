"""The README's table of dependencies: all of them, with the licences that they themselves state."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata

import pytest

from tests.docs.blocks import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def distribution(requirement: str) -> str:
    return re.match(r"[\w-]+", requirement)[0].lower()  # type: ignore[index]


def required() -> set[tuple[str, str]]:
    """Every distribution that is required, with its extra."""
    found = {(distribution(one), "") for one in PROJECT["dependencies"]}
    for extra, requirements in PROJECT["optional-dependencies"].items():
        found |= {(distribution(one), extra) for one in requirements}
    return {(name, extra) for name, extra in found if name != PROJECT["name"]}


def table() -> list[tuple[str, str, str, str]]:
    """The rows of the README: package, extra, licence, reason."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("\n## Dependencies\n")[2].partition("\n## ")[0]
    rows = [
        [cell.strip(" `") for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:2] == "| "
    ]
    return [(name.lower(), extra, licence, why) for name, extra, licence, why in rows[1:]]


def test_the_table_names_every_dependency_and_no_other() -> None:
    assert {(name, extra) for name, extra, _, _ in table()} == required()


@pytest.mark.parametrize(("name", "extra", "licence", "why"), table(), ids=[row[0] for row in table()])
def test_a_dependency_has_the_licence_that_the_table_says(name: str, extra: str, licence: str, why: str) -> None:
    assert why
    try:
        stated = metadata(name)
    except PackageNotFoundError:
        assert extra in ("process", "dev"), f"{name} is needed by the tests and not installed"
        pytest.skip(f"{name} is not installed here")
    if expressions := stated.get_all("License-Expression"):
        assert licence in re.split(r" OR | AND ", expressions[0])
        return
    said = " ".join([*(stated.get_all("License") or []), *(stated.get_all("Classifier") or [])])
    family, _, version = licence.partition("-")
    assert family in said or {"LGPL": "Lesser General Public License"}.get(family, family) in said
    assert family != "BSD" or version[0] in said or "BSD License" in said
