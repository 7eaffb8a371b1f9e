"""The tour's own view of the server: another client, which knows nothing of the app."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import httpx

from demo_app.tour.script import Elsewhere, Until

T = TypeVar("T")


class NotControllableError(Exception):
    """The server does not let its faults be changed."""


class Witness:
    """Asks and changes the server by HTTP, on a thread of its own."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=20)
        self._pool = ThreadPoolExecutor(1, "tour")

    def close(self) -> None:
        """Close the connections, after the request that is running."""
        self._pool.shutdown()
        self._client.close()

    async def get(self, path: str, **params: str | int) -> Any:
        """Give the JSON at ``path``."""
        return (await self._send("GET", path, params=params)).raise_for_status().json()

    async def person(self, person_id: int) -> Any:
        """Give a person."""
        return await self.get(f"/people/{person_id}")

    async def content(self, path: str) -> bytes:
        """Give what is at ``path``."""
        return (await self._send("GET", path)).raise_for_status().content

    async def patch(self, person_id: int, **changes: object) -> Any:
        """Change a person as another user would, and give the person; the version is the current one."""
        version = (await self.person(person_id))["version"]
        return (await self.try_patch(person_id, version=version, **changes)).raise_for_status().json()

    async def try_patch(self, person_id: int, **changes: object) -> httpx.Response:
        """Send changes and give the answer, whatever it is."""
        return await self._send("PATCH", f"/people/{person_id}", json=changes)

    async def try_picture(self, person_id: int, name: str, content: bytes) -> httpx.Response:
        """Send a picture and give the answer, whatever it is."""
        return await self._send("PUT", f"/people/{person_id}/avatar", files={"file": (name, content)})

    async def control(self, *, latency: float = 0.0, fail_rate: float = 0.0, fail_next: int = 0) -> None:
        """Make the server slow or unreliable, or (without arguments) neither.

        Raises
        ------
        NotControllableError
            It was started without ``--control``.
        """
        settings = {"latency": latency, "fail_rate": fail_rate, "fail_next": fail_next}
        answer = await self._send("PUT", "/control", json=settings)
        if answer.is_error:
            raise NotControllableError(f"the server at {self._client.base_url} was not started with --control")

    async def eventually(self, expected: T, path: str, read: Callable[[Any], T], seconds: float) -> T:
        """Ask again and again until ``read(json)`` is what is expected; give what it was last."""
        passed = Until(lambda: False, seconds).__await__()
        while True:
            seen = read(await self.get(path))
            if seen == expected or next(passed, False) is False:
                return seen

    def is_gone(self) -> bool:
        """Whether nothing answers any more. Blocks."""
        try:
            self._client.get("/health")
        except httpx.TransportError:
            return True
        return False

    async def _send(self, method: str, path: str, **content: Any) -> httpx.Response:
        answer: httpx.Response = await Elsewhere(self._pool, lambda: self._client.request(method, path, **content))
        return answer
