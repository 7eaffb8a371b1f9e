"""Colour contrast, against values worked out by WCAG's own definition."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor

from demo_app.look.contrast import contrast, mix


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.478),
        ("#ff0000", "#ffffff", 3.998),
        ("#123456", "#123456", 1),
    ],
)
def test_the_ratio_is_that_of_wcag_whichever_colour_comes_first(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.001)
    assert contrast(other, one) == pytest.approx(ratio, abs=0.001)


def test_a_mix_is_what_the_colour_looks_like_at_that_opacity() -> None:
    assert mix(QColor("#ffffff"), QColor("#000000"), 0.5).name() == "#808080"
    assert mix(QColor("#ff0000"), QColor("#0000ff"), 1).name() == "#ff0000"
    assert mix(QColor("#ff0000"), QColor("#0000ff"), 0).name() == "#0000ff"
