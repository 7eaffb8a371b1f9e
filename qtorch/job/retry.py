"""When a failed attempt is tried again, and after how long."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from qtorch.errors import NoRetry
from qtorch.job.durations import NonNegativeSeconds

if TYPE_CHECKING:
    from datetime import timedelta

    from qtorch.ports import Random

PROGRAMMING_ERRORS = (TypeError, AttributeError, NameError, AssertionError)
"""Not retried unless named: trying again cannot mend a bug, it only hides it."""


class RetryPolicy(BaseModel):
    """How often, and how far apart, a failed attempt is repeated.

    Parameters
    ----------
    max_retries
        Attempts after the first one; 3 means up to 4 calls of ``process``.
    base_delay, max_delay
        Seconds (or a timedelta) before the first retry, and the longest wait before jitter.
    exponential_backoff
        Whether each wait is twice the one before; else every wait is ``base_delay``.
    jitter
        Fraction 0..1 by which a wait is varied at random: the factor is uniform in ``1 - jitter .. 1 + jitter``.
    retry_on
        Exception classes that are tried again. TypeError, AttributeError, NameError and AssertionError only if they
        or a subclass of theirs are named here.
    should_retry
        ``should_retry(error, attempt)``, attempt from 0; its word is final for errors that match ``retry_on``.

    Examples
    --------
    >>> [RetryPolicy().get_delay(n) for n in range(6)]
    [1.0, 2.0, 4.0, 8.0, 16.0, 30.0]
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True, extra="forbid")

    max_retries: int = Field(default=3, ge=0, strict=True)
    base_delay: NonNegativeSeconds = 1.0
    exponential_backoff: bool = True
    max_delay: NonNegativeSeconds = 30.0
    jitter: float = Field(default=0.0, ge=0, le=1, strict=True)
    retry_on: tuple[type[BaseException], ...] = (Exception,)
    should_retry: Callable[[BaseException, int], bool] | None = None

    if TYPE_CHECKING:
        # What the validators accept: pydantic's own signature knows only what the fields hold.
        def __init__(
            self,
            *,
            max_retries: int = 3,
            base_delay: float | timedelta = 1.0,
            exponential_backoff: bool = True,
            max_delay: float | timedelta = 30.0,
            jitter: float = 0.0,
            retry_on: tuple[type[BaseException], ...] = (Exception,),
            should_retry: Callable[[BaseException, int], bool] | None = None,
        ) -> None: ...

    def get_delay(self, attempt: int, rng: Random = random) -> float:
        """Seconds to wait after failed attempt ``attempt`` (0 for the first).

        Raises
        ------
        ValueError
            ``attempt`` is negative.
        """
        if attempt < 0:
            raise ValueError(f"attempt counts from 0, got {attempt}")
        # The exponent is capped: 2.0**1024 overflows, and max_delay has won long before.
        factor = 2.0 ** min(attempt, 60) if self.exponential_backoff else 1.0
        delay = min(self.max_delay, self.base_delay * factor)
        if self.jitter:
            delay *= rng.uniform(1 - self.jitter, 1 + self.jitter)
        return delay

    def allows(self, error: BaseException, attempt: int) -> bool:
        """Whether failed attempt ``attempt`` (0 for the first) may be followed by another."""
        if attempt >= self.max_retries or isinstance(error, NoRetry) or not isinstance(error, self.retry_on):
            return False
        if isinstance(error, PROGRAMMING_ERRORS) and not any(
            issubclass(named, PROGRAMMING_ERRORS) and isinstance(error, named) for named in self.retry_on
        ):
            return False
        return self.should_retry is None or bool(self.should_retry(error, attempt))
