"""Options for one job, given one by one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from qtorch import MISSING, BaseJob, CachePolicy, CancellationToken, JobBuilder, JobOptions, RetryPolicy
from qtorch.job.base_job import attached_options
from qtorch.job.options import merge_options


class FetchUserJob(BaseJob[str]):
    user_id: int


class PatientJob(BaseJob[str]):
    default_options = JobOptions(timeout=30, retry=RetryPolicy(), cache=CachePolicy(key="k"), placeholder="...")


Builder = JobBuilder[Any]


@pytest.mark.parametrize(
    ("set_it", "name", "value"),
    [
        (lambda b: b.with_timeout(30), "timeout", 30.0),
        (lambda b: b.with_timeout(timedelta(minutes=1)), "timeout", 60.0),
        (lambda b: b.with_deadline(90), "deadline", 90.0),
        (lambda b: b.with_retry(), "retry", RetryPolicy()),
        (lambda b: b.with_retry(max_retries=5, jitter=0.5), "retry", RetryPolicy(max_retries=5, jitter=0.5)),
        (lambda b: b.with_retry(RetryPolicy(max_retries=1)), "retry", RetryPolicy(max_retries=1)),
        (lambda b: b.with_retry(2), "retry", RetryPolicy(max_retries=2)),
        (lambda b: b.with_retry(0), "retry", RetryPolicy(max_retries=0)),
        (lambda b: b.with_cache(key="u", ttl=300), "cache", CachePolicy(key="u", ttl=300)),
        (lambda b: b.with_cache(CachePolicy(key="u")), "cache", CachePolicy(key="u")),
        (lambda b: b.with_placeholder("..."), "placeholder", "..."),
        (lambda b: b.with_placeholder(None), "placeholder", None),
        (lambda b: b.with_metadata({"page": 1}), "metadata", {"page": 1}),
        (lambda b: b.with_priority(4), "priority", 4),
        (lambda b: b.with_dedupe(), "dedupe", True),
        (lambda b: b.with_dedupe(False), "dedupe", False),
    ],
)
def test_each_with_sets_its_option_and_no_other(set_it: Callable[[Builder], Builder], name: str, value: object) -> None:
    options = attached_options(set_it(JobBuilder(FetchUserJob(user_id=7))).build())
    assert getattr(options, name) == value
    assert options.model_fields_set == {name}


def test_what_is_built_has_the_class_id_and_payload_of_the_job() -> None:
    job = FetchUserJob(user_id=7)
    built = JobBuilder(job).with_timeout(30).with_retry(max_retries=3).build()
    assert type(built) is FetchUserJob
    assert (built.id, built.user_id) == (job.id, 7)
    assert attached_options(job) == JobOptions()


def test_building_again_keeps_the_options_that_the_job_had() -> None:
    first = JobBuilder(FetchUserJob(user_id=7)).with_timeout(30).with_metadata({"a": 1, "b": 1}).build()
    second = JobBuilder(first).with_deadline(90).with_metadata({"b": 2}).build()
    options = attached_options(second)
    assert (options.timeout, options.deadline, options.metadata) == (30, 90, {"a": 1, "b": 2})
    assert attached_options(first).deadline is None


def test_a_builder_can_go_on_after_build() -> None:
    builder = JobBuilder(FetchUserJob(user_id=7)).with_timeout(1)
    first = builder.build()
    second = builder.with_timeout(2).build()
    assert [attached_options(one).timeout for one in (first, second)] == [1, 2]


@pytest.mark.parametrize(
    ("switch_off", "name"),
    [
        (lambda b: b.with_timeout(None), "timeout"),
        (lambda b: b.with_retry(None), "retry"),
        (lambda b: b.with_cache(None), "cache"),
    ],
)
def test_none_switches_a_default_of_the_class_off(switch_off: Callable[[Builder], Builder], name: str) -> None:
    job = switch_off(JobBuilder(PatientJob())).build()
    merged = merge_options(PatientJob.default_options, attached_options(job))
    assert getattr(merged, name) is None


def test_none_is_a_placeholder_and_missing_is_none() -> None:
    job = JobBuilder(PatientJob()).with_placeholder(None).build()
    assert merge_options(PatientJob.default_options, attached_options(job)).placeholder is None
    job = JobBuilder(PatientJob()).with_placeholder(MISSING).build()
    assert merge_options(PatientJob.default_options, attached_options(job)).placeholder is MISSING


def test_several_tokens_are_linked_not_replaced() -> None:
    window, button = CancellationToken(), CancellationToken()
    job = JobBuilder(FetchUserJob(user_id=7)).with_cancellation(window).with_cancellation(button).build()
    token = attached_options(job).token
    assert token is not None
    assert not token.is_cancelled
    window.cancel("closed")
    assert (token.is_cancelled, token.reason, button.is_cancelled) == (True, "closed", False)


@pytest.mark.parametrize("method", ["with_retry", "with_cache"])
def test_a_policy_and_its_fields_together_are_refused(method: str) -> None:
    policy = {"with_retry": RetryPolicy(), "with_cache": CachePolicy(key="a")}[method]
    with pytest.raises(TypeError, match=r"Policy or its fields \(ttl\), not both"):
        getattr(JobBuilder(FetchUserJob(user_id=7)), method)(policy, ttl=3)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda b: b.with_timeout(-1),
        lambda b: b.with_deadline(0),
        lambda b: b.with_retry(max_retries=-1),
        lambda b: b.with_retry(retries=3),
        lambda b: b.with_cache(ttl=3),
        lambda b: b.with_priority(1.5),
    ],
)
def test_a_bad_value_is_refused_where_it_is_given(spoil: Callable[[Builder], Builder]) -> None:
    with pytest.raises(ValidationError):
        spoil(JobBuilder(FetchUserJob(user_id=7)))
