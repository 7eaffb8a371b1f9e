"""Whether there is a server to talk to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo_app.app.faults import explain
from demo_app.app.jobs import ConnectJob, FetchedPerson, FetchPersonJob, SearchPeopleJob, Server, ServerEnded
from qtorch import DROPPABLE, BaseOrchestrator, BaseState, JobFailureEvent, JobSuccessEvent, on

if TYPE_CHECKING:
    from demo_app.server.models import PeoplePage


class ConnectionState(BaseState):
    """The server in use, or why there is none."""

    server: Server | None = None
    problem: str = ""


class Connection(BaseOrchestrator[ConnectionState]):
    """Finds the server, starting it if it is the app's own, and notices when that one ends.

    Who shows what a server has loads it anew when this has found one: hear ``JobSuccessEvent`` of ``ConnectJob``.
    """

    def find_server(self) -> None:
        """Look for the server, unless that is being done."""
        self.update(problem="")
        self.dispatch(ConnectJob(), policy=DROPPABLE)

    def dismiss(self) -> None:
        """Say no more of the problem."""
        self.update(problem="")

    @on(JobSuccessEvent, ConnectJob)
    def _found(self, event: JobSuccessEvent[Server]) -> None:
        self.update(server=event.data, problem="")

    def on_active_failure(self, event: JobFailureEvent) -> None:
        """Say why there is no server."""
        self.update(server=None, problem=explain(event))

    @on(JobSuccessEvent, SearchPeopleJob, passive=True)
    def _answers_searches(self, event: JobSuccessEvent[PeoplePage]) -> None:
        self._answers(event.is_from_cache)

    @on(JobSuccessEvent, FetchPersonJob, passive=True)
    def _answers_fetches(self, event: JobSuccessEvent[FetchedPerson]) -> None:
        self._answers(event.is_from_cache)

    def _answers(self, is_from_cache: bool) -> None:
        # It was thought to be gone, and is back; what comes from the cache says nothing about that.
        if self.state.server is None and not is_from_cache:
            self.find_server()

    @on(ServerEnded)
    def _ended(self, event: ServerEnded) -> None:
        self.update(server=None, problem=event.message)
