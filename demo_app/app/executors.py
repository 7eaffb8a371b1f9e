"""Who asks the server for what the window wants: coroutines on the app's loop."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from demo_app.app.faults import ConflictError
from demo_app.app.jobs import (
    ChangePictureJob,
    ConnectJob,
    FetchedPerson,
    FetchPersonJob,
    LoadPictureJob,
    ReadPictureJob,
    RoundPictureJob,
    SavePersonJob,
    SearchPeopleJob,
    Server,
    ServerEnded,
)
from qtorch import BaseExecutor, executes

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from demo_app.app.api import Api
    from demo_app.app.server_process import ServerProcess
    from demo_app.server.models import PeoplePage, Person
    from qtorch import Dispatcher, SignalBus


class ConnectExecutor(BaseExecutor[ConnectJob]):
    """Starts the app's own server if there is one to start, and asks whether it is up.

    Parameters
    ----------
    api
        Is pointed at the server that was started.
    server
        The app's own server; None if it uses another one.
    bus
        Where it is told that the own server has ended by itself.
    """

    def __init__(self, api: Api, server: ServerProcess | None, bus: SignalBus) -> None:
        self._api, self._server, self._bus = api, server, bus

    async def process(self, job: ConnectJob) -> Server:  # noqa: ARG002 there is one server only
        """Start and ask."""
        if self._server is not None and not self._server.is_running:
            self._api.url = await self._server.start(lambda words: self._bus.emit(ServerEnded("server", words)))
        health = await self._api.health()
        return Server(url=self._api.url, people=health.people)

    async def aclose(self) -> None:
        """Close the connections and end the own server."""
        await self._api.aclose()
        if self._server is not None:
            await self._server.stop()


class LoadPictureExecutor(BaseExecutor[LoadPictureJob]):
    """Fetches a picture, and has it decoded on a thread."""

    max_concurrency = 4

    def __init__(self, api: Api, dispatcher: Dispatcher) -> None:
        self._api, self._dispatcher = api, dispatcher

    async def process(self, job: LoadPictureJob) -> QImage:
        """Fetch, then decode."""
        content = await self._api.picture(job.path)
        decoding = RoundPictureJob(content=content, side=job.side, device_pixel_ratio=job.device_pixel_ratio)
        return await self._dispatcher.dispatch(decoding, token=self.token(job))


class ChangePictureExecutor(BaseExecutor[ChangePictureJob]):
    """Has the file read and looked at on a thread, and sends it."""

    def __init__(self, api: Api, dispatcher: Dispatcher) -> None:
        self._api, self._dispatcher = api, dispatcher

    async def process(self, job: ChangePictureJob) -> Person:
        """Read, then send, telling how much of it has gone out."""
        picture = await self._dispatcher.dispatch(ReadPictureJob(path=job.path), token=self.token(job))
        total = len(picture.content)

        def sent(size: int) -> None:
            self.emit_progress(job, size / total, message=_part(size, total))

        return await self._api.change_picture(job.person_id, picture.name, picture.content, picture.content_type, sent)


def _part(size: int, total: int) -> str:
    unit, name, digits = (1e6, "MB", 1) if total >= 1e6 else (1e3, "kB", 0)
    return f"{size / unit:.{digits}f} of {total / unit:.{digits}f} {name}"


def plain_executors(api: Api) -> tuple[BaseExecutor[Any], ...]:
    """Give the executors of the jobs that are one call of the server each."""

    @executes(SearchPeopleJob)
    async def search(job: SearchPeopleJob) -> PeoplePage:
        return await api.people(job.query)

    @executes(FetchPersonJob)
    async def fetch(job: FetchPersonJob) -> FetchedPerson:
        return FetchedPerson(person=await api.person(job.person_id), at=time.time())

    @executes(SavePersonJob)
    async def save(job: SavePersonJob) -> Person:
        try:
            return await api.change(job.person.id, job.changes)
        except ConflictError as conflict:
            wanted = job.changes.model_dump(exclude={"version"}, exclude_none=True)
            if conflict.current.model_dump(include=set(wanted)) != wanted:
                raise
            return conflict.current  # ours was stored, and only the answer to it got lost

    return search, fetch, save
