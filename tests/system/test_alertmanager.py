"""Debian's own Prometheus and Alertmanager, with a rule that fires, is repeated, resolves, and fires again."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.ports import free_port
from tests.system.daemon import ROOT, Daemon

PROMETHEUS = ROOT / ".tests/prometheus/usr/bin/prometheus"
ALERTMANAGER = ROOT / ".tests/alertmanager/usr/bin/prometheus-alertmanager"
SECRET = "an alertmanager's secret"
# Debian's Alertmanager reads its templates from /usr/share, which in a mount namespace of its own has them and nothing else.
TEMPLATES = ALERTMANAGER.parents[1] / "share/prometheus"
IN_PLACE = [
    *("unshare", "--map-root-user", "--mount", "sh", "-c"),
    'mount -t tmpfs tmpfs /usr/share && mkdir /usr/share/prometheus && cp -r "$0"/. /usr/share/prometheus && exec "$@"',
    str(TEMPLATES),
]
pytestmark = pytest.mark.skipif(
    not (PROMETHEUS.exists() and ALERTMANAGER.exists()),
    reason="Prometheus or Alertmanager is missing: `make tools` as root fetches both",
)

SYNCD = """
[sources.alerts]
kind = "alertmanager"
username = "alertmanager"
secret = { file = "SECRET" }

[trackers.here]
kind = "local"
folder = "FOLDER/issues"
[[routes]]
tracker = "here"
status_interval = 1
"""
ALERTING = """
route: {receiver: syncd, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 2s}
receivers:
  - name: syncd
    webhook_configs:
      - url: http://ADDRESS/sources/alerts
        http_config: {basic_auth: {username: alertmanager, password_file: SECRET}}
"""
MEASURING = """
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
alerting: {alertmanagers: [{static_configs: [{targets: ['ALERTMANAGER']}]}]}
scrape_configs: [{job_name: shop, static_configs: [{targets: ['METRICS']}]}]
"""
RULES = """
groups:
  - name: shop
    rules:
      - alert: HighErrorRate
        expr: error_rate > 5
        labels: {severity: critical}
        annotations: {summary: 'HighErrorRate: {{ $value }} % of requests fail', description: since the deployment}
"""


class Metrics(BaseHTTPRequestHandler):
    """A program that Prometheus measures; `rate` is what it measures."""

    rate = 0

    def do_GET(self) -> None:
        body = f"error_rate {self.rate}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def program(folder: Path, name: str, *command: str) -> Iterator[None]:
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def measured() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Metrics)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def alerting(folder: Path, address: str, metrics: str) -> Iterator[None]:
    """Prometheus and Alertmanager, which sends to `address`."""
    measuring, port = free_port(), free_port()
    texts = {
        "alertmanager.yml": ALERTING.replace("ADDRESS", address).replace("SECRET", f"{folder}/secret"),
        "prometheus.yml": MEASURING.replace("ALERTMANAGER", f"127.0.0.1:{port}").replace("METRICS", metrics),
        "rules.yml": RULES,
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    with (
        program(
            folder,
            "alertmanager",
            *IN_PLACE,
            str(ALERTMANAGER),
            "--config.file=alertmanager.yml",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
            f"--storage.path={folder}/alerts",
        ),
        program(
            folder,
            "prometheus",
            str(PROMETHEUS),
            "--config.file=prometheus.yml",
            f"--web.listen-address=127.0.0.1:{measuring}",
            f"--storage.tsdb.path={folder}/measured",
        ),
    ):
        yield


def test_a_firing_counts_once_and_its_end_is_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    configuration = SYNCD.replace("SECRET", f"{tmp_path}/secret").replace("FOLDER", str(tmp_path))
    with Daemon(tmp_path, configuration) as daemon, measured() as metrics:
        host, port = daemon.address

        def group() -> dict[str, Any]:
            groups = list(daemon.groups().values())
            assert len(groups) <= 1
            return groups[0] if groups else {"notifications": 0, "occurrences": 0}

        def text() -> str:
            return "".join(path.read_text() for path in (tmp_path / "issues").glob("*.md"))

        with alerting(tmp_path, f"{host}:{port}", metrics):
            Metrics.rate = 7
            daemon.wait_for(lambda: "HighErrorRate: 7 % of requests fail" in text(), "the issue")
            # Alertmanager repeats what it has sent.
            accepted = daemon.log.read_text().count('"delivery_accepted"')
            daemon.wait_for(
                lambda: daemon.log.read_text().count('"delivery_accepted"') > accepted + 1, "two repetitions"
            )
            daemon.drain()
            assert group()["occurrences"] == 1
            Metrics.rate = 0
            daemon.wait_for(lambda: "Its source reports it as resolved" in text(), "the end in the issue")
            Metrics.rate = 9
            daemon.wait_for(lambda: group()["occurrences"] == 2, "the second firing")
        daemon.drain()
        counted = group()
        (issue,) = (tmp_path / "issues").glob("*.md")
        assert (counted["project"], counted["occurrences"]) == ("shop", 2)
        assert "- Status: open" in issue.read_text()
        explained = json.loads(daemon.syncd("explain", counted["fingerprint"], "--json"))
        assert "source alerts reports it as resolved" in json.dumps(explained)
