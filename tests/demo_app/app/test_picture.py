"""Pictures on their way to the server, and back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QColor, QImage

from demo_app.app.connection import Connection, ConnectionState
from demo_app.app.jobs import LoadPictureJob, person_key
from demo_app.app.picture import Picture, PictureChanged, PictureState
from demo_app.app.pictures import Pictures
from demo_app.server.models import MAX_AVATAR_BYTES
from qtorch import MISSING, EventLog, JobProgressEvent, JobSuccessEvent, Runtime

if TYPE_CHECKING:
    from pathlib import Path

    from tests.demo_app.app.reading import Until
    from tests.demo_app.app.serving import RunningServer

pytestmark = pytest.mark.realtime


@pytest.fixture
def picture(runtime: Runtime) -> Picture:
    return Picture(PictureState(), runtime=runtime)


def draw(file: Path, *, side: int = 40, noise: bool = False) -> Path:
    """Write a picture in one colour, or one that no compression makes smaller."""
    if noise:
        image = QImage(os.urandom(4 * side * side), side, side, QImage.Format.Format_RGB32)
    else:
        image = QImage(side, side, QImage.Format.Format_RGB32)
        image.fill(QColor("#a0341e"))
    assert image.save(str(file))
    return file


@pytest.mark.parametrize("kind", ["png", "jpg", "webp"])
def test_a_picture_is_stored_as_it_is_in_the_file(
    picture: Picture, runtime: Runtime, server: RunningServer, until: Until, tmp_path: Path, me: int, kind: str
) -> None:
    effects: list[object] = []
    picture.effect.connect(effects.append)
    file = draw(tmp_path / f"bild ä.{kind}")
    picture.change(me, file)
    until(lambda: bool(effects))
    person = server.person(me)
    assert server.content(person["avatar"]) == file.read_bytes()
    assert effects == [PictureChanged(person["name"])]
    until(lambda: not picture.has_active_jobs)
    assert picture.state == PictureState(progress=1.0, sent=picture.state.sent)
    assert runtime.cache.read(person_key(me)) is MISSING


def test_progress_tells_how_much_has_gone_out(
    picture: Picture, runtime: Runtime, server: RunningServer, until: Until, tmp_path: Path, me: int
) -> None:
    log = EventLog(runtime.bus)
    server.control(latency=0.2)
    picture.change(me, draw(tmp_path / "large.png", side=900, noise=True))
    until(lambda: 0 < picture.state.progress < 1)
    assert picture.state.file == "large.png"
    assert picture.state.sent.endswith(" MB")
    until(lambda: not picture.has_active_jobs)
    progress = [event.progress for event in log.of(JobProgressEvent)]
    assert progress == sorted(progress)
    assert progress[-1] == 1


def test_a_cancelled_picture_changes_nothing(
    picture: Picture, server: RunningServer, until: Until, tmp_path: Path, me: int
) -> None:
    before = server.person(me)
    server.control(latency=0.3)
    picture.change(me, draw(tmp_path / "large.png", side=900, noise=True))
    until(lambda: picture.state.progress > 0)
    picture.cancel()
    until(lambda: not picture.has_active_jobs)
    assert (picture.state.file, picture.state.problem) == ("", "")
    server.control()
    assert server.person(me) == before


def test_a_file_that_is_no_picture_is_told_of_and_not_tried_again(
    picture: Picture, until: Until, tmp_path: Path, me: int
) -> None:
    cases = {
        "notes.png": (b"This is no picture.", "notes.png is no PNG, JPEG or WebP picture."),
        "drawing.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "drawing.svg is no PNG, JPEG or WebP picture."),
        "empty.jpg": (b"", "empty.jpg is no PNG, JPEG or WebP picture."),
        "huge.png": (bytes(MAX_AVATAR_BYTES + 1), "huge.png is too large: a picture may have 5 MB."),
        "cut.png": (draw(tmp_path / "whole.png", side=200, noise=True).read_bytes()[:5000], "cut.png is damaged: "),
    }
    for name, (content, said) in cases.items():
        file = tmp_path / name
        file.write_bytes(content)
        picture.change(me, file)
        until(lambda: not picture.has_active_jobs)
        assert picture.state.problem.startswith(f"The picture was not changed. {said}")
        assert picture.state.failed is None


def test_a_file_that_cannot_be_read_is_told_of(picture: Picture, until: Until, tmp_path: Path, me: int) -> None:
    picture.change(me, tmp_path / "gone.png")
    until(lambda: not picture.has_active_jobs)
    said = "The picture was not changed. gone.png cannot be read: No such file or directory."
    assert picture.state.problem == said
    picture.change(me, tmp_path)
    until(lambda: not picture.has_active_jobs)
    assert "cannot be read" in picture.state.problem


def test_a_picture_that_failed_can_be_sent_again(
    picture: Picture, server: RunningServer, until: Until, tmp_path: Path, me: int
) -> None:
    file = draw(tmp_path / "a.png")
    server.control(fail_next=3)
    picture.change(me, file)
    until(lambda: picture.state.problem != "")
    assert picture.state.problem == "The picture was not changed. The server cannot answer just now; try again."
    picture.retry()
    until(lambda: not picture.has_active_jobs)
    assert (picture.state.problem, picture.state.failed) == ("", None)
    assert server.content(server.person(me)["avatar"]) == file.read_bytes()


def test_pictures_are_loaded_once_and_cut_to_the_size_that_is_wanted(
    picture: Picture, runtime: Runtime, server: RunningServer, until: Until, tmp_path: Path, me: int
) -> None:
    picture.change(me, draw(tmp_path / "a.png", side=300))
    until(lambda: not picture.has_active_jobs)
    path = server.person(me)["avatar"]
    pictures, log = Pictures(runtime=runtime), EventLog(runtime.bus)
    pictures.want([path, None, path], 32)
    pictures.want([path], 32, 1.0)
    until(lambda: (path, 32) in pictures.state.images)
    assert pictures.state.images[path, 32].width() == 32
    assert len([event for event in log.of(JobSuccessEvent) if event.is_from(LoadPictureJob)]) == 1
    # Another window, or a scroll back to what was dropped, is served from the cache.
    others = Pictures(runtime=runtime)
    others.want([path], 32)
    until(lambda: (path, 32) in others.state.images)
    assert log.successes[-1].is_from_cache


def test_a_picture_that_cannot_be_loaded_is_tried_again_when_the_server_is_found_anew(
    picture: Picture, runtime: Runtime, server: RunningServer, until: Until, tmp_path: Path, me: int
) -> None:
    picture.change(me, draw(tmp_path / "a.png"))
    until(lambda: not picture.has_active_jobs)
    path = server.person(me)["avatar"]
    pictures = Pictures(runtime=runtime)
    server.control(fail_next=4)
    pictures.want([path], 32)
    until(lambda: not pictures.has_active_jobs)
    assert not pictures.state.images
    connection = Connection(ConnectionState(), runtime=runtime)
    connection.find_server()
    until(lambda: not connection.has_active_jobs)
    pictures.want([path], 32)
    until(lambda: (path, 32) in pictures.state.images)
