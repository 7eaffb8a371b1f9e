"""Where the caret of a line edit is, and what is selected, over a change of the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtorch.binding.text_change import TextChange, change_between, units

if TYPE_CHECKING:
    from PySide6.QtWidgets import QLineEdit


@dataclass(frozen=True, slots=True)
class Caret:
    """The two ends of a selection in ``text``, alike where nothing is selected; the caret is at ``position``."""

    text: str
    anchor: int
    position: int

    @classmethod
    def of(cls, line: QLineEdit) -> Caret:
        """Note the caret of ``line``."""
        position = anchor = line.cursorPosition()
        if line.hasSelectedText():
            first, last = line.selectionStart(), line.selectionStart() + units(line.selectedText())
            anchor = first if position == last else last
        return cls(line.text(), anchor, position)

    def put_back(self, line: QLineEdit, change: TextChange | None = None) -> None:
        """Put the caret where it belongs now, after ``change`` of the text or whatever has changed since."""
        change = change or change_between(self.text, line.text())
        position, anchor = change.moved(self.position), change.moved(self.anchor)
        if position == anchor:
            line.setCursorPosition(position)
        else:
            line.setSelection(anchor, position - anchor)
