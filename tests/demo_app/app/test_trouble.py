"""Servers that are not there, that die and that fail: told of, and nothing typed is lost."""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt

from demo_app.tour import hands
from tests.demo_app.app.reading import Open, Until, is_idle, names, rows
from tests.demo_app.app.serving import running_server

if TYPE_CHECKING:
    from pathlib import Path

    from demo_app.app.main_window import MainWindow
    from tests.demo_app.app.serving import RunningServer

pytestmark = pytest.mark.realtime
Key = Qt.Key


def test_a_server_that_is_killed_is_started_again_by_retry_and_nothing_typed_is_lost(
    open_window: Open, until: Until, tmp_path: Path
) -> None:
    application = open_window(database=tmp_path / "people.db")
    window, server = application.window, application.server
    assert server is not None
    until(lambda: rows(window) > 0)
    hands.click_row(window.people.list, 0)
    until(window.profile.form.name.edit.isEnabled)
    hands.retype(window.profile.form.bio.edit, "Typed before")
    first = server.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    until(window.banner.isVisible)
    said = str(window.banner.property("text"))
    assert said == "The server has stopped (exit code -9). Nothing that you typed is lost."
    assert window.place.text() == "No server"
    hands.alt(Key.Key_Y)
    until(lambda: not window.banner.isVisible() and is_idle(window) and server.pid not in (None, first))
    assert window.profile.form.bio.edit.toPlainText() == "Typed before"
    hands.ctrl(Key.Key_S)
    until(lambda: not window.profile.header.unsaved.isVisible() and is_idle(window))


def test_an_address_that_nobody_answers_is_told_of_and_can_be_tried_again(
    open_window: Open, until: Until, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    window = open_window(api_url=f"http://127.0.0.1:{port}").window
    until(window.banner.isVisible)
    assert str(window.banner.property("text")) == f"No server answers at 127.0.0.1:{port}."
    hands.retype(window.people.search, "adi")
    with running_server(tmp_path / "people.db", "--port", str(port)):
        hands.alt(Key.Key_Y)
        until(lambda: rows(window) > 0 and is_idle(window) and not window.banner.isVisible())
        assert window.people.search.text() == "adi"
        assert window.place.text() == f"127.0.0.1:{port}"


def test_a_server_that_answers_again_is_noticed_without_retry(open_window: Open, until: Until, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    window = open_window(api_url=f"http://127.0.0.1:{port}").window
    until(window.banner.isVisible)
    with running_server(tmp_path / "people.db", "--port", str(port)):
        hands.retype(window.people.search, "adi")
        until(lambda: rows(window) > 0 and is_idle(window) and not window.banner.isVisible())


def test_a_database_that_is_none_is_told_of_in_the_window(open_window: Open, until: Until, tmp_path: Path) -> None:
    file = tmp_path / "people.db"
    file.write_text("This is no database, only a text of some length.")
    window = open_window(database=file).window
    until(window.banner.isVisible)
    assert f"{file} is not an SQLite database" in str(window.banner.property("text"))
    assert window.banner.action_button.isVisible()
    assert window.people.nobody.isVisible()


def test_a_failing_search_is_told_of_and_retried_by_hand(
    window: MainWindow, server: RunningServer, until: Until
) -> None:
    server.control(fail_rate=1)
    hands.click(window.people.search)
    hands.type_text("a")
    until(lambda: "Trying again" in window.activity.text())
    until(window.banner.isVisible)
    server.control()
    hands.click(window.banner.action_button)
    until(lambda: not window.banner.isVisible() and is_idle(window))
    assert names(window) == [item["name"] for item in server.get("/people", q="a")["items"]]
