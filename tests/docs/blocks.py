"""The code blocks of the documentation, and what each is for. Nothing but Python's own library: pages run with it."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[\w+-]*) *$")
_MARK = re.compile(r"^ *<!-- (?P<mark>[\w-]+)(?:: (?P<argument>.+?))? -->$")

KINDS = {
    # language, mark -> kind
    ("python", ""): "script",
    ("python", "stderr"): "script",
    ("python", "program"): "program",
    ("python", "pytest"): "pytest",
    ("python", "failing"): "failing",
    ("text", "output"): "output",
    ("text", "says"): "says",
    ("text", "drawing"): "drawing",
    ("text", "message"): "message",
    ("toml", ""): "settings",
    ("console", ""): "console",
}
"""Every kind of block that a page may have, and so is looked at by a test.

A page's ``script`` blocks are one program, run from top to bottom; ``<!-- stderr: Name -->`` before one says what it
writes to stderr. ``<!-- output -->`` is what the script block before it prints. ``<!-- program: name -->`` is a whole
program, driven by the visit of that name. ``<!-- pytest: file -->`` is a file that pytest runs, ``toml`` its settings.
``<!-- failing: file -->`` is one whose test fails, and ``<!-- says -->`` after it what pytest then says, by its lines
with an E; ``...`` is any text.
Lines of ``console`` are commands. ``<!-- drawing -->`` is a picture in letters, ``<!-- message -->`` what somebody
else's program says.
"""


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    """The line of its first line of code, from 1."""
    language: str
    mark: str
    argument: str
    text: str

    @property
    def kind(self) -> str:
        """What it is for; ValueError if nobody knows."""
        try:
            return KINDS[self.language, self.mark]
        except KeyError:
            raise ValueError(
                f"{self.where}: nobody tests a block {self.language!r} marked {self.mark!r}; "
                f"the kinds are in {Path(__file__).name}"
            ) from None

    @property
    def where(self) -> str:
        """Page and line, for messages."""
        return f"{self.page.name}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """Give the blocks of a page in order.

    Raises
    ------
    ValueError
        A fence is not closed, or is something else than three backticks and a language.
    """
    blocks: list[Block] = []
    lines = page.read_text(encoding="utf-8").splitlines()
    before = ""
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if line.lstrip().startswith(("```", "~~~")):
            fence = _FENCE.match(line)
            if fence is None:
                raise ValueError(f"{page.name}:{number}: {line!r} is no fence of three backticks and a language")
            closing = fence["indent"] + "```"
            if closing not in lines[number:]:
                raise ValueError(f"{page.name}:{number}: this block is never closed")
            end = lines.index(closing, number)
            mark = _MARK.match(before)
            text = textwrap.dedent("\n".join(lines[number:end])) + "\n"
            blocks.append(
                Block(
                    page,
                    number + 1,
                    fence["language"],
                    mark["mark"] if mark else "",
                    (mark["argument"] or "") if mark else "",
                    text,
                )
            )
            number = end + 1
            before = ""
        elif line.strip():
            before = line
    return blocks


def prose_of(page: Path) -> str:
    """Give a page without its blocks, for what is said in words."""
    inside = False
    kept: list[str] = []
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.lstrip().startswith("```"):
            inside = not inside
        elif not inside:
            kept.append(line)
    return "\n".join(kept)
