# ruff: noqa: RUF001 - names with letters that look like others are what is tested

from __future__ import annotations

import io
import threading

import pytest

from demo_app.server.models import PeopleQuery, PersonChanges
from demo_app.server.store import PersonNotFound, Store, VersionConflict


def names(store: Store, q: str = "") -> list[str]:
    return [person.name for person in store.page(PeopleQuery(q=q)).items]


@pytest.mark.realtime
def test_of_many_changes_that_start_from_one_version_exactly_one_is_stored(three: Store) -> None:
    start = threading.Barrier(16)
    stored: list[str] = []
    conflicts: list[str] = []

    def change(bio: str) -> None:
        start.wait()
        try:
            stored.append(three.change(2, PersonChanges(version=1, bio=bio)).bio)
        except VersionConflict as conflict:
            conflicts.append(conflict.current.bio)

    threads = [threading.Thread(target=change, args=(f"bio {number}",)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stored) == 1
    assert conflicts == stored * 15
    assert (three.person(2).bio, three.person(2).version) == (stored[0], 2)


def test_a_picture_that_cannot_be_read_to_its_end_is_not_stored_at_all(three: Store) -> None:
    class Torn(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 0:
                raise OSError("the disk is gone")
            return super().read(10)

    three.change_avatar(1, "image/png", io.BytesIO(b"old"), 3)
    with pytest.raises(OSError, match="the disk is gone"):
        three.change_avatar(1, "image/jpeg", Torn(b"new" * 100), 300)
    assert three.avatar(1) == (2, "image/png", b"old")
    assert three.person(1).version == 2


def test_a_change_to_nobody_changes_nothing(three: Store) -> None:
    with pytest.raises(PersonNotFound):
        three.change(4, PersonChanges(version=1, name="Nobody"))
    with pytest.raises(PersonNotFound):
        three.change_avatar(4, "image/png", io.BytesIO(b"x"), 1)
    assert names(three) == ["Ada Ærø", "Bo Ek", "Łucja O’Rourke"]


def test_a_changed_name_moves_in_the_list_and_is_found_anew(three: Store) -> None:
    three.change(1, PersonChanges(version=1, name="Żaneta Śliwińska"))
    assert names(three) == ["Bo Ek", "Łucja O’Rourke", "Żaneta Śliwińska"]
    assert names(three, "zaneta") == ["Żaneta Śliwińska"]
    assert names(three, "aero") == []


def test_a_field_that_is_not_named_stays(three: Store) -> None:
    before = three.person(1)
    after = three.change(1, PersonChanges(version=1, public=True, bio=""))
    assert after == before.model_copy(update={"public": True, "bio": "", "version": 2})
    assert three.person(1) == after


@pytest.mark.parametrize("q", ["lucja rourke", "ROURKE Łuc", "p3@ o'r", "hydro o’rourke", "  orourke  "])
def test_all_words_have_to_occur_in_any_order_and_field(three: Store, q: str) -> None:
    assert names(three, q) == ["Łucja O’Rourke"]


@pytest.mark.parametrize("q", ["%", "_", "lucja bo", "ekp2", "'; DROP TABLE people; --", "\x00"])
def test_what_occurs_nowhere_is_not_found(three: Store, q: str) -> None:
    assert names(three, q) == []


def test_a_query_of_nothing_but_accents_is_no_query(three: Store) -> None:
    assert len(names(three, "\u0301 '")) == 3


def test_a_picture_changes_the_version_and_its_own_address(three: Store) -> None:
    assert three.person(1).avatar is None
    assert three.avatar(1) is None
    assert three.change_avatar(1, "image/png", io.BytesIO(b"one"), 3).avatar == "/people/1/avatar?v=2"
    assert three.change(1, PersonChanges(version=2, bio="New.")).avatar == "/people/1/avatar?v=2"
    person = three.change_avatar(1, "image/webp", io.BytesIO(b"three"), 5)
    assert (person.version, person.avatar) == (4, "/people/1/avatar?v=4")
    assert three.avatar(1) == (4, "image/webp", b"three")
    assert three.page(PeopleQuery()).items[0].avatar == person.avatar


def test_pages_cover_the_list_without_gap_or_overlap(three: Store) -> None:
    pages = [three.page(PeopleQuery(offset=offset, limit=1)) for offset in range(4)]
    assert [person.id for page in pages for person in page.items] == [1, 2, 3]
    assert [page.total for page in pages] == [3, 3, 3, 3]
