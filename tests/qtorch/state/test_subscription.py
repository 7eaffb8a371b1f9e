"""Listening, and how listeners are held."""

from __future__ import annotations

import gc
import weakref
from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QLabel

from qtorch import Subscription
from qtorch.state.subscription import hold, name_of


@pytest.fixture(autouse=True)
def no_cyclic_collector() -> Iterator[None]:
    """What dies here dies by its last reference."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Window:
    def show(self, value: object) -> None: ...

    def __call__(self) -> None: ...

    @classmethod
    def make(cls) -> None: ...

    @staticmethod
    def fixed() -> None: ...


def test_closing_ends_once() -> None:
    ends: list[str] = []
    subscription = Subscription(lambda: ends.append("end"))
    assert subscription.is_active
    subscription.close()
    subscription.close()
    assert (ends, subscription.is_active) == (["end"], False)


def test_a_context_manager_closes_also_when_its_body_raises() -> None:
    subscription = Subscription()

    def body() -> None:
        with subscription as entered:
            assert entered is subscription
            raise KeyError

    with pytest.raises(KeyError):
        body()
    assert not subscription.is_active


def test_a_closed_subscription_lets_go_of_what_it_ended() -> None:
    window = Window()
    gone = weakref.ref(window)
    subscription = Subscription(partial(window.show, 1))
    del window
    subscription.close()
    assert gone() is None


def deaths_of(callback: Any) -> tuple[Any, list[str]]:
    deaths: list[str] = []
    return hold(callback, lambda: deaths.append("died")), deaths


def test_a_bound_method_is_held_weakly() -> None:
    window = Window()
    held, deaths = deaths_of(window.show)
    assert held() == window.show
    del window
    assert (held(), deaths) == (None, ["died"])


def test_a_bound_method_of_a_c_plus_plus_class_is_held_weakly(qapp: QApplication) -> None:
    label = QLabel()
    held, deaths = deaths_of(label.setText)
    held()("hello")
    assert label.text() == "hello"
    del label
    assert (held(), deaths) == (None, ["died"])


def test_a_method_of_a_built_in_that_knows_weak_references_is_held_weakly() -> None:
    log: deque[int] = deque()
    held, deaths = deaths_of(log.append)
    held()(1)
    assert list(log) == [1]
    del log
    assert (held(), deaths) == (None, ["died"])


@pytest.mark.parametrize(
    "callback",
    [lambda _: None, partial(Window().show), Window(), Window.make, Window.fixed, [].append, print, str.upper, int],
    ids=["function", "partial", "callable", "classmethod", "static", "list.append", "builtin", "descriptor", "class"],
)
def test_everything_else_is_held_strongly(callback: Any) -> None:
    held, deaths = deaths_of(callback)
    del callback
    gc.collect()
    assert callable(held())
    assert deaths == []


def test_functions_are_named_for_messages(qapp: QApplication) -> None:
    def local() -> None: ...

    assert name_of(Window().show) == "Window.show"
    assert name_of(partial(Window().show, 1)) == "Window.show"
    assert name_of(str) == "str"
    assert name_of(local).endswith("<locals>.local")
    assert name_of(lambda: None).startswith("<lambda> at test_subscription.py:")
    assert name_of(QObject().objectName) == "QObject.objectName"
    assert name_of(Window()) == "Window"
