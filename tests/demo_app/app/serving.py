"""The real server as a process, and another client of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from pathlib import Path


class RunningServer:
    """What a test knows of the server beside the app."""

    def __init__(self, process: subprocess.Popen[str], url: str, client: httpx.Client) -> None:
        self.process, self.url, self._client = process, url, client

    def get(self, path: str, **params: str | int) -> Any:
        """Give the JSON at a path."""
        return self._client.get(path, params=params).raise_for_status().json()

    def person(self, person_id: int) -> Any:
        """Give a person as stored."""
        return self.get(f"/people/{person_id}")

    def patch(self, person_id: int, **changes: object) -> Any:
        """Change a person as another user would."""
        body = {"version": self.person(person_id)["version"], **changes}
        return self._client.patch(f"/people/{person_id}", json=body).raise_for_status().json()

    def content(self, path: str) -> bytes:
        """Give what is at a path."""
        return self._client.get(path).raise_for_status().content

    def control(self, *, latency: float = 0.0, fail_rate: float = 0.0, fail_next: int = 0) -> None:
        """Make it slow or unreliable, or neither."""
        settings = {"latency": latency, "fail_rate": fail_rate, "fail_next": fail_next}
        self._client.put("/control", json=settings).raise_for_status()


@contextmanager
def running_server(database: Path, *options: str) -> Iterator[RunningServer]:
    """Run the server, controllable, until the end of the block."""
    command = [sys.executable, "-m", "demo_app.server", "--control", "--db", str(database), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            with httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
                yield RunningServer(process, url, client)
        finally:
            process.kill()
