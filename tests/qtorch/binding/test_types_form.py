"""What type checkers infer of forms, checked by ``make types`` and run by pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_type

import pytest
from pydantic import BaseModel
from PySide6.QtWidgets import QLabel, QLineEdit

from qtorch import Command, Field, Source, bind, bind_two_way
from qtorch.binding.form import Form
from qtorch.binding.form_rows import FormRow, FormRows

if TYPE_CHECKING:
    from qtorch.testing.hygiene import TestRuntime


class Phone(BaseModel):
    number: str = ""


class Person(BaseModel):
    name: str = ""
    age: int = 0
    phones: tuple[Phone, ...] = ()
    spare: list[Phone] | None = None


@pytest.fixture
def form(qtorch_runtime: TestRuntime) -> Form[Person]:
    return Form(Person, submit=lambda person: person.name, can=lambda s: s.is_dirty)


def test_a_form_knows_its_model(form: Form[Person]) -> None:
    assert_type(Form(Person), Form[Person])
    assert_type(form.value, Person | None)
    assert_type(form.is_dirty, bool)
    assert_type(form.is_valid, bool)
    assert_type(form.summary, str)
    assert_type(form.select(lambda s: s.value), Source[Person | None])
    assert_type(form.submit.running, bool)
    assert isinstance(form.submit, Command)
    form.load(Person())
    with pytest.raises(TypeError):
        form.load(Phone())  # type: ignore[arg-type]


def test_a_field_has_the_type_of_the_models(form: Form[Person]) -> None:
    age = form.field(lambda p: p.age)
    assert_type(age, Field[int])
    assert_type(form.error(lambda p: p.age), Source[str])
    bind_two_way(QLineEdit(), age, parse=int)
    bind_two_way(QLineEdit(), age, parse=str)  # type: ignore[arg-type]
    bind(QLabel(), "text", form.error(lambda p: p.name))
    with pytest.raises(AttributeError):
        form.field(lambda p: p.nmae)  # type: ignore[attr-defined]


def test_rows_have_the_type_of_the_models_in_the_list(form: Form[Person]) -> None:
    phones = form.rows(lambda p: p.phones)
    assert_type(phones, FormRows[Phone])
    assert_type(form.rows(lambda p: p.spare), FormRows[Phone])
    assert_type(phones.items, Source[tuple[FormRow[Phone], ...]])
    assert_type(phones.append().field(lambda phone: phone.number), Field[str])


def test_refusals_are_taken_as_servers_give_them() -> None:
    def check(form: Form[Person], by_name: dict[str, str], by_place: dict[tuple[int | str, ...], str]) -> None:
        form.refuse(by_name)
        form.refuse(by_place)
        form.refuse({"name": "is taken", ("phones", 1): "is not in use", (): "The offer has ended."})

    assert callable(check)
