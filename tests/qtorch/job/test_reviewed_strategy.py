"""The pair of placeholder and cache policy, given as one."""

from __future__ import annotations

from typing import Any

import pytest

from qtorch import BaseJob, CachePolicy, DataStrategy, JobBuilder, JobOptions
from qtorch.job.base_job import attached_options
from qtorch.job.options import merge_options

POLICY = CachePolicy(key="user")


class FetchJob(BaseJob[str]):
    default_options = JobOptions(placeholder="-", cache=CachePolicy(key="default"))


def options_with(strategy: DataStrategy) -> JobOptions:
    job = JobBuilder(FetchJob()).with_strategy(strategy).build()
    return merge_options(FetchJob.default_options, attached_options(job))


@pytest.mark.parametrize(
    ("strategy", "placeholder", "cache"),
    [
        (DataStrategy(placeholder="...", cache_policy=POLICY), "...", POLICY),
        (DataStrategy(cache_policy=POLICY), "-", POLICY),
        (DataStrategy(placeholder=None, cache_policy=None), None, None),
        (DataStrategy(), "-", CachePolicy(key="default")),
    ],
)
def test_a_strategy_lays_what_it_sets_over_what_is_there(
    strategy: DataStrategy, placeholder: Any, cache: CachePolicy | None
) -> None:
    options = options_with(strategy)
    assert (options.placeholder, options.cache) == (placeholder, cache)
