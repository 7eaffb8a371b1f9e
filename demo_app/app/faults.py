"""What can go wrong between the window and its server; each message is for the person in front of the window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from qtorch import JobTimeoutEvent

if TYPE_CHECKING:
    from demo_app.server.models import Person
    from qtorch import JobFailureEvent


class DemoFault(Exception):  # noqa: N818 - the base of what follows, never raised itself
    """Something the user can be told in one or two sentences."""


class ServerStartError(DemoFault):
    """The server that the app starts for itself did not come up."""


class NotConnectedError(DemoFault):
    """No connection could be made; the request was never sent."""


class AnswerLostError(DemoFault):
    """The connection broke or was too slow after the request was sent; whether the server did it is not known."""


class ServerBusyError(DemoFault):
    """The server cannot answer just now (503); it did nothing."""


class UnreadableAnswerError(DemoFault):
    """Something answered, but not with what this server answers."""


class RefusedError(DemoFault):
    """The server refused the request, and would refuse it again."""


class InvalidFieldsError(RefusedError):
    """Some fields break a rule (422).

    Attributes
    ----------
    fields
        What is wrong, by the name of the field.
    """

    def __init__(self, message: str, fields: Mapping[str, str]) -> None:
        super().__init__(" ".join((message, *fields.values())))
        self.fields = dict(fields)


class ConflictError(RefusedError):
    """Somebody else changed the person in the meantime (409).

    Attributes
    ----------
    current
        The person as stored now.
    """

    def __init__(self, message: str, current: Person) -> None:
        super().__init__(message)
        self.current = current


class NotAPictureError(DemoFault):
    """A chosen file cannot be used as a picture."""


PASSING = (NotConnectedError, AnswerLostError, ServerBusyError)
"""Worth another try, when trying twice does no harm."""

NOT_DONE = (NotConnectedError, ServerBusyError)
"""Worth another try even for a request that changes something: the server has certainly not done it."""


def explain(event: JobFailureEvent) -> str:
    """Say to the user why a job failed."""
    if isinstance(event, JobTimeoutEvent):
        return f"The server did not answer within {event.timeout:g} s."
    if isinstance(event.error, DemoFault):
        return event.error_message
    return f"This should not have happened: {type(event.error).__name__}: {event.error_message}"
