"""Jobs are values: what is asked, apart from how it is run."""

from __future__ import annotations

import copy
import pickle
import threading
from typing import Any, Generic, TypeVar

import pytest
from pydantic import BaseModel, PydanticUserError, SecretStr, ValidationError

from qtorch import BaseJob, CancellationToken, JobBuilder, JobOptions
from qtorch.job.base_job import attached_options, take_for_dispatch

T = TypeVar("T")


class FetchUserJob(BaseJob[str]):
    user_id: int
    fields: tuple[str, ...] = ()


class FetchAdminJob(FetchUserJob):
    pass


class PageJob(BaseJob[T], Generic[T]):
    number: int


class LoginJob(BaseJob[str]):
    password: SecretStr


class ListJob(BaseJob[str]):
    names: list[str]


class NamedListJob(ListJob):
    def fingerprint(self) -> tuple[Any, ...]:
        return (type(self), *self.names)


# -- the id ------------------------------------------------------------------------------------------------------------


def test_the_id_says_the_class_and_is_new_for_each_job() -> None:
    first, second = FetchUserJob(user_id=1), FetchUserJob(user_id=1)
    assert first.id.startswith("fetch-user-")
    assert first.id != second.id


def test_a_subclass_and_a_generic_class_have_their_own_prefix() -> None:
    assert FetchAdminJob(user_id=1).id.startswith("fetch-admin-")
    assert PageJob[int](number=1).id.startswith("page-")
    assert PageJob(number=1).id.startswith("page-")


@pytest.mark.parametrize(
    "body",
    [
        {"__annotations__": {"id": str}},
        {"__annotations__": {"id": int}, "id": 3},
        {"id": "fixed"},
        {"id": property(lambda self: "computed")},
        {"id": lambda self: "called"},
    ],
    ids=["annotated", "annotated with a default", "a plain value", "a property", "a method"],
)
def test_redeclaring_the_id_is_refused_with_the_name_to_use(body: dict[str, Any]) -> None:
    # Older pydantic notices a plain value first, and says so in its own words.
    with pytest.raises((TypeError, PydanticUserError), match=r"redeclares the field id(.|\n)*user_id|Field 'id'"):
        type("UserJob", (BaseJob,), {"__module__": __name__, **body})


# -- a value -----------------------------------------------------------------------------------------------------------


def test_jobs_with_equal_payload_are_equal_and_hash_alike_whatever_their_ids_and_options() -> None:
    # Any: pyright takes every class that is not frozen in its own first line for one that cannot be hashed.
    first: Any = FetchUserJob(user_id=7, fields=("name",))
    second: Any = JobBuilder(FetchUserJob(user_id=7, fields=("name",))).with_timeout(3).build()
    assert first == second
    assert hash(first) == hash(second)
    assert len({first, second}) == 1


def test_jobs_of_different_classes_or_payloads_differ() -> None:
    job = FetchUserJob(user_id=7)
    assert job != FetchUserJob(user_id=8)
    assert job != FetchAdminJob(user_id=7)
    assert job != PageJob[int](number=7)
    assert job != (FetchUserJob, 7, ())


def test_generic_jobs_of_different_arguments_differ() -> None:
    assert PageJob[int](number=1) != PageJob[str](number=1)
    assert PageJob[int](number=1) == PageJob[int](number=1)


def test_secrets_tell_jobs_apart_without_being_written() -> None:
    first, second = LoginJob(password=SecretStr("a")), LoginJob(password=SecretStr("b"))
    assert first != second
    assert first.fingerprint() != second.fingerprint()
    assert "a'" not in repr(first.fingerprint())


def test_the_fingerprint_is_the_class_and_the_payload() -> None:
    assert FetchUserJob(user_id=7).fingerprint() == (FetchUserJob, 7, ())


def test_a_payload_that_cannot_be_hashed_says_to_use_a_tuple_or_override_fingerprint() -> None:
    with pytest.raises(TypeError, match=r"ListJob cannot be hashed: .*list.*\n.*tuple.*override fingerprint\(\)"):
        hash(ListJob(names=["a"]))
    assert ListJob(names=["a"]) == ListJob(names=["a"])


