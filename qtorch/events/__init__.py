"""What happened: immutable events, in the order in which the bus delivered them."""

from qtorch.events.event import BaseEvent, JobEvent
from qtorch.events.job_events import (
    JobCacheHitEvent,
    JobCancelledEvent,
    JobFailureEvent,
    JobItemsEvent,
    JobPlaceholderEvent,
    JobProgressEvent,
    JobRetryingEvent,
    JobStartedEvent,
    JobSuccessEvent,
    JobTimeoutEvent,
)
from qtorch.events.log import EventLog

__all__ = [
    "BaseEvent",
    "EventLog",
    "JobCacheHitEvent",
    "JobCancelledEvent",
    "JobEvent",
    "JobFailureEvent",
    "JobItemsEvent",
    "JobPlaceholderEvent",
    "JobProgressEvent",
    "JobRetryingEvent",
    "JobStartedEvent",
    "JobSuccessEvent",
    "JobTimeoutEvent",
]
