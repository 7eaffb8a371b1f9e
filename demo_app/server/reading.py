"""Reading a request: no more of it than allowed, and into a model or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO, TYPE_CHECKING, NamedTuple, TypeVar

import python_multipart  # noqa: F401 - Starlette imports it at the first upload, which is late to hear that it is missing
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.requests import Request

from demo_app.server.answers import RequestRejected
from demo_app.server.models import MAX_AVATAR_BYTES, messages_by_field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Message

M = TypeVar("M", bound=BaseModel)

MAX_JSON_BYTES = 64 * 1024

_MULTIPART_HEADERS = 16 * 1024
"""What a multipart body may have beside the picture: boundaries, and the headers of its part."""

_TOO_LARGE = f"A picture may have {MAX_AVATAR_BYTES // 2**20} MB; this one is larger."


class Picture(NamedTuple):
    """An uploaded picture; the file stands at its beginning."""

    content_type: str
    file: IO[bytes]
    size: int


async def read_json(request: Request, model: type[M]) -> M:
    """Read the body into a model.

    Raises
    ------
    RequestRejected
        400 if it is not JSON, 413 if it is too long, 422 with a message for each field that breaks a rule.
    """
    body = await _limited(request, MAX_JSON_BYTES, f"The body may have {MAX_JSON_BYTES} bytes.").body()
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["type"] == "json_invalid":
            raise RequestRejected(400, "malformed", f"The body is not JSON: {first['msg']}") from error
        raise _invalid(error) from error


def read_query(request: Request, model: type[M]) -> M:
    """Read the query parameters into a model.

    Raises
    ------
    RequestRejected
        422 with a message for each parameter that breaks a rule.
    """
    try:
        return model.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise _invalid(error) from error


@asynccontextmanager
async def read_picture(request: Request) -> AsyncIterator[Picture]:
    """Receive the picture in the multipart field ``file``; the file is closed after the block.

    It is spooled to a temporary file while it arrives, and given up as soon as it is larger than allowed, so that no
    upload fills the memory.

    Raises
    ------
    RequestRejected
        400 if the body is not multipart, 413 if it is too long, 415 if the content is no PNG, JPEG or WebP, 422 if
        there is no such field.
    """
    limited = _limited(request, MAX_AVATAR_BYTES + _MULTIPART_HEADERS, _TOO_LARGE)
    async with limited.form(max_files=1, max_fields=1) as form:
        upload = form.get("file")
        if not isinstance(upload, UploadFile):
            message = "Send the picture as a file in the multipart field “file”."
            raise RequestRejected(422, "invalid", message, fields={"file": message})
        size = upload.size or 0
        if size > MAX_AVATAR_BYTES:
            raise RequestRejected(413, "too_large", _TOO_LARGE)
        content_type = picture_type(await upload.read(12))
        if content_type is None:
            raise RequestRejected(415, "unsupported_type", "This is no PNG, JPEG or WebP picture.")
        await upload.seek(0)
        yield Picture(content_type, upload.file, size)


def picture_type(head: bytes) -> str | None:
    """Tell the media type of a picture by its first 12 bytes, None if it is not one of ``AVATAR_TYPES``."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return None


def _limited(request: Request, limit: int, message: str) -> Request:
    """Make the request one that raises when more than ``limit`` bytes of its body have come."""
    received = 0

    async def receive() -> Message:
        nonlocal received
        part = await request.receive()
        received += len(part.get("body", b""))
        if received > limit:
            # The rest is not awaited. uvicorn throws it away while the client sends on, and does not close at once:
            # a reset connection could cost the client this answer.
            raise RequestRejected(413, "too_large", message)
        return part

    return Request(request.scope, receive)


def _invalid(error: ValidationError) -> RequestRejected:
    fields: Mapping[str, str] = messages_by_field(error)
    named = ", ".join(field for field in fields if field)
    message = f"Another value is needed for: {named}." if named else f"The body does not fit: {fields['']}."
    return RequestRejected(422, "invalid", message, fields=fields)
