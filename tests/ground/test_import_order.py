"""The rooms of qtorch, and what each may import."""

from __future__ import annotations

import ast
import contextlib
import graphlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

ROOT = Path(__file__).resolve().parents[2]
QTORCH = ROOT / "qtorch"

# The way of the data. A file imports only from rooms above its own, in functions and under TYPE_CHECKING too: what a
# room may not import, it may not know even by name.
ROOMS = (
    "errors",
    "ports",
    "job",
    "events",
    "state",
    "clock",
    "bus",
    "cache",
    "execution",
    "offline",
    "orchestrator",
    "binding",
    "runtime",
    "testing",
)
QT_FREE = ("errors", "ports", "job", "events", "state")
QT = {"PySide6", "shiboken6", "qasync"}
NAMES_WITHOUT_MEANING = {"common", "helper", "helpers", "misc", "util", "utils"}


Sample: TypeAlias = "Callable[[dict[str, str]], Package]"


class Package:
    """The modules of a package folder, parsed."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self.trees: dict[str, ast.Module] = {}
        self.packages: set[str] = set()
        for path in sorted(folder.rglob("*.py")):
            parts = [self.name, *path.relative_to(folder).with_suffix("").parts]
            if parts[-1] == "__init__":
                parts.pop()
                self.packages.add(".".join(parts))
            self.trees[".".join(parts)] = ast.parse(path.read_text(encoding="utf-8"), str(path))

    def room(self, module: str) -> str:
        return module.split(".")[1]

    def rooms_modules(self) -> list[str]:
        """All modules but the package's own ``__init__``, which hands on the names of every room."""
        return [module for module in self.trees if module != self.name]

    def imports(self, module: str, *, for_types: bool = True) -> list[tuple[int, str]]:
        """Line and full name of every module that ``module`` imports, wherever in the file."""
        found = []
        only_for_types = set() if for_types else type_checking(self.trees[module])
        for node in ast.walk(self.trees[module]):
            if node in only_for_types:
                continue
            if isinstance(node, ast.Import):
                found += [(node.lineno, alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                origin = self.origin(module, node)
                # `from qtorch import ports` imports a module, `from qtorch.ports import Clock` a name in one.
                whole = [f"{origin}.{alias.name}" for alias in node.names]
                found += [(node.lineno, name if name in self.trees else origin) for name in whole]
        return found

    def origin(self, module: str, node: ast.ImportFrom) -> str:
        """The module that a `from` names, relative ones resolved."""
        if not node.level:
            return node.module or ""
        parents = module.split(".")
        depth = len(parents) - node.level + (module in self.packages)
        return ".".join([*parents[:depth], *([node.module] if node.module else [])])


def type_checking(tree: ast.Module) -> set[ast.AST]:
    """All nodes in the body of an ``if TYPE_CHECKING:``."""
    branches = [
        node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    ]
    return {inner for branch in branches for statement in branch.body for inner in ast.walk(statement)}


def order_faults(package: Package) -> list[str]:
    faults = []
    for module in package.rooms_modules():
        room = package.room(module)
        if room not in ROOMS:
            faults.append(f"{module}: no room is called {room}")
            continue
        for line, target in package.imports(module):
            if target.split(".")[0] != package.name:
                continue
            if target == package.name:
                faults.append(f"{module}:{line} imports {target} itself, which imports everything")
            elif package.room(target) not in ROOMS[: ROOMS.index(room) + 1]:
                faults.append(f"{module}:{line} imports {target}, which is not above {room}")
    return faults


def cycle_faults(package: Package) -> list[str]:
    # Types may name each other inside a room, as a run and its attempts do: nothing is loaded in a circle by that.
    graph = {
        module: {target for _, target in package.imports(module, for_types=False) if target in package.trees} - {module}
        for module in package.rooms_modules()
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return [" -> ".join(reversed(error.args[1]))]
    return []


def qt_faults(package: Package) -> list[str]:
    return [
        f"{module}:{line} imports {target}"
        for module in package.rooms_modules()
        if package.room(module) in QT_FREE
        for line, target in package.imports(module)
        if target.split(".")[0] in QT
    ]


def vague_names(package: Package) -> list[str]:
    return [module for module in package.trees if set(module.split(".")) & NAMES_WITHOUT_MEANING]


def hidden_functions(package: Package) -> list[str]:
    """Modules named like a public function of their package: once imported, the module hides the function there."""
    faults = []
    for module in package.trees:
        parent, _, name = module.rpartition(".")
        if not parent:
            continue
        public = exported(package, parent)
        for sibling, tree in package.trees.items():
            if sibling.rpartition(".")[0] == parent:
                public |= functions(tree)
        if name in public:
            faults.append(f"{module} is named like a public function of {parent}")
    return faults


def functions(tree: ast.Module) -> set[str]:
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def exported(package: Package, module: str) -> set[str]:
    """Names that a package's ``__init__`` defines, imports (modules apart) or lists in ``__all__``."""
    tree = package.trees[module]
    names = functions(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            origin = package.origin(module, node)
            names |= {alias.name for alias in node.names if f"{origin}.{alias.name}" not in package.trees}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets) and node.value:
                with contextlib.suppress(ValueError):  # computed: then the names stand under TYPE_CHECKING as well
                    names |= set(ast.literal_eval(node.value))
    return names


@pytest.fixture(scope="module")
def qtorch() -> Package:
    return Package(QTORCH)


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    """Writes a package of the given files and parses it."""

    def write(files: dict[str, str]) -> Package:
        folder = tmp_path / "sample"
        for name, text in {"__init__": "", **files}.items():
            path = folder / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return Package(folder)

    return write


# ------------------------------------------------------------------------------------------------- qtorch


def test_every_file_imports_only_from_rooms_above_its_own(qtorch: Package) -> None:
    assert order_faults(qtorch) == []


def test_no_modules_import_each_other_in_a_circle(qtorch: Package) -> None:
    assert cycle_faults(qtorch) == []


def test_what_is_asked_and_what_happened_is_known_without_qt(qtorch: Package) -> None:
    assert qt_faults(qtorch) == []


def test_the_ports_know_no_pydantic(qtorch: Package) -> None:
    assert [target for _, target in qtorch.imports("qtorch.ports") if target.startswith("pydantic")] == []


def test_no_module_has_a_name_that_says_nothing(qtorch: Package) -> None:
    assert vague_names(qtorch) + vague_names(Package(ROOT / "demo_app")) == []


def test_no_module_hides_a_public_function_of_its_package(qtorch: Package) -> None:
    assert hidden_functions(qtorch) == []


@pytest.mark.realtime
def test_the_rooms_without_qt_load_no_qt_when_they_run(qtorch: Package) -> None:
    # Not "no PySide6": the guard of qtorch/__init__.py reads its version. QtCore is what a process child must not pay.
    names = [module for module in qtorch.rooms_modules() if qtorch.room(module) in QT_FREE]
    load = f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\n"
    code = load + "print('PySide6.QtCore' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("False", "")


# ------------------------------------------------------------------------------------------------- the checker itself


@pytest.mark.parametrize(
    "text",
    [
        "import sample.runtime",
        "from sample.runtime import Runtime",
        "from sample import runtime",
        "from .runtime import Runtime",
        "from . import runtime",
        "def later():\n    from sample.runtime import Runtime",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from sample.runtime import Runtime",
    ],
)
def test_an_import_from_a_room_below_is_found_in_every_spelling(sample: Sample, text: str) -> None:
    faults = order_faults(sample({"bus": text, "runtime": "class Runtime: ..."}))
    assert len(faults) == 1
    assert "sample.bus:" in faults[0]
    assert "sample.runtime" in faults[0]


def test_a_relative_import_is_resolved_from_the_file_it_stands_in(sample: Sample) -> None:
    package = sample(
        {"job/__init__": "from .ids import new_id", "job/ids": "from ..runtime import Runtime", "runtime": ""}
    )
    assert package.imports("sample.job") == [(1, "sample.job.ids")]
    assert package.imports("sample.job.ids") == [(1, "sample.runtime")]


def test_imports_from_rooms_above_and_from_elsewhere_are_allowed(sample: Sample) -> None:
    assert order_faults(sample({"errors": "import ast", "bus": "from sample.errors import E\nimport PySide6"})) == []


def test_a_file_outside_every_room_is_found(sample: Sample) -> None:
    assert order_faults(sample({"stuff": ""})) == ["sample.stuff: no room is called stuff"]


def test_an_import_of_the_whole_package_is_found(sample: Sample) -> None:
    assert order_faults(sample({"bus": "from sample import Runtime"})) == [
        "sample.bus:1 imports sample itself, which imports everything"
    ]


def test_a_circle_inside_a_room_is_found(sample: Sample) -> None:
    package = sample(
        {
            "job/__init__": "",
            "job/ids": "from sample.job.retry import x",
            "job/retry": "def f():\n    import sample.job.ids",
        }
    )
    assert len(cycle_faults(package)) == 1


def test_types_may_name_each_other_inside_a_room(sample: Sample) -> None:
    for_types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from sample.job.ids import new_id"
    package = sample({"job/__init__": "", "job/ids": "import sample.job.retry", "job/retry": for_types})
    assert cycle_faults(package) == []


def test_a_module_that_imports_from_its_own_rooms_init_is_a_circle(sample: Sample) -> None:
    package = sample({"job/__init__": "from sample.job.ids import new_id", "job/ids": "from sample.job import Job"})
    assert len(cycle_faults(package)) == 1


def test_qt_in_a_room_without_qt_is_found(sample: Sample) -> None:
    assert qt_faults(sample({"events": "from PySide6.QtCore import QObject", "bus": "import PySide6"})) == [
        "sample.events:1 imports PySide6.QtCore"
    ]


@pytest.mark.parametrize("name", sorted(NAMES_WITHOUT_MEANING))
def test_a_name_that_says_nothing_is_found(sample: Sample, name: str) -> None:
    assert vague_names(sample({f"job/{name}": ""})) == [f"sample.job.{name}"]


@pytest.mark.parametrize(
    "init",
    [
        "from sample.binding.widgets import bind",
        "__all__ = ['bind']",
        "__all__: list[str] = ['bind']",
        "def bind(): ...",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from sample.binding.widgets import bind",
    ],
)
def test_a_module_that_hides_a_function_is_found(sample: Sample, init: str) -> None:
    package = sample({"binding/__init__": init, "binding/bind": "", "binding/widgets": ""})
    assert hidden_functions(package) == ["sample.binding.bind is named like a public function of sample.binding"]


def test_a_module_that_is_handed_on_as_a_module_hides_nothing(sample: Sample) -> None:
    package = sample({"binding/__init__": "from sample.binding import widgets", "binding/widgets": ""})
    assert hidden_functions(package) == []


def test_a_module_that_defines_a_function_of_its_own_name_is_found(sample: Sample) -> None:
    package = sample({"binding/__init__": "", "binding/bind": "def bind(): ..."})
    assert len(hidden_functions(package)) == 1
