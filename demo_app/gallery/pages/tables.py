"""Columns of a tuple's values: cells are edited through the state, and a proxy sorts while editors stay open."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, MinLen
from PySide6.QtCore import QModelIndex, QSortFilterProxyModel, Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QLabel, QPushButton, QTableView, QVBoxLayout, QWidget

from demo_app.gallery.page import Page
from qtorch import BaseOrchestrator, BaseState, Column, KeyedTableModel, bind


class Tool(BaseState):
    id: int
    name: Annotated[str, MinLen(1)]
    count: Annotated[int, Ge(0)]
    is_lent: bool = False


class ShedState(BaseState):
    tools: tuple[Tool, ...] = (
        Tool(id=1, name="Hammer", count=3),
        Tool(id=2, name="Saw", count=12, is_lent=True),
        Tool(id=3, name="Ladder", count=1),
        Tool(id=4, name="Spade", count=2),
    )
    refused: str = ""


class Shed(BaseOrchestrator[ShedState]):
    def change(self, tool: Tool, **values: object) -> None:
        changed = tool.copy_with(**values)  # raises what the editor is told of
        self.update(tools=tuple(changed if one.id == tool.id else one for one in self.state.tools), refused="")

    @Slot(QModelIndex, str)
    def refuse(self, _: QModelIndex, message: str) -> None:
        self.update(refused=message)

    @Slot()
    def take_one(self) -> None:
        first, *others = self.state.tools
        self.update(tools=(*others, first.copy_with(count=first.count + 1)))


def build() -> QWidget:
    shed, view = Shed(ShedState()), QTableView()
    table = KeyedTableModel[Tool](
        key=lambda tool: tool.id,
        columns=[
            Column("Tool", lambda tool: tool.name, edit=lambda tool, name: shed.change(tool, name=name)),
            Column(
                "Count",
                lambda tool: tool.count,
                edit=lambda tool, count: shed.change(tool, count=count),
                align=Qt.AlignmentFlag.AlignRight,
            ),
            Column(
                "Lent",
                lambda tool: tool.is_lent,
                check=True,
                text=lambda is_lent: "lent" if is_lent else "here",
                edit=lambda tool, is_lent: shed.change(tool, is_lent=is_lent),
            ),
        ],
        parent=view,
    )
    bind(table.set_items, shed.select(lambda s: s.tools))
    table.editRefused.connect(shed.refuse)

    proxy = QSortFilterProxyModel(view)
    proxy.setSourceModel(table)
    proxy.setSortRole(Qt.ItemDataRole.EditRole)  # 12 comes after 3
    view.setModel(proxy)
    view.setSortingEnabled(True)
    view.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    view.verticalHeader().hide()
    view.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    refused, more = QLabel(), QPushButton("One more of the first")
    refused.setProperty("tone", "danger")
    bind(refused, "text", shed.select(lambda s: s.refused))
    more.clicked.connect(shed.take_one)

    page = QWidget()
    layout, below = QVBoxLayout(page), QHBoxLayout()
    layout.addWidget(view)
    layout.addLayout(below)
    below.addWidget(more)
    below.addWidget(refused, 1)
    return page


PAGE = Page("Tables", build)
