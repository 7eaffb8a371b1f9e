"""Virtual environments of this checkout: made, mended or replaced until they hold what is asked."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from reporting import SetupError, run_quietly, say

ROOT = Path(__file__).resolve().parent.parent
THIS_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

# The base of a virtual environment, so that an activated .venv can be replaced from inside.
BASE_PYTHON = str(getattr(sys, "_base_executable", sys.executable))

# Names of distributions, not versions: those may be changed by hand.
DESCRIBE = """
import importlib.util, json, os, sys, sysconfig
names = os.listdir(sysconfig.get_path("purelib"))
print(json.dumps({
    "python": "%d.%d" % sys.version_info[:2],
    "prefix": os.path.realpath(sys.prefix),
    "pip": importlib.util.find_spec("pip") is not None,
    "packages": sorted({name.split("-")[0].lower() for name in names if name.endswith(".dist-info")}),
}))
"""

LOAD_QT_PLATFORM = """
import ctypes, pathlib, sys, PySide6
ctypes.CDLL(str(pathlib.Path(PySide6.__path__[0], "Qt", "plugins", "platforms", "libq" + sys.argv[1] + ".so")))
"""

UNFINISHED: dict[str, Any] = {
    "finished": False,
    "root": "",
    "project": "",
    "extras": [],
    "pins": [],
    "packages": [],
    "loaded": [],
}


class Environment:
    """A virtual environment, and the record it keeps of what was put into it.

    Parameters
    ----------
    folder
        Where it is; replaced whenever it cannot be trusted.
    extras
        Extras of the project that it must hold; those that an earlier call put in are kept.
    pins
        Further requirements for pip, for the test matrix.
    base, version
        The interpreter to make it with, and its version as "3.11".
    """

    def __init__(
        self,
        folder: Path,
        extras: Iterable[str],
        pins: Iterable[str] = (),
        base: str = BASE_PYTHON,
        version: str = THIS_VERSION,
    ) -> None:
        self.folder = folder
        self.extras = set(extras)
        self.pins = list(pins)
        self.base = base
        self.version = version
        self.python = str(folder / "bin" / "python")
        self.record_file = folder / "qtorch-setup.json"

    def fault(self) -> str:
        """Why the folder has to be replaced; empty if it can be kept, or if there is none."""
        if not os.path.lexists(self.folder):
            return ""
        record = self.record()
        if record and not record["finished"]:
            return "its installation was interrupted"
        if record and record["root"] != str(ROOT):
            return f"it was made for {record['root']}, and the checkout is at {ROOT} now"
        found = ask(self.python)
        if not found:
            return "its Python does not run"
        if found["python"] != self.version:
            return f"it is of Python {found['python']}, and this is Python {self.version}"
        # Without this, pip would install into the system's Python.
        if found["prefix"] != os.path.realpath(self.folder):
            return "it is not a virtual environment"
        if not found["pip"]:
            return "it has no pip"
        gone = set(record["packages"] if record else ()) - set(found["packages"])
        return f"{min(gone)} is gone from it" if gone else ""

    def has_to_be_made(self) -> bool:
        """Whether there is none, or none that can be kept."""
        return not os.path.lexists(self.folder) or bool(self.fault())

    def make(self, *, upgrade: bool = False) -> None:
        """Bring the environment to what is asked; quick if it is there already.

        Parameters
        ----------
        upgrade
            Ask for newer versions of the pins even if nothing changed here.

        Raises
        ------
        SetupError
            The interpreter cannot make environments, or pip failed; the folder is then replaced the next time.
        """
        fault = self.fault()
        if fault:
            say(f"{self.folder.name} is made anew: {fault}")
            remove(self.folder)
        if not self.folder.exists():
            run_quietly([self.base, "-m", "venv", str(self.folder)])
        before = self.record()
        extras = sorted(self.extras | set(before["extras"] if before else ()))
        wanted = {
            "finished": True,
            "root": str(ROOT),
            "project": hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest(),
            "extras": extras,
            "pins": self.pins,
        }
        if before and not upgrade and all(before[key] == value for key, value in wanted.items()):
            return
        say(f"installing the project with {', '.join(extras)} into {self.folder.name} (the first time takes a minute)")
        started = time.monotonic()
        self.write({**UNFINISHED, **wanted, "finished": False})
        pip = [self.python, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", *["--upgrade"] * upgrade]
        run_quietly([*pip, *self.pins, "--editable", f"{ROOT}[{','.join(extras)}]"])
        self.write({**UNFINISHED, **wanted, "packages": ask(self.python)["packages"]})
        say(f"{self.folder.name} is ready ({time.monotonic() - started:.0f} s)")

    def load_qt(self, platforms: Iterable[str]) -> None:
        """Load Qt's platform plugins once, with all they link to: the last word on what the system lacks."""
        record = self.record()
        for name in platforms:
            if name in record["loaded"]:
                continue
            command = [self.python, "-c", LOAD_QT_PLATFORM, name]
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
            if done.returncode:
                said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
                raise SetupError(
                    f"Qt's {name} platform does not load: {said[-1]}\n"
                    "  Install the system package that holds the library, then run the same command again."
                )
            record["loaded"].append(name)
            self.write(record)

    def record(self) -> dict[str, Any]:
        """What the last installation wrote down; empty for an environment that somebody made by hand."""
        try:
            record = json.loads(self.record_file.read_text(encoding="utf-8"))
        except OSError:
            return {}
        except ValueError:
            return UNFINISHED
        return record if isinstance(record, dict) and UNFINISHED.keys() <= record.keys() else UNFINISHED

    def write(self, record: Mapping[str, Any]) -> None:
        """Keep the record for the next run."""
        self.record_file.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def ask(python: str) -> dict[str, Any]:
    """What an interpreter says of itself; empty if it does not run."""
    command = [python, "-I", "-c", DESCRIBE]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
        answer = json.loads(done.stdout)
    except (OSError, subprocess.CalledProcessError, ValueError):
        return {}
    return answer if isinstance(answer, dict) else {}


def remove(folder: Path) -> None:
    """Delete a folder, or only the link if it is one: what a link points to is not ours."""
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)
    else:
        folder.unlink()
