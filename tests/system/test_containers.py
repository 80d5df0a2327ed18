"""The files for containers: the build's context is complete, and the example listens beyond loopback with logins that work.

No test builds the image: its base image is in no registry of packages."""

import base64
import http.client
import json
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from syncd import config as configuration
from syncd.errors import ConfigError
from tests.factories import notification_json
from tests.system.daemon import PASSWORD, Daemon
from tests.system.kinds import opened

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICE, DATABASE = COMPOSE["services"]["syncd"], COMPOSE["services"]["database"]
EXAMPLE = (ROOT / "deploy/container.toml").read_text()
CONTAINERFILE = (ROOT / "Containerfile").read_text()


def build(source: Path, target: Path) -> dict[str, bytes]:
    """The files of the wheel of a checkout."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "wheel"]
    subprocess.run(
        [*pip, "--no-deps", "--no-build-isolation", "--wheel-dir", str(target), str(source)], check=True, cwd=target
    )
    (wheel,) = target.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_what_enters_a_build_is_all_that_a_wheel_needs_and_nothing_private(tmp_path: Path) -> None:
    everything, *rules = (
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")
    )
    entering = {rule[1:] for rule in rules if rule.startswith("!")}
    context = tmp_path / "context"
    context.mkdir()
    for name in entering:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, context / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, context / name)
    (tmp_path / "from_context").mkdir()
    (tmp_path / "from_checkout").mkdir()

    assert everything == "*"
    assert not entering & {"config.toml", "secrets", "syncd.db", "issues", ".git", ".venv", ".tests"}
    assert build(context, tmp_path / "from_context") == build(ROOT, tmp_path / "from_checkout")
    for lock in re.findall(r"-r (\S+)", CONTAINERFILE):
        assert (context / lock).is_file()


def test_the_example_is_refused_without_its_logins(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(EXAMPLE)
    loaded = configuration.load(path)
    assert [urlsplit(f"//{listen}").hostname for listen in (loaded.receiver.listen, loaded.console.listen)] == [
        "0.0.0.0",
        "0.0.0.0",
    ]

    path.write_text(re.sub(r'^(username|password) = .*"/run/secrets/(webhook|console).*$', "", EXAMPLE, flags=re.M))
    with pytest.raises(ConfigError) as refused:
        configuration.load(path)
    assert {problem.split(": ")[1] for problem in refused.value.problems} == {"receiver.password", "console.password"}


def test_the_composition_has_what_the_example_names(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(EXAMPLE)
    loaded = configuration.load(path)
    files = {Path(str(secret.file)) for _, secret in configuration.secrets(loaded)}
    store = urlsplit(loaded.store.url)

    assert {file.parent for file in files} == {Path("/run/secrets")}
    assert {file.name for file in files} == set(SERVICE["secrets"]) == set(COMPOSE["secrets"])
    assert COMPOSE["services"][str(store.hostname)] is DATABASE
    environment = DATABASE["environment"]
    assert (store.username, store.path) == (environment["POSTGRES_USER"], f"/{environment['POSTGRES_DB']}")
    assert Path(environment["POSTGRES_PASSWORD_FILE"]).name in DATABASE["secrets"]
    published = {mapping.rpartition(":")[2] for mapping in SERVICE["ports"]}
    assert published == {listen.rpartition(":")[2] for listen in (loaded.receiver.listen, loaded.console.listen)}
    mounted = dict(mount.split(":")[:2] for mount in SERVICE["volumes"])
    assert mounted["./deploy/container.toml"] == re.search(r"SYNCD_CONFIG=(\S+)", CONTAINERFILE)[1]  # type: ignore[index]


def health_check() -> list[str]:
    """The command of the health check, which image and composition share."""
    command: list[str] = json.loads(re.search(r"^HEALTHCHECK .* CMD (\[.*\])$", CONTAINERFILE, re.M)[1])  # type: ignore[index]
    assert SERVICE["healthcheck"]["test"] == ["CMD", *command]
    return command


def test_the_example_runs_and_lets_nobody_in_without_a_login(tmp_path: Path) -> None:
    """With files and any free port in place of the tracker, the server and the ports."""
    for name in ("webhook-password", "console-password"):
        (tmp_path / name).write_text(f"{PASSWORD}\n")
        (tmp_path / name).chmod(0o600)
    with opened("local", tmp_path) as tracker:
        daemon = Daemon(tmp_path, tracker.toml())
        listeners = EXAMPLE.partition("[store]")[0].replace("/run/secrets", str(tmp_path))
        listeners = re.sub(r"0\.0\.0\.0:\d+", "0.0.0.0:0", listeners)
        daemon.config.write_text(f'{listeners}[store]\nurl = "sqlite:{tmp_path}/syncd.db"\n{tracker.toml()}')
        with daemon:
            console = daemon.console_address[1]
            assert daemon.address[0] == daemon.console_address[0] == "0.0.0.0"
            assert daemon.send(notification_json(), password="wrong").status == 401
            assert daemon.send(notification_json()).status == 200
            login = base64.b64encode(f"operator:{PASSWORD}".encode()).decode()
            expected = {("/", ""): 401, ("/", login): 200, ("/metrics", ""): 401, ("/readyz", ""): 200}
            assert {question: page(console, *question) for question in expected} == expected
            check = shlex.join(health_check()).replace("python", sys.executable, 1).replace(":8081", f":{console}")
            assert subprocess.run(check, shell=True, capture_output=True).returncode == 0
        assert subprocess.run(check, shell=True, capture_output=True).returncode != 0


def page(port: int, path: str, login: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"authorization": f"Basic {login}"} if login else {}
    connection.request("GET", path, headers={"host": "crashes.example.com", **headers})
    try:
        return connection.getresponse().status
    finally:
        connection.close()
