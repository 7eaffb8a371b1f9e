"""The people and their pictures, as the server reads and changes them."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable
from typing import IO, TYPE_CHECKING, NamedTuple, Self

from demo_app.server.database import derived_columns, open_database, transaction
from demo_app.server.folding import fold
from demo_app.server.models import PeoplePage, PeopleQuery, Person, PersonChanges, PersonSummary
from demo_app.server.seed import load_people

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK = 256 * 1024
_SELECT = """
    SELECT people.*, avatars.version AS avatar_version
    FROM people LEFT JOIN avatars ON avatars.person_id = people.id
"""


class PersonNotFound(LookupError):  # noqa: N818 - it says what is the case, as FileNotFoundError would without "Error"
    """There is no person of this id."""


class VersionConflict(Exception):  # noqa: N818
    """The person was changed since the version that the change started from.

    Attributes
    ----------
    current
        The person as stored now.
    """

    def __init__(self, current: Person) -> None:
        super().__init__(f"person {current.id} has version {current.version}")
        self.current = current


class Avatar(NamedTuple):
    """A stored picture; ``version`` is that of the person when it was stored."""

    version: int
    content_type: str
    image: bytes


class Store:
    """People in one SQLite file.

    Every method blocks on the disk, and may be called from any thread: calls take turns on one connection, since
    SQLite lets only one write at a time and a search of 1,200 people takes about a millisecond.

    Parameters
    ----------
    path
        The database file; made and filled if there is none.
    seed
        Called for the people of a new file.

    Raises
    ------
    StartError
        The file cannot be used.
    """

    def __init__(self, path: Path, seed: Callable[[], Iterable[Person]] = load_people) -> None:
        self._connection = open_database(path, seed)
        self._connection.row_factory = sqlite3.Row
        self._turn = threading.Lock()

    def close(self) -> None:
        """Write the log back into the file and let go of it, after the call that is running."""
        with self._turn:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def count(self) -> int:
        """Count the people."""
        with self._turn:
            number: int = self._connection.execute("SELECT count(*) FROM people").fetchone()[0]
        return number

    def page(self, query: PeopleQuery) -> PeoplePage:
        """Look up a stretch of the people that match, ordered by name."""
        words = fold(query.q).split()
        # instr() and not LIKE: "%" and "_" are letters that somebody may look for.
        matches = " AND ".join(["instr(search_text, ?)"] * len(words)) or "1"
        with self._turn:
            total = self._connection.execute(f"SELECT count(*) FROM people WHERE {matches}", words).fetchone()[0]
            rows = self._connection.execute(
                f"{_SELECT} WHERE {matches} ORDER BY sort_key, id LIMIT ? OFFSET ?", (*words, query.limit, query.offset)
            ).fetchall()
        items = tuple(PersonSummary.model_validate(_wire(row)) for row in rows)
        return PeoplePage(items=items, total=total, offset=query.offset, limit=query.limit)

    def person(self, person_id: int) -> Person:
        """Look up one person.

        Raises
        ------
        PersonNotFound
            There is none of this id.
        """
        with self._turn:
            return self._person(person_id)

    def change(self, person_id: int, changes: PersonChanges) -> Person:
        """Store changes, if nobody else changed the person since ``changes.version``.

        Raises
        ------
        PersonNotFound
            There is none of this id.
        VersionConflict
            Somebody was faster; nothing is stored.
        """
        with self._turn, transaction(self._connection):
            current = self._person(person_id)
            if current.version != changes.version:
                raise VersionConflict(current)
            new_values = changes.model_dump(exclude={"version"}, exclude_none=True)
            changed = current.model_copy(update=new_values | {"version": current.version + 1})
            self._connection.execute(
                """
                UPDATE people SET name = :name, email = :email, title = :title, role = :role, bio = :bio,
                    mentions = :mentions, public = :public, version = :version,
                    sort_key = :sort_key, search_text = :search_text
                WHERE id = :id
                """,
                changed.model_dump() | derived_columns(changed),
            )
        return changed

    def avatar(self, person_id: int) -> Avatar | None:
        """Read the picture of a person, None if there is none.

        Raises
        ------
        PersonNotFound
            There is nobody of this id.
        """
        with self._turn:
            self._person(person_id)
            row = self._connection.execute(
                "SELECT version, content_type, image FROM avatars WHERE person_id = ?", (person_id,)
            ).fetchone()
        return Avatar(*row) if row else None

    def change_avatar(self, person_id: int, content_type: str, image: IO[bytes], size: int) -> Person:
        """Store a picture of ``size`` bytes, read from ``image`` in pieces.

        Raises
        ------
        PersonNotFound
            There is none of this id.
        """
        with self._turn, transaction(self._connection):
            version = self._person(person_id).version + 1
            self._connection.execute(
                "INSERT OR REPLACE INTO avatars VALUES (?, ?, ?, zeroblob(?))", (person_id, version, content_type, size)
            )
            with self._connection.blobopen("avatars", "image", person_id) as blob:
                while piece := image.read(_CHUNK):
                    blob.write(piece)
            self._connection.execute("UPDATE people SET version = ? WHERE id = ?", (version, person_id))
            return self._person(person_id)

    def _person(self, person_id: int) -> Person:
        row = self._connection.execute(f"{_SELECT} WHERE id = ?", (person_id,)).fetchone()
        if row is None:
            raise PersonNotFound(person_id)
        return Person.model_validate(_wire(row))


def _wire(row: sqlite3.Row) -> dict[str, object]:
    values: dict[str, object] = dict(row)
    version = values.pop("avatar_version")
    values["avatar"] = None if version is None else f"/people/{values['id']}/avatar?v={version}"
    return values
