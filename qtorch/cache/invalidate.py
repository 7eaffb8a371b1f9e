"""Forgetting cached values by a job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from pydantic import ConfigDict, model_validator

from qtorch.job.base_job import BaseJob


class InvalidateCacheJob(BaseJob[None]):
    """Forgets cached values: those of ``key``, those whose key starts with ``prefix``, those ``predicate`` picks.

    Everything that any of the given conditions names goes. Its executor is registered with every Runtime.

    Examples
    --------
    >>> InvalidateCacheJob(prefix="user:").prefix
    'user:'
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    key: str | None = None
    prefix: str | None = None
    predicate: Callable[[str], bool] | None = None

    @model_validator(mode="after")
    def _some_condition(self) -> Self:
        if self.key is None and self.prefix is None and self.predicate is None:
            raise ValueError("InvalidateCacheJob needs a key, a prefix or a predicate; to forget all use prefix=''")
        return self

    def names(self, key: str) -> bool:
        """Whether ``key`` is to be forgotten."""
        return (
            key == self.key
            or (self.prefix is not None and key.startswith(self.prefix))
            or (self.predicate is not None and self.predicate(key))
        )
