"""The four kinds of message that badge, banner and toast can show."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a message means; its value is what the style sheet and Qt properties hold."""

    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    DANGER = "danger"

    @property
    def icon_name(self) -> str:
        """The icon that says the same without colour."""
        return _ICONS[self]


_ICONS = {
    Kind.INFO: "info",
    Kind.SUCCESS: "circle-check",
    Kind.WARNING: "triangle-alert",
    Kind.DANGER: "circle-alert",
}
