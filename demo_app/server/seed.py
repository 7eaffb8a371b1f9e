"""The fictional people that a new database begins with."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from demo_app.server.errors import StartError
from demo_app.server.models import Person

_APP = Path(__file__).resolve().parent.parent

PLACES = (_APP / "_resources" / "demo" / "people.json", _APP.parent / "resources" / "demo" / "people.json")
"""Where the file is: in an installed wheel, and in a checkout."""


def load_people(places: tuple[Path, ...] = PLACES) -> tuple[Person, ...]:
    """Read the people from the first of the places that has them.

    Raises
    ------
    StartError
        The file is in none of the places, or does not hold people.
    """
    for place in places:
        try:
            content = place.read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise StartError(f"the sample people in {place} cannot be read: {error.strerror}") from error
        try:
            return TypeAdapter(tuple[Person, ...]).validate_json(content)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise StartError(f"{place} does not hold people: {where}: {first['msg']}") from error
    looked = " and ".join(str(place) for place in places)
    raise StartError(f"the sample people are missing: looked for {looked}; reinstall qt-orchestrator[demo]")
