"""Jobs that share their work, dispatched and ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.qtorch.execution.rig import Rig, drive

if TYPE_CHECKING:
    from qtorch import JobHandle


def begin(rig: Rig, runner: str, count: int = 2, **options: Any) -> list[JobHandle[Any]]:
    """Dispatch equal jobs, and see their work begin."""
    handles = [rig.dispatch(runner, dedupe=True, **options) for _ in range(count)]
    drive(rig.works["work"].begun.is_set)
    rig.drain()
    return handles


def finish(rig: Rig, *handles: JobHandle[Any]) -> None:
    """Let the work end."""
    rig.works["work"].gate.open()
    rig.end(*handles)


def is_left_behind(rig: Rig) -> bool:
    """Whether anything of a flight is still in the books."""
    services = rig.runtime.dispatcher.services
    return bool(services.flights or services.shared or services.working or services.running)
