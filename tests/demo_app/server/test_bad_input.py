from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from demo_app.server.__main__ import main
from demo_app.server.listening import listen
from demo_app.server.store import Store


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What one line it prints, when it is started with these arguments and ends with exit code 2."""
    with pytest.raises(SystemExit, match=r"^2$"):
        # Its stdin has ended: if it starts after all, it stops at once, with another exit code.
        sys.exit(main(["--exit-with-stdin", *arguments]))
    out, err = capsys.readouterr()
    assert out == ""
    match = re.fullmatch(r"python -m demo_app\.server: error: (.+)\n", err)
    assert match, err
    return match[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--db"),
        (["--db"], "--db"),
        (["--db", "x.db", "--verbose"], "--verbose"),
        (["--db", "x.db", "--lat", "1"], "--lat"),
        (["--db", "x.db", "now"], "now"),
        (["--db", "x.db", "--port", "http"], "'http' is no port: use 0 to 65535"),
        (["--db", "x.db", "--port", "-1"], "'-1' is no port"),
        (["--db", "x.db", "--port", "65536"], "'65536' is no port"),
        (["--db", "x.db", "--port", "9" * 5000], "is no port"),
        (["--db", "x.db", "--fail-rate", "1.01"], "'1.01' is no share: use 0 to 1, such as 0.3"),
        (["--db", "x.db", "--fail-rate", "30%"], "'30%' is no share"),
        (["--db", "x.db", "--fail-rate", "nan"], "'nan' is no share"),
        (["--db", "x.db", "--latency", "-0.1"], "'-0.1' is no waiting time: use seconds from 0"),
        (["--db", "x.db", "--latency", "inf"], "'inf' is no waiting time"),
        (["--db", "x.db", "--seed", "x"], "--seed"),
    ],
)
def test_a_wrong_option_is_named(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert words in complaint(capsys, *arguments)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.realtime
def test_a_port_in_use_is_told_before_the_database_is_touched(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with listen("127.0.0.1", 0) as other:
        port = str(other.getsockname()[1])
        said = complaint(capsys, "--db", str(tmp_path / "people.db"), "--port", port)
    assert said == f"port {port} of 127.0.0.1 is in use: name another, or --port 0 for a free one"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("192.0.2.1", "192.0.2.1 is no address of this machine: use 127.0.0.1"),
        ("no.such.host.invalid", "the host 'no.such.host.invalid' is not known: use 127.0.0.1"),
        ("a" * 64 + ".example", "is not known: use 127.0.0.1"),
        ("127.0.0.1:80", "is not known: use 127.0.0.1"),
    ],
)
def test_a_host_that_cannot_be_listened_on_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, host: str, words: str
) -> None:
    assert words in complaint(capsys, "--db", str(tmp_path / "people.db"), "--host", host)


@pytest.mark.realtime
def test_a_file_that_is_no_database_is_told_and_left_as_it_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    diary = tmp_path / "diary.txt"
    diary.write_text("Dear diary,\n" * 500)
    said = complaint(capsys, "--db", str(diary))
    assert said == f"{diary} is not an SQLite database; it was left as it is, name another file"
    assert diary.read_text() == "Dear diary,\n" * 500


@pytest.mark.realtime
def test_a_folder_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert complaint(capsys, "--db", str(tmp_path)) == f"{tmp_path} is a folder: name the database file in it"


@pytest.mark.realtime
def test_a_name_that_no_file_can_have_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert complaint(capsys, "--db", str(tmp_path / ("x" * 300))).endswith("cannot be used: File name too long")


# --- as processes ---

# Root may write everywhere: it has to give that up to see what another user sees.
UNPRIVILEGED = """
import ctypes, os, sys
if os.geteuid() == 0 and ctypes.CDLL(None, use_errno=True).prctl(24, 1, 0, 0, 0):  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE
    sys.exit("cannot give up the right to write everywhere")
os.execv(sys.executable, [sys.executable, "-m", "demo_app.server", *sys.argv[1:]])
"""


def complaint_of_process(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=30, cwd=cwd)
    if "cannot give up" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"python -m demo_app\.server: error: .+\n", done.stderr), done.stderr
    return done.stderr.partition("error: ")[2].strip()


@pytest.mark.realtime
@pytest.mark.skipif(sys.platform != "linux", reason="drops a Linux capability")
def test_a_file_that_must_not_be_written_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    Store(path).close()
    content = path.read_bytes()
    path.chmod(0o444)
    said = complaint_of_process("-c", UNPRIVILEGED, "--db", str(path))
    assert said == f"{path} is not writable: change its permissions, or name another file"
    assert path.read_bytes() == content


@pytest.mark.realtime
@pytest.mark.skipif(sys.platform != "linux", reason="drops a Linux capability")
def test_a_folder_that_must_not_be_written_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    said = complaint_of_process("-c", UNPRIVILEGED, "--db", str(folder / "people.db"))
    assert said == f"{folder}/people.db cannot be opened or made: is its folder writable?"


@pytest.mark.realtime
def test_missing_sample_people_are_told(tmp_path: Path) -> None:
    package = Path(__file__).parents[3] / "demo_app"
    shutil.copytree(package / "server", tmp_path / "demo_app" / "server")
    shutil.copy(package / "__init__.py", tmp_path / "demo_app")
    said = complaint_of_process("-m", "demo_app.server", "--db", str(tmp_path / "people.db"), cwd=tmp_path)
    assert said.startswith(f"the sample people are missing: looked for {tmp_path}/demo_app/_resources/demo/people.json")


@pytest.mark.realtime
@pytest.mark.parametrize("library", ["starlette", "uvicorn", "python_multipart"])
def test_a_missing_extra_is_told_with_the_command_that_installs_it(tmp_path: Path, library: str) -> None:
    code = (
        f"import runpy, sys; sys.modules[{library!r}] = None; sys.argv[1:] = ['--db', {str(tmp_path / 'people.db')!r}];"
        "runpy.run_module('demo_app.server', run_name='__main__', alter_sys=True)"
    )
    said = complaint_of_process("-c", code)
    assert said == f"{library} is not installed: pip install qt-orchestrator[demo]"


@pytest.mark.realtime
def test_a_process_that_cannot_start_says_so_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        said = complaint_of_process("-m", "demo_app.server", "--db", str(tmp_path / "people.db"), "--port", port)
    assert said == f"port {port} of 127.0.0.1 is in use: name another, or --port 0 for a free one"


@pytest.mark.realtime
def test_an_address_that_nobody_can_read_is_told(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "demo_app.server", "--db", str(tmp_path / "people.db")]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=30)
    os.close(writer)
    assert done.returncode == 2
    assert done.stderr == "python -m demo_app.server: error: the address cannot be printed: Broken pipe\n"
