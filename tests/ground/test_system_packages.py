"""What Qt and Python need from the operating system, on systems of every kind."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

Script = Callable[..., "ModuleType"]
XCB = {"DISPLAY": ":0"}


class System:
    """A machine on paper: which libraries load, who the user is, what apt-get does."""

    def __init__(self, module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        self.module = module
        self.absent: set[str] = set()
        self.ensurepip = True
        self.apt_works = self.update_works = True
        self.ran: list[list[str]] = []
        self._patch = monkeypatch
        monkeypatch.setattr(module, "is_loadable", lambda library: library not in self.absent)
        monkeypatch.setattr(module, "has_ensurepip", lambda: self.ensurepip)
        monkeypatch.setattr(module, "run_quietly", self._run)
        self.is_debian(True)
        self.is_root(True)

    def is_debian(self, value: bool) -> None:
        self._patch.setattr(self.module, "is_debian", lambda: value)

    def is_root(self, value: bool) -> None:
        self._patch.setattr(os, "geteuid", lambda: 0 if value else 1000)

    def _run(self, command: list[str], environ: dict[str, str]) -> None:
        assert environ["DEBIAN_FRONTEND"] == "noninteractive"
        self.ran.append(command)
        if not self.update_works and command[1] == "update":
            raise self.module.SetupError("no such host")
        if self.apt_works and command[1] == "install":
            self.absent.clear()
            self.ensurepip = True


@pytest.fixture
def packages(script: Script) -> ModuleType:
    return script("system_packages")


@pytest.fixture
def system(packages: ModuleType, monkeypatch: pytest.MonkeyPatch) -> System:
    return System(packages, monkeypatch)


def test_a_complete_system_is_left_alone(system: System, packages: ModuleType) -> None:
    packages.provide(["offscreen", "xcb"], "3.11")
    assert system.ran == []


def test_root_on_debian_installs_what_is_missing_after_an_update(system: System, packages: ModuleType) -> None:
    system.absent = {"libEGL.so.1"}
    system.ensurepip = False
    packages.provide(["offscreen"], "3.12")
    assert system.ran == [
        ["apt-get", "update"],
        ["apt-get", "install", "-y", "--no-install-recommends", "libegl1", "python3.12-venv"],
    ]


def test_a_dead_package_source_does_not_stop_the_installation(
    system: System, packages: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    system.absent = {"libEGL.so.1"}
    system.update_works = False
    packages.provide(["offscreen"], None)
    assert [command[1] for command in system.ran] == ["update", "install"]
    assert "no such host" in capsys.readouterr().out


def test_a_user_on_debian_is_told_the_exact_command(system: System, packages: ModuleType) -> None:
    system.is_root(False)
    system.absent = {"libEGL.so.1", "libxcb-icccm.so.4"}
    system.ensurepip = False
    with pytest.raises(Exception, match="missing on this system") as caught:
        packages.provide(["offscreen", "xcb"], "3.11")
    assert str(caught.value).endswith(
        "sudo apt-get update && sudo apt-get install -y --no-install-recommends libegl1 libxcb-icccm4 python3.11-venv"
    )
    assert system.ran == []


def test_on_another_system_the_libraries_are_named(system: System, packages: ModuleType) -> None:
    system.is_debian(False)
    system.absent = {"libEGL.so.1"}
    with pytest.raises(Exception, match=r"libEGL\.so\.1"):
        packages.provide(["offscreen"], None)
    assert system.ran == []


def test_what_is_missing_after_the_installation_is_an_error(system: System, packages: ModuleType) -> None:
    system.ensurepip = system.apt_works = False
    with pytest.raises(Exception, match="ensurepip still missing after apt-get install"):
        packages.provide(["offscreen"], "3.11")


def test_ensurepip_is_needed_only_to_make_an_environment(system: System, packages: ModuleType) -> None:
    system.ensurepip = False
    packages.provide(["offscreen"], None)
    assert system.ran == []


@pytest.mark.parametrize(
    ("environ", "platforms"),
    [
        ({}, ["offscreen"]),
        (XCB, ["offscreen", "xcb"]),
        ({**XCB, "QT_QPA_PLATFORM": "xcb"}, ["offscreen", "xcb"]),
        ({**XCB, "QT_QPA_PLATFORM": "offscreen"}, ["offscreen"]),
    ],
)
def test_the_libraries_of_windows_are_needed_only_where_windows_show(
    packages: ModuleType, environ: dict[str, str], platforms: list[str]
) -> None:
    assert packages.qt_platforms(environ, "linux") == platforms
    assert packages.qt_platforms(environ, "darwin") == []


def test_a_library_is_missing_if_the_loader_does_not_find_it(packages: ModuleType) -> None:
    assert packages.is_loadable("libc.so.6") or sys.platform != "linux"
    assert not packages.is_loadable("libqtorch-no-such-thing.so.1")


@pytest.mark.realtime
def test_a_command_that_fails_shows_what_it_said(script: Script) -> None:
    reporting = script("reporting")
    code = "import sys; print('one'); print('two', file=sys.stderr); sys.exit(7)"
    with pytest.raises(reporting.SetupError, match=r"exit code 7:\n(one\ntwo|two\none)"):
        reporting.run_quietly([sys.executable, "-c", code])
