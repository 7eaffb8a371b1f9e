"""The colours of the look by what they are for, light and dark."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tokens:
    """One set of colours, each ``#rrggbb``.

    ``x`` and ``on_x`` belong together: the second is the text colour for the first as background. ``background`` is
    the window, ``surface`` what holds content (lists, fields), ``raised`` what lies on top (buttons, menus).
    ``border`` only separates; ``outline`` is the border that shows where a control is.
    """

    background: str
    surface: str
    raised: str
    hover: str
    text: str
    muted: str
    border: str
    outline: str
    accent: str
    accent_hover: str
    on_accent: str
    selection: str
    on_selection: str
    info: str
    on_info: str
    success: str
    on_success: str
    warning: str
    on_warning: str
    danger: str
    on_danger: str
    toast: str
    toast_hover: str
    on_toast: str
    toast_accent: str


LIGHT = Tokens(
    background="#f6f7f9",
    surface="#ffffff",
    raised="#ffffff",
    hover="#e9edf5",
    text="#1b2330",
    muted="#566073",
    border="#c3cad6",
    outline="#7d8797",
    accent="#2558d9",
    accent_hover="#1d49b8",
    on_accent="#ffffff",
    selection="#2558d9",
    on_selection="#ffffff",
    info="#dfeafe",
    on_info="#173f94",
    success="#dcf5e4",
    on_success="#0d5c2b",
    warning="#fdf0d2",
    on_warning="#5e3703",
    danger="#fde3e3",
    on_danger="#9b1616",
    toast="#1f2937",
    toast_hover="#374357",
    on_toast="#f9fafb",
    toast_accent="#93b4ff",
)

DARK = Tokens(
    background="#15191f",
    surface="#1c222b",
    raised="#242b36",
    hover="#2a3341",
    text="#e8ecf3",
    muted="#a4afc0",
    border="#3a4454",
    outline="#7b889b",
    accent="#8fb0ff",
    accent_hover="#b0c7ff",
    on_accent="#0d1a3a",
    selection="#3d66cb",
    on_selection="#ffffff",
    info="#1a2f5c",
    on_info="#b6ceff",
    success="#123622",
    on_success="#8fe3af",
    warning="#3b2c0c",
    on_warning="#fbd37a",
    danger="#43191c",
    on_danger="#ffb1b1",
    toast="#e8ecf3",
    toast_hover="#cfd7e4",
    on_toast="#1b2330",
    toast_accent="#1d49b8",
)