def test_an_overridden_fingerprint_decides_about_equality_and_hash() -> None:
    assert hash(NamedListJob(names=["a"])) == hash(NamedListJob(names=["a"]))
    assert NamedListJob(names=["a"]) != NamedListJob(names=["b"])


def test_jobs_are_frozen_and_take_no_unknown_fields() -> None:
    job = FetchUserJob(user_id=7)
    with pytest.raises(ValidationError, match="frozen"):
        job.user_id = 8
    with pytest.raises(ValidationError, match="nmae"):
        FetchUserJob(user_id=7, nmae="x")  # type: ignore[call-arg]  # the point


# -- what is no payload ------------------------------------------------------------------------------------------------


def test_options_are_neither_dumped_nor_shown() -> None:
    job = JobBuilder(FetchUserJob(user_id=7)).with_metadata({"secret": "hush"}).build()
    take_for_dispatch(job)
    assert set(job.model_dump()) == {"id", "user_id", "fields"}
    assert "hush" not in repr(job)
    assert FetchUserJob.model_validate_json(job.model_dump_json()) == job


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickled_job_keeps_id_and_payload_and_leaves_its_options_behind(protocol: int) -> None:
    # The token would not pickle at all.
    job = JobBuilder(FetchUserJob(user_id=7)).with_cancellation(CancellationToken()).with_timeout(3).build()
    job = take_for_dispatch(job)
    back = pickle.loads(pickle.dumps(job, protocol))
    assert (type(back), back.id, back.user_id) == (FetchUserJob, job.id, 7)
    assert attached_options(back) == JobOptions()


# -- dispatched once under one id --------------------------------------------------------------------------------------


def test_a_job_object_dispatched_again_is_copied_with_a_fresh_id() -> None:
    job = FetchUserJob(user_id=7)
    first, second, third = (take_for_dispatch(job) for _ in range(3))
    assert first is job
    assert len({first.id, second.id, third.id}) == 3
    assert first == second == third


def test_a_job_and_what_a_builder_makes_of_it_are_not_dispatched_under_one_id() -> None:
    job = FetchUserJob(user_id=7)
    builder = JobBuilder(job).with_timeout(3)
    taken = [take_for_dispatch(one) for one in (builder.build(), job, builder.build())]
    assert taken[0].id == job.id
    assert len({one.id for one in taken}) == 3
    assert [attached_options(one).timeout for one in taken] == [3, None, 3]


@pytest.mark.parametrize(
    "copied",
    [
        lambda job: job.model_copy(update={"user_id": 8}),
        lambda job: job.model_copy(deep=True),
        copy.copy,
        copy.deepcopy,
        lambda job: copy.deepcopy([job])[0],
    ],
    ids=["model_copy", "deep model_copy", "copy", "deepcopy", "deepcopy inside a list"],
)
def test_a_copy_of_a_job_is_not_dispatched_under_its_id_too(copied: Any) -> None:
    job = FetchUserJob(user_id=7)
    other = copied(job)
    assert take_for_dispatch(other) is other
    assert take_for_dispatch(job).id != other.id


def test_a_deep_copy_keeps_the_very_token_that_cancels_the_job() -> None:
    token = CancellationToken()
    job = JobBuilder(FetchUserJob(user_id=7)).with_cancellation(token).build()
    assert attached_options(copy.deepcopy(job)).token is token


@pytest.mark.realtime
def test_of_several_threads_that_dispatch_one_job_at_once_each_gets_its_own_id() -> None:
    jobs = [FetchUserJob(user_id=number) for number in range(200)]
    taken: list[str] = []
    start = threading.Barrier(4)

    def take() -> None:
        start.wait()
        for job in jobs:
            taken.append(take_for_dispatch(job).id)  # noqa: PERF401 - appended one by one, so that threads interleave

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 800
    assert {job.id for job in jobs} <= set(taken)


class _Payload(BaseModel):
    text: str


class NestedJob(BaseJob[None]):
    payload: _Payload


def test_a_payload_may_be_any_pydantic_model() -> None:
    assert NestedJob(payload=_Payload(text="a")) == NestedJob(payload=_Payload(text="a"))
    assert NestedJob(payload=_Payload(text="a")) != NestedJob(payload=_Payload(text="b"))
