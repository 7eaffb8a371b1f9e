"""KeyedListModel in a ListView of QML: rows come, go and move; the current one stays current."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtQuick import QQuickView, QQuickWindow, QSGRendererInterface
from PySide6.QtQuickWidgets import QQuickWidget

from qtorch import BaseState, KeyedListModel

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

PAGE = QUrl.fromLocalFile(str(Path(__file__).with_name("people.qml")))


class Person(BaseState):
    id: int
    name: str
    tags: tuple[str, ...] = ("new", "vip")
    views: int = 2**40


def people(*ids: int) -> tuple[Person, ...]:
    return tuple(Person(id=number, name=f"p{number}") for number in ids)


class Shown:
    """A ListView on the screen, with the model it shows."""

    def __init__(self, kind: type[QQuickView | QQuickWidget], qtbot: QtBot, ids: tuple[int, ...]) -> None:
        self.model: KeyedListModel[Person] = KeyedListModel(
            key=lambda person: person.id,
            roles={"name": lambda one: one.name, "tags": lambda one: one.tags, "views": lambda one: one.views},
        )
        self.model.set_items(people(*ids))
        self.view = kind()
        self.view.setInitialProperties({"people": self.model})
        self.view.setSource(PAGE)
        self.view.show()
        self.root: Any = self.view.rootObject()
        assert self.root is not None
        self._qtbot = qtbot
        self.settle()

    def become(self, *ids: int) -> None:
        self.model.set_items(people(*ids))
        self.settle()

    def settle(self) -> None:
        """Wait until the view has laid its items out."""
        self.root.forceLayout()
        rows = self.model.rowCount()
        self._qtbot.waitUntil(
            lambda: self.root.property("count") == rows and self.tops() == [10.0 * row for row in range(rows)]
        )

    def tops(self) -> list[float]:
        return list(self.root.tops().toVariant())

    def texts(self) -> list[str]:
        return list(self.root.texts().toVariant())

    def seen(self) -> list[str]:
        return list(self.root.property("seen").toVariant())


@pytest.fixture(scope="session")
def _no_gpu() -> None:
    if QQuickWindow.sceneGraphBackend() != "software":
        QQuickWindow.setGraphicsApi(QSGRendererInterface.GraphicsApi.Software)


@pytest.fixture(params=[QQuickView, QQuickWidget], ids=["view", "widget"])
def kind(request: pytest.FixtureRequest, _no_gpu: None) -> type[QQuickView | QQuickWidget]:
    return request.param


@pytest.fixture
def five(kind: type[QQuickView | QQuickWidget], qtbot: QtBot) -> Iterator[Shown]:
    shown = Shown(kind, qtbot, (0, 1, 2, 3, 4))
    yield shown
    del shown.root
    del shown.view


def names(shown: Shown) -> list[str]:
    return [text.split()[0] for text in shown.texts()]


def test_roles_are_read_by_name_with_tuples_as_arrays_and_large_numbers_whole(five: Shown) -> None:
    assert five.texts()[0] == f"p0 2 {2**40}"


def test_rows_that_come_go_and_move_are_shown_in_order_and_nothing_is_reset(five: Shown) -> None:
    five.become(0, 1, 9, 2, 3, 4)
    assert names(five) == ["p0", "p1", "p9", "p2", "p3", "p4"]
    five.become(0, 9, 2, 3, 4)
    five.become(4, 0, 9, 2, 3)
    assert names(five) == ["p4", "p0", "p9", "p2", "p3"]
    assert five.seen() == ["inserted", "removed", "moved"]


def test_a_row_that_changed_is_shown_anew(five: Shown) -> None:
    five.model.set_items((Person(id=0, name="Ada"), *people(1, 2, 3, 4)))
    assert names(five)[0] == "Ada"
    assert five.seen() == []


def test_the_current_row_follows_its_value(five: Shown) -> None:
    five.root.setProperty("currentIndex", 2)
    for ids in ((2, 0, 1, 3, 4), (0, 1, 3, 4, 2), (7, 8, 0, 2), (2,)):
        five.become(*ids)
        assert five.root.property("current") == "p2"
        assert five.root.property("currentIndex") == ids.index(2)


def test_the_current_row_follows_its_value_when_all_rows_move(
    kind: type[QQuickView | QQuickWidget], qtbot: QtBot
) -> None:
    shown = Shown(kind, qtbot, tuple(range(40)))
    shown.root.setProperty("currentIndex", 5)
    mixed = list(range(40))
    random.Random(1).shuffle(mixed)
    for ids in (range(39, -1, -1), mixed):
        shown.become(*ids)
        assert shown.root.property("current") == "p5"
    assert names(shown) == [f"p{number}" for number in mixed]
    assert set(shown.seen()) == {"moved"}


def test_a_model_without_named_roles_tells_many_moves_as_one_new_layout() -> None:
    model: KeyedListModel[int] = KeyedListModel(key=lambda number: number)
    seen: list[str] = []
    model.layoutChanged.connect(lambda *_: seen.append("layout"))
    model.rowsMoved.connect(lambda *_: seen.append("moved"))
    model.set_items(range(40))
    model.set_items(range(39, -1, -1))
    assert seen == ["layout"]
