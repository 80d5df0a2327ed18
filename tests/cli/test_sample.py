"""`check --sample`: what a body maps to, for people."""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from syncd import cli
from tests.golden import golden
from tests.intake.source_bodies import MAKERS

CONFIG = """
[trackers.here]
kind = "local"
folder = "issues"
[sources.web]
kind = "sentry"
[sources.alerts]
kind = "alertmanager"
[sources.errors]
kind = "bugsink"
[sources.second]
kind = "backtrace"
[sources.any]
kind = "generic"
counts = "cumulative"
only = "event != 'deployed'"
release_pattern = "^v(.+)"
[sources.any.map]
fingerprint = "key"
project = "app"
title = "tilte"
occurrences = "count"
release = "version"
last = "at"
attributes = "facts"
state = "status"
url = "link"
"""
ANY: dict[str, Any] = {
    "key": 7,
    "app": "shop",
    "count": "many",
    "version": "nightly",
    "at": "yesterday",
    "facts": {"user": "alice", "environment": "production"},
    "status": "done",
    "link": "https://errors.example.com/7",
}
TWO = MAKERS["alertmanager"]("a")
TWO["alerts"] += [MAKERS["alertmanager"]("b", resolved=True)["alerts"][0], {"status": "firing"}]
SAMPLES: list[tuple[str, str, object, int]] = [
    ("an event of Sentry", "web", MAKERS["sentry"](), 0),
    ("an issue of Sentry", "web", MAKERS["sentry"](resolved=True), 0),
    ("an installation of Sentry", "web", {"installation": {"uuid": "7a48"}, "data": {"installation": {}}}, 0),
    ("three alerts, one without a fingerprint", "alerts", TWO, 1),
    ("Bugsink", "errors", MAKERS["bugsink"](), 0),
    ("a second Backtrace", "second", {"universe": "acme", "project": "game", "fingerprint": "f", "occurrences": 3}, 0),
    ("a body of another kind", "errors", MAKERS["sentry"](), 1),
    ("a table with mistakes", "any", ANY, 0),
    ("a table whose fingerprint is not there", "any", {"app": "shop"}, 1),
    ("a body that is ignored", "any", ANY | {"event": "deployed"}, 0),
    ("no JSON", "web", None, 1),
]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "config.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def of(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["syncd", "check", "--config", "config.toml", *arguments])
        printed = io.StringIO()
        with redirect_stdout(printed), redirect_stderr(printed), pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), printed.getvalue()

    return of


@pytest.mark.parametrize(("case", "source", "body", "expected"), [pytest.param(*row, id=row[0]) for row in SAMPLES])
def test_a_sample_is_shown_field_by_field(
    case: str, source: str, body: object, expected: int, run: Any, tmp_path: Path
) -> None:
    (tmp_path / "body.json").write_text("{" if body is None else json.dumps(body))
    code, printed = run("--sample", "body.json", "--source", source)

    assert code == expected
    assert "alice" not in printed
    assert not (tmp_path / "syncd.db").exists()
    golden("sample", case, printed)


@pytest.mark.parametrize(
    ("case", "arguments"),
    [
        ("no source", ("--sample", "body.json")),
        ("no sample", ("--source", "web")),
        ("a source that is not there", ("--sample", "body.json", "--source", "wbe")),
        ("a file that is not there", ("--sample", "none.json", "--source", "web")),
    ],
)
def test_wrong_usage(case: str, arguments: tuple[str, ...], run: Any) -> None:
    code, printed = run(*arguments)

    assert code == 2
    golden("sample", f"usage: {case}", printed)
