"""Drafts: what is wrong in them, what they change, and how they survive the changes of others."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from demo_app.app.draft import Draft
from demo_app.server.models import Person


def ada(**changes: Any) -> Person:
    fields = {"name": "Ada Ærø", "email": "ada@example.org", "title": "Hydrologist", "role": "editor", "bio": "Rivers."}
    return Person(**{**fields, "id": 7, "mentions": True, "public": False, "member_since": 2020, **changes})


def draft(**changes: Any) -> Draft:
    return Draft.of(ada()).model_copy(update=changes)


def test_an_untouched_draft_changes_nothing_and_has_no_faults() -> None:
    assert draft().changes(ada()) == {}
    assert draft().faults() == {}


def test_every_field_is_checked_by_the_rule_of_the_server() -> None:
    faults = draft(name=" ", email="nobody", title="x" * 121, bio="a\x00b").faults()
    assert faults == {
        "name": "Enter a name.",
        "email": "Enter an address such as name@example.org",
        "title": "Use at most 120 characters; this has 121.",
        "bio": "Remove the control characters.",
    }


def test_blanks_that_the_server_drops_are_no_change() -> None:
    assert draft(name="  Ada Ærø ").changes(ada()) == {}


def test_a_faulty_field_is_a_change_as_it_was_typed() -> None:
    assert draft(email="nobody", name=" Bo ").changes(ada()) == {"email": "nobody", "name": "Bo"}


def test_only_what_was_changed_is_sent_with_the_version_it_began_with() -> None:
    sent = draft(title="Poet", public=True).request(ada(version=4))
    assert sent.model_dump(exclude_none=True) == {"version": 4, "title": "Poet", "public": True}


def test_a_faulty_draft_cannot_be_sent() -> None:
    with pytest.raises(ValidationError, match="Enter an address"):
        draft(email="nobody").request(ada())


def test_after_saving_what_was_typed_meanwhile_stays_and_the_rest_is_as_stored() -> None:
    sent = draft(name=" Bo ", title="Poet")
    typed_since = sent.model_copy(update={"bio": "Lakes."})
    stored = ada(name="Bo", title="Poet", version=2)
    assert typed_since.after_saving(sent, stored) == Draft.of(stored).model_copy(update={"bio": "Lakes."})


def test_moved_to_another_version_it_changes_there_what_it_changed_before_and_no_more() -> None:
    theirs = ada(title="Changed by them", bio="Changed by them", version=2)
    moved = draft(bio="Lakes.").moved(ada(), theirs)
    assert moved.changes(theirs) == {"bio": "Lakes."}
    assert moved.title == "Changed by them"
