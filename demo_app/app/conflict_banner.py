"""What is said when two people have changed the same person, and the two ways out."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PySide6.QtWidgets import QPushButton, QWidget

from demo_app.look.banner import Banner
from demo_app.look.kind import Kind
from qtorch import bind, bind_command, combine

if TYPE_CHECKING:
    from PySide6.QtWidgets import QHBoxLayout

    from demo_app.app.profile import Profile


class ConflictBanner(Banner):
    """Somebody else has changed the person that is being edited here; it has to be decided whose version counts."""

    def __init__(self, profile: Profile, parent: QWidget) -> None:
        super().__init__(action="Reload t&heirs", kind=Kind.WARNING, parent=parent)
        self.save_mine = QPushButton("Save mine &anyway", self)
        layout = cast("QHBoxLayout", self.layout())
        layout.insertWidget(layout.indexOf(self.dismiss_button), self.save_mine)
        bind_command(self.action_button, profile.revert)
        bind_command(self.save_mine, profile.save_mine_anyway)
        self.dismissed.connect(profile.dismiss_conflict)
        name = profile.select(lambda s: s.stored.name if s.stored is not None else "")
        bind(self, "text", combine(name, profile.form.select(lambda s: s.conflicts), _words))
        bind(self, "visible", profile.select(lambda s: s.in_conflict))


def _words(name: str, conflicts: tuple[tuple[str, ...], ...]) -> str:
    both = f" You have both changed: {', '.join(titles[-1] for titles in conflicts)}." if conflicts else ""
    return f"Somebody else has changed {name} in the meantime. What you typed is still here.{both}"
