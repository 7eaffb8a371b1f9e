"""Make ``.venv`` ready for a make target, on a machine that has only Python and make.

``python .ci/bootstrap.py EXTRA...`` provides what Qt and Python need from the system, creates or mends the virtual
environment, installs the project with the extras, and says nothing when there is nothing to do.
"""

# Any Python may be handed this file: the whole of it parses in Python 3.6, so no `from __future__ import annotations`.
import sys

if sys.version_info < (3, 11):  # noqa: UP036
    sys.stderr.write(
        "setup: qtorch needs Python 3.11 or newer; {} is {}.{}\n".format(sys.executable, *sys.version_info[:2])
    )
    sys.exit(2)

import contextlib
import fcntl
import os
from collections.abc import Iterator

import system_packages
from environment import ROOT, THIS_VERSION, Environment
from reporting import SetupError, say


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one set-up run at a time in a checkout: `make -j lint types` starts two."""
    with open(__file__, "rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another set-up of this checkout")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(extras: list[str]) -> int:
    """Set up, and turn what the user has to do about it into one message and exit code 2."""
    platforms = system_packages.qt_platforms(os.environ)
    environment = Environment(ROOT / ".venv", extras)
    try:
        with alone():
            # The system first and all of it in one message: nobody waits for a download to be stopped then.
            system_packages.provide(platforms, THIS_VERSION if environment.has_to_be_made() else None)
            environment.make()
            environment.load_qt(platforms)
    except (SetupError, OSError) as error:  # OSError: a full disk, a read-only checkout
        print(f"setup: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("setup: interrupted; the next run starts over", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
