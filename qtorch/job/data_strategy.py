"""A placeholder and a cache policy under one name."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from qtorch.job.options import CachePolicy
from qtorch.ports import MISSING


class DataStrategy(BaseModel):
    """The reference's name for the pair of placeholder and cache policy; ``JobBuilder.with_strategy`` takes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    placeholder: Any = MISSING
    cache_policy: CachePolicy | None = None
