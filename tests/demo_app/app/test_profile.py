"""One person between the server and the form: nothing that was typed is lost, whatever the server and others do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from demo_app.app.jobs import SavePersonJob, person_key
from demo_app.app.profile import Leaving, Left, Profile, Saved
from demo_app.server.models import PersonSummary
from qtorch import MISSING, Runtime

if TYPE_CHECKING:
    from tests.demo_app.app.reading import Until
    from tests.demo_app.app.serving import RunningServer

pytestmark = pytest.mark.realtime


def summary(server: RunningServer, person_id: int) -> PersonSummary:
    return PersonSummary.model_validate(server.person(person_id))


@pytest.fixture
def profile(runtime: Runtime, server: RunningServer, until: Until, me: int) -> Profile:
    """The profile of ``me``, who has come."""
    profile = Profile(runtime=runtime)
    profile.choose(summary(server, me))
    until(lambda: profile.state.stored is not None)
    return profile


def type_(profile: Profile, **values: Any) -> None:
    """Type into fields of the form."""
    for name, value in values.items():
        profile.form.field(lambda p, name=name: getattr(p, name)).set(value)


def typed(profile: Profile, name: str) -> object:
    """What stands in a field of the form."""
    return profile.form.field(lambda p: getattr(p, name)).get()


def effects_of(profile: Profile) -> list[object]:
    effects: list[object] = []
    profile.effect.connect(effects.append)
    return effects


def stored(profile: Profile) -> dict[str, Any]:
    assert profile.state.stored is not None
    return profile.state.stored.model_dump()


# -- fetching ----------------------------------------------------------------------------------------------------------


def test_who_is_chosen_is_known_at_once_and_wholly_when_the_server_has_answered(
    runtime: Runtime, server: RunningServer, until: Until, me: int
) -> None:
    profile = Profile(runtime=runtime)
    profile.choose(summary(server, me))
    assert profile.state.shown == summary(server, me)
    assert typed(profile, "name") == ""
    until(lambda: profile.state.stored is not None)
    assert stored(profile) == server.person(me)


def test_the_person_chosen_last_is_shown_however_the_answers_come(
    profile: Profile, server: RunningServer, until: Until, me: int
) -> None:
    server.control(latency=0.2)
    for person_id in (me + 1, me + 2, me + 3):
        profile.choose(PersonSummary(id=person_id, name="", email="", role="viewer"))
    until(lambda: not profile.has_active_jobs)
    assert stored(profile)["id"] == me + 3


def test_a_person_seen_before_is_shown_from_the_cache_and_then_refreshed(
    profile: Profile, server: RunningServer, until: Until, me: int
) -> None:
    first, before = summary(server, me), server.person(me)
    profile.choose(summary(server, me + 1))
    until(lambda: profile.state.stored is not None)
    fresh = server.patch(me, title="Changed meanwhile")
    server.control(latency=0.4)
    profile.choose(first)
    until(lambda: profile.state.cached_at is not None)
    assert stored(profile) == before
    until(lambda: profile.state.cached_at is None)
    assert stored(profile) == fresh


def test_a_person_whose_fetching_failed_can_be_fetched_again(
    profile: Profile, server: RunningServer, until: Until, me: int
) -> None:
    server.control(fail_next=4)
    # Not asked of the server, which would use up one of its failures.
    profile.choose(PersonSummary(id=me + 1, name="Somebody", email="s@example.org", role="viewer"))
    until(lambda: profile.state.fetch_problem != "")
    assert profile.state.fetch_problem == "The server cannot answer just now; try again."
    profile.reload()
    until(lambda: profile.state.stored is not None)
    assert profile.state.fetch_problem == ""
    assert stored(profile)["id"] == me + 1


def test_a_refresh_does_not_touch_what_is_being_typed(profile: Profile, until: Until) -> None:
    type_(profile, bio="Typed")
    profile.reload()
    until(lambda: not profile.has_active_jobs)
    assert typed(profile, "bio") == "Typed"
    assert not profile.state.in_conflict


def test_a_refresh_that_brings_changes_of_others_while_typing_is_a_conflict(
    profile: Profile, server: RunningServer, until: Until, me: int
) -> None:
    type_(profile, bio="Typed")
    theirs = server.patch(me, title="Theirs")
    profile.reload()
    until(lambda: profile.state.in_conflict)
    assert stored(profile) == theirs
    assert typed(profile, "bio") == "Typed"


# -- saving ------------------------------------------------------------------------------------------------------------


def test_only_changed_and_correct_drafts_can_be_saved(profile: Profile) -> None:
    assert not profile.form.submit.enabled
    type_(profile, email="nobody")
    assert profile.form.summary == "E-mail: Enter an address such as name@example.org"
    assert profile.form.is_dirty
    assert not profile.form.submit.enabled
    profile.form.submit()
    assert not profile.is_job_type_running(SavePersonJob)
    type_(profile, email="some.body@example.org")
    assert profile.form.submit.enabled


def test_what_was_typed_is_stored_and_no_longer_in_the_cache(
    profile: Profile, runtime: Runtime, server: RunningServer, until: Until, me: int
) -> None:
    effects = effects_of(profile)
    type_(profile, name="  New Name ", public=True)
    profile.form.submit()
    until(lambda: not profile.has_active_jobs and not profile.form.is_dirty)
    assert server.person(me)["name"] == "New Name"
    assert server.person(me)["public"] is True
    assert stored(profile) == server.person(me)
    assert typed(profile, "name") == "New Name"
    assert effects == [Saved("New Name")]
    assert runtime.cache.read(person_key(me)) is MISSING


def test_what_is_typed_while_saving_stays(profile: Profile, server: RunningServer, until: Until, me: int) -> None:
    server.control(latency=0.2)
    type_(profile, title="Poet")
    profile.form.submit()
    type_(profile, bio="Typed meanwhile")
    until(lambda: not profile.is_job_type_running(SavePersonJob))
    assert (typed(profile, "title"), typed(profile, "bio")) == ("Poet", "Typed meanwhile")
    assert profile.form.is_dirty
    assert server.person(me)["title"] == "Poet"


def test_a_failed_save_is_told_of_and_can_be_repeated(
    profile: Profile, server: RunningServer, until: Until, me: int
) -> None:
    type_(profile, title="Poet")
    server.control(fail_next=3)
    profile.form.submit()
    until(lambda: profile.state.save_problem != "")
    name = stored(profile)["name"]
    assert profile.state.save_problem == f"{name} was not saved. The server cannot answer just now; try again."
    assert typed(profile, "title") == "Poet"
    profile.form.submit()
    until(lambda: not profile.form.is_dirty)
    assert profile.state.save_problem == ""
    assert server.person(me)["title"] == "Poet"


def test_a_conflict_keeps_what_was_typed_and_stores_nothing(
    profile: Profile, server: RunningServer, until: Until, me: int
) -> None:
    theirs = server.patch(me, title="Theirs")
    type_(profile, bio="Mine")
    profile.form.submit()
    until(lambda: profile.state.in_conflict)
    assert typed(profile, "bio") == "Mine"
    assert server.person(me) == theirs


def test_reloading_theirs_forgets_mine(profile: Profile, server: RunningServer, until: Until, me: int) -> None:
    server.patch(me, title="Theirs")
    type_(profile, bio="Mine")
    profile.form.submit()
    until(lambda: profile.state.in_conflict)
    profile.revert()
    assert not profile.state.in_conflict
    assert not profile.form.is_dirty
    assert stored(profile) == server.person(me)


def test_saving_mine_anyway_keeps_what_they_changed_elsewhere(
    profile: Profile, server: RunningServer, until: Until, me: int
) -> None:
    server.patch(me, title="Theirs", bio="Theirs")
    type_(profile, bio="Mine")
    profile.form.submit()
    until(lambda: profile.state.in_conflict)
    profile.save_mine_anyway()
    until(lambda: not profile.form.is_dirty)
    assert (server.person(me)["title"], server.person(me)["bio"]) == ("Theirs", "Mine")


def test_a_change_that_was_stored_although_its_answer_got_lost_is_no_conflict(
    profile: Profile, server: RunningServer, until: Until, me: int
) -> None:
    effects = effects_of(profile)
    type_(profile, bio="Mine")
    server.patch(me, bio="Mine")  # what the server did before the connection broke
    profile.form.submit()
    until(lambda: not profile.form.is_dirty)
    assert not profile.state.in_conflict
    assert len(effects) == 1


def test_saving_twice_at_once_saves_once(profile: Profile, server: RunningServer, until: Until, me: int) -> None:
    version = server.person(me)["version"]
    server.control(latency=0.1)
    type_(profile, title="Poet")
    profile.form.submit()
    profile.form.submit()
    until(lambda: not profile.has_active_jobs)
    assert server.person(me)["version"] == version + 1
    assert not profile.state.in_conflict


# -- leaving -----------------------------------------------------------------------------------------------------------


def test_unsaved_changes_are_asked_about_before_another_person_is_shown(
    profile: Profile, server: RunningServer, me: int
) -> None:
    type_(profile, bio="Mine")
    other = summary(server, me + 1)
    profile.choose(other)
    assert profile.state.leaving == Leaving(to=other)
    assert stored(profile)["id"] == me
    profile.stay()
    assert profile.state.leaving is None
    assert typed(profile, "bio") == "Mine"


def test_discarding_goes_on_to_the_other_person(profile: Profile, server: RunningServer, until: Until, me: int) -> None:
    type_(profile, bio="Mine")
    profile.choose(summary(server, me + 1))
    profile.discard_and_leave()
    until(lambda: profile.state.stored is not None)
    assert stored(profile)["id"] == me + 1
    assert server.person(me)["bio"] != "Mine"


def test_saving_goes_on_to_the_other_person_when_it_is_done(
    profile: Profile, server: RunningServer, until: Until, me: int
) -> None:
    type_(profile, bio="Mine")
    profile.choose(summary(server, me + 1))
    profile.save_and_leave()
    until(lambda: profile.state.stored is not None and profile.state.stored.id == me + 1)
    assert server.person(me)["bio"] == "Mine"


def test_saving_that_fails_stays(profile: Profile, server: RunningServer, until: Until, me: int) -> None:
    server.patch(me, title="Theirs")
    type_(profile, bio="Mine")
    profile.choose(PersonSummary(id=me + 1, name="", email="", role="viewer"))
    profile.save_and_leave()
    until(lambda: profile.state.in_conflict)
    assert profile.state.leaving is None
    assert stored(profile)["id"] == me


def test_changes_that_were_saved_while_the_question_was_open_are_no_reason_to_stay(
    profile: Profile, server: RunningServer, until: Until, me: int
) -> None:
    server.control(latency=0.2)
    type_(profile, bio="Mine")
    profile.form.submit()
    profile.choose(PersonSummary(id=me + 1, name="", email="", role="viewer"))
    assert profile.state.leaving is not None
    until(lambda: profile.state.stored is not None and profile.state.stored.id == me + 1)
    assert profile.state.leaving is None


def test_the_window_may_close_when_nothing_would_be_lost(profile: Profile) -> None:
    effects = effects_of(profile)
    assert profile.may_close()
    type_(profile, bio="Mine")
    assert not profile.may_close()
    assert profile.state.leaving == Leaving(to=None)
    profile.discard_and_leave()
    assert effects == [Left()]
    assert profile.may_close()


def test_a_save_of_a_person_who_is_no_longer_shown_does_not_disturb_the_one_who_is(
    profile: Profile, server: RunningServer, until: Until, me: int
) -> None:
    server.control(latency=0.2)
    type_(profile, bio="Mine")
    profile.form.submit()
    profile.choose(PersonSummary(id=me + 1, name="", email="", role="viewer"))
    profile.discard_and_leave()
    until(lambda: not profile.has_active_jobs)
    assert stored(profile) == server.person(me + 1)
    assert profile.form.value == profile.state.stored
    assert not profile.form.is_dirty
    assert server.person(me)["bio"] == "Mine"
