"""A program that starts itself again in every process that it starts."""

from __future__ import annotations

import sys


def refuse_in_starting_process() -> None:
    """Raise RuntimeError while a process of multiprocessing imports the program's main module.

    A worker process imports it anew, as ``__mp_main__``, to find the classes of jobs and executors in it.
    """
    processes = sys.modules.get("multiprocessing.process")
    # The flag by which multiprocessing itself knows; there is no public one.
    if processes is not None and getattr(processes.current_process(), "_inheriting", False):
        raise RuntimeError(
            "a Runtime was made while a worker process imports the program's main module, so every worker would start "
            "the whole application again.\n"
            "  Start it only where the module is the program:\n"
            '      if __name__ == "__main__":\n'
            "          main()"
        )
