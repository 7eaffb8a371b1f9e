"""Who decodes pictures: functions on pool threads, where QImage may be used and QPixmap may not."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, Qt
from PySide6.QtGui import QImage, QImageReader

from demo_app.app.faults import NotAPictureError
from demo_app.app.jobs import PictureFile, ReadPictureJob, RoundPictureJob
from demo_app.look.avatars import round_picture
from demo_app.server.models import AVATAR_TYPES, MAX_AVATAR_BYTES
from qtorch import BaseExecutor

_SAMPLE = 2048
"""Longest side, in pixels, of a decoded picture: a photo has 50 million pixels and is shown with a hundred in a row."""


class RoundPictureExecutor(BaseExecutor[RoundPictureJob]):
    """Decodes a picture and cuts it to a circle."""

    def process(self, job: RoundPictureJob) -> QImage:
        """Decode and cut."""
        picture = _decode(job.content)
        self.checkpoint(job)
        return round_picture(picture, job.side, device_pixel_ratio=job.device_pixel_ratio)


class ReadPictureExecutor(BaseExecutor[ReadPictureJob]):
    """Reads a file, and decodes it to see that it is a picture."""

    def process(self, job: ReadPictureJob) -> PictureFile:
        """Read and look.

        Raises
        ------
        NotAPictureError
            The file cannot be read, or the server would not take it.
        """
        name = job.path.name
        try:
            with job.path.open("rb") as file:
                # A byte more than allowed shows that a file is too large, also one that has no size or no end.
                content = file.read(MAX_AVATAR_BYTES + 1)
        except OSError as error:
            raise NotAPictureError(f"{name} cannot be read: {error.strerror}.") from error
        if len(content) > MAX_AVATAR_BYTES:
            raise NotAPictureError(f"{name} is too large: a picture may have {MAX_AVATAR_BYTES // 2**20} MB.")
        self.checkpoint(job)
        reader, _buffer = _reader(content)
        content_type = f"image/{reader.format().toStdString()}"
        if content_type not in AVATAR_TYPES:
            raise NotAPictureError(f"{name} is no PNG, JPEG or WebP picture.")
        try:
            _decode(content)
        except NotAPictureError as error:
            raise NotAPictureError(f"{name} is damaged: {error}") from error
        return PictureFile(name=name, content=content, content_type=content_type)


def _decode(content: bytes) -> QImage:
    reader, _buffer = _reader(content)
    size = reader.size()
    if size.isValid() and max(size.width(), size.height()) > _SAMPLE:
        reader.setScaledSize(size.scaled(_SAMPLE, _SAMPLE, Qt.AspectRatioMode.KeepAspectRatio))
    picture = reader.read()
    if picture.isNull():
        raise NotAPictureError(reader.errorString())
    return picture


def _reader(content: bytes) -> tuple[QImageReader, QBuffer]:
    """Give a reader, and the buffer, which has to live as long as it does."""
    buffer = QBuffer()
    buffer.setData(QByteArray(content))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setDecideFormatFromContent(True)
    reader.setAutoTransform(True)  # photos that were taken with the camera on its side
    return reader, buffer
