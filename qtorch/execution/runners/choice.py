"""Where the work of an executor is done."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from qtorch.execution.attempt import Runner
    from qtorch.execution.base_executor import BaseExecutor
    from qtorch.execution.services import Services
    from qtorch.job.base_job import BaseJob

_Prepare = Callable[[Any, "BaseJob[Any]"], Any]


def choose_runner(executor: BaseExecutor[Any], services: Services) -> tuple[Runner, _Prepare | None]:
    """Give the runner that ``executor`` asks for, and what prepares a job for it, if that is needed.

    Raises
    ------
    TypeError
        It asks for none that there is, or for processes with an ``async def process``.
    """
    asked: object = getattr(executor, "runner", None)
    is_async = inspect.iscoroutinefunction(executor.process) or inspect.isasyncgenfunction(executor.process)
    if asked is None:
        return services.loop if is_async else services.threads, None
    name = type(executor).__name__
    if asked == "process":
        if is_async:
            raise TypeError(
                f'{name} has runner = "process" and an async def process, and a worker process has no event loop.\n'
                f"  Write a plain def process, or take runner away to have it run on the Runtime's loop."
            )
        pool = services.process_pool()
        return pool, pool.parcels.prepare
    if not (callable(getattr(asked, "submit", None)) and callable(getattr(asked, "stop", None))):
        raise TypeError(
            f"{name}.runner is {asked!r}, which cannot run jobs.\n"
            f'  Write None for a thread or the loop, "process" for a worker process, '
            f"or an object of a class of your own that inherits from qtorch.Runner."
        )
    runner = cast("Runner", asked)
    services.given_runners[id(runner)] = runner
    return runner, None
