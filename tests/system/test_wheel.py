"""The wheel is complete: it holds the migrations, the queries and the example configuration."""

import os
import re
import shutil
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


@pytest.fixture(scope="module")
def desk(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample's tests. Its package is installed from a wheel beside syncd's."""
    folder = tmp_path_factory.mktemp("desk")
    sample = ROOT / "tests/trackers/sample"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    shutil.copytree(sample / "syncd_desk", folder / "package/syncd_desk", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(sample / "pyproject.toml", folder / "package")
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder / "dist"), str(folder / "package")]
    subprocess.run([*pip, *build], check=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(installed), str(wheel)], check=True)
    (folder / "tests").mkdir()
    for name in ("desk.py", "world.py", "test_conformance.py"):
        text = (sample / name).read_text()
        (folder / "tests" / name).write_text(text.replace("tests.trackers.sample.", ""))
    return folder / "tests"


def test_a_sample_plug_in_imports_nothing_but_the_public_api(desk: Path) -> None:
    package = desk.parent / "package/syncd_desk/__init__.py"
    for path in (package, *desk.glob("*.py")):
        modules = set(re.findall(r"^(?:from|import) (syncd[\w.]*|tests[\w.]*)", path.read_text(), re.MULTILINE))
        assert modules <= {"syncd.plugin", "syncd.plugin.conformance", "syncd_desk"}, path.name


def test_a_plug_in_from_a_wheel_passes_the_suite_of_the_wheel(installed: Path, desk: Path) -> None:
    (desk / "test_place.py").write_text(
        f"import syncd, syncd_desk\n"
        f"def test_everything_comes_from_the_wheels():\n"
        f"    assert syncd.__file__.startswith({str(installed)!r})\n"
        f"    assert syncd_desk.__file__.startswith({str(installed)!r})\n"
    )
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-W",
            "error",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(desk),
            str(desk),
        ],
        cwd=desk,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert passed is not None
    assert int(passed[1]) >= 80, ran.stdout


def test_a_plug_in_from_a_wheel_is_configured_as_every_tracker(installed: Path, desk: Path, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    section = '[trackers.crashes]\nkind = "desk"\nurl = "http://127.0.0.1:9"\ntoken = { file = "token" }\n'
    (tmp_path / "token").write_text("desk-token")
    path.write_text(section)
    ran = run(installed, tmp_path, "check")
    assert "plug-ins: desk comes with syncd-desk 1.0, for version 1 of syncd.plugin" in ran.stdout, ran.stderr

    path.write_text(section.replace('{ file = "token" }', '"desk-hidden"').replace("url", "ulr"))
    ran = run(installed, tmp_path, "check")
    assert ran.returncode == 78
    assert "trackers.crashes.token: a secret does not belong in this file" in ran.stderr
    assert "trackers.crashes.ulr: there is no such key (did you mean 'url'?)" in ran.stderr
    assert "hidden" not in ran.stdout + ran.stderr
