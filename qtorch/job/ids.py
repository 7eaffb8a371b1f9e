"""How jobs are named: ids that can be read, sort by time and never repeat in a process."""

from __future__ import annotations

import itertools
import re
import time
from functools import cache

# A counter that starts at the wall clock in nanoseconds gives ordered, unique ids for the price of one
# C call; nobody makes a billion jobs a second, so two processes started apart do not meet either.
_next_number = itertools.count(time.time_ns()).__next__

_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@cache
def kebab_case(class_name: str) -> str:
    """Give the prefix of a job class: ``FetchUserJob`` is ``fetch-user``.

    Examples
    --------
    >>> kebab_case("FetchUserJob"), kebab_case("HTTPGetJob"), kebab_case("Job")
    ('fetch-user', 'http-get', 'job')
    """
    name = class_name.split("[")[0]
    return _WORD_STARTS.sub("-", name.removesuffix("Job") or name).lower()


def generate_job_id(prefix: str = "job") -> str:
    """Give a new id, ``prefix`` and a time-ordered hexadecimal number. Any thread.

    Examples
    --------
    >>> a, b = generate_job_id("fetch-user"), generate_job_id("fetch-user")
    >>> a < b and a.startswith("fetch-user-")
    True
    """
    return f"{prefix}-{_next_number():x}"
