"""The orchestrators of the app, each with its own part of the state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from demo_app.app.activity import Activity
from demo_app.app.appearance import Appearance
from demo_app.app.connection import Connection, ConnectionState
from demo_app.app.people import People
from demo_app.app.picture import Picture, PictureState
from demo_app.app.pictures import Pictures
from demo_app.app.profile import Profile

if TYPE_CHECKING:
    from demo_app.look.theme import Theme
    from qtorch import Runtime


@dataclass(frozen=True)
class Orchestrators:
    """All of them; they hear of each other over the Runtime's bus only."""

    connection: Connection
    people: People
    profile: Profile
    picture: Picture
    pictures: Pictures
    activity: Activity
    appearance: Appearance

    @classmethod
    def on(cls, runtime: Runtime, theme: Theme) -> Orchestrators:
        """Make them on a Runtime that has the executors for their jobs."""
        return cls(
            connection=Connection(ConnectionState(), runtime=runtime),
            people=People(runtime=runtime),
            profile=Profile(runtime=runtime),
            picture=Picture(PictureState(), runtime=runtime),
            pictures=Pictures(runtime=runtime),
            activity=Activity(runtime=runtime),
            appearance=Appearance(theme, runtime=runtime),
        )
