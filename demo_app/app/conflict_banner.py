"""What is said when two people have changed the same person, and the two ways out."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PySide6.QtWidgets import QPushButton, QWidget

from demo_app.look.banner import Banner
from demo_app.look.kind import Kind
from qtorch import bind

if TYPE_CHECKING:
    from PySide6.QtWidgets import QHBoxLayout

    from demo_app.app.profile import Profile, ProfileState


class ConflictBanner(Banner):
    """Somebody else has changed the person that is being edited here; it has to be decided whose version counts."""

    def __init__(self, profile: Profile, parent: QWidget) -> None:
        super().__init__(action="Reload t&heirs", kind=Kind.WARNING, parent=parent)
        self.save_mine = QPushButton("Save mine &anyway", self)
        layout = cast("QHBoxLayout", self.layout())
        layout.insertWidget(layout.indexOf(self.dismiss_button), self.save_mine)
        self.action_button.clicked.connect(profile.revert)
        self.save_mine.clicked.connect(profile.save_mine_anyway)
        self.dismissed.connect(profile.dismiss_conflict)
        bind(self, "text", profile.select(_conflict))
        bind(self.save_mine, "enabled", profile.select(lambda s: not s.faults))
        bind(self, "visible", profile.select(lambda s: s.theirs is not None))


def _conflict(state: ProfileState) -> str:
    if state.theirs is None:
        return ""
    return f"Somebody else has changed {state.theirs.name} in the meantime. What you typed is still here."
