"""One page of the gallery: something live, and the code that makes it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

    from PySide6.QtWidgets import QWidget

    from qtorch import BaseExecutor


@dataclass(frozen=True)
class Page:
    """What a module of ``demo_app.gallery.pages`` shows; the first line of its docstring says what for.

    Attributes
    ----------
    title
        How it is called in the list.
    build
        Makes the live part, with the default Runtime.
    executors
        Classes of executors that its jobs need; each is made without arguments.
    files
        Other files of its folder that belong to the code, such as QML.
    press
        Text of the button that is clicked before the page is photographed.
    is_wrong
        Whether it shows what goes wrong, so that errors are no fault of it.
    """

    title: str
    build: Callable[[], QWidget]
    executors: tuple[type[BaseExecutor[Any]], ...] = ()
    files: tuple[str, ...] = ()
    press: str = ""
    is_wrong: bool = False

    @property
    def name(self) -> str:
        """How it is called on the command line and in names of files."""
        return self._module.__name__.rpartition(".")[2].replace("_", "-")

    @property
    def file(self) -> str:
        """Where its code is, from the folder that holds the package."""
        return f"{self._module.__name__.replace('.', '/')}.py"

    @property
    def purpose(self) -> str:
        """What it shows, in one sentence."""
        return inspect.cleandoc(self._module.__doc__ or "").partition("\n")[0]

    @property
    def source(self) -> str:
        """The code that runs, file by file."""
        folder = Path(inspect.getfile(self._module)).parent
        others = (f"\n\n# {name}\n\n{(folder / name).read_text(encoding='utf-8')}" for name in self.files)
        return "".join((inspect.getsource(self._module), *others))

    @property
    def _module(self) -> ModuleType:
        return sys.modules[self.build.__module__]
