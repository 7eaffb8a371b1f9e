"""Lists of models in a form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, Field
from PySide6.QtWidgets import QLineEdit

from qtorch import bind_two_way
from qtorch.binding.form import Form
from qtorch.ports import MISSING

if TYPE_CHECKING:
    from qtorch.testing.hygiene import TestRuntime


class Note(BaseModel):
    text: str = Field(min_length=1)


class Phone(BaseModel):
    number: str = Field(pattern=r"^\d+$")
    notes: list[Note] = []


class Fax(BaseModel):
    fax: str


class Person(BaseModel):
    name: str = "Ann"
    phones: tuple[Phone, ...] = Field(default=(), max_length=3)
    spare: list[Phone] | None = None
    lines: tuple[Phone | Fax, ...] = ()


def phones(*numbers: str) -> tuple[Phone, ...]:
    return tuple(Phone(number=number) for number in numbers)


@pytest.fixture
def form(qtorch_runtime: TestRuntime) -> Form[Person]:
    form = Form(Person)
    form.load(Person(phones=phones("1", "2", "3")))
    return form


def numbers(form: Form[Person]) -> list[Any]:
    return [row.field(lambda phone: phone.number).get() for row in form.rows(lambda p: p.phones).get()]


def test_a_row_is_filled_in_and_what_is_wrong_with_it_waits_for_that(qtorch_runtime: TestRuntime) -> None:
    form = Form(Person)
    row = form.rows(lambda p: p.phones).append()
    edit, error = QLineEdit(), row.error(lambda phone: phone.number)
    bind_two_way(edit, row.field(lambda phone: phone.number))
    assert (form.is_valid, form.is_dirty, error.get()) == (False, True, "")
    edit.setText("x")
    assert error.get() == edit.toolTip() == "Use the expected format."
    edit.setText("12")
    assert form.value == Person(phones=phones("12"))
    assert form.changes() == {"phones": ({"number": "12", "notes": []},)}


def test_rows_move_with_their_errors_and_their_widgets(form: Form[Person]) -> None:
    rows = form.rows(lambda p: p.phones)
    first, second, _ = rows.get()
    edit = QLineEdit()
    bind_two_way(edit, second.field(lambda phone: phone.number))
    edit.setText("x")
    rows.move(first, 2)
    assert numbers(form) == ["x", "3", "1"]
    assert (edit.text(), edit.property("invalid")) == ("x", True)
    assert form.summary.startswith("Phones 1, Number: ")
    edit.setText("4")
    assert numbers(form) == ["4", "3", "1"]


def test_a_removed_row_takes_its_errors_along_and_its_widget_is_disabled(form: Form[Person]) -> None:
    rows = form.rows(lambda p: p.phones)
    row = rows.get()[1]
    edit = QLineEdit()
    bind_two_way(edit, row.field(lambda phone: phone.number))
    edit.setText("x")
    rows.remove(row)
    rows.remove(row)
    assert (form.is_valid, form.summary, numbers(form)) == (True, "", ["1", "3"])
    assert (edit.isEnabled(), edit.property("invalid")) == (False, False)
    assert row.field(lambda phone: phone.number).get() is MISSING  # type: ignore[comparison-overlap]
    with pytest.raises(LookupError, match="not in the form any more"):
        rows.move(row, 0)


def test_rows_are_told_only_when_they_come_go_or_move(form: Form[Person]) -> None:
    rows, told = form.rows(lambda p: p.phones), list[Any]()
    subscription = rows.items.subscribe(told.append)
    first = rows.get()[0]
    first.field(lambda phone: phone.number).set("9")
    assert told == []
    new = rows.append(Phone(number="4"))
    rows.move(new, 0)
    rows.remove(first)
    assert [len(one) for one in told] == [4, 4, 3]
    assert told[-1][0] == new
    subscription.close()


def test_rows_in_order_again_are_not_dirty(form: Form[Person]) -> None:
    rows = form.rows(lambda p: p.phones)
    rows.move(rows.get()[0], 1)
    assert form.is_dirty
    rows.move(rows.get()[0], 1)
    assert not form.is_dirty


def test_too_many_rows_are_an_error_of_the_list(form: Form[Person]) -> None:
    form.rows(lambda p: p.phones).append(Phone(number="4"))
    assert form.error(lambda p: p.phones).get() == "Keep at most 3."
    assert form.summary == "Phones: Keep at most 3."


def test_rows_stay_themselves_over_a_new_version_and_a_reset(form: Form[Person]) -> None:
    rows = form.rows(lambda p: p.phones)
    before = rows.get()
    form.load(Person(phones=phones("0", "1", "3")))
    after = rows.get()
    assert numbers(form) == ["0", "1", "3"]
    assert (after[1], after[2]) == (before[0], before[2])  # found by what they hold
    rows.move(after[0], 2)
    after[1].field(lambda phone: phone.number).set("x")
    form.reset()
    assert (numbers(form), rows.get()) == (["0", "1", "3"], after)


def test_an_edited_list_stays_as_a_whole_and_a_new_one_is_a_conflict(form: Form[Person]) -> None:
    rows = form.rows(lambda p: p.phones)
    rows.remove(rows.get()[0])
    form.load(Person(name="Bo", phones=phones("7")))
    assert (numbers(form), form.conflicts) == (["2", "3"], (("Phones",),))
    assert form.changes() == {"phones": ({"number": "2", "notes": []}, {"number": "3", "notes": []})}


def test_a_server_refuses_rows_by_their_number(form: Form[Person]) -> None:
    form.refuse({("phones", 1, "number"): "is not in use"})
    rows = form.rows(lambda p: p.phones)
    row = rows.get()[1]
    rows.move(row, 2)
    assert form.summary == ""
    form.refuse({("phones", 2, "number"): "is not in use"})
    assert row.error(lambda phone: phone.number).get() == "is not in use"
    row.field(lambda phone: phone.number).set("5")
    assert form.summary == ""


def test_a_refusal_goes_with_the_row_that_a_new_version_has_not(form: Form[Person]) -> None:
    form.field(lambda p: p.name).set("Bo")
    form.refuse({("phones", 2, "number"): "is not in use"})
    form.load(Person(phones=phones("1")))
    assert (form.summary, form.changes()) == ("", {"name": "Bo"})


def test_rows_have_rows(form: Form[Person]) -> None:
    notes = form.rows(lambda p: p.phones).get()[0].rows(lambda phone: phone.notes)
    notes.append().field(lambda note: note.text).set("")
    form.submit.trigger()
    assert form.summary == "Phones 1, Notes 1, Text: Fill this in."
    notes.get()[0].field(lambda note: note.text).set("home")
    assert form.value is not None
    assert form.value.phones[0].notes == [Note(text="home")]


def test_a_list_that_is_none_has_no_rows_and_begins_with_the_first(form: Form[Person]) -> None:
    spare = form.rows(lambda p: p.spare)
    assert spare.get() == ()
    spare.append(Phone(number="8"))
    assert form.value is not None
    assert form.value.spare == [Phone(number="8")]


def test_where_rows_are_of_several_classes_one_has_to_be_given(form: Form[Person]) -> None:
    lines: Any = form.rows(lambda p: p.lines)
    with pytest.raises(TypeError, match="Phone or Fax"):
        lines.append()
    lines.append(Fax(fax="1"))
    assert form.value is not None
    assert form.value.lines == (Fax(fax="1"),)
