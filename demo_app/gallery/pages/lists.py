"""A tuple in the state becomes rows: a new tuple is shown as its difference, and what is selected stays selected."""

from __future__ import annotations

import random

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListView, QPushButton, QVBoxLayout, QWidget

from demo_app.gallery.page import Page
from qtorch import BaseOrchestrator, BaseState, KeyedListModel, bind

NAMES = ("Ada", "Alan", "Barbara", "Donald", "Edsger", "Grace", "Katherine", "Linus")


class Person(BaseState):
    id: int
    name: str


class PeopleState(BaseState):
    people: tuple[Person, ...]
    next_id: int


class People(BaseOrchestrator[PeopleState]):
    @Slot()
    def shuffle(self) -> None:
        self.update(people=tuple(random.sample(self.state.people, len(self.state.people))))

    @Slot()
    def insert(self) -> None:
        number = self.state.next_id
        newcomer = Person(id=number, name=f"Newcomer {number}")
        self.update(people=(newcomer, *self.state.people), next_id=number + 1)

    @Slot()
    def remove(self) -> None:
        self.update(people=self.state.people[1:])

    @Slot()
    def rename(self) -> None:
        people = self.state.people
        renamed = tuple(person.copy_with(name=person.name.swapcase()) for person in people[:1])
        self.update(people=renamed + people[1:])


def build() -> QWidget:
    everybody = tuple(Person(id=number, name=name) for number, name in enumerate(NAMES))
    people = People(PeopleState(people=everybody, next_id=len(NAMES)))

    view = QListView()
    view.setProperty("rows", "text")  # how the gallery's style sheet draws it
    view.setMinimumHeight(view.fontMetrics().lineSpacing() * 14)
    model = KeyedListModel[Person](
        key=lambda person: person.id, roles={Qt.ItemDataRole.DisplayRole: lambda person: person.name}, parent=view
    )
    view.setModel(model)
    bind(model.set_items, people.select(lambda s: s.people))
    view.setCurrentIndex(model.index(2))

    count = QLabel()
    bind(count, "text", people.select(lambda s: f"{len(s.people)} people"))
    buttons = QVBoxLayout()
    for text, action in (
        ("Shuffle", people.shuffle),
        ("Insert on top", people.insert),
        ("Rename the first", people.rename),
        ("Remove the first", people.remove),
    ):
        button = QPushButton(text)
        button.clicked.connect(action)
        buttons.addWidget(button)
    buttons.addWidget(count)
    buttons.addStretch()

    page = QWidget()
    layout = QHBoxLayout(page)
    layout.addWidget(view, 1)
    layout.addLayout(buttons)
    return page


PAGE = Page("Lists", build, press="Shuffle")
