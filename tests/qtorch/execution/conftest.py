from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.qtorch.execution.family import Parent
from tests.qtorch.execution.rig import Rig, qasync_loop

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication


@pytest.fixture
def make_rig(qapp: QApplication) -> Iterator[Callable[..., Rig]]:
    """Makes rigs, ``make_rig(runner, **options)``; each is closed at the end."""
    with ExitStack() as ending:

        def make(runner: str = "thread", **options: Any) -> Rig:
            if runner == "qasync":
                options["loop"] = ending.enter_context(qasync_loop(qapp))
            rig = Rig(**options)
            ending.callback(rig.close)
            return rig

        yield make


@pytest.fixture
def rig(make_rig: Callable[..., Rig]) -> Rig:
    return make_rig()


@pytest.fixture(params=["thread", "loop"])
def own_runner(request: pytest.FixtureRequest) -> str:
    """Where the work is done by a Runtime that was given no loop."""
    return request.param


@pytest.fixture(params=["thread", "loop", "qasync"])
def runner(request: pytest.FixtureRequest) -> str:
    """Where the work is done: a pool thread, the Runtime's own loop, a qasync loop on the GUI thread."""
    return request.param


@pytest.fixture(params=["loop", "qasync"])
def parent(request: pytest.FixtureRequest, make_rig: Callable[..., Rig]) -> Parent:
    """A parent on the Runtime's own loop, or on a qasync loop on the GUI thread."""
    return Parent(make_rig(request.param))


@pytest.fixture
def own(rig: Rig) -> Parent:
    """A parent on the Runtime's own loop."""
    return Parent(rig)
