"""The bundled font, and what happens without it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QFont, QFontInfo

from demo_app.look import fonts
from demo_app.look.fonts import install, scaled

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QApplication


@pytest.fixture(autouse=True)
def keep_the_font(qapp: QApplication) -> Iterator[None]:
    before = qapp.font()
    yield
    qapp.setFont(before)


@pytest.fixture
def broken_fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts" / "Inter-Regular.woff2").write_bytes(b"this is no font")
    monkeypatch.setattr(fonts, "resource_dir", lambda part: tmp_path)
    fonts._load_inter.cache_clear()
    yield
    fonts._load_inter.cache_clear()


def test_a_font_that_does_not_load_leaves_the_systems_font_and_no_error(
    qapp: QApplication, broken_fonts: None, caplog: pytest.LogCaptureFixture
) -> None:
    before = qapp.font().family()
    with caplog.at_level(logging.INFO, logger="demo_app.look.fonts"):
        assert install(qapp) == before
    assert qapp.font().family() == before
    assert "Inter-Regular.woff2" in caplog.text


def test_inter_is_the_font_of_the_application_and_the_systems_font_stays_behind_it(qapp: QApplication) -> None:
    before = qapp.font().family()
    assert install(qapp) == "Inter"
    assert qapp.font().families()[0] == "Inter"
    assert before in qapp.font().families()
    assert QFontInfo(qapp.font()).family() == "Inter"


@pytest.mark.parametrize("weight", [QFont.Weight.Normal, QFont.Weight.DemiBold, QFont.Weight.Bold])
def test_each_weight_is_a_font_of_its_own_and_not_the_nearest_one(qapp: QApplication, weight: QFont.Weight) -> None:
    install(qapp)
    assert QFontInfo(scaled(qapp.font(), 1, weight)).weight() == weight


def test_a_larger_font_of_the_user_keeps_its_size_and_a_smaller_one_grows_to_ten_points(qapp: QApplication) -> None:
    sizes = {}
    for size in (8.0, 17.5):
        font = QFont(qapp.font())
        font.setPointSizeF(size)
        qapp.setFont(font)
        install(qapp)
        sizes[size] = qapp.font().pointSizeF()
    assert sizes == {8.0: 10.0, 17.5: 17.5}


@pytest.mark.parametrize(
    ("set_size", "size"), [(QFont.setPointSize, QFont.pointSize), (QFont.setPixelSize, QFont.pixelSize)]
)
def test_scaling_works_on_points_and_on_pixels(
    set_size: Callable[[QFont, int], None], size: Callable[[QFont], int]
) -> None:
    font = QFont()
    set_size(font, 10)
    assert size(scaled(font, 1.5)) == 15
    assert size(font) == 10, "the font it was given must not change"
