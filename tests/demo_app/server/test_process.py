from __future__ import annotations

import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.realtime

Start = Callable[..., tuple[subprocess.Popen[str], httpx.Client]]

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """The exit code, and what was printed after the address."""
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


def test_killed_in_the_middle_of_writes_it_comes_back_with_all_that_it_answered(start: Start, tmp_path: Path) -> None:
    process, client = start()
    answered: dict[int, tuple[int, str]] = {}
    enough = threading.Event()

    def write(person: int) -> None:
        version = 1
        try:
            while True:
                bio = f"bio {version} " * 50
                response = client.patch(f"/people/{person}", json={"version": version, "bio": bio})
                version = response.raise_for_status().json()["version"]
                answered[person] = (version, bio)
                if version == 20:
                    enough.set()
        except httpx.TransportError:
            pass  # the server is dead

    threads = [threading.Thread(target=write, args=(person,)) for person in range(1, 5)]
    for thread in threads:
        thread.start()
    assert enough.wait(20)
    process.kill()
    for thread in threads:
        thread.join()
    with closing(sqlite3.connect(tmp_path / "people.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    _, client = start()
    assert client.get("/health").json()["people"] == 1200
    assert sorted(answered) == [1, 2, 3, 4]
    for person, (version, bio) in answered.items():
        stored = client.get(f"/people/{person}").json()
        # One change more may have been stored, whose answer the kill cut off.
        assert (stored["version"], stored["bio"]) in {(version, bio), (version + 1, f"bio {version} " * 50)}


def test_two_servers_started_at_once_on_one_new_file_share_it(start: Start) -> None:
    servers: list[tuple[subprocess.Popen[str], httpx.Client]] = []
    threads = [threading.Thread(target=lambda: servers.append(start())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (_, one), (_, other) = servers
    assert [client.get("/health").json()["people"] for client in (one, other)] == [1200, 1200]
    assert one.patch("/people/1", json={"version": 1, "bio": "One."}).status_code == 200
    assert other.patch("/people/1", json={"version": 1, "bio": "Other."}).json()["current"]["bio"] == "One."


def test_sigterm_ends_it_cleanly_and_the_next_start_has_everything(start: Start, tmp_path: Path) -> None:
    process, client = start()
    client.patch("/people/1", json={"version": 1, "name": "Somebody Else"}).raise_for_status()
    client.put("/people/1/avatar", files={"file": ("a.png", PNG)}).raise_for_status()
    process.terminate()
    assert end(process) == (0, "", "")
    # The log was written back: the one file is all there is to copy.
    assert [path.name for path in tmp_path.iterdir()] == ["people.db"]
    _, client = start()
    person = client.get("/people/1").json()
    assert (person["name"], person["version"]) == ("Somebody Else", 3)
    assert client.get(person["avatar"]).content == PNG


def test_ctrl_c_ends_it_with_130_and_without_a_traceback(start: Start, tmp_path: Path) -> None:
    process, client = start()
    assert client.get("/people").status_code == 200
    process.send_signal(signal.SIGINT)
    assert end(process) == (130, "", "")
    assert [path.name for path in tmp_path.iterdir()] == ["people.db"]


def test_a_slow_server_answers_what_waits_and_stops_at_once(start: Start) -> None:
    process, client = start("--latency", "3600", "--control")
    answers: list[int] = []
    waiting = threading.Thread(target=lambda: answers.append(client.get("/people/1").status_code))
    waiting.start()
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(client.base_url.join("/people/2"), trust_env=False, timeout=0.5)
    process.terminate()
    assert end(process) == (0, "", "")
    waiting.join()
    assert answers == [200]


def begin_upload(client: httpx.Client) -> socket.socket:
    """An upload that the server has begun to read."""
    upload = socket.create_connection((client.base_url.host, client.base_url.port or 0), timeout=20)
    upload.sendall(
        b"PUT /people/1/avatar HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\nExpect: 100-continue\r\n\r\n"
    )
    assert upload.recv(100).startswith(b"HTTP/1.1 100 ")
    upload.sendall(b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + PNG)
    return upload


def test_an_upload_that_never_ends_does_not_keep_it_from_stopping(start: Start) -> None:
    process, client = start()
    with begin_upload(client) as upload:
        process.terminate()
        answer = b"".join(iter(lambda: upload.recv(65536), b""))
    code, _, printed = end(process)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"The server is stopping." in answer
    assert code == 0
    assert "Traceback" not in printed


def test_an_upload_broken_off_in_the_middle_changes_nothing_and_is_no_error(start: Start) -> None:
    process, client = start()
    begin_upload(client).close()
    person = client.get("/people/1").json()
    assert (person["version"], person["avatar"]) == (1, None)
    process.terminate()
    assert end(process) == (0, "", "")


def test_it_ends_with_its_stdin(start: Start, tmp_path: Path) -> None:
    process, client = start("--exit-with-stdin")
    assert client.get("/health").status_code == 200
    assert process.stdin
    process.stdin.write("anything")
    process.stdin.flush()
    assert client.get("/health").status_code == 200
    assert end(process) == (0, "", "")  # communicate() closes stdin
    assert [path.name for path in tmp_path.iterdir()] == ["people.db"]


def test_it_does_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent_code = """
import subprocess, sys
child = [sys.executable, "-m", "demo_app.server", "--db", sys.argv[1], "--exit-with-stdin"]
process = subprocess.Popen(child, stdin=subprocess.PIPE)
process.wait()
"""
    with subprocess.Popen(
        [sys.executable, "-c", parent_code, str(tmp_path / "people.db")], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        assert parent.stdout.readline().startswith("listening on ")
        parent.kill()
        assert parent.stdout.read() == ""  # returns when the last process that has the pipe has ended: the child


def test_without_the_flag_the_end_of_stdin_means_nothing(start: Start) -> None:
    process, client = start()
    assert process.stdin
    process.stdin.close()
    process.stdin = None
    assert client.get("/health").status_code == 200
    assert process.poll() is None


def test_the_seed_decides_which_requests_fail(start: Start) -> None:
    _, client = start("--fail-rate", "0.5", "--seed", "7")
    generator = random.Random(7)
    expected = [503 if generator.random() < 0.5 else 200 for _ in range(20)]
    assert [client.get("/people/1").status_code for _ in range(20)] == expected
    assert {200, 503} == set(expected)
