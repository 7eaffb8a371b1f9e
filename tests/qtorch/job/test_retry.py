"""When a failed attempt is tried again, and after how long."""

from __future__ import annotations

import math
import random
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from qtorch import JobTimeoutError, NoRetry, RetryPolicy
from qtorch.job.retry import PROGRAMMING_ERRORS

# -- the wait ----------------------------------------------------------------------------------------------------------


def test_the_wait_doubles_up_to_the_longest() -> None:
    assert [RetryPolicy().get_delay(attempt) for attempt in range(7)] == [1, 2, 4, 8, 16, 30, 30]


def test_without_backoff_every_wait_is_the_base_within_the_longest() -> None:
    policy = RetryPolicy(exponential_backoff=False, base_delay=3)
    assert [policy.get_delay(attempt) for attempt in (0, 1, 9)] == [3, 3, 3]
    assert RetryPolicy(exponential_backoff=False, base_delay=60).get_delay(0) == 30


@pytest.mark.parametrize("attempt", [44, 58, 63, 64, 1_023, 1_024, 10**9])
def test_no_attempt_number_overflows(attempt: int) -> None:
    assert RetryPolicy().get_delay(attempt) == 30
    assert RetryPolicy(base_delay=0).get_delay(attempt) == 0
    assert RetryPolicy(base_delay=1e308).get_delay(attempt) == 30


def test_delays_may_be_timedeltas() -> None:
    policy = RetryPolicy(base_delay=timedelta(milliseconds=500), max_delay=timedelta(minutes=1))
    assert (policy.get_delay(0), policy.get_delay(20)) == (0.5, 60)


def test_a_negative_attempt_is_refused() -> None:
    with pytest.raises(ValueError, match="counts from 0, got -1"):
        RetryPolicy().get_delay(-1)


class Extreme:
    """A source of randomness that gives one end of what it is asked for."""

    def __init__(self, end: str) -> None:
        self.end = end

    def uniform(self, a: float, b: float, /) -> float:
        return a if self.end == "low" else b


def test_jitter_is_a_fraction_of_the_wait_to_either_side() -> None:
    policy = RetryPolicy(jitter=0.25)
    assert policy.get_delay(2, Extreme("low")) == pytest.approx(3)
    assert policy.get_delay(2, Extreme("high")) == pytest.approx(5)
    assert RetryPolicy(jitter=1).get_delay(2, Extreme("low")) == 0


def test_jitter_draws_from_the_given_randomness_only() -> None:
    policy = RetryPolicy(jitter=0.5)
    one, other = random.Random(7), random.Random(7)
    assert [policy.get_delay(n, one) for n in range(5)] == [policy.get_delay(n, other) for n in range(5)]


def test_without_jitter_nothing_is_drawn() -> None:
    assert RetryPolicy().get_delay(0, None) == 1  # type: ignore[arg-type]  # None would raise if it were asked


# -- whether -----------------------------------------------------------------------------------------------------------


def test_three_retries_are_four_attempts() -> None:
    assert [RetryPolicy().allows(OSError(), attempt) for attempt in range(5)] == [True, True, True, False, False]


def test_no_retries_are_one_attempt() -> None:
    assert not RetryPolicy(max_retries=0).allows(OSError(), 0)


@pytest.mark.parametrize("error", [*(cls("bug") for cls in PROGRAMMING_ERRORS), UnboundLocalError("bug")], ids=repr)
def test_a_programming_error_is_not_retried(error: Exception) -> None:
    assert not RetryPolicy().allows(error, 0)
    assert not RetryPolicy(retry_on=(Exception, OSError)).allows(error, 0)


def test_a_programming_error_is_retried_if_it_or_a_base_of_it_among_them_is_named() -> None:
    assert RetryPolicy(retry_on=(TypeError,)).allows(TypeError(), 0)
    assert RetryPolicy(retry_on=(NameError,)).allows(UnboundLocalError(), 0)
    assert RetryPolicy(retry_on=(UnboundLocalError,)).allows(UnboundLocalError(), 0)
    assert RetryPolicy(retry_on=(Exception, AttributeError)).allows(AttributeError(), 0)
    assert not RetryPolicy(retry_on=(Exception, AttributeError)).allows(TypeError(), 0)


def test_only_the_named_classes_are_retried_subclasses_included() -> None:
    policy = RetryPolicy(retry_on=(OSError,))
    assert policy.allows(ConnectionResetError(), 0)
    assert not policy.allows(ValueError(), 0)


def test_a_base_exception_is_retried_only_if_named() -> None:
    assert not RetryPolicy().allows(KeyboardInterrupt(), 0)
    assert RetryPolicy(retry_on=(KeyboardInterrupt,)).allows(KeyboardInterrupt(), 0)


def test_a_timeout_of_one_attempt_is_retried() -> None:
    assert RetryPolicy().allows(JobTimeoutError(3), 0)


def test_no_retry_stops_whatever_the_policy_says() -> None:
    policy = RetryPolicy(retry_on=(BaseException,), should_retry=lambda error, attempt: True)
    assert not policy.allows(NoRetry(OSError()), 0)


def test_should_retry_hears_the_error_and_the_attempt_from_zero_and_decides() -> None:
    heard: list[tuple[BaseException, int]] = []

    def should_retry(error: BaseException, attempt: int) -> bool:
        heard.append((error, attempt))
        return attempt == 0

    policy, error = RetryPolicy(should_retry=should_retry), OSError()
    assert [policy.allows(error, attempt) for attempt in range(2)] == [True, False]
    assert heard == [(error, 0), (error, 1)]


def test_should_retry_is_not_asked_about_what_cannot_be_retried() -> None:
    policy = RetryPolicy(retry_on=(OSError,), max_retries=1, should_retry=lambda error, attempt: 1 / 0 > 0)
    assert not policy.allows(ValueError(), 0)
    assert not policy.allows(OSError(), 1)


# -- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    [
        {"max_retries": -1},
        {"max_retries": True},
        {"max_retries": 1.5},
        {"max_retries": None},
        {"base_delay": -1},
        {"base_delay": math.nan},
        {"base_delay": True},
        {"max_delay": math.inf},
        {"jitter": -0.1},
        {"jitter": 1.1},
        {"jitter": math.nan},
        {"jitter": True},
        {"retry_on": ValueError},
        {"retry_on": ("OSError",)},
        {"retry_on": (int,)},
        {"should_retry": True},
        {"delay": 3},
    ],
    ids=str,
)
def test_bad_values_are_a_validation_error(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RetryPolicy(**bad)


def test_waits_of_no_length_are_allowed() -> None:
    assert RetryPolicy(base_delay=0, max_delay=0).get_delay(3) == 0
