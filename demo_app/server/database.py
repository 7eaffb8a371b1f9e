"""Opening the one SQLite file that the server keeps: its schema, its first fill, and what can be wrong with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from demo_app.server.errors import StartError
from demo_app.server.folding import fold

if TYPE_CHECKING:
    from pathlib import Path

    from demo_app.server.models import Person

APPLICATION_ID = 0x71746F72
"""``qtor``, in the header of the file: tells our databases from those of other programs, which are left alone."""

SCHEMA_VERSION = 1

BUSY_SECONDS = 10.0
"""How long to wait for another process that writes."""

_SCHEMA = (
    """
    CREATE TABLE people (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        email TEXT NOT NULL,
        title TEXT NOT NULL,
        role TEXT NOT NULL,
        bio TEXT NOT NULL,
        mentions INTEGER NOT NULL,
        public INTEGER NOT NULL,
        member_since INTEGER NOT NULL,
        version INTEGER NOT NULL,
        sort_key TEXT NOT NULL,
        search_text TEXT NOT NULL
    )
    """,
    "CREATE INDEX people_in_order ON people (sort_key, id)",
    # The image comes last: SQLite reads the columns before it without walking the pages of a 5 MB blob.
    """
    CREATE TABLE avatars (
        person_id INTEGER PRIMARY KEY REFERENCES people (id),
        version INTEGER NOT NULL,
        content_type TEXT NOT NULL,
        image BLOB NOT NULL
    )
    """,
)

_REASONS = {
    "SQLITE_NOTADB": "is not an SQLite database; it was left as it is, name another file",
    "SQLITE_CORRUPT": "is damaged; it was left as it is, move it away to begin anew",
    "SQLITE_READONLY": "is not writable: change its permissions, or name another file",
    "SQLITE_CANTOPEN": "cannot be opened or made: is its folder writable?",
    "SQLITE_BUSY": "is locked by another program",
}


def open_database(path: Path, seed: Callable[[], Iterable[Person]]) -> sqlite3.Connection:
    """Open the database of people, and make it if there is none yet.

    Parameters
    ----------
    path
        The file; its folder has to exist.
    seed
        Called for the first people if the file is new. They are stored in one transaction with the schema: a process
        that is killed in the middle leaves a file that the next start fills from the beginning.

    Returns
    -------
    sqlite3.Connection
        In autocommit mode, in WAL mode, usable from any thread by one at a time.

    Raises
    ------
    StartError
        The file cannot be used. It was not changed.
    """
    try:
        _check_place(path)
        # As a URI, because sqlite3 takes a file that is called ":memory:" or "" for no file at all.
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rwc",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=BUSY_SECONDS,
        )
        try:
            _prepare(connection, path, seed)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        # Extended codes such as SQLITE_READONLY_DBMOVED begin with the plain one.
        code = getattr(error, "sqlite_errorname", "")
        reason = next((text for name, text in _REASONS.items() if code.startswith(name)), f"cannot be used: {error}")
        raise StartError(f"{path} {reason}") from error
    except OSError as error:
        raise StartError(f"{path} cannot be used: {error.strerror}") from error
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the body as one write transaction: all of it is stored, or nothing if it raises."""
    # IMMEDIATE takes the write lock at once: two processes that both read first and then write would fail as busy,
    # without waiting, because neither can be let through.
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def derived_columns(person: Person) -> dict[str, str]:
    """Compute what the list is sorted by and searched in."""
    return {"sort_key": fold(person.name), "search_text": fold(f"{person.name}\n{person.email}\n{person.title}")}


def _check_place(path: Path) -> None:
    if path.is_dir():
        raise StartError(f"{path} is a folder: name the database file in it")
    if not path.absolute().parent.is_dir():
        raise StartError(f"the folder of {path} does not exist: make it first")
    # SQLite takes a file of one byte for an empty one (measured with 3.40), and would overwrite it.
    if path.exists() and path.stat().st_size == 1:
        raise StartError(f"{path} {_REASONS['SQLITE_NOTADB']}")


def _prepare(connection: sqlite3.Connection, path: Path, seed: Callable[[], Iterable[Person]]) -> None:
    with transaction(connection):
        ours = _number(connection, "PRAGMA application_id") == APPLICATION_ID
        if not ours and _number(connection, "SELECT count(*) FROM sqlite_schema"):
            raise StartError(f"{path} is the database of another program; it was left as it is, name another file")
        if not ours:
            _fill(connection, seed())
        elif (version := _number(connection, "PRAGMA user_version")) != SCHEMA_VERSION:
            raise StartError(
                f"{path} has format {version} and this server reads {SCHEMA_VERSION}: move it away to begin anew"
            )
        # Written at every start: in WAL mode a file that is read-only lets a write transaction begin, and would fail at
        # the first save instead of here (measured with 3.40).
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("PRAGMA journal_mode = WAL")
    # Enough for WAL: a killed process loses nothing, a power cut at most the last answers.
    connection.execute("PRAGMA synchronous = NORMAL")


def _fill(connection: sqlite3.Connection, people: Iterable[Person]) -> None:
    for statement in _SCHEMA:
        connection.execute(statement)
    connection.executemany(
        """
        INSERT INTO people VALUES (
            :id, :name, :email, :title, :role, :bio, :mentions, :public, :member_since, :version,
            :sort_key, :search_text
        )
        """,
        (person.model_dump(exclude={"avatar"}) | derived_columns(person) for person in people),
    )
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _number(connection: sqlite3.Connection, query: str) -> int:
    value: int = connection.execute(query).fetchone()[0]
    return value
