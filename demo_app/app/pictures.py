"""The pictures of those who are on the screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtGui import QImage

from demo_app.app.jobs import ConnectJob, LoadPictureJob, Server, picture_cache
from qtorch import BaseOrchestrator, BaseState, JobSuccessEvent, on

if TYPE_CHECKING:
    from qtorch.ports import DefaultRuntime

PictureKey = tuple[str, int]
"""Path of a picture, and side of its circle."""

_MOST = 400
"""Pictures that are kept beside those in the cache: several screens full."""


class PicturesState(BaseState):
    """Pictures by path and side, those that came first in front."""

    images: Mapping[PictureKey, QImage] = {}


class Pictures(BaseOrchestrator[PicturesState]):
    """Loads pictures when they are wanted for the first time.

    What cannot be loaded is not worth a message: initials stand in for it. It is tried again when the server is found
    anew.
    """

    def __init__(self, *, runtime: DefaultRuntime) -> None:
        super().__init__(PicturesState(), runtime=runtime)
        self._asked: set[PictureKey] = set()

    def want(self, paths: Iterable[str | None], side: int, device_pixel_ratio: float = 1.0) -> None:
        """Load those of ``paths`` that are not there yet, as circles of ``side`` device-independent pixels."""
        for path in paths:
            if path is not None and (path, side) not in self._asked:
                self._asked.add((path, side))
                job = LoadPictureJob(path=path, side=side, device_pixel_ratio=device_pixel_ratio)
                self.dispatch(job, cache=picture_cache(path, side, device_pixel_ratio))

    @on(JobSuccessEvent, LoadPictureJob)
    def _loaded(self, event: JobSuccessEvent[QImage]) -> None:
        job = event.job
        assert isinstance(job, LoadPictureJob)
        images = {**self.state.images, (job.path, job.side): event.data}
        for key in list(images)[:-_MOST]:
            del images[key]
            self._asked.discard(key)
        self.update(images=images)

    @on(JobSuccessEvent, ConnectJob, passive=True)
    def _connected(self, event: JobSuccessEvent[Server]) -> None:  # noqa: ARG002
        self._asked = set(self.state.images)
