"""Options for one job, given one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from qtorch.job.base_job import BaseJob, with_options
from qtorch.job.options import CachePolicy, JobOptions, merge_options
from qtorch.job.retry import RetryPolicy
from qtorch.ports import MISSING, MissingType

if TYPE_CHECKING:
    from datetime import timedelta

    from pydantic import BaseModel

    from qtorch.job.cancellation import CancellationToken
    from qtorch.job.data_strategy import DataStrategy

J = TypeVar("J", bound=BaseJob[Any])


class JobBuilder(Generic[J]):
    """Gives a job its own options; :meth:`build` returns a job of the same class, id and payload.

    Options that the job had already stay unless they are set here.

    Examples
    --------
    >>> class FetchUserJob(BaseJob[str]):
    ...     user_id: int
    >>> job = JobBuilder(FetchUserJob(user_id=7)).with_timeout(30).with_retry(max_retries=3).build()
    >>> type(job).__name__, job.user_id
    ('FetchUserJob', 7)
    """

    def __init__(self, job: J) -> None:
        self._job = job
        self._options = JobOptions()

    def _with(self, **options: Any) -> Self:
        self._options = merge_options(self._options, JobOptions(**options))
        return self

    def with_timeout(self, timeout: float | timedelta | None) -> Self:
        """Limit each attempt to ``timeout`` seconds; None switches a default off."""
        return self._with(timeout=timeout)

    def with_deadline(self, deadline: float | timedelta | None) -> Self:
        """Limit the time from dispatch, waits included, to ``deadline`` seconds."""
        return self._with(deadline=deadline)

    def with_retry(self, policy: RetryPolicy | int | MissingType | None = MISSING, /, **fields: Any) -> Self:
        """Repeat failed attempts by ``policy``, or a RetryPolicy of the given fields; None switches a default off."""
        return self._with(retry=_policy(RetryPolicy, policy, fields))

    def with_cache(self, policy: CachePolicy | MissingType | None = MISSING, /, **fields: Any) -> Self:
        """Keep the result by ``policy``, or a CachePolicy of the given fields; None switches a default off."""
        return self._with(cache=_policy(CachePolicy, policy, fields))

    def with_placeholder(self, placeholder: object) -> Self:
        """Show ``placeholder`` until there is a result; None is a placeholder too."""
        return self._with(placeholder=placeholder)

    def with_strategy(self, strategy: DataStrategy) -> Self:
        """Show and keep data by ``strategy``; what it does not set stays as it is."""
        names = {"placeholder": "placeholder", "cache_policy": "cache"}
        return self._with(**{names[field]: getattr(strategy, field) for field in strategy.model_fields_set})

    def with_metadata(self, metadata: Mapping[str, Any]) -> Self:
        """Attach ``metadata``, merged by key with what is there."""
        return self._with(metadata=metadata)

    def with_cancellation(self, token: CancellationToken) -> Self:
        """Let ``token`` cancel the job, beside the tokens it has."""
        return self._with(token=token)

    def with_priority(self, priority: int) -> Self:
        """Run before waiting jobs of lower ``priority``."""
        return self._with(priority=priority)

    def with_dedupe(self, dedupe: bool = True) -> Self:
        """Share the work of an equal job that is queued or runs with ``dedupe`` too; False switches a default off."""
        return self._with(dedupe=dedupe)

    def build(self) -> J:
        """Give the job with these options. The builder can go on and build others."""
        return with_options(self._job, self._options)


def _policy(cls: type[BaseModel], policy: object, fields: dict[str, Any]) -> object:
    if policy is MISSING:
        return cls(**fields)
    if fields:
        raise TypeError(f"give a {cls.__name__} or its fields ({', '.join(fields)}), not both")
    return policy
