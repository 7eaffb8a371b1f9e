"""What `from qtorch import ...` offers, and what it costs."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import qtorch

ROOT = Path(qtorch.__file__).parent

PINNED = {
    "jobs": "BaseJob JobOptions DataStrategy JobBuilder RetryPolicy NoRetry CachePolicy CancellationToken JobResult "
    "JobSuccess JobFailure JobCancelled JobTimeout JobOutcome generate_job_id",
    "events": "BaseEvent JobEvent JobStartedEvent JobPlaceholderEvent JobCacheHitEvent JobProgressEvent "
    "JobItemsEvent JobRetryingEvent JobSuccessEvent JobFailureEvent JobTimeoutEvent JobCancelledEvent EventLog",
    "errors": "QtorchError ClosedError DuplicateExecutorError ExecutorNotFoundError JobCancelledError JobTimeoutError "
    "NoRuntimeError QueueFullError StateLoopError UnknownJobError WrongThreadError ErrorReport",
    "bus": "SignalBus Subscription",
    "execution": "BaseExecutor executes Dispatcher JobHandle JobStatus LanePolicy CONCURRENT SEQUENTIAL DROPPABLE "
    "RESTARTABLE KEEP_LATEST MISSING CacheProvider InMemoryCacheProvider InvalidateCacheJob",
    "state": "BaseState AsyncState AsyncStatus BaseOrchestrator on Source combine",
    "runtime": "Runtime",
}
"""Names that the documentation prints as code; a user's program breaks when one goes."""

NOT_FOR_A_BARE_IMPORT = ("asyncio", "qasync", "multiprocessing", "PySide6.QtWidgets", "PySide6.QtGui", "pydantic")
NOT_FOR_A_RUNTIME = ("asyncio", "qasync", "multiprocessing", "concurrent.futures")
NOT_FOR_A_WINDOW_IN_QML = (*NOT_FOR_A_RUNTIME, "PySide6.QtWidgets", "PySide6.QtGui", "cachetools", "difflib")


def python(code: str) -> Any:
    """Run ``code`` in a fresh interpreter and give the JSON that it prints last."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("area", PINNED)
def test_the_pinned_names_are_there(area: str) -> None:
    assert set(PINNED[area].split()) <= set(qtorch.__all__)


def test_all_is_sorted_without_repetition_and_dir_is_it() -> None:
    assert qtorch.__all__ == sorted(set(qtorch.__all__))
    assert dir(qtorch) == sorted([*qtorch.__all__, "__version__"])


@pytest.mark.parametrize("name", qtorch.__all__)
def test_every_name_can_be_imported_and_knows_what_it_is_for(name: str) -> None:
    value = getattr(qtorch, name)
    assert value is getattr(qtorch, name)
    if isinstance(value, type):
        assert value.__doc__, f"{name} has no docstring"


def test_type_checkers_see_the_names_that_are_found_at_run_time() -> None:
    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    guard = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    seen = {
        (alias.asname or alias.name, node.module)
        for node in guard.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    found = {(name, room) for room, names in qtorch._ROOMS.items() for name in names}
    assert seen == found
    assert {name for name, _ in seen} == set(qtorch.__all__)


def test_an_unknown_name_is_an_attribute_error_as_of_any_module() -> None:
    with pytest.raises(AttributeError, match="module 'qtorch' has no attribute 'Runtimee'"):
        qtorch.Runtimee  # type: ignore[attr-defined]  # the point
    assert not hasattr(qtorch, "__path_of_nothing__")


def test_no_module_is_named_like_a_public_name_because_the_module_would_win() -> None:
    modules = {path.stem for path in ROOT.rglob("*.py")} | {path.name for path in ROOT.iterdir() if path.is_dir()}
    assert modules & set(qtorch.__all__) == set()


# -- cost --------------------------------------------------------------------------------------------------------------


@pytest.mark.realtime
def test_importing_qtorch_imports_nothing_that_is_not_used_yet() -> None:
    loaded = python(
        f"import qtorch, sys, json; print(json.dumps([m for m in {NOT_FOR_A_BARE_IMPORT} if m in sys.modules]))"
    )
    assert loaded == []


@pytest.mark.realtime
def test_a_runtime_without_coroutines_needs_neither_asyncio_nor_qasync_nor_processes() -> None:
    loaded = python(
        "import sys, json\n"
        "from qtorch import *\n"
        f"print(json.dumps([m for m in {NOT_FOR_A_RUNTIME} if m in sys.modules]))"
    )
    assert loaded == []


@pytest.mark.realtime
def test_a_program_whose_windows_are_qml_needs_no_widgets_nor_what_it_does_not_use() -> None:
    loaded = python(
        "import sys, json\n"
        "from PySide6.QtCore import QCoreApplication, QObject\n"
        "from qtorch import BaseExecutor, BaseJob, BaseOrchestrator, BaseState, JobSuccessEvent, Runtime, bind, on\n"
        "class Counted(BaseState):\n"
        "    name: str = 'none'\n"
        "class Counting(BaseOrchestrator[Counted]): pass\n"
        "app, item = QCoreApplication([]), QObject()\n"
        "runtime = Runtime()\n"
        "counting = Counting(Counted())\n"
        "item.setProperty('busy', False)\n"
        "bind(item, 'objectName', counting.select(lambda state: state.name))\n"
        "bind(item, 'busy', counting.select(lambda state: state.name == 'none'))\n"
        "assert item.objectName() == 'none' and item.property('busy')\n"
        "runtime.close()\n"
        f"print(json.dumps([m for m in {NOT_FOR_A_WINDOW_IN_QML} if m in sys.modules]))"
    )
    assert loaded == []


@pytest.mark.realtime
def test_importing_qtorch_costs_less_than_60_ms_beyond_pyside6_and_pydantic() -> None:
    # Processor time, which a busy machine does not lengthen.
    seconds = python(
        "import PySide6.QtCore, pydantic, time, json\n"
        "start = time.process_time()\n"
        "import qtorch\n"
        "print(json.dumps(time.process_time() - start))"
    )
    assert seconds < 0.060


@pytest.mark.realtime
@pytest.mark.parametrize("first", ["PySide6.QtCore", "pydantic", "qtorch"])
def test_qtorch_can_be_imported_before_and_after_what_it_stands_on(first: str) -> None:
    assert python(f"import {first}\nfrom pydantic import BaseModel\nfrom qtorch import *\nprint(1)") == 1
