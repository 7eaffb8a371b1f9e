"""The command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo_app.__main__ import has_display
from demo_app.app.cli import Options, parse


def test_nothing_given_means_an_own_server_in_the_usual_place() -> None:
    assert parse([]) == Options()


def test_everything_given_arrives() -> None:
    given = parse(["--db", "x.db", "--theme", "dark", "--tour", "--latency", "0.5", "--fail-rate", "0.1"])
    assert given == Options(db=Path("x.db"), theme="dark", tour=True, latency=0.5, fail_rate=0.1)
    assert given.server_options == ("--latency", "0.5", "--fail-rate", "0.1")


def test_the_address_of_a_server_loses_its_last_slash() -> None:
    assert parse(["--api-url", "http://[::1]:8000/"]).api_url == "http://[::1]:8000"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--colour"], "unrecognized arguments: --colour"),
        (["--th", "dark"], "unrecognized arguments: --th dark"),
        (["--theme", "blue"], "invalid choice: 'blue'"),
        (["--api-url", "localhost:8000"], "'localhost:8000' is no address"),
        (["--api-url", "http://h:99999"], "'http://h:99999' is no address"),
        (["--api-url", "http://"], "'http://' is no address"),
        (["--latency", "soon"], "'soon' is no waiting time"),
        (["--latency", "-1"], "'-1' is no waiting time"),
        (["--fail-rate", "2"], "'2' is no share"),
        (["--api-url", "http://h", "--db", "x.db"], "--db is for a server that the demo starts"),
        (["--api-url", "http://h", "--latency", "0"], "--latency is for a server that the demo starts"),
    ],
)
def test_a_wrong_command_line_is_told_of_in_one_line_with_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(arguments)
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert said in told
    assert told.startswith("qtorch-demo: error: ")
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("environ", "system", "is_there"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"QT_QPA_PLATFORM": "offscreen", "DISPLAY": ":0"}, "linux", False),
        ({"QT_QPA_PLATFORM": "eglfs"}, "linux", True),
        ({}, "darwin", True),
        ({}, "win32", True),
        ({"QT_QPA_PLATFORM": "offscreen"}, "win32", False),
    ],
)
def test_there_is_a_display_if_one_is_named_or_the_system_always_has_one(
    environ: dict[str, str], system: str, is_there: bool
) -> None:
    assert has_display(environ, system) is is_there
