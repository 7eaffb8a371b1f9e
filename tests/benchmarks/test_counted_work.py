"""The hot paths do not do more than was recorded."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmarks import counted

ROOT = Path(__file__).resolve().parents[2]


def test_one_job_one_field_and_one_row_make_no_more_calls_than_recorded() -> None:
    key = counted.calls_key()
    before = counted.load()["calls"].get(key)
    if before is None:
        pytest.skip(f'no calls are recorded for {key}; write python -m benchmarks.counted --record --why "..."')
    now = counted.count_calls()
    assert now.keys() == before.keys()
    assert not counted.grown(before, now)


def test_what_grew_by_more_than_a_tenth_is_named() -> None:
    before = {"one job": 200, "one field set": 50}
    assert counted.grown(before, {"one job": 220, "one field set": 40}) == []
    assert counted.grown(before, {"one job": 221, "one field set": 50}) == ["one job: 221, +10% of 200; at most +10%"]


def test_a_record_keeps_what_was_before_and_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted, "FILE", tmp_path / "counted.json")
    counted.record("calls", "here", {"one job": 200}, "the first")
    counted.record("calls", "here", {"one job": 150}, "a shorter way")
    known = counted.load()
    assert known["calls"]["here"] == {"one job": 150}
    assert known["changes"][-1] == {
        "kind": "calls",
        "key": "here",
        "before": {"one job": 200},
        "after": {"one job": 150},
        "why": "a shorter way",
    }


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def test_the_record_changes_only_in_commits_of_its_own() -> None:
    if not (ROOT / ".git").exists() or git("rev-parse", "--is-shallow-repository") == "true":
        pytest.skip("there is no history to look at")
    name = str(counted.FILE.relative_to(ROOT))
    for commit in git("log", "--no-merges", "--format=%H", "--", name).split():
        assert git("show", "--format=", "--name-only", commit) == name, f"{commit} changes {name} and something else"
