"""The client against the real server, and against what is no server at all."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from demo_app.app.api import Api
from demo_app.app.faults import (
    AnswerLostError,
    ConflictError,
    DemoFault,
    InvalidFieldsError,
    NotConnectedError,
    RefusedError,
    ServerBusyError,
    UnreadableAnswerError,
)
from demo_app.server.models import PeopleQuery, PersonChanges

if TYPE_CHECKING:
    from tests.demo_app.app.serving import RunningServer

pytestmark = pytest.mark.realtime
T = TypeVar("T")


def ask(url: str, call: Callable[[Api], Awaitable[T]]) -> T:
    """Make one call with a client of its own."""

    async def make() -> T:
        api = Api(url)
        try:
            return await call(api)
        finally:
            await api.aclose()

    return asyncio.run(make())


def failure(url: str, call: Callable[[Api], Awaitable[Any]], kind: type[DemoFault]) -> DemoFault:
    with pytest.raises(kind) as raised:
        ask(url, call)
    return raised.value


def test_every_answer_arrives_as_its_model(server: RunningServer) -> None:
    page = ask(server.url, lambda api: api.people(PeopleQuery(q="adi", limit=2)))
    assert [item.model_dump() for item in page.items] == server.get("/people", q="adi", limit=2)["items"]
    assert ask(server.url, lambda api: api.person(7)).model_dump() == server.person(7)
    assert ask(server.url, lambda api: api.health()).people == server.get("/health")["people"]


def test_a_change_is_stored(server: RunningServer, me: int) -> None:
    stored = ask(server.url, lambda api: api.change(me, PersonChanges(version=1, title="Poet")))
    assert stored.model_dump() == server.person(me)
    assert stored.title == "Poet"


def test_a_change_of_an_older_version_gives_the_current_one(server: RunningServer, me: int) -> None:
    theirs = server.patch(me, title="Faster")
    error = failure(server.url, lambda api: api.change(me, PersonChanges(version=1, title="Poet")), ConflictError)
    assert isinstance(error, ConflictError)
    assert error.current.model_dump() == theirs


def test_faulty_fields_are_named_in_the_message(server: RunningServer) -> None:
    changes = PersonChanges.model_construct(version=1, email="nobody")
    error = failure(server.url, lambda api: api.change(7, changes), InvalidFieldsError)
    assert isinstance(error, InvalidFieldsError)
    assert error.fields == {"email": "Enter an address such as name@example.org"}
    assert "Enter an address" in str(error)


def test_a_picture_goes_out_in_pieces_and_comes_back_as_it_was(server: RunningServer, me: int) -> None:
    content = b"\x89PNG\r\n\x1a\n" + bytes(300_000)
    sent: list[int] = []
    stored = ask(server.url, lambda api: api.change_picture(me, "ä.png", content, "image/png", sent.append))
    assert server.content(str(stored.avatar)) == content
    assert sent == sorted(sent)
    assert len(sent) > 3
    assert sent[-1] == len(content)
    assert ask(server.url, lambda api: api.picture(str(stored.avatar))) == content


def test_a_picture_that_the_server_refuses_is_told_of_in_its_words(server: RunningServer) -> None:
    error = failure(server.url, lambda api: api.change_picture(7, "x", b"no", "image/png", print), RefusedError)
    assert str(error) == "This is no PNG, JPEG or WebP picture."


def test_an_unknown_person_is_refused(server: RunningServer) -> None:
    assert str(failure(server.url, lambda api: api.person(99_999), RefusedError)) == "There is no person 99999."


def test_a_busy_server_has_done_nothing(server: RunningServer) -> None:
    server.control(fail_next=1)
    error = failure(server.url, lambda api: api.person(7), ServerBusyError)
    assert str(error) == "The server cannot answer just now; try again."


def test_nobody_at_the_address_is_no_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = failure(f"http://127.0.0.1:{port}", lambda api: api.health(), NotConnectedError)
    assert str(error) == f"No server answers at 127.0.0.1:{port}."


def test_a_connection_that_breaks_leaves_open_what_was_done() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            connection, _ = listener.accept()
            connection.recv(1000)
            connection.close()

        thread = Thread(target=hang_up)
        thread.start()
        failure(f"http://127.0.0.1:{listener.getsockname()[1]}", lambda api: api.health(), AnswerLostError)
        thread.join()


@pytest.mark.parametrize("status", [200, 404])
def test_another_web_server_at_the_address_is_told_of_as_such(status: int) -> None:
    class Hello(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"<h1>Hello</h1>")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own
            pass

    with HTTPServer(("127.0.0.1", 0), Hello) as other:
        thread = Thread(target=other.handle_request)
        thread.start()
        url = f"http://127.0.0.1:{other.server_port}"
        error = failure(url, lambda api: api.health(), UnreadableAnswerError)
        thread.join()
    assert "is not the server of this demo" in str(error)
    assert str(status) in str(error)


def test_the_proxies_of_the_environment_are_not_asked(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert ask(server.url, lambda api: api.person(7)).id == 7
