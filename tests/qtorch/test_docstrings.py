"""The examples in docstrings run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from typing import TYPE_CHECKING

import pytest

import qtorch

if TYPE_CHECKING:
    from types import ModuleType

MODULES = sorted(module.name for module in pkgutil.walk_packages(qtorch.__path__, "qtorch."))


def examples_of(module: ModuleType) -> list[doctest.DocTest]:
    return [test for test in doctest.DocTestFinder(exclude_empty=True).find(module) if test.examples]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str, qapp: object) -> None:
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in examples_of(module):
        failed, _ = runner.run(test)
        assert failed == 0, f"the example in {test.name} (line {test.lineno}) does not give what it shows; see above"


def test_there_are_examples_to_run() -> None:
    running = [
        example
        for name in MODULES
        for test in examples_of(importlib.import_module(name))
        for example in test.examples
        if not example.options.get(doctest.SKIP)
    ]
    assert len(running) >= 30
