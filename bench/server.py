"""Accepting into PostgreSQL: one commit for all who wait, beside one commit for each."""

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
    """Both on one server, each in a database of its own."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = load.bodies(home)
        databases = Databases(stack.enter_context(postgres.server()).url("postgres"))
        ours = stack.enter_context(served.daemon(home / "ours", "--only", "receiver", store=databases.new())).address
        alone = stack.enter_context(
            served.changed(home / "alone", "alone", "--only", "receiver", store=databases.new())
        ).address
        for address in (ours, alone):
            load.post(address, file, CLIENTS, 1)  # warm
        pairs = pairs_of(file, CLIENTS, ours, alone)
        yield rates("accepted a second into PostgreSQL, 64 clients", "a commit each", pairs, 3.0)
