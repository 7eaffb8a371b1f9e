"""What the banner says: the most urgent of all that went wrong, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from qtorch import combine

if TYPE_CHECKING:
    from demo_app.app.connection import Connection
    from demo_app.app.people import People
    from demo_app.app.picture import Picture
    from demo_app.app.profile import Profile
    from qtorch import Source


class Problem(NamedTuple):
    """Something that went wrong.

    Attributes
    ----------
    retry
        What to do again; None if that is of no use.
    dismiss
        What to do when the user has read it.
    """

    text: str
    retry: Callable[[], object] | None
    dismiss: Callable[[], object]


def most_urgent(connection: Connection, people: People, profile: Profile, picture: Picture) -> Source[Problem | None]:
    """Give a source of the problem to show: without a server nothing else counts, and then what was being typed."""
    return combine(
        connection.select(lambda s: Problem(s.problem, connection.find_server, connection.dismiss)),
        profile.select(lambda s: Problem(s.save_problem, profile.form.submit, profile.dismiss_problems)),
        picture.select(lambda s: Problem(s.problem, picture.retry if s.failed else None, picture.dismiss)),
        profile.select(lambda s: Problem(s.fetch_problem, profile.reload, profile.dismiss_problems)),
        people.select(lambda s: Problem(s.problem, people.reload, people.dismiss)),
        lambda *problems: next((problem for problem in problems if problem.text), None),
    )
