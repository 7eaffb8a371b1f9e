"""Initials, their colour, and pictures cut to a circle; on any thread and for any screen."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter

from demo_app.look.avatars import COLORS, INITIALS_COLOR, avatar_color, draw_initials, initials, round_picture
from demo_app.look.contrast import MIN_TEXT, contrast


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("", "?"),
        ("   ", "?"),
        ("…", "?"),
        ("(), -", "?"),
        ("Cher", "C"),
        ("ada lovelace", "AL"),
        ("Ada King Noel Lovelace", "AL"),
        ("  Ada \t Lovelace\n", "AL"),
        ("«Grace» O'Hopper", "GO"),
        ("Björk Guðmundsdóttir", "BG"),
        ("E\u0301lise E\u0301", "ÉÉ"),
        ("ßeta ǆ", "SǄ"),
        ("Ελένη Παπαδοπούλου", "ΕΠ"),
        ("42 Main", "4M"),
        ("\U0001f600 Smile", "S"),
    ],
)
def test_initials_are_the_first_letters_of_the_first_and_the_last_word(name: str, letters: str) -> None:
    assert initials(name) == letters


@pytest.mark.realtime
def test_a_persons_colour_is_the_same_in_every_process() -> None:
    script = "from demo_app.look.avatars import avatar_color\nprint([avatar_color(i).name() for i in (1, 'ada', '')])"
    seen = {
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert seen == {f"{[avatar_color(i).name() for i in (1, 'ada', '')]}\n"}


def test_people_get_all_the_colours_in_about_equal_shares() -> None:
    counts = Counter(avatar_color(number).name() for number in range(1200))
    assert set(counts) == set(COLORS)
    assert min(counts.values()) > 100


@pytest.mark.parametrize("color", COLORS)
def test_initials_can_be_read_on_every_colour(color: str) -> None:
    assert contrast(INITIALS_COLOR, color) >= MIN_TEXT


@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0])
def test_drawn_initials_are_a_circle_of_the_screens_own_pixels(qapp: QGuiApplication, pixels, ratio: float) -> None:
    image = draw_initials("Ada Lovelace", 7, 40, device_pixel_ratio=ratio)
    side = round(40 * ratio)
    assert (image.width(), image.height(), image.devicePixelRatio()) == (side, side, ratio)
    assert {image.pixelColor(x, y).alpha() for x in (0, side - 1) for y in (0, side - 1)} == {0}
    assert image.pixelColor(side // 2, 2) == avatar_color(7)
    assert pixels.count(image, INITIALS_COLOR) > side


def test_the_same_person_is_drawn_the_same_and_another_one_is_not(qapp: QGuiApplication) -> None:
    assert draw_initials("Ada Lovelace", 7, 40) == draw_initials("Ada Lovelace", 7, 40)
    assert draw_initials("Ada Lovelace", 7, 40) != draw_initials("Bob Lovelace", 7, 40)
    assert draw_initials("Ada Lovelace", 7, 40) != draw_initials("Ada Lovelace", 8, 40)


def stripes(width: int, height: int) -> QImage:
    """Red and blue at the ends, green in the middle square."""
    image = QImage(width, height, QImage.Format.Format_RGB32)
    side = min(width, height)
    painter = QPainter(image)
    painter.fillRect(image.rect(), QColor("red"))
    painter.fillRect(QRect(width - (width - side) // 2, 0, width, height), QColor("blue"))
    painter.fillRect(QRect(0, height - (height - side) // 2, width, height), QColor("blue"))
    painter.fillRect(QRect((width - side) // 2, (height - side) // 2, side, side), QColor("#00ff00"))
    painter.end()
    return image


@pytest.mark.parametrize(("width", "height"), [(200, 200), (600, 200), (200, 600), (20, 10), (1, 1)])
def test_a_picture_is_cut_from_the_middle_and_not_squeezed(qapp: QGuiApplication, width: int, height: int) -> None:
    image = round_picture(stripes(width, height), 64)
    assert (image.width(), image.height()) == (64, 64)
    for x, y in ((32, 32), (4, 32), (60, 32), (32, 4), (32, 60)):
        assert image.pixelColor(x, y).name() == "#00ff00"
    assert {image.pixelColor(x, y).alpha() for x in (0, 63) for y in (0, 63)} == {0}


def test_the_edge_of_the_circle_is_smooth(qapp: QGuiApplication) -> None:
    image = round_picture(stripes(200, 200), 64)
    alphas = {image.pixelColor(x, y).alpha() for x in range(64) for y in range(64)}
    assert len(alphas) > 10


def test_a_picture_keeps_its_own_device_pixel_ratio_out_of_it(qapp: QGuiApplication) -> None:
    picture = stripes(200, 200)
    picture.setDevicePixelRatio(2)
    image = round_picture(picture, 40, device_pixel_ratio=2)
    assert (image.width(), image.devicePixelRatio()) == (80, 2)
    for x, y in ((40, 40), (5, 40), (75, 40)):
        assert image.pixelColor(x, y).name() == "#00ff00"


def test_a_transparent_picture_stays_transparent_inside_the_circle(qapp: QGuiApplication) -> None:
    picture = QImage(50, 50, QImage.Format.Format_ARGB32)
    picture.fill(0)
    assert round_picture(picture, 40).pixelColor(20, 20).alpha() == 0


def test_what_is_no_picture_is_refused(qapp: QGuiApplication) -> None:
    with pytest.raises(ValueError, match="could not be decoded"):
        round_picture(QImage.fromData(b"GIF89a but not really"), 40)


@pytest.mark.realtime
def test_worker_threads_draw_what_the_gui_thread_draws(qapp: QGuiApplication) -> None:
    picture = stripes(600, 200)

    def draw(number: int) -> tuple[QImage, QImage]:
        return draw_initials(f"Ada {number}", number, 40), round_picture(picture, 40, device_pixel_ratio=2)

    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(draw, range(200)))
    assert drawn == [draw(number) for number in range(200)]
