"""The pages in order. A new one is a module here that ends with ``PAGE = Page(title, build)``, and its name below."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demo_app.gallery.page import Page

ORDER = (
    "one_way",
    "sources",
    "text",
    "choices",
    "steps",
    "commands",
    "coroutines",
    "lists",
    "tables",
    "form",
    "qml",
    "mistakes",
)

NAMES = tuple(module.replace("_", "-") for module in ORDER)
"""Their names on the command line, which is read before Qt is imported."""


def load_pages() -> tuple[Page, ...]:
    """Import the pages."""
    return tuple(import_module(f"{__name__}.{module}").PAGE for module in ORDER)
