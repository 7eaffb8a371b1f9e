"""The server's HTTP interface as typed calls."""

from __future__ import annotations

import socket
from collections.abc import Callable
from io import BytesIO
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from demo_app.app.faults import (
    AnswerLostError,
    ConflictError,
    InvalidFieldsError,
    NotConnectedError,
    RefusedError,
    ServerBusyError,
    UnreadableAnswerError,
)
from demo_app.server.models import ApiError, Health, PeoplePage, PeopleQuery, Person, PersonChanges

M = TypeVar("M", bound=BaseModel)

_CONNECT = 3.0
"""Seconds for a connection: one that needs longer is none."""

_SILENCE = 20.0
"""Seconds without a byte: longer than what the jobs allow themselves, so that theirs is what the user is told."""


_SEND_BUFFER = (socket.SOL_SOCKET, socket.SO_SNDBUF, 128 * 1024)
"""The kernel would take 3 MB at once (measured), and a progress bar be full before the server has seen anything."""


class Api:
    """One client of one server; every call belongs to the asyncio loop.

    Parameters
    ----------
    url
        Where the server is, such as ``http://127.0.0.1:8000``; empty while there is none. It can be changed, since a
        server that is started anew has another port.

    Raises
    ------
    DemoFault
        By every call; its message is for the user.
    """

    def __init__(self, url: str = "") -> None:
        self.url = url
        # Without the environment's proxies: none of them knows the way to 127.0.0.1.
        self._client = httpx.AsyncClient(
            trust_env=False,
            timeout=httpx.Timeout(_SILENCE, connect=_CONNECT),
            transport=httpx.AsyncHTTPTransport(socket_options=[_SEND_BUFFER]),
        )

    @property
    def place(self) -> str:
        """The server's host and port, as the user may be told them."""
        return urlsplit(self.url).netloc

    async def health(self) -> Health:
        """Ask whether the server is up."""
        return self._read(Health, await self._request("GET", "/health"))

    async def people(self, query: PeopleQuery) -> PeoplePage:
        """List a stretch of the people that match."""
        params = query.model_dump()
        return self._read(PeoplePage, await self._request("GET", "/people", params=params))

    async def person(self, person_id: int) -> Person:
        """Fetch one person."""
        return self._read(Person, await self._request("GET", f"/people/{person_id}"))

    async def change(self, person_id: int, changes: PersonChanges) -> Person:
        """Store changes, and give the person as stored.

        Raises
        ------
        ConflictError
            Somebody else was faster.
        InvalidFieldsError
            The server found a fault in a field.
        """
        body = changes.model_dump(exclude_none=True)
        return self._read(Person, await self._request("PATCH", f"/people/{person_id}", json=body))

    async def picture(self, path: str) -> bytes:
        """Fetch a picture by the path that its person names."""
        return (await self._request("GET", path)).content

    async def change_picture(
        self, person_id: int, name: str, content: bytes, content_type: str, sent: Callable[[int], object]
    ) -> Person:
        """Send a picture as it is, and give the person as stored; ``sent(bytes)`` is called as it goes out."""
        files = {"file": (name, _Counted(content, sent), content_type)}
        return self._read(Person, await self._request("PUT", f"/people/{person_id}/avatar", files=files))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _request(self, method: str, path: str, **content: object) -> httpx.Response:
        if not self.url:
            raise NotConnectedError("The server has not been started yet.")
        try:
            response = await self._client.request(method, f"{self.url}{path}", **content)  # type: ignore[arg-type]
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NotConnectedError(f"No server answers at {self.place}.") from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise AnswerLostError(f"The connection to {self.place} broke before the server had answered.") from error
        if response.is_success:
            return response
        raise self._refusal(response)

    def _read(self, model: type[M], response: httpx.Response) -> M:
        try:
            return model.model_validate_json(response.content)
        except ValidationError as error:
            raise self._unreadable(response) from error

    def _refusal(self, response: httpx.Response) -> Exception:
        try:
            error = ApiError.model_validate_json(response.content)
        except ValidationError:
            return self._unreadable(response)
        match response.status_code:
            case 503:
                return ServerBusyError(error.message)
            case 409 if error.current is not None:
                return ConflictError(error.message, error.current)
            case 422:
                return InvalidFieldsError(error.message, error.fields)
            case _:
                return RefusedError(error.message)

    def _unreadable(self, response: httpx.Response) -> Exception:
        return UnreadableAnswerError(
            f"What answers at {self.place} is not the server of this demo "
            f"({response.status_code} for {response.request.method} {response.request.url.path})."
        )


class _Counted(BytesIO):
    """A file in memory that tells how much of it was read; httpx reads it piece by piece as it sends."""

    def __init__(self, content: bytes, sent: Callable[[int], object]) -> None:
        super().__init__(content)
        self._sent = sent

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        self._sent(self.tell())
        return piece
