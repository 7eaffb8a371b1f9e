"""How a job is to be run."""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from qtorch import (
    MISSING,
    RESTARTABLE,
    SEQUENTIAL,
    CachePolicy,
    CancellationToken,
    DataStrategy,
    JobOptions,
    LanePolicy,
    RetryPolicy,
)
from qtorch.job.options import NO_OPTIONS, DispatchOptions, merge_options

# -- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["timeout", "deadline"])
@pytest.mark.parametrize(
    ("given", "seconds"),
    [(30, 30.0), (0.001, 0.001), (timedelta(minutes=5), 300.0), (timedelta(microseconds=1), 1e-6), (None, None)],
)
def test_durations_are_seconds_or_a_timedelta(name: str, given: Any, seconds: float | None) -> None:
    assert getattr(JobOptions(**{name: given}), name) == seconds


@pytest.mark.parametrize("name", ["timeout", "deadline"])
@pytest.mark.parametrize(
    "bad",
    [
        0,
        0.0,
        -1,
        -0.5,
        True,
        False,
        math.nan,
        math.inf,
        -math.inf,
        10**400,
        "30",
        timedelta(0),
        timedelta(seconds=-1),
        [1],
    ],
    ids=str,
)
def test_what_is_no_duration_is_a_validation_error(name: str, bad: Any) -> None:
    with pytest.raises(ValidationError):
        JobOptions(**{name: bad})


@pytest.mark.parametrize("bad", [0, -3, math.nan, True, "x"])
def test_a_lifetime_in_the_cache_is_longer_than_nothing(bad: Any) -> None:
    with pytest.raises(ValidationError):
        CachePolicy(key="a", ttl=bad)


def test_a_number_of_retries_is_a_policy() -> None:
    assert JobOptions(retry=3).retry == RetryPolicy(max_retries=3)
    assert JobOptions(retry=0).retry == RetryPolicy(max_retries=0)


@pytest.mark.parametrize("bad", [True, -1, 1.5, "3"])
def test_what_is_no_number_of_retries_is_a_validation_error(bad: Any) -> None:
    with pytest.raises(ValidationError):
        JobOptions(retry=bad)


@pytest.mark.parametrize(
    "bad", [{"timout": 3}, {"priority": True}, {"priority": 1.5}, {"policy": "fast"}, {"token": 1}, {"dedupe": 1}]
)
def test_bad_options_are_a_validation_error(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        JobOptions(**bad)


def test_options_and_policies_are_frozen() -> None:
    for model, name in ((JobOptions(), "timeout"), (RetryPolicy(), "jitter"), (CachePolicy(key="a"), "ttl")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(model, name, 0.5)


def test_a_lane_policy_is_its_name() -> None:
    assert JobOptions(policy=LanePolicy("restartable")).policy is RESTARTABLE
    assert [str(policy) for policy in LanePolicy] == [
        "concurrent",
        "sequential",
        "droppable",
        "restartable",
        "keep_latest",
    ]


def test_the_keywords_of_dispatch_are_the_fields_of_the_options() -> None:
    assert set(DispatchOptions.__annotations__) == set(JobOptions.model_fields)


def test_the_data_strategy_is_the_reference_s_pair() -> None:
    assert DataStrategy().placeholder is MISSING
    assert DataStrategy(placeholder=None, cache_policy=CachePolicy(key="a")).placeholder is None


# -- merging -----------------------------------------------------------------------------------------------------------

LOW: dict[str, Any] = {
    "timeout": 10.0,
    "deadline": 100.0,
    "retry": RetryPolicy(max_retries=1),
    "cache": CachePolicy(key="low"),
    "placeholder": "low",
    "priority": 1,
    "lane": "low",
    "policy": SEQUENTIAL,
    "dedupe": True,
}
HIGH: dict[str, Any] = {
    "timeout": 20.0,
    "deadline": 200.0,
    "retry": RetryPolicy(max_retries=2),
    "cache": CachePolicy(key="high"),
    "placeholder": "high",
    "priority": 2,
    "lane": "high",
    "policy": RESTARTABLE,
    "dedupe": False,
}


@pytest.mark.parametrize("name", LOW)
def test_the_upper_layer_wins_in_the_field_it_sets_and_only_there(name: str) -> None:
    merged = merge_options(JobOptions(**LOW), JobOptions(**{name: HIGH[name]}))
    assert {key: getattr(merged, key) for key in LOW} == {**LOW, name: HIGH[name]}


@pytest.mark.parametrize("name", ["timeout", "deadline", "retry", "cache", "lane", "policy"])
def test_an_explicit_none_switches_the_lower_layer_off(name: str) -> None:
    switched_off: dict[str, Any] = {name: None}
    merged = merge_options(JobOptions(**LOW), JobOptions(**switched_off))
    assert getattr(merged, name) is None


def test_an_explicit_default_counts_as_set() -> None:
    assert merge_options(JobOptions(priority=5), JobOptions(priority=0)).priority == 0


def test_what_no_layer_sets_has_its_default() -> None:
    merged = merge_options(JobOptions(timeout=3), JobOptions(deadline=9))
    assert (merged.retry, merged.placeholder, merged.priority, dict(merged.metadata)) == (None, MISSING, 0, {})
    assert merged.model_fields_set == {"timeout", "deadline"}


def test_metadata_merges_by_key_and_leaves_the_layers_alone() -> None:
    low, high = JobOptions(metadata={"a": 1, "b": 1}), JobOptions(metadata={"b": 2, "c": 2})
    assert merge_options(low, high).metadata == {"a": 1, "b": 2, "c": 2}
    assert (low.metadata, high.metadata) == ({"a": 1, "b": 1}, {"b": 2, "c": 2})


@pytest.fixture
def no_gc() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def test_tokens_of_all_layers_cancel_the_merged_one(no_gc: None) -> None:
    for number in range(3):
        tokens = [CancellationToken() for _ in range(3)]
        merged = merge_options(*(JobOptions(token=token) for token in tokens)).token
        assert merged is not None
        tokens[number].cancel("enough")
        assert (merged.is_cancelled, merged.reason) == (True, "enough")
        assert [token.is_cancelled for token in tokens].count(True) == 1


def test_tokens_of_all_layers_still_cancel_the_merged_one_after_a_collection() -> None:
    tokens = [CancellationToken() for _ in range(3)]
    merged = merge_options(*(JobOptions(token=token) for token in tokens)).token
    assert merged is not None
    gc.collect()
    tokens[0].cancel("enough")
    assert merged.is_cancelled


def test_one_token_in_two_layers_stays_that_token() -> None:
    token = CancellationToken()
    assert merge_options(JobOptions(token=token), JobOptions(token=token)).token is token


def test_a_token_set_to_none_lets_go_of_the_lower_one() -> None:
    assert merge_options(JobOptions(token=CancellationToken()), JobOptions(token=None)).token is None


def test_merging_nothing_builds_nothing() -> None:
    only = JobOptions(timeout=3)
    assert merge_options(NO_OPTIONS, JobOptions()) is NO_OPTIONS
    assert merge_options(NO_OPTIONS, only, NO_OPTIONS) is only
