"""What a list shows of its values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListView

from qtorch import BaseState, KeyedListModel

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from qtorch.testing.hygiene import TestRuntime


class Row(BaseState):
    id: int
    name: str = ""


def row_id(row: Row) -> int:
    return row.id


def row_name(row: Row) -> str:
    return row.name


def numbered(*numbers: int) -> tuple[Row, ...]:
    return tuple(Row(id=number, name=str(number)) for number in numbers)


def test_without_roles_the_text_is_the_value_itself(qtbot: QtBot) -> None:
    model: KeyedListModel[str] = KeyedListModel(key=lambda text: text)
    model.set_items(("a", "b"))
    assert model.index(1).data() == "b"
    assert model.index(1).data(Qt.ItemDataRole.ToolTipRole) is None


def test_roles_by_name_are_what_qml_asks_by(qtbot: QtBot) -> None:
    model = KeyedListModel(key=row_id, roles={"name": row_name, "number": row_id})
    model.set_items(numbered(5))
    roles = {bytes(name).decode(): role for role, name in model.roleNames().items()}
    assert model.index(0).data(roles["name"]) == "5"
    assert model.index(0).data(roles["number"]) == 5


def test_a_name_that_qt_has_for_a_role_is_that_role(qtbot: QtBot) -> None:
    model = KeyedListModel(key=row_id, roles={"display": row_name, "number": row_id})
    model.set_items(numbered(5))
    assert model.index(0).data(Qt.ItemDataRole.DisplayRole) == "5"
    assert list(model.roleNames().values()).count(b"display") == 1


def test_what_a_role_raises_is_reported_once_however_often_a_view_paints(
    qtbot: QtBot, qtorch_runtime: TestRuntime
) -> None:
    model = KeyedListModel(
        key=row_id,
        roles={Qt.ItemDataRole.DisplayRole: lambda row: row.nmae},  # type: ignore[attr-defined]
    )
    with qtbot.captureExceptions() as raised:
        for items in (numbered(1, 2), numbered(3, 4)):
            model.set_items(items)
            assert [model.index(row).data() for row in (0, 1, 0)] == [None] * 3
    assert len(raised) == 1
    (report,) = qtorch_runtime.reports
    assert report.where == "KeyedListModel, role 0 of row 0"


def test_a_view_of_rows_of_one_size_asks_for_no_row_that_it_does_not_show(qtbot: QtBot) -> None:
    asked: set[int] = set()

    def name(row: Row) -> str:
        asked.add(row.id)
        return row.name

    model = KeyedListModel(key=row_id, roles={Qt.ItemDataRole.DisplayRole: name})
    model.set_items(numbered(*range(2_000)))
    view = QListView()
    qtbot.addWidget(view)
    view.setUniformItemSizes(True)
    view.resize(300, 300)
    view.setModel(model)
    view.show()
    view.grab()
    model.set_items((*numbered(2_000), *(model.item(row) for row in range(2_000))))
    view.grab()
    assert len(asked) < 50
    view.setModel(None)
