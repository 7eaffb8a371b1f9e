"""How jobs are named."""

from __future__ import annotations

import threading

import pytest

from qtorch.job.ids import generate_job_id, kebab_case


@pytest.mark.parametrize(
    ("class_name", "prefix"),
    [
        ("FetchUserJob", "fetch-user"),
        ("HTTPGetJob", "http-get"),
        ("LoadJSONJob", "load-json"),
        ("Fetch2UsersJob", "fetch2-users"),
        ("Job", "job"),
        ("JobJob", "job"),
        ("JobsOfTheDay", "jobs-of-the-day"),
        ("PageJob[User]", "page"),
        ("X", "x"),
        ("FetchÄpfelJob", "fetchäpfel"),
    ],
)
def test_a_class_name_becomes_kebab_case_without_job(class_name: str, prefix: str) -> None:
    assert kebab_case(class_name) == prefix


def test_ids_are_the_prefix_and_a_hexadecimal_number() -> None:
    prefix, _, number = generate_job_id("fetch-user").rpartition("-")
    assert prefix == "fetch-user"
    assert int(number, 16) > 0


def test_ids_of_one_prefix_sort_by_time() -> None:
    ids = [generate_job_id("a") for _ in range(1_000)]
    assert ids == sorted(ids)


@pytest.mark.realtime
def test_ids_made_on_several_threads_at_once_never_repeat() -> None:
    made: list[list[str]] = [[] for _ in range(4)]
    start = threading.Barrier(4)

    def make(into: list[str]) -> None:
        start.wait()
        into.extend(generate_job_id() for _ in range(2_000))

    threads = [threading.Thread(target=make, args=(into,)) for into in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one for ids in made for one in ids}) == 8_000
