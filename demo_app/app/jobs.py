"""What the window asks for, and how each of it is run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from PySide6.QtGui import QImage

from demo_app.app.faults import NOT_DONE, PASSING
from demo_app.server.models import PeoplePage, PeopleQuery, Person, PersonChanges
from qtorch import BaseEvent, BaseJob, BaseState, CachePolicy, JobOptions, RetryPolicy

_READING = RetryPolicy(max_retries=3, base_delay=0.25, jitter=0.2, retry_on=PASSING)
_WRITING = RetryPolicy(max_retries=2, base_delay=0.25, jitter=0.2, retry_on=NOT_DONE)
"""Only what the server has certainly not done is sent twice."""


class Server(BaseState):
    """A server that answers: where it is, and how many people it has."""

    url: str
    people: int

    @property
    def place(self) -> str:
        """Its host and port, as the user may be told them."""
        return urlsplit(self.url).netloc


class ConnectJob(BaseJob[Server]):
    """Find the server, and start it first if it is the app's own."""

    default_options = JobOptions(deadline=30.0, retry=RetryPolicy(max_retries=2, base_delay=0.3, retry_on=PASSING))


@dataclass(frozen=True)
class ServerEnded(BaseEvent):
    """The app's own server has stopped by itself; ``message`` is for the user."""

    message: str


class SearchPeopleJob(BaseJob[PeoplePage]):
    """List a stretch of the people that match."""

    default_options = JobOptions(timeout=10.0, retry=_READING)

    query: PeopleQuery


class FetchedPerson(BaseState):
    """A person, and when the server said so: seconds since 1970."""

    person: Person
    at: float


class FetchPersonJob(BaseJob[FetchedPerson]):
    """Fetch one person."""

    default_options = JobOptions(timeout=10.0, retry=_READING)

    person_id: int


class SavePersonJob(BaseJob[Person]):
    """Store ``changes`` of ``person``, if the server has no newer version than the one that they name."""

    default_options = JobOptions(timeout=15.0, retry=_WRITING)

    person: Person
    changes: PersonChanges


class LoadPictureJob(BaseJob[QImage]):
    """Fetch a picture, cut to a circle of ``side`` device-independent pixels."""

    default_options = JobOptions(timeout=15.0, retry=_READING)

    path: str
    side: int
    device_pixel_ratio: float = 1.0


class RoundPictureJob(BaseJob[QImage]):
    """Decode a picture and cut it to a circle."""

    content: bytes
    side: int
    device_pixel_ratio: float = 1.0


class PictureFile(BaseState):
    """A picture that can be sent: its name, its content as it is in the file, the media type of that."""

    name: str
    content: bytes
    content_type: str


class ReadPictureJob(BaseJob[PictureFile]):
    """Read a file and see whether the server would take it as a picture."""

    path: Path


class ChangePictureJob(BaseJob[Person]):
    """Give a person the picture in a file."""

    default_options = JobOptions(timeout=60.0, retry=_WRITING)

    person_id: int
    path: Path


def person_key(person_id: int) -> str:
    """Name a person in the cache."""
    return f"person:{person_id}"


def person_cache(person_id: int, *, force_refresh: bool = False) -> CachePolicy:
    """Show a person that was seen in the last ten minutes at once, and refresh it all the same."""
    return CachePolicy(key=person_key(person_id), ttl=600.0, force_refresh=force_refresh)


def picture_cache(path: str, side: int, device_pixel_ratio: float) -> CachePolicy:
    """Keep a picture for good: another one has another path."""
    return CachePolicy(key=f"picture:{path}@{side}x{device_pixel_ratio:g}", revalidate=False)
