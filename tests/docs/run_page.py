"""Runs the script blocks of one page as one program: ``python run_page.py PAGE``. Exit code 1 if the page is wrong."""

from __future__ import annotations

import difflib
import io
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import ModuleType

from blocks import Block, blocks_of


def run(page: Path) -> str:
    """Run the blocks in order in one namespace; give what is wrong, or an empty text."""
    # A module of its own in the place of __main__, so that what the page defines is found there, as in a program.
    main = ModuleType("__main__")
    sys.modules["__main__"] = main
    printed, last = "", None
    for block in blocks_of(page):
        if block.kind == "output":
            if printed != block.text:
                diff = difflib.unified_diff(
                    block.text.splitlines(), printed.splitlines(), "the page", "it", lineterm=""
                )
                return f"{block.where}: this is not what the block before it prints:\n" + "\n".join(diff)
            printed = ""
        elif block.kind == "script":
            if printed:
                return f"{last.where if last else page.name} prints, and the page does not show it:\n{printed}"
            printed, wrong = execute(block, main)
            last = block
            if wrong:
                return wrong
    return f"{last.where} prints, and the page does not show it:\n{printed}" if printed and last else ""


def execute(block: Block, main: ModuleType) -> tuple[str, str]:
    """Run one block; give what it printed and what is wrong."""
    # Lines of tracebacks are those of the page.
    code = compile("\n" * (block.line - 1) + block.text, str(block.page), "exec")
    out, err = io.StringIO(), io.StringIO()
    try:
        with redirect_stdout(out), redirect_stderr(err):
            exec(code, main.__dict__)
    except BaseException:
        return out.getvalue(), f"{block.where} raises:\n{traceback.format_exc()}{err.getvalue()}"
    wanted, said = block.argument if block.mark == "stderr" else "", err.getvalue()
    if (wanted not in said) if wanted else said:
        return out.getvalue(), f"{block.where} writes to stderr, not {wanted or 'announced'}:\n{said}"
    return out.getvalue(), ""


if __name__ == "__main__":
    wrong = run(Path(sys.argv[1]))
    if wrong:
        print(wrong)
        sys.exit(1)
