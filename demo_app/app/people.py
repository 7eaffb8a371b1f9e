"""Who is in the list: the search and what it found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo_app.app.faults import explain
from demo_app.app.jobs import (
    ChangePictureJob,
    ConnectJob,
    FetchedPerson,
    FetchPersonJob,
    SavePersonJob,
    SearchPeopleJob,
)
from demo_app.app.jobs import Server as FoundServer
from demo_app.server.models import PeoplePage, PeopleQuery, Person, PersonSummary
from qtorch import RESTARTABLE, BaseOrchestrator, BaseState, JobFailureEvent, JobSuccessEvent, on

if TYPE_CHECKING:
    from qtorch.ports import DefaultRuntime

PAGE = 50
"""Rows that are asked for at a time."""

LONGEST_QUERY = 200
"""Characters that the server takes."""

_MOST = 200
"""Rows that the server gives at a time."""


class PeopleState(BaseState):
    """The search and its answer.

    Attributes
    ----------
    query
        What is looked for; empty for everybody.
    rows
        Those found that were fetched so far, in the order of the list.
    matches
        How many were found; None while that is not known.
    everybody
        How many there are at all; None while that is not known.
    answered
        The query that ``rows`` and ``matches`` are the answer to.
    """

    query: str = ""
    rows: tuple[PersonSummary, ...] = ()
    matches: int | None = None
    everybody: int | None = None
    answered: str = ""
    problem: str = ""


class People(BaseOrchestrator[PeopleState]):
    """Searches as the query changes, and fetches more of the list on demand."""

    def __init__(self, *, runtime: DefaultRuntime) -> None:
        super().__init__(PeopleState(), runtime=runtime)
        self.changed("query").connect(self.reload)

    def reload(self) -> None:
        """Ask for the list anew, as much of it as is there if the query is still the same."""
        state = self.state
        wanted = len(state.rows) if state.query == state.answered else PAGE
        self._ask(0, min(max(PAGE, wanted), _MOST))

    def load_more(self) -> None:
        """Fetch the next rows; no effect at the end of the list, or while something is being fetched."""
        state = self.state
        if len(state.rows) < (state.matches or 0) and not self.is_job_type_running(SearchPeopleJob):
            self._ask(len(state.rows), PAGE)

    def clear_query(self) -> None:
        """Look for everybody."""
        self.update(query="")

    def dismiss(self) -> None:
        """Say no more of the problem."""
        self.update(problem="")

    def _ask(self, offset: int, limit: int) -> None:
        query = PeopleQuery(q=self.state.query[:LONGEST_QUERY], offset=offset, limit=limit)
        self.update(problem="")
        # One lane for all: the answer to an older query, or more rows of it, are of no use to anybody.
        self.dispatch(SearchPeopleJob(query=query), policy=RESTARTABLE)

    @on(JobSuccessEvent, SearchPeopleJob)
    def _found(self, event: JobSuccessEvent[PeoplePage]) -> None:
        page, state = event.data, self.state
        before = state.rows if page.offset else ()
        # By id: when somebody was renamed between two requests, a person can be on both pages.
        rows = tuple({row.id: row for row in (*before, *page.items)}.values())
        everybody = state.everybody if state.query.strip() else page.total
        self.update(rows=rows, matches=page.total, everybody=everybody, answered=state.query, problem="")

    def on_active_failure(self, event: JobFailureEvent) -> None:
        """Say what went wrong; the list stays as it is."""
        self.update(problem=explain(event))

    @on(JobSuccessEvent, ConnectJob, passive=True)
    def _connected(self, event: JobSuccessEvent[FoundServer]) -> None:
        self.update(everybody=event.data.people)
        self.reload()

    @on(JobSuccessEvent, SavePersonJob, passive=True)
    @on(JobSuccessEvent, ChangePictureJob, passive=True)
    def _changed(self, event: JobSuccessEvent[Person]) -> None:
        self._show(event.data)

    @on(JobSuccessEvent, FetchPersonJob, passive=True)
    def _fetched(self, event: JobSuccessEvent[FetchedPerson]) -> None:
        self._show(event.data.person)

    def _show(self, person: Person) -> None:
        row = PersonSummary.model_validate(person.model_dump())
        self.update(rows=tuple(row if row.id == one.id else one for one in self.state.rows))


def count_text(matches: int | None, everybody: int | None, query: str) -> str:
    """Say how many are found, of how many."""
    if matches is None:
        return ""
    if not query.strip() or everybody is None:
        return f"{_number(matches)} people" if matches != 1 else "1 person"
    return f"{_number(matches)} of {_number(everybody)}"


def _number(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")  # a narrow space that does not break
