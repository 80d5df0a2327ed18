"""The wheel is complete: it holds the migrations, the queries and the example configuration."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder / "dist"), str(ROOT)]
    subprocess.run(build, check=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(folder / "site"), str(wheel)], check=True)
    return folder / "site"


def run(installed: Path, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "syncd", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_wheel_makes_a_store_by_itself(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[store]\nurl = "sqlite:here.db"\n')

    where = subprocess.run(
        [sys.executable, "-c", "import syncd; print(syncd.__file__)"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    ran = run(installed, tmp_path, "migrate")

    assert where.startswith(str(installed))
    assert ran.returncode == 0, ran.stderr
    assert "0001_initial" in ran.stdout
    assert (tmp_path / "here.db").exists()


def test_the_demo_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    ran = run(installed, tmp_path, "demo")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "became 10 issues, one per crash, every count as sent" in ran.stdout
    assert len(list(tmp_path.glob("demo/*/issues/*.md"))) == 10


def test_the_example_configuration_travels_along(installed: Path) -> None:
    assert (installed / "syncd" / "share" / "config.toml.example").read_text() == (
        ROOT / "config.toml.example"
    ).read_text()


def test_the_manual_travels_along(installed: Path) -> None:
    pages = {path.name: path.read_text() for path in (installed / "share/man/man1").iterdir()}
    assert pages == {path.name: path.read_text() for path in (ROOT / "deploy/man").iterdir()}


def test_the_wheel_prints_its_units(installed: Path, tmp_path: Path) -> None:
    for options in ([], ["--receiver-only"], ["--socket"]):
        ran = run(installed, tmp_path, "systemd-unit", "--program", "/opt/syncd/bin/syncd", *options)
        assert (ran.returncode, ran.stdout[:6]) == (0, "# The " if options == ["--socket"] else "[Unit]"), ran.stderr


def test_the_console_and_the_units_travel_in_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = (
        "from syncd.console.page import _environment\n"
        "print(sorted(_environment().list_templates()))\n"
        "from syncd.console.site import STATIC\n"
        "print(sorted(one.name for one in STATIC.iterdir()))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    for name in ("base.html", "group.html", "console.css", "favicon.svg"):
        assert name in ran.stdout
    assert "ExecStart=" in run(installed, tmp_path, "systemd-unit", "--program", "/opt/syncd/bin/syncd").stdout
