"""A form holds whatever is typed and says what is wrong by the rules of its model; the server may refuse as well."""

from __future__ import annotations

import time

from pydantic import BaseModel, Field, model_validator
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QSpinBox, QVBoxLayout, QWidget

from demo_app.gallery.page import Page
from qtorch import (
    BaseExecutor,
    BaseJob,
    Form,
    FormRow,
    JobFailureEvent,
    bind,
    bind_command,
    bind_two_way,
    on,
)


class Phone(BaseModel):
    number: str = Field(min_length=3)


class Member(BaseModel):
    name: str = Field(min_length=2)
    email: str = Field(pattern=r"^\S+@\S+$")
    age: int = Field(ge=0, le=150)
    guardian: str = ""
    phones: tuple[Phone, ...] = ()

    @model_validator(mode="after")
    def _check_guardian(self) -> Member:
        if self.age < 18 and not self.guardian:
            raise ValueError("Who is under 18 needs a guardian.")
        return self


class TakenError(Exception):
    """The server knows somebody else of that address."""


class SaveMemberJob(BaseJob[Member]):
    member: Member


class SaveMember(BaseExecutor[SaveMemberJob]):
    def process(self, job: SaveMemberJob) -> Member:
        time.sleep(0.4)
        if job.member.email == "ada@example.org":
            raise TakenError
        return job.member


class MemberForm(Form[Member]):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(Member, submit=lambda member: SaveMemberJob(member=member), parent=parent)
        self.phones = self.rows(lambda m: m.phones)

    @Slot()
    def add_phone(self) -> None:
        self.phones.append()

    @on(JobFailureEvent, SaveMemberJob)
    def _refused(self, event: JobFailureEvent) -> None:
        if event.is_error(TakenError):
            self.refuse({"email": "Somebody else has this address."})


class PhoneRows(QWidget):
    """A line edit for each phone; one that is there already is kept."""

    def __init__(self, form: MemberForm) -> None:
        super().__init__()
        self._edits: dict[FormRow[Phone], QLineEdit] = {}
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        bind(self.show_rows, form.phones.items)

    def show_rows(self, rows: tuple[FormRow[Phone], ...]) -> None:
        for row in [row for row in self._edits if row not in rows]:
            self._edits.pop(row).deleteLater()
        for row in rows:
            if row not in self._edits:
                self._edits[row] = edit = QLineEdit(placeholderText="Number")
                bind_two_way(edit, row.field(lambda phone: phone.number))
                self._layout.addWidget(edit)


def build() -> QWidget:
    page = QWidget()
    form = MemberForm(page)
    name, email, guardian, age = QLineEdit(), QLineEdit(), QLineEdit(), QSpinBox(maximum=200)
    bind_two_way(name, form.field(lambda m: m.name))
    bind_two_way(email, form.field(lambda m: m.email))
    bind_two_way(age, form.field(lambda m: m.age))
    bind_two_way(guardian, form.field(lambda m: m.guardian))

    fault, summary, dirty = QLabel(), QLabel(), QLabel()
    for label in (fault, summary):
        label.setProperty("tone", "danger")
    bind(fault, "text", form.error(lambda m: m.email))
    bind(fault, "visible", form.error(lambda m: m.email).map(bool))
    bind(summary, "text", form.select(lambda s: s.summary))
    bind(dirty, "text", form.select(lambda s: "There is something to save" if s.is_dirty else "Nothing to save"))

    add, save, reset, busy = QPushButton("Add a phone"), QPushButton("Save"), QPushButton("Reset"), QLabel("Saving ...")
    add.clicked.connect(form.add_phone)
    reset.clicked.connect(form.reset)
    bind_command(save, form.submit, busy=busy)

    layout, fields, side = QHBoxLayout(page), QFormLayout(), QVBoxLayout()
    layout.addLayout(fields, 2)
    layout.addLayout(side, 1)
    for title, widget in (
        ("Name", name),
        ("E-mail", email),
        ("", fault),
        ("Age", age),
        ("Guardian", guardian),
        ("Phones", PhoneRows(form)),
    ):
        fields.addRow(title, widget)
    for below in (add, save, reset, busy, dirty, summary):
        side.addWidget(below)
    side.addStretch()
    return page


PAGE = Page("Forms", build, executors=(SaveMember,), press="Save")
