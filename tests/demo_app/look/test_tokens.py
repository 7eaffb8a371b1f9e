"""Every pair of colours that is shown together can be told apart, in both themes."""

from __future__ import annotations

import re

import pytest
from PySide6.QtGui import QColor

from demo_app.look.contrast import MIN_OUTLINE, MIN_TEXT, contrast, mix
from demo_app.look.person_row import MUTED_ON_SELECTION
from demo_app.look.tokens import DARK, LIGHT, Tokens
from demo_app.resources import resource_dir

THEMES = pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
KINDS = ("info", "success", "warning", "danger")

TEXT_ON = [
    *(("text", below) for below in ("background", "surface", "raised", "hover", "border", *KINDS)),
    *(("muted", below) for below in ("background", "surface", "hover")),
    *((f"on_{below}", below) for below in ("accent", "selection", "toast", *KINDS)),
    ("on_accent", "accent_hover"),
    ("on_danger", "background"),
    ("on_danger", "surface"),
    ("on_toast", "toast_hover"),
    ("toast_accent", "toast"),
    ("toast_accent", "toast_hover"),
]

OUTLINE_ON = [
    *((outline, below) for outline in ("outline", "accent") for below in ("background", "surface")),
    ("outline", "raised"),
    *(("accent", kind) for kind in KINDS),  # the focus ring of a banner's buttons, the edge of the progress
    *((f"on_{kind}", kind) for kind in KINDS),  # icons, and a banner's upper edge
    ("on_danger", "surface"),  # the border of a field that is not valid
    ("toast_accent", "toast"),
    ("selection", "surface"),
    ("accent", "raised"),  # the item under the keyboard in a menu or a combo box
]


@THEMES
@pytest.mark.parametrize(("above", "below"), TEXT_ON, ids=str)
def test_text_can_be_read_on_what_is_behind_it(tokens: Tokens, above: str, below: str) -> None:
    assert contrast(getattr(tokens, above), getattr(tokens, below)) >= MIN_TEXT


@THEMES
@pytest.mark.parametrize(("above", "below"), OUTLINE_ON, ids=str)
def test_borders_icons_and_focus_rings_stand_out(tokens: Tokens, above: str, below: str) -> None:
    assert contrast(getattr(tokens, above), getattr(tokens, below)) >= MIN_OUTLINE


@THEMES
def test_the_muted_address_on_a_selected_row_can_be_read(tokens: Tokens) -> None:
    muted = mix(QColor(tokens.on_selection), QColor(tokens.selection), MUTED_ON_SELECTION)
    assert contrast(muted, tokens.selection) >= MIN_TEXT


def rules_with_text_and_background() -> list[tuple[str, str]]:
    sheet = (resource_dir("common") / "themes" / "base.qss").read_text(encoding="utf-8")
    found = []
    for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", re.sub(r"/\*.*?\*/", "", sheet, flags=re.S)):
        colors = dict(re.findall(r"(?<![-\w])(background|color):\s*\$(\w+)", body))
        if len(colors) == 2 and ":disabled" not in selector:  # WCAG asks nothing of what is disabled
            found.append((colors["color"], colors["background"]))
    return found


def test_the_style_sheet_pairs_no_colours_that_are_not_tested_here() -> None:
    pairs = rules_with_text_and_background()
    assert len(pairs) > 10, "the pattern above no longer fits the style sheet"
    assert set(pairs) <= set(TEXT_ON)
