"""What the documentation calls by a name of qtorch exists, and what qtorch can say is explained."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

import qtorch
from qtorch import errors, testing
from tests.docs.blocks import PAGES, ROOT, prose_of

if TYPE_CHECKING:
    from pathlib import Path

ERRORS = ROOT / "docs" / "errors.md"


def spans(page: Path) -> set[str]:
    """What a page's words print as code."""
    return set(re.findall(r"`([^`\n]+)`", prose_of(page)))


def dotted_names(page: Path) -> list[str]:
    """Those spans that start with a name of qtorch and go on with a dot: ``JobHandle.cancel``."""
    found = (re.match(r"([A-Z]\w*)\.([a-z][a-z0-9_]*(?:Changed)?)\b", span) for span in spans(page))
    return sorted(match[0] for match in found if match and owner_of(match[1]))


def owner_of(name: str) -> Any:
    """What qtorch or its test kit call by that name, None if nothing."""
    modules = (module for module in (qtorch, testing) if name in module.__all__)
    return next((getattr(module, name) for module in modules), None)


def has(owner: Any, name: str) -> bool:
    if hasattr(owner, name) or name in getattr(owner, "__annotations__", {}):
        return True
    if isinstance(owner, type) and issubclass(owner, BaseModel):
        return name in owner.model_fields
    if is_dataclass(owner):
        return name in {field.name for field in fields(owner)}
    # Attributes that __init__ sets.
    return f"self.{name}" in inspect.getsource(owner)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_member_that_a_page_names_is_one(page: Path) -> None:
    wrong = [name for name in dotted_names(page) if not has(owner_of(name.split(".")[0]), name.split(".")[1])]
    assert not wrong


def test_a_member_that_does_not_exist_is_found_out() -> None:
    assert has(qtorch.JobHandle, "cancel")
    assert has(qtorch.Runtime, "exit_code")
    assert has(qtorch.JobOptions, "deadline")
    assert has(qtorch.JobFailureEvent, "still_running")
    assert not has(qtorch.JobHandle, "wait")
    assert not has(qtorch.Runtime, "shutdown")


def test_every_public_name_is_in_the_documentation() -> None:
    said = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    missing = [name for name in qtorch.__all__ if not re.search(rf"\b{name}\b", said)]
    assert not missing


def test_every_name_of_the_test_kit_is_explained_on_its_page() -> None:
    said = " ".join(spans(ROOT / "docs" / "testing.md"))
    missing = [name for name in testing.__all__ if not re.search(rf"\b{name}\b", said)]
    assert not missing


def test_every_exception_has_a_place_in_errors() -> None:
    section = prose_of(ERRORS).partition("\n## Exceptions\n")[2].partition("\n## ")[0]
    headings = re.findall(r"^### (\w+)", section, re.MULTILINE)
    exceptions = {name for name in errors.__all__ if issubclass_of_qtorch_error(getattr(errors, name))}
    assert sorted(headings) == sorted(exceptions)


def issubclass_of_qtorch_error(one: object) -> bool:
    return isinstance(one, type) and issubclass(one, errors.QtorchError) and one is not errors.QtorchError


def messages() -> Iterator[tuple[str, str]]:
    """Every text that qtorch raises, logs as a warning or worse, or prints: where, and its longest fixed part."""
    for path in sorted((ROOT / "qtorch").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and is_telling(node) and node.args and (part := longest_part(node.args[0])):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", part


def is_telling(call: ast.Call) -> bool:
    function = call.func
    name = (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )
    return (name.endswith("Error") and name != "AssertionError") or name in ("NoRetry", "print", "warning", "error")


def longest_part(text: ast.expr) -> str:
    """Give the longest run of words of the first line that has one, without what is filled in."""
    if isinstance(text, ast.JoinedStr):
        whole = "".join(str(value.value) if isinstance(value, ast.Constant) else "\0" for value in text.values)
    elif isinstance(text, ast.Constant) and isinstance(text.value, str):
        whole = re.sub(r"%[\w.]*[a-z]", "\0", text.value)
    else:
        return ""
    for line in whole.splitlines():
        part = max((words_of(part) for part in line.split("\0")), key=len)
        if " " in part:
            return part
    return ""


def words_of(text: str) -> str:
    """Give a text without what Markdown or punctuation makes of it."""
    return " ".join(re.sub(r"[`*\\|'\"]", "", text).split()).strip(" .,:;()")


def test_every_message_of_qtorch_is_explained_in_errors() -> None:
    said = words_of(ERRORS.read_text(encoding="utf-8"))
    found = list(messages())
    assert len(found) > 50
    missing = [f"{where}: {part}" for where, part in found if part not in said]
    assert not missing, "\n".join(missing)
