"""What is shown where there is nothing to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QLabel

from demo_app.look.empty_state import EmptyState

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from demo_app.look.theme import Theme


@pytest.fixture
def empty(qtbot: QtBot, theme: Theme) -> EmptyState:
    empty = EmptyState("users", "No people match", "Search for a part of a name.")
    qtbot.addWidget(empty)
    empty.show()
    return empty


def test_its_words_are_qt_properties(empty: EmptyState) -> None:
    assert QObject.setProperty(empty, "title", "Nobody is here")
    assert QObject.setProperty(empty, "text", "Start the server.")
    assert [label.text() for label in empty.findChildren(QLabel)] == ["Nobody is here", "Start the server."]
    assert (empty.property("title"), empty.property("text")) == ("Nobody is here", "Start the server.")


def test_the_title_is_stronger_than_the_text(empty: EmptyState, theme: Theme) -> None:
    title, text = empty.findChildren(QLabel)
    assert title.font().pointSizeF() > text.font().pointSizeF()
    assert title.palette().color(title.foregroundRole()).name() == theme.tokens.text
    assert text.palette().color(text.foregroundRole()).name() == theme.tokens.muted


def test_its_icon_is_quiet_but_can_be_seen(empty: EmptyState, theme: Theme, pixels) -> None:
    assert pixels.count(empty.grab().toImage(), theme.tokens.outline) > 10
