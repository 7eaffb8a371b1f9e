"""A program may import PySide6, pydantic and qtorch in any order, and have PySide6's features switched on."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.realtime

IMPORTS = ("from pydantic import BaseModel", "from PySide6.QtWidgets import QApplication", "from qtorch import BaseJob")


def _package(line: str) -> str:
    return line.split()[1].partition(".")[0]


@pytest.mark.parametrize(
    "order", list(itertools.permutations(IMPORTS)), ids=lambda order: "-".join(map(_package, order))
)
def test_it_can_be_imported_in_this_order(order: tuple[str, ...]) -> None:
    program = "\n".join((*order, "from pydantic import Field, SecretStr, TypeAdapter, field_validator"))
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, "")


FEATURES = """
import inspect, sys
from PySide6.QtWidgets import QApplication, QLabel
from __feature__ import snake_case
read, get_source = [], inspect.getsource
inspect.getsource = lambda module: read.append(getattr(module, "__name__", "")) or get_source(module)
from qtorch import Runtime, bind
from counting import Counting, CountState, FetchJob, FetchExecutor
app = QApplication(sys.argv[:1])
label = QLabel()
label.set_object_name("shown")
label.set_property("busy", False)
runtime = Runtime(executors=[FetchExecutor()])
counting = Counting(CountState())
bind(label, "text", counting.select(lambda state: str(state.count)))
bind(label, "busy", counting.select(lambda state: state.count > 0))
counting.fetched.connect(app.quit)
counting.dispatch(FetchJob())
runtime.exec()
print(label.text(), label.property("busy"), [name for name in read if name.startswith("qtorch")])
"""

COUNTING = """
from PySide6.QtCore import Signal
from qtorch import BaseExecutor, BaseJob, BaseOrchestrator, BaseState, JobSuccessEvent

class FetchJob(BaseJob[int]): pass

class FetchExecutor(BaseExecutor[FetchJob]):
    def process(self, job): return 42

class CountState(BaseState):
    count: int = 0

class Counting(BaseOrchestrator[CountState]):
    fetched = Signal()

    def on_active_success(self, event: JobSuccessEvent[int]) -> None:
        self.update(count=event.data)
        self.fetched.emit()
"""


def test_it_works_in_a_program_with_snake_case_names_and_its_own_source_is_not_read_for_them(tmp_path: Path) -> None:
    (tmp_path / "counting.py").write_text(COUNTING, encoding="utf-8")
    (tmp_path / "program.py").write_text(FEATURES, encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
    )  # fmt: skip
    assert (result.stdout, result.stderr) == ("42 True []\n", "")
