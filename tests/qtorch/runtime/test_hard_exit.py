"""What is remembered of work that was left behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from qtorch.runtime import hard_exit

if TYPE_CHECKING:
    from tests.qtorch.execution.rig import Rig

pytestmark = pytest.mark.realtime


def test_work_left_behind_is_forgotten_once_it_has_ended(make_rig: Callable[..., Rig]) -> None:
    def close_with_stuck_work() -> tuple[Rig, str]:
        rig = make_rig(threads=1)
        work = rig.work("stuck", is_deaf=True)
        handle = rig.runtime.dispatcher.dispatch(rig.job("thread", "stuck"))
        assert work.begun.wait(10)
        rig.runtime.close(0.0)
        return rig, handle.id

    def is_remembered(job_id: str) -> bool:
        return any(job_id in what for _, what, _ in hard_exit._stuck)

    first, first_id = close_with_stuck_work()
    _, second_id = close_with_stuck_work()
    assert is_remembered(first_id)
    assert is_remembered(second_id)
    first.open_all()
    first.quiet()
    assert first.runtime.dispatcher.services.threads.wait_closed(10)
    _, third_id = close_with_stuck_work()
    assert not is_remembered(first_id)
    assert is_remembered(second_id)
    assert is_remembered(third_id)
