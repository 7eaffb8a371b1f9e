"""Resources are found in a checkout and in an installed wheel, and missing ones are explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo_app.resources import ResourcesNotFoundError, resource_dir

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    package = tmp_path / "site-packages" / "demo_app"
    package.mkdir(parents=True)
    return package


def test_missing_resources_name_both_places_and_the_remedy(package: Path) -> None:
    with pytest.raises(ResourcesNotFoundError) as caught:
        resource_dir("common", package=package)
    message = str(caught.value)
    assert str(package / "_resources" / "common") in message
    assert str(package.parent / "resources" / "common") in message
    assert "pip install" in message


def test_a_wheel_has_them_inside_the_package(package: Path) -> None:
    inside = package / "_resources" / "demo"
    inside.mkdir(parents=True)
    assert resource_dir("demo", package=package) == inside


def test_a_checkout_has_them_beside_the_package(package: Path) -> None:
    beside = package.parent / "resources" / "common"
    beside.mkdir(parents=True)
    assert resource_dir("common", package=package) == beside


def test_the_package_itself_wins_over_a_folder_beside_it(package: Path) -> None:
    inside, beside = package / "_resources" / "common", package.parent / "resources" / "common"
    inside.mkdir(parents=True)
    beside.mkdir(parents=True)
    assert resource_dir("common", package=package) == inside


def test_this_checkout_has_icons_fonts_and_theme_with_their_licences() -> None:
    common = resource_dir("common")
    assert len(list((common / "fonts").glob("Inter-*.woff2"))) == 3
    assert list((common / "icons").glob("*.svg"))
    assert (common / "themes" / "base.qss").is_file()
    licences = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "resources" / "LICENSES").iterdir()}
    assert "SIL OPEN FONT LICENSE Version 1.1" in licences["Inter-OFL.txt"]
    assert "ISC License" in licences["Lucide.txt"]
    assert "The MIT License" in licences["Lucide.txt"]
