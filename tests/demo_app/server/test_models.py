# ruff: noqa: RUF001 - names with letters that look like others are what is tested

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from demo_app.server.models import ApiError, PeoplePage, Person, PersonChanges, PersonSummary, messages_by_field

PERSON = Person(
    id=7,
    name="Grace Hopper",
    email="grace@example.org",
    title="Rear admiral",
    role="editor",
    bio="",
    mentions=True,
    public=False,
    member_since=1944,
)


def complaints(**fields: Any) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        PersonChanges(version=1, **fields)
    return messages_by_field(caught.value)


@pytest.mark.parametrize("name", ["", "   ", "\u200b\u200b", "\u00a0", "\u0301", "\n"])
def test_a_name_without_anything_visible_is_blank(name: str) -> None:
    assert complaints(name=name) == {"name": "Enter a name."}


@pytest.mark.parametrize("name", ["Ada\nLovelace", "Ada\u2028Lovelace", "Ada\x00", "Ada\x1b[31m"])
def test_a_name_stays_on_one_line(name: str) -> None:
    assert complaints(name=name) == {"name": "Write it on one line, without control characters."}


@pytest.mark.parametrize("name", ["Ý", "al-Najjār", "Ọ̀ṣúntókun", "Σταυρούλα", "O’Shaughnessy", "x" * 120])
def test_real_names_are_accepted_as_they_are(name: str) -> None:
    assert PersonChanges(version=1, name=name).name == name


def test_blanks_around_a_name_are_dropped_before_it_is_measured() -> None:
    assert PersonChanges(version=1, name=f"  {'x' * 120}\t").name == "x" * 120


def test_a_name_that_is_too_long_is_told_by_how_much() -> None:
    assert complaints(name="x" * 121) == {"name": "Use at most 120 characters; this has 121."}


@pytest.mark.parametrize(
    "email",
    [
        "",
        "grace",
        "grace@navy",
        "@navy.example",
        "grace@",
        "grace@.example",
        "a b@navy.example",
        "a@b@navy.example",
        "grace@navy..example",
        "grace@navy.example.",
        "grace\u200b@navy.example",
        "grace@navy.example\x00",
    ],
)
def test_an_implausible_address_is_refused_with_an_example(email: str) -> None:
    assert complaints(email=email) == {"email": "Enter an address such as name@example.org"}


@pytest.mark.parametrize("email", ["g@navy.example", "a.b+c@d.e.example", "grüße@bücher.example", " a@b.example "])
def test_a_plausible_address_is_accepted(email: str) -> None:
    assert PersonChanges(version=1, email=email).email == email.strip()


def test_a_long_address_is_judged_in_no_time() -> None:
    assert "at most 254" in complaints(email="a@" + "a." * 100_000)["email"]


def test_a_bio_has_lines_but_no_control_characters() -> None:
    assert PersonChanges(version=1, bio="One.\n\tTwo.\n").bio == "One.\n\tTwo.\n"
    assert complaints(bio="bell\x07") == {"bio": "Remove the control characters."}


def test_a_bio_may_have_exactly_2000_characters() -> None:
    assert PersonChanges(version=1, bio="ż" * 2000)
    assert complaints(bio="ż" * 2001) == {"bio": "Use at most 2000 characters; this has 2001."}


def test_half_a_surrogate_pair_is_refused_instead_of_breaking_the_database() -> None:
    assert list(complaints(name="A\ud83d", email="a\ud83d@b.example", bio="\udc00")) == ["name", "email", "bio"]


def test_every_wrong_field_has_its_own_message() -> None:
    assert complaints(name=" ", role="boss", mentions="yes", nickname="x") == {
        "name": "Enter a name.",
        "role": "Input should be 'viewer', 'editor' or 'admin'",
        "mentions": "Input should be a valid boolean",
        "nickname": "There is no such field.",
    }


def test_a_version_is_needed_to_change_anything() -> None:
    with pytest.raises(ValidationError) as caught:
        PersonChanges.model_validate({"name": "Ada"})
    assert messages_by_field(caught.value) == {"version": "Field required"}


def test_the_form_and_the_stored_person_keep_the_same_rules() -> None:
    values = PERSON.model_dump() | {"name": "", "email": "grace@navy"}
    with pytest.raises(ValidationError) as caught:
        Person.model_validate(values)
    assert messages_by_field(caught.value) == complaints(name="", email="grace@navy")


def test_what_travels_cannot_be_changed_on_arrival() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        PERSON.name = "Ada"  # type: ignore[misc]


@pytest.mark.parametrize(
    "model",
    [
        PERSON,
        PeoplePage(
            items=(PersonSummary(id=7, name="Grace", email="g@example.org", role="admin"),), total=1, offset=0, limit=50
        ),
        PersonChanges(version=3, bio="New."),
        ApiError(code="conflict", message="Too late.", current=PERSON),
        ApiError(code="invalid", message="No.", fields={"name": "Enter a name."}),
    ],
)
def test_a_model_survives_the_way_over_the_wire(model: Any) -> None:
    assert type(model).model_validate_json(model.model_dump_json()) == model


@pytest.mark.realtime
def test_the_client_can_import_the_models_without_the_server_and_its_libraries() -> None:
    code = "import sys, demo_app.server.models as m; print({'starlette', 'uvicorn', 'sqlite3'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
