"""Accepting into PostgreSQL: group commit compared with one commit per request."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench import load, served
from bench.accept import pairs_of, rates
from bench.finding import Finding
from tests import postgres
from tests.postgres import Databases

CLIENTS = 64


def measure() -> Iterator[Finding]:
    """Measure both on one server, each with its own database."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = load.bodies(home)
        databases = Databases(stack.enter_context(postgres.server()).url("postgres"))
        batched = stack.enter_context(
            served.daemon(home / "batched", "--only", "receiver", store=databases.new())
        ).address
        alone = stack.enter_context(
            served.changed(home / "alone", "alone", "--only", "receiver", store=databases.new())
        ).address
        for address in (batched, alone):
            load.post(address, file, CLIENTS, 1)  # warm
        pairs = pairs_of(file, CLIENTS, batched, alone)
        yield rates(
            "accepted notifications per second into PostgreSQL, 64 clients", "one commit per request", pairs, 3.0
        )
