"""``python -m benchmarks.children.repeated PATH TIMES``: does a hot path so often, for a tool that looks on.

All paths are there and warm, whichever is named: what two runs differ by is the path, times the difference.
"""

from __future__ import annotations

import gc
import sys

from PySide6.QtWidgets import QApplication

from benchmarks.children.hot_paths import FIELD, JOB, ROW, a_field, a_row
from benchmarks.peers.tasks import work
from benchmarks.peers.with_qtorch import a_runtime, with_qtorch

_WARM_UP = 10


def main(name: str, times: int) -> None:
    """Warm up and repeat."""
    app = QApplication([])
    gc.disable()
    with with_qtorch(1) as run, a_runtime() as runtime, a_field(runtime) as set_field, a_row() as change_row:
        paths = {JOB: lambda: run(work, 1), FIELD: set_field, ROW: change_row}
        for path in paths.values():
            for _ in range(_WARM_UP):
                path()
        for _ in range(times):
            paths[name]()
    app.quit()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
