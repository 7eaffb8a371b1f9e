"""The list and its search, against the real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from demo_app.app.connection import Connection, ConnectionState
from demo_app.app.jobs import SearchPeopleJob
from demo_app.app.people import PAGE, People, count_text
from demo_app.app.profile import Profile
from qtorch import EventLog, JobCancelledEvent, JobRetryingEvent, Runtime

if TYPE_CHECKING:
    from demo_app.app.api import Api
    from tests.demo_app.app.reading import Until
    from tests.demo_app.app.serving import RunningServer

pytestmark = pytest.mark.realtime


@pytest.fixture
def people(runtime: Runtime, until: Until) -> People:
    """People whose first page has come."""
    people = People(runtime=runtime)
    people.reload()
    until(lambda: bool(people.state.rows))
    return people


def names(people: People) -> list[str]:
    return [row.name for row in people.state.rows]


def test_finding_a_server_loads_the_list(runtime: Runtime, server: RunningServer, until: Until) -> None:
    people = People(runtime=runtime)
    connection = Connection(ConnectionState(), runtime=runtime)
    connection.find_server()
    until(lambda: bool(people.state.rows))
    assert names(people) == [item["name"] for item in server.get("/people")["items"]]
    assert people.state.everybody == server.get("/health")["people"]


def test_a_newer_query_cancels_the_older_one_whose_answer_never_shows(
    runtime: Runtime, server: RunningServer, people: People, until: Until
) -> None:
    log, shown = EventLog(runtime.bus), []
    people.changed("rows").connect(lambda _: shown.append(names(people)))
    expected = [item["name"] for item in server.get("/people", q="adi")["items"]]
    server.control(latency=0.2)
    for query in ("a", "ad", "adi"):
        people.update(query=query)
    until(lambda: people.state.answered == "adi")
    assert shown == [expected]
    assert [event.reason for event in log.of(JobCancelledEvent)] == ["superseded", "superseded"]


def test_more_is_appended_until_the_end_of_the_list(server: RunningServer, people: People, until: Until) -> None:
    people.update(query="maria")
    until(lambda: people.state.answered == "maria")
    people.load_more()
    assert not people.has_active_jobs, "there is no more"
    people.clear_query()
    until(lambda: people.state.answered == "")
    people.load_more()
    until(lambda: len(people.state.rows) == 2 * PAGE)
    assert names(people) == [item["name"] for item in server.get("/people", limit=2 * PAGE)["items"]]


def test_more_is_not_asked_for_while_a_search_is_running(people: People, server: RunningServer, until: Until) -> None:
    server.control(latency=0.2)
    people.update(query="adi")
    people.load_more()
    until(lambda: people.state.answered == "adi")
    assert people.state.matches == server.get("/people", q="adi")["total"]


def test_a_person_who_moved_to_the_next_page_meanwhile_is_there_once(
    server: RunningServer, people: People, until: Until
) -> None:
    first = people.state.rows[0]
    server.patch(first.id, name="Adzzz, Moved")
    people.load_more()
    until(lambda: len(people.state.rows) > PAGE)
    assert len({row.id for row in people.state.rows}) == len(people.state.rows)


def test_reloading_keeps_as_many_rows_as_there_were(people: People, until: Until) -> None:
    people.load_more()
    until(lambda: len(people.state.rows) == 2 * PAGE)
    before = people.state.rows
    people.reload()
    until(lambda: not people.has_active_jobs)
    assert people.state.rows == before


def test_a_failing_server_is_asked_again(runtime: Runtime, server: RunningServer, people: People, until: Until) -> None:
    log = EventLog(runtime.bus)
    server.control(fail_next=2)
    people.update(query="ada")
    until(lambda: people.state.answered == "ada")
    assert len(log.of(JobRetryingEvent)) == 2
    assert people.state.problem == ""


def test_a_server_that_is_gone_is_told_of_and_the_list_stays(
    api: Api, own_server: RunningServer, people: People, until: Until
) -> None:
    before = people.state.rows
    api.url = own_server.url
    own_server.process.kill()
    own_server.process.wait()
    people.reload()
    until(lambda: people.state.problem != "")
    assert people.state.problem == f"No server answers at {api.place}."
    assert people.state.rows == before


def test_what_the_profile_fetches_is_shown_in_the_list(
    runtime: Runtime, server: RunningServer, people: People, until: Until
) -> None:
    chosen = people.state.rows[3]
    server.patch(chosen.id, name="Renamed Elsewhere")
    profile = Profile(runtime=runtime)
    profile.choose(chosen)
    until(lambda: people.state.rows[3].name == "Renamed Elsewhere")
    until(lambda: not profile.has_active_jobs)


def test_a_query_longer_than_the_server_takes_is_cut(people: People, until: Until) -> None:
    people.update(query="x" * 1000)
    until(lambda: people.state.matches == 0)
    assert people.state.problem == ""


@pytest.mark.parametrize(
    ("matches", "everybody", "query", "text"),
    [
        (None, None, "", ""),
        (1200, 1200, "", "1\u202f200 people"),
        (1, 1, "", "1 person"),
        (12, 1200, "adi", "12 of 1\u202f200"),
        (0, 1200, "zzz", "0 of 1\u202f200"),
        (12, None, "adi", "12 people"),
        (1200, 1200, "  ", "1\u202f200 people"),
    ],
)
def test_the_count_says_how_many_of_how_many(matches: int | None, everybody: int | None, query: str, text: str) -> None:
    assert count_text(matches, everybody, query) == text


def test_jobs_of_the_list_retry_only_what_passes() -> None:
    policy = SearchPeopleJob.default_options.retry
    assert policy is not None
    assert not policy.allows(ValueError("a bug"), 0)
