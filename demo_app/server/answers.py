"""What the server answers: a model as JSON, and an ``ApiError`` for everything that goes wrong."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from demo_app.server.models import ApiError
from demo_app.server.store import PersonNotFound, VersionConflict

if TYPE_CHECKING:
    from pydantic import BaseModel
    from starlette.requests import Request

_log = logging.getLogger("demo_app.server")


class RequestRejected(Exception):  # noqa: N818 - it says what is the case
    """The request cannot be served as it is; the arguments are those of the answer."""

    def __init__(self, status: int, code: str, message: str, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.error = ApiError(code=code, message=message, fields=fields or {})


def json_answer(model: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a model as JSON."""
    return Response(model.model_dump_json(), status, headers, media_type="application/json")


def error_answer(status: int, code: str, message: str) -> Response:
    """Answer with an ``ApiError`` that has no more to say than its message."""
    return json_answer(ApiError(code=code, message=message), status)


async def answer_exception(request: Request, error: Exception) -> Response:
    """Turn whatever a route raised into an ``ApiError``."""
    match error:
        case RequestRejected():
            return json_answer(error.error, error.status)
        case PersonNotFound():
            return error_answer(404, "not_found", f"There is no person {error}.")
        case VersionConflict():
            message = f"{error.current.name} was changed in the meantime: look at the new version and save again."
            return json_answer(ApiError(code="conflict", message=message, current=error.current), 409)
        case ClientDisconnect():
            return Response(status_code=400)  # nobody reads it: a cancelled upload is no fault of the server
        case HTTPException():
            return _http_answer(request, error)
        case sqlite3.Error():
            # Full disk, file removed, locked for too long: nothing that a traceback would help to mend.
            _log.error("%s %s: the database failed: %s", request.method, request.url.path, error)
            return error_answer(503, "storage", f"The server cannot use its database: {error}.")
        case _:
            return error_answer(500, "internal", "The server made a mistake; its log says which.")


EXCEPTION_HANDLERS = dict.fromkeys(
    (RequestRejected, PersonNotFound, VersionConflict, ClientDisconnect, HTTPException, sqlite3.Error, Exception),
    answer_exception,
)
"""For ``Starlette(exception_handlers=...)``; an Exception is also logged by the server, with its traceback."""


def _http_answer(request: Request, error: HTTPException) -> Response:
    match error.status_code:
        case 404:
            code, message = "not_found", f"There is nothing at {request.url.path}."
        case 405:
            allowed = (error.headers or {}).get("Allow", "")
            code, message = "method_not_allowed", f"{request.method} is not possible here, only {allowed}."
        case _:
            code, message = "malformed", f"The request cannot be read: {error.detail}"
    return json_answer(ApiError(code=code, message=message), error.status_code, error.headers)
