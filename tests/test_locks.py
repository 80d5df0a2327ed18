"""What is installed is named exactly: the files in locks/ agree with pyproject.toml, and name no place it comes from."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LOCKS = ROOT / "locks"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = PROJECT["dependency-groups"]
RUN = PROJECT["project"]["dependencies"]
POSTGRESQL = PROJECT["project"]["optional-dependencies"]["postgresql"]
REQUIREMENTS = {
    "run": RUN,
    "package": [*RUN, *POSTGRESQL],
    "dev": [*RUN, *POSTGRESQL, *GROUPS["dev"]],
    **{group: GROUPS[group] for group in ("build", "virtualenv", "deb", "screenshots", "prove", "senders")},
}


def locked(name: str) -> dict[str, list[Requirement]]:
    """The requirements of a lock by normalized name: several versions of one where Pythons or systems differ."""
    requirements: dict[str, list[Requirement]] = {}
    for line in (LOCKS / f"{name}.txt").read_text().splitlines():
        if line and not line.startswith((" ", "#")):
            requirement = Requirement(line.removesuffix("\\"))
            requirements.setdefault(normalized(requirement.name), []).append(requirement)
    return requirements


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_each_lock_is_one_that_is_made() -> None:
    assert {path.stem for path in LOCKS.iterdir()} == set(REQUIREMENTS)


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_a_lock_has_a_version_that_fits_each_requirement(name: str) -> None:
    versions = locked(name)

    for text in REQUIREMENTS[name]:
        requirement = Requirement(text)
        for pin in versions[normalized(requirement.name)]:
            (version,) = (part.version for part in pin.specifier)
            assert requirement.specifier.contains(version), f"{pin} does not fit {text}: run `make lock`"


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_a_lock_has_exact_versions_with_hashes_and_no_address(name: str) -> None:
    text = (LOCKS / f"{name}.txt").read_text()
    entries = re.findall(r"^[a-z0-9].*?(?=^[a-z0-9]|\Z)", text, re.MULTILINE | re.DOTALL)

    assert entries
    assert [
        entry.split()[0] for entry in entries if "==" not in entry.split()[0] or "--hash=sha256:" not in entry
    ] == []
    assert "://" not in text


@pytest.mark.parametrize(
    "name", sorted(set(REQUIREMENTS) - {"dev", "virtualenv", "senders"})
)  # in environments of their own
def test_what_is_installed_besides_never_changes_a_version(name: str) -> None:
    dev, besides = locked("dev"), locked(name)

    assert {name: pins for name, pins in besides.items() if name in dev and versions(pins) != versions(dev[name])} == {}


def versions(pins: list[Requirement]) -> set[str]:
    return {str(pin.specifier) for pin in pins}


@pytest.mark.parametrize("path", sorted(ROOT.glob("tests/**/package-lock.json")), ids=lambda path: path.parent.name)
def test_a_lock_of_npm_has_hashes_and_no_address(path: Path) -> None:
    packages = json.loads(path.read_text())["packages"]
    installed = {name: package for name, package in packages.items() if name and not package.get("link")}

    assert installed
    assert [name for name, package in installed.items() if "integrity" not in package or "resolved" in package] == []
    assert (path.with_name(".npmrc")).read_text() == "omit-lockfile-registry-resolved=true\n"
