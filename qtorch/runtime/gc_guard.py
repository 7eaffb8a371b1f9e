"""Keeping the cyclic garbage collector away from where it crashes Qt."""

from __future__ import annotations

import gc
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import QAbstractEventDispatcher, QThread

if TYPE_CHECKING:
    from collections.abc import Callable

BUSY_FACTOR = 10
"""At the start of a bus drain it collects only this many thresholds late: when the loop never comes to block."""

NESTED_OBJECTS = 100_000
"""Net new objects above which it collects under a nested event loop too, such as a dialog that stays open."""


FULL_SHARE = 50
"""A full collection is made once in so many times its own duration at most: 2 % of the time."""


class GcGuard:
    """Runs the cyclic garbage collector on the GUI thread only, between events.

    An automatic collection can begin in any thread and in any line. On a worker it destroys QObjects off their
    thread; on the GUI thread inside an event handler it can destroy the very widget whose C++ code is on the stack:
    both crash PySide. So automatic collection is off, and the collector runs by the same thresholds when the event
    loop is about to block, at loop level 1, or at the start of a bus drain when the loop never blocks.

    Under a nested loop objects of the outer handlers are on the stack, so it waits there, up to 100,000 new objects: a
    dialog that is open for hours must not eat the memory.

    The collector is the process's: Runtimes that guard share one guard, and the last to close restores it; if it left
    work behind, once that has ended: until then there is a worker on which an automatic collection could begin.
    """

    _users = 0
    _was_enabled = False
    _lingering: ClassVar[dict[GcGuard, Callable[[], bool]]] = {}
    """Guards of closed Runtimes, by whether the work has ended that these left behind."""

    def __init__(self) -> None:
        self._is_installed = False
        self._next_full = 0.0
        # None in a thread without an event loop, whatever the stubs say.
        self._dispatcher: QAbstractEventDispatcher | None = QAbstractEventDispatcher.instance()

    def install(self) -> None:
        """Begin to guard. The GUI thread."""
        if self._is_installed:
            return
        GcGuard._let_go_of_ended()
        self._is_installed = True
        if GcGuard._users == 0:
            GcGuard._was_enabled = gc.isenabled()
            gc.disable()
        GcGuard._users += 1
        if self._dispatcher is not None:
            self._dispatcher.aboutToBlock.connect(self.about_to_block)

    def remove(self, have_workers_ended: Callable[[], bool]) -> None:
        """Stop once that holds; the last one gives automatic collection back as it was. The GUI thread."""
        if self._is_installed:
            GcGuard._lingering[self] = have_workers_ended
        GcGuard._let_go_of_ended()

    @staticmethod
    def _let_go_of_ended() -> None:
        for guard, have_workers_ended in tuple(GcGuard._lingering.items()):
            # A collection that this sets off may close a Runtime, and come here again.
            if have_workers_ended() and GcGuard._lingering.pop(guard, None) is not None:
                guard._uninstall()

    def _uninstall(self) -> None:
        self._is_installed = False
        self._next_full = 0.0
        GcGuard._users -= 1
        if GcGuard._users == 0 and GcGuard._was_enabled:
            gc.enable()
        try:
            if self._dispatcher is not None:
                self._dispatcher.aboutToBlock.disconnect(self.about_to_block)
        except RuntimeError:
            return  # the application took its dispatcher along

    def about_to_block(self) -> None:
        """Collect what is due: no event is being handled at this loop level."""
        if GcGuard._lingering:
            GcGuard._let_go_of_ended()
        self._collect(1)

    def drain_begins(self) -> None:
        """Collect what is long overdue."""
        self._collect(BUSY_FACTOR)

    def _collect(self, factor: int) -> None:
        counts, thresholds = gc.get_count(), gc.get_threshold()
        # A threshold of 0 is how an application says never.
        if counts[0] <= thresholds[0] * factor or not thresholds[0]:
            return
        if QThread.currentThread().loopLevel() > 1 and counts[0] < NESTED_OBJECTS:
            return
        for generation in (2, 1, 0):
            if counts[generation] > thresholds[generation]:
                if generation == 2:
                    if perf_counter() < self._next_full:
                        continue
                    self._collect_all()
                else:
                    gc.collect(generation)
                return

    def _collect_all(self) -> None:
        # Python itself puts a full collection off until a quarter of all objects is new; that figure is not to be
        # had here, and a share of the time serves the same end.
        started = perf_counter()
        gc.collect()
        now = perf_counter()
        self._next_full = now + (now - started) * FULL_SHARE
