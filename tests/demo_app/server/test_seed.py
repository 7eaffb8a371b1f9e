from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo_app.server.errors import StartError
from demo_app.server.folding import fold
from demo_app.server.seed import PLACES, load_people

if TYPE_CHECKING:
    from demo_app.server.models import Person

SAMPLE = Path(__file__).parents[3] / "resources" / "demo" / "people.json"


@pytest.fixture(scope="module")
def people() -> tuple[Person, ...]:
    return load_people((SAMPLE,))


def test_the_sample_has_1200_people_numbered_in_the_order_of_their_names(people: tuple[Person, ...]) -> None:
    assert [person.id for person in people] == list(range(1, 1201))
    assert [fold(person.name) for person in people] == sorted(fold(person.name) for person in people)


def test_nobody_in_the_sample_has_an_address_that_could_exist(people: tuple[Person, ...]) -> None:
    assert len({person.email for person in people}) == 1200
    assert [p.email for p in people if not p.email.endswith(("@example.org", ".example"))] == []
    assert [p.email for p in people if not p.email.isascii()] == []


def test_the_sample_is_mixed(people: tuple[Person, ...]) -> None:
    scripts = {unicodedata.name(letter).split()[0] for p in people for letter in p.name if letter.isalpha()}
    assert scripts >= {"LATIN", "GREEK", "CYRILLIC"}
    assert "CJK" not in scripts
    assert {p.role for p in people} == {"viewer", "editor", "admin"}
    assert {(p.mentions, p.public) for p in people} == {(a, b) for a in (True, False) for b in (True, False)}
    assert len({p.bio for p in people}) > 1000
    assert len({p.title for p in people}) > 50


def test_the_sample_has_one_person_a_line() -> None:
    first, *lines, last = SAMPLE.read_text("utf-8").splitlines()
    assert (first, last) == ("[", "]")
    assert [json.loads(line.rstrip(","))["id"] for line in lines] == list(range(1, 1201))


def test_a_checkout_and_an_installed_wheel_are_both_looked_into(people: tuple[Person, ...]) -> None:
    package = Path(__file__).parents[3] / "demo_app"
    assert (package / "_resources" / "demo" / "people.json", SAMPLE) == PLACES
    assert load_people() == people


def test_the_first_place_that_has_the_file_wins(tmp_path: Path) -> None:
    (tmp_path / "wheel.json").write_text("[]")
    assert load_people((tmp_path / "missing.json", tmp_path / "wheel.json", SAMPLE)) == ()


def test_a_missing_file_is_told_with_the_places_and_the_remedy(tmp_path: Path) -> None:
    places = (tmp_path / "a.json", tmp_path / "b.json")
    with pytest.raises(StartError) as caught:
        load_people(places)
    assert str(caught.value) == (
        f"the sample people are missing: looked for {places[0]} and {places[1]}; reinstall qt-orchestrator[demo]"
    )


@pytest.mark.parametrize(
    ("content", "where"),
    [(b"not json", "Invalid JSON"), (b'[{"id": 1}]', "0.name: Field required"), (b"\xff\xfe", "Invalid JSON")],
)
def test_a_spoilt_file_is_told_with_the_place_of_the_fault(tmp_path: Path, content: bytes, where: str) -> None:
    (tmp_path / "people.json").write_bytes(content)
    with pytest.raises(StartError) as caught:
        load_people((tmp_path / "people.json",))
    assert where in str(caught.value)
    assert "\n" not in str(caught.value)
