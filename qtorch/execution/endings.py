"""How executors end: each once, where it works, after its last job."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from qtorch.errors import ErrorReport
from qtorch.execution.base_executor import forget_running

if TYPE_CHECKING:
    from qtorch.execution.dispatcher import Registration
    from qtorch.execution.services import Services


class Endings:
    """Closes the executors that get no new jobs. The bus's thread, but for the executors' own calls."""

    __slots__ = ("_closing", "_leaving", "_services")

    def __init__(self, services: Services) -> None:
        self._services = services
        self._leaving: list[Registration] = []
        self._closing: list[str] = []

    def end(self, registration: Registration) -> None:
        """Have the executor closed by the first :meth:`look` after its jobs have ended."""
        self._leaving.append(registration)

    def end_meanwhile(self, registration: Registration) -> None:
        """Have the executor closed as soon as its jobs have ended, while others go on."""
        self.end(registration)
        services = self._services
        for run in (*services.running.values(), *(attempt.run for attempt in tuple(services.working))):
            if run.registration is registration:
                run.handle().add_rest_callback(self.look)
        self.look()

    def look(self, _: object = None) -> None:
        """Close those whose jobs have ended, their work included."""
        if not self._leaving:
            return
        services = self._services
        busy = {run.registration for run in tuple(services.running.values())}
        busy.update(attempt.run.registration for attempt in services.working)
        for registration in tuple(self._leaving):
            if registration not in busy:
                self._leaving.remove(registration)
                self._close(registration)

    @property
    def is_idle(self) -> bool:
        """Whether none is still to be closed."""
        return not self._leaving and not self._closing

    @property
    def unfinished(self) -> tuple[str, ...]:
        """The calls of ``close`` and ``aclose`` that have not returned."""
        return tuple(self._closing)

    def _close(self, registration: Registration) -> None:
        executor, services = registration.executor, self._services
        forget_running(executor, services.running)
        forget_running(executor, services.shared)
        if executor.running_jobs:  # it works for another Runtime too, which closes it
            return
        aclose, close = getattr(executor, "aclose", None), getattr(executor, "close", None)
        end = aclose if inspect.iscoroutinefunction(aclose) else close
        if not callable(end):
            return
        label = f"{type(executor).__name__}.{'close' if end is close else 'aclose'}"
        self._closing.append(label)

        def told() -> None:
            services.mailbox.post(self._closed, label)

        if end is aclose or registration.runner is services.loop:
            services.loop.call(self._in_loop(end, label), told)
        else:
            services.threads.call(self._in_thread(end, label, told))

    def _closed(self, label: str) -> None:
        self._closing.remove(label)

    def _in_loop(self, end: Callable[[], object], label: str) -> Callable[[], Coroutine[Any, Any, None]]:
        async def call() -> None:
            try:
                answer = end()
                if inspect.isawaitable(answer):
                    await answer
            except BaseException as error:  # noqa: BLE001 - user code, and nothing may escape into the loop
                self._services.sink.report(ErrorReport(error, label))

        return call

    def _in_thread(self, end: Callable[[], object], label: str, told: Callable[[], object]) -> Callable[[], None]:
        def call() -> None:
            try:
                end()
            except BaseException as error:  # noqa: BLE001 - user code on a pool thread: nothing may escape
                self._services.sink.report(ErrorReport(error, label))
            finally:
                told()

        return call
