"""How a job is to be run, apart from what it asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, Self, TypedDict, Unpack, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from qtorch.job.cancellation import CancellationToken
from qtorch.job.durations import Seconds
from qtorch.job.retry import RetryPolicy
from qtorch.ports import MISSING

if TYPE_CHECKING:
    from datetime import timedelta


class LanePolicy(StrEnum):
    """What a new job does to those before it in its lane."""

    CONCURRENT = "concurrent"
    """It runs beside them, within the limits."""
    SEQUENTIAL = "sequential"
    """It waits until they have ended: by priority, then in order."""
    DROPPABLE = "droppable"
    """It ends at once as cancelled, reason "dropped", while one runs."""
    RESTARTABLE = "restartable"
    """It cancels them, reason "superseded", and runs at once."""
    KEEP_LATEST = "keep_latest"
    """It waits for the running one; an older one that waited is cancelled, reason "superseded"."""


CONCURRENT = LanePolicy.CONCURRENT
SEQUENTIAL = LanePolicy.SEQUENTIAL
DROPPABLE = LanePolicy.DROPPABLE
RESTARTABLE = LanePolicy.RESTARTABLE
KEEP_LATEST = LanePolicy.KEEP_LATEST


@runtime_checkable
class SharedLane(Protocol):
    """A lane that ``runtime.lane()`` gave."""

    name: str
    policy: LanePolicy

    def pause(self) -> None:
        """Let nobody in."""

    def resume(self) -> None:
        """Let those that wait in."""


class CachePolicy(BaseModel):
    """Where a job's result is kept, and how a kept one is used.

    Parameters
    ----------
    key
        Under which the result is read and written.
    ttl
        Seconds (or a timedelta) until a written value expires; None leaves it to the provider.
    revalidate
        True (stale-while-revalidate): a hit is shown, then the job runs all the same. False (cache first): a hit
        ends the job.
    force_refresh
        Do not read, only write.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    ttl: Seconds | None = None
    revalidate: bool = True
    force_refresh: bool = False

    if TYPE_CHECKING:
        # What the validators accept: pydantic's own signature knows only what the fields hold.
        def __init__(
            self,
            *,
            key: str,
            ttl: float | timedelta | None = None,
            revalidate: bool = True,
            force_refresh: bool = False,
        ) -> None: ...


class JobOptions(BaseModel):
    """How a job is run. What is not set is left to the next layer: class default, builder, keywords of dispatch.

    Parameters
    ----------
    timeout
        Seconds (or a timedelta) for one attempt, from its start.
    deadline
        Seconds from dispatch, queueing and retry waits included.
    retry
        A RetryPolicy; a number ``n`` means ``RetryPolicy(max_retries=n)``.
    cache, placeholder
        The data strategy: what is shown before the result is there. ``None`` is a placeholder like any other value.
    token
        Cancels the job from outside. Tokens of several layers are linked.
    priority
        Higher runs first where jobs wait; one step is worth 5 s of waiting.
    lane, policy
        Which jobs it shares a lane with, by the lane's name or as ``runtime.lane()`` gave it, and how it meets them.
    debounce
        Seconds (or a timedelta) to wait before it enters its lane; a newer dispatch into the lane supersedes it.
    throttle
        Seconds during which no other throttled job enters the lane: the first enters at once, of the others the
        latest at their end. Not together with debounce.
    dedupe
        Join a queued or running job of equal fingerprint that was dispatched with ``dedupe`` too: the work is done
        once, under the timeout, retry, cache and lane of the one that came first.
    metadata
        Anything; merged by key.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True, extra="forbid")

    timeout: Seconds | None = None
    deadline: Seconds | None = None
    retry: RetryPolicy | None = None
    cache: CachePolicy | None = None
    placeholder: Any = MISSING
    token: CancellationToken | None = None
    priority: int = Field(default=0, strict=True)
    lane: str | SharedLane | None = None
    policy: LanePolicy | None = None
    debounce: Seconds | None = None
    throttle: Seconds | None = None
    dedupe: bool = Field(default=False, strict=True)
    metadata: Mapping[str, Any] = Field(default_factory=dict)

    if TYPE_CHECKING:
        # As above.
        def __init__(self, **options: Unpack[DispatchOptions]) -> None: ...

    @field_validator("retry", mode="before")
    @classmethod
    def _number_of_retries(cls, value: object) -> object:
        return RetryPolicy(max_retries=value) if isinstance(value, int) and not isinstance(value, bool) else value

    @model_validator(mode="after")
    def _one_pace(self) -> Self:
        if self.debounce is not None and self.throttle is not None:
            raise ValueError("debounce waits for a pause and throttle does not: give one of them")
        return self


NO_OPTIONS = JobOptions()
"""Nothing set. Shared, so that a dispatch without options builds none."""


class DispatchOptions(TypedDict, total=False):
    """The keywords of ``dispatch``: the fields of :class:`JobOptions`."""

    timeout: float | timedelta | None
    deadline: float | timedelta | None
    retry: RetryPolicy | int | None
    cache: CachePolicy | None
    placeholder: Any
    token: CancellationToken | None
    priority: int
    lane: str | SharedLane | None
    policy: LanePolicy | None
    debounce: float | timedelta | None
    throttle: float | timedelta | None
    dedupe: bool
    metadata: Mapping[str, Any]


def merge_options(*layers: JobOptions) -> JobOptions:
    """Give the options that hold when ``layers`` are laid over each other, the last on top.

    Only what a layer set counts; an explicit None switches the value below off. ``metadata`` merges by key, tokens
    are linked, and ``debounce`` and ``throttle`` replace each other.
    """
    set_layers = [layer for layer in layers if layer.model_fields_set]
    if not set_layers:
        return NO_OPTIONS
    if len(set_layers) == 1:
        return set_layers[0]
    merged: dict[str, Any] = {}
    for layer in set_layers:
        for name in layer.model_fields_set:
            merged[name] = _join(name, merged.get(name), getattr(layer, name))
            if name in _OTHER_PACE and merged[name] is not None:
                merged.pop(_OTHER_PACE[name], None)
    # Every value was validated by its own layer.
    return JobOptions.model_construct(_fields_set=set(merged), **merged)


_JOINS: dict[str, Callable[[Any, Any], Any]] = {
    "metadata": lambda below, above: {**below, **above},
    "token": lambda below, above: below if below is above else CancellationToken.linked(below, above),
}


_OTHER_PACE = {"debounce": "throttle", "throttle": "debounce"}


def _join(name: str, below: Any, above: Any) -> Any:
    if below is None or above is None or name not in _JOINS:
        return above
    return _JOINS[name](below, above)
