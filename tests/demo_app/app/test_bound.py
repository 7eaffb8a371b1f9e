"""State reaches widgets in one way: whoever shows something by hand shows what the state does not know of."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

APP = Path(__file__).resolve().parents[3] / "demo_app" / "app"

SHOWING = re.compile(
    r"set(Text|PlainText|Html|Markdown|EditText|Num|Enabled|Disabled|Visible|Hidden|ReadOnly|Modified|WindowModified"
    r"|Checked|CheckState|Value|SliderPosition|Maximum|Minimum|Format|CurrentText|CurrentIndex|CurrentRow|CurrentItem"
    r"|ItemText|ItemData|Date|Time|DateTime|Pixmap|Movie|RowCount)"
    r"|(insert|append)PlainText|addItems?|removeItem|display|stepBy|show|hide|showMessage|blockSignals|QSignalBlocker"
)
"""What changes what a widget shows, whether it is called or connected to a signal."""

FIXED_PROPERTIES = {"panel", "tone"}
"""Set once for the style sheet."""

EXCEPTIONS = {
    ("application.py", "show"): "the window itself appears once",
    ("main_window.py", "setValue"): "QSettings, no widget",
    ("people_list.py", "setCurrentIndex"): "the current row by its key: the list's own set_chosen, which is bound",
}


def by_hand(source: str) -> list[tuple[str, int]]:
    """Give what is shown by hand in a program, with its line."""
    tree = ast.parse(source)
    bound = {id(call.args[0]) for call in _calls(tree) if isinstance(call.func, ast.Name) and call.func.id == "bind"}
    names = [
        (node.attr if isinstance(node, ast.Attribute) else node.id, node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Name) and id(node) not in bound
    ]
    found = [(name, node.lineno) for name, node in names if SHOWING.fullmatch(name)]
    for call in _calls(tree):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "setProperty":
            name = call.args[0].value if isinstance(call.args[0], ast.Constant) else None
            if name not in FIXED_PROPERTIES:
                found.append(("setProperty", call.lineno))
    return found


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def test_widgets_are_changed_by_bindings_only() -> None:
    files = sorted(APP.rglob("*.py"))
    assert {"main_window.py", "profile_form.py", "form_field.py", "unsaved.py"} <= {file.name for file in files}
    seen = {
        (file.name, name): f"{file.relative_to(APP)}:{line}: {name}"
        for file in files
        for name, line in by_hand(file.read_text(encoding="utf-8"))
    }
    assert [where for what, where in seen.items() if what not in EXCEPTIONS] == []
    assert EXCEPTIONS.keys() <= seen.keys(), "an exception that nobody needs"


@pytest.mark.parametrize(
    "line",
    [
        "label.setText('Ada')",
        "orchestrator.nameChanged.connect(label.setText)",
        "QLabel.setText(label, 'Ada')",
        "self.form.box.setChecked(True)",
        "write = edit.setPlainText",
        "button.setEnabled(False); bind(button, 'enabled', source)",
        "with QSignalBlocker(box): pass",
        "box.blockSignals(True)",
        "edit.setProperty('invalid', True)",
        "edit.setProperty(name, value)",
    ],
)
def test_what_is_shown_by_hand_is_found(line: str) -> None:
    assert len(by_hand(line)) == 1


@pytest.mark.parametrize(
    "line", ["bind(label.setText, source)", "edit.setProperty('tone', 'muted')", "form.field(f).set('Ada')"]
)
def test_what_is_bound_or_fixed_is_not(line: str) -> None:
    assert by_hand(line) == []
