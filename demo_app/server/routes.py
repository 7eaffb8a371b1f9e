"""The addresses of the server.

A method without ``async`` is run in a thread by Starlette, so that its disk access does not hold up the event loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from starlette.concurrency import run_in_threadpool
from starlette.endpoints import HTTPEndpoint
from starlette.responses import Response
from starlette.routing import Route

from demo_app.server.answers import RequestRejected, json_answer
from demo_app.server.models import FaultSettings, Health, PeopleQuery, PersonChanges
from demo_app.server.reading import read_json, read_picture, read_query
from demo_app.server.store import PersonNotFound, Store

if TYPE_CHECKING:
    from starlette.requests import Request

    from demo_app.server.faults import Faults


class HealthEndpoint(HTTPEndpoint):
    """``/health``."""

    def get(self, request: Request) -> Response:
        """Say that the server is up, and how many people it has."""
        return json_answer(Health(people=_store(request).count()))


class PeopleEndpoint(HTTPEndpoint):
    """``/people?q=&offset=0&limit=50``."""

    def get(self, request: Request) -> Response:
        """List a stretch of the people that match, ordered by name."""
        return json_answer(_store(request).page(read_query(request, PeopleQuery)))


class PersonEndpoint(HTTPEndpoint):
    """``/people/{person_id}``."""

    def get(self, request: Request) -> Response:
        """Show one person."""
        return json_answer(_store(request).person(_person_id(request)))

    async def patch(self, request: Request) -> Response:
        """Change fields of a person, if the version is the current one."""
        changes = await read_json(request, PersonChanges)
        return json_answer(await run_in_threadpool(_store(request).change, _person_id(request), changes))


class AvatarEndpoint(HTTPEndpoint):
    """``/people/{person_id}/avatar``."""

    def get(self, request: Request) -> Response:
        """Send the picture, or nothing but 304 to a client that has it."""
        person_id = _person_id(request)
        avatar = _store(request).avatar(person_id)
        if avatar is None:
            raise RequestRejected(404, "not_found", f"Person {person_id} has no picture.")
        etag = f'"{person_id}-{avatar.version}"'
        # The address with ?v= is a new one for each picture: what is behind it never changes.
        immutable = request.query_params.get("v") == str(avatar.version)
        caching = "private, max-age=31536000, immutable" if immutable else "private, no-cache"
        headers = {"ETag": etag, "Cache-Control": caching}
        if request.headers.get("If-None-Match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(avatar.image, headers=headers, media_type=avatar.content_type)

    async def put(self, request: Request) -> Response:
        """Replace the picture, and answer with the person."""
        store, person_id = _store(request), _person_id(request)
        await run_in_threadpool(store.person, person_id)  # 404 before 5 MB are sent for nothing
        async with read_picture(request) as picture:
            return json_answer(await run_in_threadpool(store.change_avatar, person_id, *picture))


class ControlEndpoint(HTTPEndpoint):
    """``/control``: the faults of the running server."""

    async def get(self, request: Request) -> Response:
        """Show the faults."""
        return json_answer(_faults(request).settings)

    async def put(self, request: Request) -> Response:
        """Replace the faults; what is not named is off."""
        faults = _faults(request)
        faults.settings = await read_json(request, FaultSettings)
        return json_answer(faults.settings)


def routes(*, control: bool) -> list[Route]:
    """List the addresses, ``/control`` only if asked for."""
    addresses = [
        Route("/health", HealthEndpoint),
        Route("/people", PeopleEndpoint),
        Route("/people/{person_id}", PersonEndpoint),
        Route("/people/{person_id}/avatar", AvatarEndpoint),
    ]
    return [*addresses, Route("/control", ControlEndpoint)] if control else addresses


def _store(request: Request) -> Store:
    return cast("Store", request.app.state.store)


def _faults(request: Request) -> Faults:
    return cast("Faults", request.app.state.faults)


def _person_id(request: Request) -> int:
    text: str = request.path_params["person_id"]
    # Not {person_id:int} in the route: SQLite has no integers above 2**63, and int() refuses some thousand digits.
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise PersonNotFound(text[:40])
    return int(text)
