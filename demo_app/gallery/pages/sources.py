"""What is computed from states is computed anew when a field that it reads has changed, and only then."""

from __future__ import annotations

from itertools import count

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from demo_app.gallery.page import Page
from qtorch import BaseOrchestrator, BaseState, bind, bind_two_way, combine


class CartState(BaseState):
    books: int = 2
    cents: int = 1250
    note: str = "wrap it up, please"


class Cart(BaseOrchestrator[CartState]):
    @Slot()
    def add(self) -> None:
        self.update(books=self.state.books + 1)


class RatesState(BaseState):
    dollars: float = 1.10


class Rates(BaseOrchestrator[RatesState]):
    @Slot()
    def rise(self) -> None:
        self.update(dollars=round(self.state.dollars + 0.01, 2))


def build() -> QWidget:
    cart, rates = Cart(CartState()), Rates(RatesState())
    computations = count(1)

    # It reads two fields of the cart, so a change of the note does not compute it.
    euros = cart.select(lambda s: (s.books * s.cents / 100, next(computations)))
    price = euros.map(lambda result: result[0])
    # Two states: computed anew when either changes, once.
    dollars = combine(price, rates.select(lambda s: s.dollars), lambda euros, rate: euros * rate)

    total, computed, foreign, rate = QLabel(), QLabel(), QLabel(), QLabel()
    bind(total, "text", price, to=lambda euros: f"{euros:.2f} €")
    bind(computed, "text", euros.map(lambda result: f"{result[1]} times"))
    bind(foreign, "text", dollars, to=lambda value: f"{value:.2f} $")
    bind(rate, "text", rates.select(lambda s: f"{s.dollars:.2f} $ for 1 €"))

    note = QLineEdit()
    bind_two_way(note, cart.field(lambda s: s.note))
    add, rise = QPushButton("Add a book"), QPushButton("Let the dollar fall")
    add.clicked.connect(cart.add)
    rise.clicked.connect(rates.rise)

    page = QWidget()
    buttons = QHBoxLayout()
    buttons.addWidget(add)
    buttons.addWidget(rise)
    buttons.addStretch()
    layout = QFormLayout(page)
    layout.addRow("select: the price", total)
    layout.addRow("has been computed", computed)
    layout.addRow("a note is not part of it", note)
    layout.addRow("another state: the rate", rate)
    layout.addRow("combine: in dollars", foreign)
    layout.addRow("", buttons)
    return page


PAGE = Page("Sources", build)
