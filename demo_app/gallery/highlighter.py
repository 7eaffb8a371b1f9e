"""Python in a few colours."""

from __future__ import annotations

import builtins
import keyword
import re
from typing import TYPE_CHECKING

from PySide6.QtGui import QColor, QSyntaxHighlighter, QTextCharFormat, QTextDocument

if TYPE_CHECKING:
    from demo_app.look.theme import Theme

_PLAIN, _IN_TEXT = 0, 1

_TOKEN = re.compile(
    r"(?P<comment>#.*)"
    r'|(?P<text>[rbf]{0,2}(?:"""(?:.*?"""|.*)|"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'))'
    r"|(?P<decorator>^\s*@[\w.]+)"
    r"|(?P<number>\b\d[\d_.]*\b)"
    r"|(?P<word>\b[A-Za-z_]\w*\b)"
)


class PythonHighlighter(QSyntaxHighlighter):
    """Colours keywords, texts, comments, decorators and numbers, in the theme's colours of the moment."""

    def __init__(self, document: QTextDocument, theme: Theme) -> None:
        super().__init__(document)
        self._theme = theme
        theme.changed.connect(self.rehighlight)

    def highlightBlock(self, line: str) -> None:
        """Colour one line; see QSyntaxHighlighter."""
        start = 0
        if self.previousBlockState() == _IN_TEXT:
            end = line.find('"""')
            start = len(line) if end < 0 else end + 3
            self._color(0, start, "text")
            if end < 0:
                self.setCurrentBlockState(_IN_TEXT)
                return
        self.setCurrentBlockState(_PLAIN)
        for token in _TOKEN.finditer(line, start):
            kind = token.lastgroup or ""
            if kind == "word":
                kind = _kind_of(token[0])
            self._color(token.start(), len(token[0]), kind)
            if kind == "text" and '"""' in token[0] and token[0].count('"""') < 2:
                self.setCurrentBlockState(_IN_TEXT)

    def _color(self, start: int, length: int, kind: str) -> None:
        tokens = self._theme.tokens
        color = {
            "comment": tokens.muted,
            "text": tokens.on_success,
            "keyword": tokens.accent,
            "decorator": tokens.on_warning,
            "number": tokens.on_danger,
            "builtin": tokens.on_info,
        }.get(kind)
        if color is None:
            return
        look = QTextCharFormat()
        look.setForeground(QColor(color))
        look.setFontItalic(kind == "comment")
        self.setFormat(start, length, look)


def _kind_of(word: str) -> str:
    if keyword.iskeyword(word):
        return "keyword"
    return "builtin" if hasattr(builtins, word) else ""
