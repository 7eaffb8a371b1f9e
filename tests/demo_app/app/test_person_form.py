"""The form of a person: what is wrong in it, what it changes, and how that survives the changes of others."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from demo_app.app.faults import ConflictError, InvalidFieldsError
from demo_app.app.jobs import FetchedPerson, FetchPersonJob, SavePersonJob
from demo_app.app.profile import Leaving, Profile
from demo_app.server.models import Person, PersonSummary
from qtorch import Form, executes

if TYPE_CHECKING:
    from qtorch.testing.hygiene import TestRuntime
    from tests.demo_app.app.reading import Until

pytestmark = pytest.mark.realtime


def ada(**changes: Any) -> Person:
    fields = {"name": "Ada Ærø", "email": "ada@example.org", "title": "Hydrologist", "role": "editor", "bio": "Rivers."}
    return Person(**{**fields, "id": 7, "mentions": True, "public": False, "member_since": 2020, **changes})


SOMEBODY_ELSE = PersonSummary(id=8, name="", email="", role="viewer")


class Answers:
    """What the server answers to the next saves, and what it was asked."""

    def __init__(self) -> None:
        self.saves: list[Person | Exception] = []
        self.asked: list[dict[str, Any]] = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    def save(self, job: SavePersonJob) -> Person:
        self.asked.append(job.changes.model_dump(exclude_none=True))
        answer = self.saves.pop(0)
        self.may_answer.wait(10)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def answers(qtorch_runtime: TestRuntime) -> Answers:
    answers = Answers()
    qtorch_runtime.register(
        executes(FetchPersonJob)(lambda job: FetchedPerson(person=ada(id=job.person_id, version=4), at=0.0)),
        executes(SavePersonJob)(answers.save),
    )
    return answers


@pytest.fixture
def profile(qtorch_runtime: TestRuntime, answers: Answers, until: Until) -> Profile:
    """The profile of Ada in version 4."""
    profile = Profile(runtime=qtorch_runtime)
    profile.choose(PersonSummary.model_validate(ada().model_dump()))
    until(lambda: profile.form.is_valid)
    return profile


@pytest.fixture
def form(profile: Profile) -> Form[Person]:
    return profile.form


def type_(form: Form[Person], **values: Any) -> None:
    for name, value in values.items():
        form.field(lambda p, name=name: getattr(p, name)).set(value)


def errors(form: Form[Person]) -> dict[str, str]:
    found = {name: form.error(lambda p, name=name: getattr(p, name)).get() for name in Person.model_fields}
    return {name: message for name, message in found.items() if message}


# -- what is wrong, and what is sent -----------------------------------------------------------------------------------


def test_an_untouched_form_changes_nothing_and_has_no_errors(form: Form[Person]) -> None:
    assert (form.changes(), errors(form), form.is_dirty) == ({}, {}, False)


def test_every_field_is_checked_by_the_rule_of_the_server(form: Form[Person]) -> None:
    type_(form, name=" ", email="nobody", title="x" * 121, bio="a\x00b")
    assert errors(form) == {
        "name": "Enter a name.",
        "email": "Enter an address such as name@example.org",
        "title": "Use at most 120 characters; this has 121.",
        "bio": "Remove the control characters.",
    }


def test_blanks_that_the_server_drops_are_no_change(form: Form[Person]) -> None:
    type_(form, name="  Ada Ærø ")
    assert (form.changes(), form.is_dirty) == ({}, False)


def test_a_faulty_field_is_unsaved_as_it_was_typed(form: Form[Person]) -> None:
    type_(form, email="nobody")
    assert form.is_dirty
    assert form.field(lambda p: p.email).get() == "nobody"


def test_a_faulty_form_cannot_be_sent(form: Form[Person], answers: Answers) -> None:
    type_(form, email="nobody")
    form.submit()
    assert not form.submit.running
    with pytest.raises(ValueError, match="is not valid"):
        form.changes()


def test_only_what_was_changed_is_sent_with_the_version_it_began_with(
    form: Form[Person], answers: Answers, until: Until
) -> None:
    type_(form, title="Poet", public=True)
    answers.saves = [ada(title="Poet", public=True, version=5)]
    form.submit()
    until(lambda: not form.submit.running)
    assert answers.asked == [{"version": 4, "title": "Poet", "public": True}]
    assert (form.is_dirty, form.value) == (False, ada(title="Poet", public=True, version=5))


def test_after_saving_what_was_typed_meanwhile_stays_and_the_rest_is_as_stored(
    form: Form[Person], answers: Answers, until: Until
) -> None:
    type_(form, name=" Bo ", title="Poet")
    answers.saves = [ada(name="Bo", title="Poet", version=5)]
    form.submit()
    type_(form, bio="Lakes.")
    until(lambda: not form.submit.running)
    assert form.value == ada(name="Bo", title="Poet", bio="Lakes.", version=5)
    assert form.changes() == {"bio": "Lakes."}


def test_what_the_server_refuses_is_told_at_its_field_until_that_is_edited(
    profile: Profile, form: Form[Person], answers: Answers, until: Until
) -> None:
    type_(form, email="taken@example.org")
    answers.saves = [InvalidFieldsError("Some fields are wrong.", {"email": "This address is taken."})]
    form.submit()
    until(lambda: profile.state.save_problem != "")
    assert errors(form) == {"email": "This address is taken."}
    assert profile.state.save_problem == "Ada Ærø was not saved. Some fields are wrong. This address is taken."
    type_(form, email="free@example.org")
    assert errors(form) == {}


def test_what_the_server_refuses_of_somebody_who_is_no_longer_shown_is_not_told_at_the_fields_of_who_is(
    profile: Profile, form: Form[Person], answers: Answers, until: Until
) -> None:
    type_(form, email="taken@example.org")
    answers.saves = [InvalidFieldsError("Some fields are wrong.", {"email": "This address is taken."})]
    form.submit()
    profile.choose(SOMEBODY_ELSE)
    profile.discard_and_leave()
    until(lambda: not profile.has_active_jobs and profile.state.save_problem != "")
    assert (errors(form), form.is_dirty) == ({}, False)


def test_what_is_typed_while_saving_before_leaving_is_saved_too(
    profile: Profile, form: Form[Person], answers: Answers, until: Until
) -> None:
    type_(form, title="Poet")
    answers.saves = [ada(title="Poet", version=5), ada(title="Poet", bio="Lakes.", version=6)]
    profile.choose(SOMEBODY_ELSE)
    profile.save_and_leave()
    type_(form, bio="Lakes.")
    until(lambda: profile.state.chosen == SOMEBODY_ELSE)
    assert answers.asked == [{"version": 4, "title": "Poet"}, {"version": 5, "bio": "Lakes."}]


def test_who_is_left_while_another_is_still_being_saved_is_saved_after_that_one(
    profile: Profile, form: Form[Person], answers: Answers, until: Until
) -> None:
    answers.may_answer.clear()
    answers.saves = [ada(title="Poet", version=5), ada(id=8, bio="Lakes.", version=5)]
    type_(form, title="Poet")
    form.submit()
    profile.choose(SOMEBODY_ELSE)
    profile.discard_and_leave()
    until(lambda: form.is_valid)
    type_(form, bio="Lakes.")
    assert not profile.may_close()
    profile.save_and_leave()
    answers.may_answer.set()
    until(lambda: len(answers.asked) == 2 and profile.may_close())


def test_who_wants_to_save_first_what_cannot_be_saved_stays(profile: Profile, form: Form[Person]) -> None:
    type_(form, email="nobody")
    profile.choose(SOMEBODY_ELSE)
    assert profile.state.leaving == Leaving(to=SOMEBODY_ELSE)
    profile.save_and_leave()
    assert profile.state.leaving is None


# -- what others change ------------------------------------------------------------------------------------------------


@pytest.fixture
def in_conflict(profile: Profile, form: Form[Person], answers: Answers, until: Until) -> Profile:
    """Title and bio were changed by others, the bio and the name here too; a save was refused for that."""
    type_(form, bio="Lakes.", name="Bo")
    answers.saves = [ConflictError("Somebody else was faster.", ada(title="Theirs", bio="Theirs", version=6))]
    form.submit()
    until(lambda: profile.state.in_conflict)
    return profile


def test_in_a_conflict_what_was_typed_stays_and_the_rest_follows(in_conflict: Profile) -> None:
    form = in_conflict.form
    assert form.value == ada(name="Bo", title="Theirs", bio="Lakes.", version=6)
    assert form.changes() == {"name": "Bo", "bio": "Lakes."}
    assert form.conflicts == (("Bio",),)


def test_nothing_is_stored_over_theirs_before_that_is_decided(
    in_conflict: Profile, answers: Answers, until: Until
) -> None:
    in_conflict.dismiss_conflict()
    answers.saves = [ConflictError("Somebody else was faster.", ada(title="Theirs", bio="Theirs", version=6))]
    in_conflict.form.submit()
    until(lambda: in_conflict.state.in_conflict)
    assert [asked["version"] for asked in answers.asked] == [4, 4]


def test_decided_for_mine_what_was_typed_is_stored_over_theirs(
    in_conflict: Profile, answers: Answers, until: Until
) -> None:
    answers.saves = [ada(name="Bo", title="Theirs", bio="Lakes.", version=7)]
    in_conflict.save_mine_anyway()
    until(lambda: not in_conflict.form.is_dirty)
    assert answers.asked[-1] == {"version": 6, "name": "Bo", "bio": "Lakes."}
    assert not in_conflict.state.in_conflict


def test_it_cannot_be_decided_for_mine_while_something_is_being_saved(
    profile: Profile, form: Form[Person], answers: Answers, until: Until
) -> None:
    theirs = ada(title="Theirs", version=6)
    answers.may_answer.clear()
    answers.saves = [ConflictError("Somebody else was faster.", theirs)]
    type_(form, bio="Lakes.")
    form.submit()
    profile._take(theirs)
    assert profile.state.in_conflict
    assert not profile.save_mine_anyway.enabled
    answers.may_answer.set()
    until(lambda: profile.save_mine_anyway.enabled)
    assert profile.state.in_conflict


def test_a_conflict_is_over_when_nothing_of_mine_is_left(in_conflict: Profile) -> None:
    type_(in_conflict.form, bio="Theirs", name="Ada Ærø")
    assert not in_conflict.form.is_dirty
    assert not in_conflict.state.in_conflict
    assert in_conflict.state.based_on == 6


def test_a_picture_that_changes_meanwhile_is_no_conflict_and_decides_none(profile: Profile, form: Form[Person]) -> None:
    type_(form, bio="Lakes.")
    profile._take(ada(avatar="/people/7/avatar?v=5", version=5))
    assert (profile.state.in_conflict, profile.state.based_on) == (False, 5)
    profile._take(ada(avatar="/people/7/avatar?v=5", bio="Theirs", version=6))
    profile._take(ada(avatar="/people/7/avatar?v=7", bio="Theirs", version=7))
    assert (profile.state.in_conflict, profile.state.based_on) == (True, 5)
