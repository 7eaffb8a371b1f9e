from __future__ import annotations

import gc
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from demo_app.server.models import MAX_AVATAR_BYTES, ApiError
from demo_app.server.reading import picture_type

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import httpx

    from demo_app.server.store import Store

pytestmark = pytest.mark.realtime

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256))
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 " + bytes(range(256))
HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'


@pytest.fixture
def client(three: Store, serve: Callable[..., AbstractContextManager[httpx.Client]]) -> Iterator[httpx.Client]:
    with serve(three) as client:
        yield client
    gc.collect()  # a form file that nobody closed would warn now, and fail the test


def put(client: httpx.Client, content: bytes, name: str = "a.png", kind: str = "image/png") -> httpx.Response:
    return client.put("/people/1/avatar", files={"file": (name, content, kind)})


def error(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, ApiError.model_validate_json(response.content).code


def begin_upload(client: httpx.Client, *chunks: bytes, person: int = 1) -> socket.socket:
    """Send the beginning of a chunked upload, whose length nobody announces."""
    connection = socket.create_connection((client.base_url.host, client.base_url.port or 0), timeout=20)
    connection.sendall(
        b"PUT /people/%d/avatar HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n" % person
        + b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    )
    for chunk in (HEAD, *chunks):
        connection.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
    return connection


def receive_json(connection: socket.socket) -> bytes:
    answer = b""
    while not answer.endswith(b"}"):
        part = connection.recv(65536)
        assert part, f"the connection was closed after {answer!r}"
        answer += part
    return answer


# --- what goes wrong ---


def test_a_picture_above_the_limit_is_refused_while_it_is_still_being_sent(client: httpx.Client) -> None:
    with begin_upload(client, PNG, *[bytes(64 * 1024)] * 81) as connection:
        answer = receive_json(connection)  # the upload goes on: its last chunk was never sent
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"too_large","message":"A picture may have 5 MB; this one is larger."' in answer
    assert client.get("/people/1").json()["avatar"] is None


def test_a_client_that_sends_on_after_the_limit_still_hears_the_answer(client: httpx.Client) -> None:
    assert error(put(client, PNG + bytes(20_000_000))) == (413, "too_large")
    assert client.get("/people/1").json()["version"] == 1


def test_one_byte_above_the_limit_is_too_large(client: httpx.Client) -> None:
    assert error(put(client, PNG.ljust(MAX_AVATAR_BYTES + 1))) == (413, "too_large")


def test_a_picture_for_nobody_is_refused_before_it_is_sent(client: httpx.Client) -> None:
    with begin_upload(client, person=4) as connection:
        assert receive_json(connection).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG",
        b"GIF89a" + bytes(99),
        b"<svg/>",
        b"RIFF\x10\x00\x00\x00WAVEfmt ",
        b" " + PNG,
        b"\xef\xbb\xbf" + PNG,
    ],
)
def test_what_is_called_a_picture_and_is_none_is_refused(client: httpx.Client, content: bytes) -> None:
    assert error(put(client, content)) == (415, "unsupported_type")
    assert client.get("/people/1").json()["version"] == 1


def test_a_form_without_the_file_names_the_field(client: httpx.Client) -> None:
    response = client.put("/people/1/avatar", files={"picture": ("a.png", PNG)})
    assert error(response) == (422, "invalid")
    assert response.json()["fields"] == {"file": "Send the picture as a file in the multipart field “file”."}


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "image/png"}, {"Content-Type": "application/json"}])
def test_a_bare_picture_is_no_form(client: httpx.Client, headers: dict[str, str]) -> None:
    assert error(client.put("/people/1/avatar", content=PNG, headers=headers)) == (422, "invalid")


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=y"])
def test_a_form_that_cannot_be_taken_apart_is_malformed(client: httpx.Client, content_type: str) -> None:
    body = HEAD + PNG + b"\r\n--x--\r\n"
    response = client.put("/people/1/avatar", content=body, headers={"Content-Type": content_type})
    assert error(response) == (400, "malformed")


def test_two_files_at_once_are_refused(client: httpx.Client) -> None:
    files = [("file", ("a.png", PNG)), ("file", ("b.png", PNG))]
    assert error(client.put("/people/1/avatar", files=files)) == (400, "malformed")


def test_nobody_has_no_picture_and_gets_none(client: httpx.Client) -> None:
    assert error(client.get("/people/4/avatar")) == (404, "not_found")
    assert error(client.put("/people/4/avatar", files={"file": ("a.png", PNG)})) == (404, "not_found")


def test_a_person_without_a_picture_says_so(client: httpx.Client) -> None:
    response = client.get("/people/1/avatar")
    assert error(response) == (404, "not_found")
    assert response.json()["message"] == "Person 1 has no picture."


# --- what goes right ---


@pytest.mark.parametrize(("content", "kind"), [(PNG, "image/png"), (JPEG, "image/jpeg"), (WEBP, "image/webp")])
def test_the_content_decides_what_a_picture_is(client: httpx.Client, content: bytes, kind: str) -> None:
    person = put(client, content, "holiday.txt", "text/plain").json()
    assert (person["version"], person["avatar"]) == (2, "/people/1/avatar?v=2")
    picture = client.get(person["avatar"])
    assert (picture.content, picture.headers["content-type"]) == (content, kind)


def test_a_picture_of_exactly_the_limit_is_stored_to_the_last_byte(client: httpx.Client) -> None:
    content = PNG + bytes(MAX_AVATAR_BYTES - len(PNG) - 1) + b"!"
    assert put(client, content).status_code == 200
    assert client.get("/people/1/avatar").content == content


def test_a_picture_may_come_in_small_chunks_of_unknown_number(client: httpx.Client) -> None:
    with begin_upload(client, *[PNG[n : n + 1] for n in range(len(PNG))], b"\r\n--x--\r\n") as connection:
        connection.sendall(b"0\r\n\r\n")
        assert receive_json(connection).startswith(b"HTTP/1.1 200 ")
    assert client.get("/people/1/avatar").content == PNG


def test_the_address_of_a_version_is_kept_for_ever_and_any_other_is_asked_for_again(client: httpx.Client) -> None:
    put(client, PNG)
    caching = {path: client.get(f"/people/1/avatar{path}").headers["cache-control"] for path in ("?v=2", "?v=1", "")}
    assert caching == {
        "?v=2": "private, max-age=31536000, immutable",
        "?v=1": "private, no-cache",
        "": "private, no-cache",
    }


def test_a_client_that_has_the_picture_is_told_so_until_there_is_a_new_one(client: httpx.Client) -> None:
    put(client, PNG)
    known = {"If-None-Match": client.get("/people/1/avatar").headers["etag"]}
    assert client.get("/people/1/avatar", headers=known).status_code == 304
    assert client.get("/people/1/avatar", headers=known).content == b""
    put(client, JPEG)
    assert client.get("/people/1/avatar", headers=known).content == JPEG


def test_a_signature_has_to_be_whole() -> None:
    assert [picture_type(PNG[:n]) for n in (7, 8)] == [None, "image/png"]
    assert [picture_type(JPEG[:n]) for n in (2, 3)] == [None, "image/jpeg"]
    assert [picture_type(WEBP[:n]) for n in (11, 12)] == [None, "image/webp"]
