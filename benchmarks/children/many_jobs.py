"""``python -m benchmarks.children.many_jobs CONTESTANT SIZE...``: what a process holds after so many jobs in all."""

from __future__ import annotations

import json
import sys

from PySide6.QtWidgets import QApplication

from benchmarks.children.resources import descriptors, memory
from benchmarks.peers import hand_written, with_qtorch
from benchmarks.peers.tasks import Peer, work

BATCH = 1_000
"""Jobs under way at once."""

CONTESTANTS: dict[str, Peer] = {
    with_qtorch.NAME: with_qtorch.with_qtorch,
    hand_written.NAME: hand_written.hand_written,
}


def main(name: str, sizes: list[int]) -> None:
    """Print a line for each size on the way."""
    app = QApplication([])
    with CONTESTANTS[name](4) as run:
        did = 0
        for size in sizes:
            while did < size:
                count = min(BATCH, size - did)
                run(work, count)
                did += count
            print(json.dumps({"memory": memory(), "descriptors": descriptors()}), flush=True)
    app.quit()


if __name__ == "__main__":
    main(sys.argv[1], [int(size) for size in sys.argv[2:]])
