"""The same orchestrator in QML and in widgets: properties are read, slots and commands are called, rows move."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from pydantic import computed_field
from PySide6.QtCore import Property, QObject, Qt, QUrl, Slot
from PySide6.QtQuickWidgets import QQuickWidget
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListView, QPushButton, QVBoxLayout, QWidget

from demo_app.gallery.page import Page
from qtorch import BaseOrchestrator, BaseState, Command, KeyedListModel, bind, bind_command


class Task(BaseState):
    id: int
    title: str


class TasksState(BaseState):
    tasks: tuple[Task, ...] = tuple(
        Task(id=number, title=title) for number, title in enumerate(("Water the plants", "Write a test", "Make tea"))
    )
    next_id: int = 3

    @computed_field  # type: ignore[prop-decorator]
    @property
    def summary(self) -> str:
        return f"{len(self.tasks)} to do, next: {self.tasks[0].title}" if self.tasks else "All done"


class Tasks(BaseOrchestrator[TasksState]):
    def __init__(self, parent: QObject) -> None:
        super().__init__(TasksState(), parent=parent)
        self._rows = KeyedListModel[Task](
            key=lambda task: task.id,
            roles={
                "taskId": lambda task: task.id,
                "title": lambda task: task.title,
                Qt.ItemDataRole.DisplayRole: lambda task: task.title,
            },
            parent=self,
        )
        bind(self._rows.set_items, self.select(lambda s: s.tasks))
        self._finish = Command(self._remove, can=self.select(lambda s: bool(s.tasks)), parent=self)
        self._later = Command(self._rotate, can=self.select(lambda s: len(s.tasks) > 1), parent=self)

    # QML sees properties; the casts tell type checkers what Python gets.
    rows = cast("KeyedListModel[Task]", Property(QObject, lambda self: self._rows, constant=True))
    finish = cast("Command", Property(QObject, lambda self: self._finish, constant=True))
    later = cast("Command", Property(QObject, lambda self: self._later, constant=True))

    @Slot(str)
    def add(self, title: str) -> None:
        if title.strip():
            task = Task(id=self.state.next_id, title=title.strip())
            self.update(tasks=(*self.state.tasks, task), next_id=task.id + 1)

    def _remove(self, task_id: int) -> None:
        self.update(tasks=tuple(task for task in self.state.tasks if task.id != task_id))

    def _rotate(self) -> None:
        first, *others = self.state.tasks
        self.update(tasks=(*others, first))


def build() -> QWidget:
    quick = QQuickWidget()
    # As a child of the view it lives until the view's bindings are gone: QML itself keeps nothing alive.
    tasks = Tasks(quick)
    quick.setInitialProperties({"tasks": tasks})
    quick.setResizeMode(QQuickWidget.ResizeMode.SizeRootObjectToView)
    quick.setSource(QUrl.fromLocalFile(str(Path(__file__).with_name("tasks.qml"))))
    quick.setMinimumHeight(quick.fontMetrics().lineSpacing() * 14)

    view, summary, later = QListView(), QLabel(), QPushButton("First to the end")
    view.setModel(tasks.rows)
    bind(summary, "text", tasks.select(lambda s: s.summary))
    bind_command(later, tasks.later)

    page = QWidget()
    widgets = QVBoxLayout()
    widgets.addWidget(QLabel("Widgets"))
    widgets.addWidget(view)
    widgets.addWidget(summary)
    widgets.addWidget(later)
    layout = QHBoxLayout(page)
    layout.addWidget(quick, 1)
    layout.addLayout(widgets, 1)
    return page


PAGE = Page("QML", build, files=("tasks.qml",))
