from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from demo_app.server.database import open_database
from demo_app.server.errors import StartError
from demo_app.server.seed import load_people
from demo_app.server.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from demo_app.server.models import Person


def nobody() -> tuple[Person, ...]:
    return ()


def number_of_people(path: Path) -> int:
    with Store(path, nobody) as store:
        return store.count()


@pytest.mark.realtime
def test_a_process_killed_in_the_middle_of_the_fill_leaves_a_file_that_the_next_start_fills(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    code = """
import os, pathlib, signal, sys
from demo_app.server.database import open_database
from demo_app.server.seed import load_people

def die_half_way():
    for number, person in enumerate(load_people()):
        if number == 600:
            os.kill(os.getpid(), signal.SIGKILL)
        yield person

open_database(pathlib.Path(sys.argv[1]), die_half_way)
"""
    done = subprocess.run([sys.executable, "-c", code, str(path)])
    assert done.returncode == -signal.SIGKILL
    with Store(path) as store:
        assert store.count() == 1200


def test_a_fill_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def people() -> Iterator[Person]:
        yield from load_people()[:10]
        raise StartError("the sample people are missing")

    with pytest.raises(StartError, match="sample people are missing"):
        Store(tmp_path / "people.db", people)
    assert (tmp_path / "people.db").read_bytes() == b""


@pytest.mark.realtime
def test_many_that_open_a_new_file_at_once_fill_it_once(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    start = threading.Barrier(8)
    counts: list[int] = []

    def open_and_count() -> None:
        start.wait()
        with Store(path) as store:
            counts.append(store.count())

    threads = [threading.Thread(target=open_and_count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [1200] * 8


def test_an_existing_file_is_not_filled_again(tmp_path: Path) -> None:
    with Store(tmp_path / "people.db", nobody) as store:
        assert store.count() == 0
    assert number_of_people(tmp_path / "people.db") == 0


@pytest.mark.parametrize("name", [":memory:", "what?.db", "50%41.db", "a#b.db", "файл.db", "with space.db"])
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    with closing(open_database(tmp_path / name, nobody)):
        assert (tmp_path / name).is_file()


@pytest.mark.parametrize(
    "content", [b"x", b"xy", b"Dear diary,\n" * 5, b"Dear diary,\n" * 5000, b"SQLite format 3\x00", bytes(4096)]
)
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "diary.txt"
    path.write_bytes(content)
    with pytest.raises(StartError) as caught:
        open_database(path, nobody)
    assert str(caught.value).startswith(f"{path} is ")
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_the_database_of_another_program_is_refused_and_left_as_it_is(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "places.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"PRAGMA journal_mode = {mode}")
        other.execute("CREATE TABLE places (name)")
    content = path.read_bytes()
    with pytest.raises(StartError) as caught:
        open_database(path, nobody)
    assert str(caught.value) == f"{path} is the database of another program; it was left as it is, name another file"
    assert path.read_bytes() == content


def test_a_database_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    with closing(open_database(path, nobody)) as connection:
        connection.execute("PRAGMA user_version = 2")
    with pytest.raises(StartError, match="has format 2 and this server reads 1: move it away to begin anew"):
        open_database(path, nobody)


def test_a_truncated_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    Store(path).close()
    os.truncate(path, 100)
    content = path.read_bytes()
    with pytest.raises(StartError, match=r"is damaged|is not an SQLite database"):
        open_database(path, nobody)
    assert path.read_bytes() == content


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(StartError) as caught:
        open_database(tmp_path, nobody)
    assert str(caught.value) == f"{tmp_path} is a folder: name the database file in it"


def test_a_file_in_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartError) as caught:
        open_database(tmp_path / "no" / "people.db", nobody)
    assert str(caught.value) == f"the folder of {tmp_path}/no/people.db does not exist: make it first"


def test_a_file_that_is_kept_locked_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "people.db"
    Store(path, nobody).close()
    monkeypatch.setattr("demo_app.server.database.BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StartError) as caught:
            open_database(path, nobody)
    assert str(caught.value) == f"{path} is locked by another program"
