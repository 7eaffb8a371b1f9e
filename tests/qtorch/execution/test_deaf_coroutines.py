"""A coroutine that ignores its cancellation ends with its loop at the latest."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from qtorch import JobStatus
from tests.qtorch.execution.rig import drive

if TYPE_CHECKING:
    from tests.qtorch.execution.rig import Rig

pytestmark = pytest.mark.realtime


def test_it_works_no_more_once_its_loop_has_gone(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    work = rig.work(is_deaf=True)
    handle = rig.dispatch("loop")
    drive(work.begun.is_set)
    rig.runtime.close(0.0)
    assert handle.status is JobStatus.CANCELLED
    assert handle.is_working
    # Its gate stays closed: it is the loop's end alone that ends it.
    drive(lambda: not handle.is_working)
    assert not rig.runtime.dispatcher.services.working
    assert not work.ended.is_set()
