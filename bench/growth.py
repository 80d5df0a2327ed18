"""The size of a SQLite store: bytes per stored delivery and bytes per group."""

import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import load
from bench.finding import Finding
from syncd.config import StoreSettings
from syncd.model import Action, Created, Plan
from syncd.store import Store, open_store
from syncd.store.bodies import LEARN_FROM
from syncd.store.issues import Intent
from syncd.store.sqlite.backup import back_up
from tests.prove.crashes import crash
from tests.store import steps
from tests.store.filled import NOW, absorb, accept
from tests.store.raw import ask

GROUPS, EACH = 2000, 5
PIECE = 500  # deliveries per accept
RETENTION = NOW + 1.0
_DONE = Plan(action=Action.UPDATE, reason="the issue shows an older state of the group")


def measure() -> Iterator[Finding]:
    """Compare stored bodies, and the whole store, with the bytes that were sent."""
    with tempfile.TemporaryDirectory() as home:
        settings = StoreSettings(url=f"sqlite:{home}/syncd.db")
        store = open_store(settings)
        chosen = random.Random(load.SEED)
        _accept_many(store, chosen, LEARN_FROM)
        store.bodies.learn(NOW)
        last = _last(settings)
        sent = _accept_many(store, chosen, GROUPS * EACH)
        while absorb(store):
            pass
        _file(store)
        full = _size(Path(home), "full")
        bodies = [
            stored / original
            for (stored,), original in zip(ask(settings, _BODIES.format(last=last, piece=PIECE)), sent, strict=True)
        ]
        while store.inbox.purge(RETENTION, 0.0):
            pass
        groups = store.report.how_many()
        purged = _size(Path(home), "purged")
        store.close()
    each = sum(sent) / (GROUPS * EACH)
    yield Finding(
        subject="stored body of a delivery",
        baseline="the body as sent",
        ratios=bodies,
        figures=f"{each * sum(bodies) / len(bodies):,.0f} and {each:,.0f} bytes",
        at_most=0.35,
    )
    whole = (full - purged) / (GROUPS * EACH + LEARN_FROM)
    yield Finding(
        subject="all storage of a delivery: body, row, index entries, digest",
        baseline="the body as sent",
        ratios=[whole / each],
        figures=f"{whole:,.0f} and {each:,.0f} bytes",
    )
    yield Finding(
        subject="a group with its issue, latest decision and one release (permanent)",
        baseline="one of its notifications as sent",
        ratios=[purged / groups / each],
        figures=f"{purged / groups:,.0f} and {each:,.0f} bytes",
    )


_BODIES = """SELECT SUM(length(body)) FROM deliveries WHERE id > {last} GROUP BY (id - {last} - 1) / {piece} ORDER BY MIN(id)"""


def _last(settings: StoreSettings) -> int:
    return int(ask(settings, "SELECT MAX(id) FROM deliveries")[0][0])


def _accept_many(store: Store, chosen: random.Random, many: int) -> list[int]:
    """Accept `many` deliveries; the bytes that were sent with each PIECE of them."""
    sizes = []
    for start in range(0, many, PIECE):
        notifications = [json.loads(load.notification(number, chosen)) for number in range(start, start + PIECE)]
        for number, notification in enumerate(notifications, start):
            notification["fingerprint"] = crash(number % GROUPS)["fingerprint"]
        accept(store, *notifications)
        sizes.append(sum(len(json.dumps(notification)) for notification in notifications))
    return sizes


def _file(store: Store) -> None:
    number = 0
    while claim := store.outbox.claim("here", f"w/{number}", NOW):
        number += 1
        revision = steps.load(store, claim)[0].revision
        steps.intend(store, claim, Intent(marker=f"syncd-{number:064}", revision=revision), NOW)
        url = f"https://github.com/acme/game/issues/{number}"
        steps.link(
            store, claim, Created(remote_id=str(10**9 + number), key=f"acme/game#{number}", url=url, number=number), NOW
        )
        steps.settle(store, claim, _DONE, f"acme/game#{number}", revision, NOW, NOW)


def _size(home: Path, name: str) -> int:
    """The size of a backup, which has no free pages."""
    return back_up(home / "syncd.db", home / f"{name}.db")
