"""How much room a store in a file takes: for each delivery that is kept, and for each group for ever."""

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
from tests.store.filled import FREE, NOW, absorb, accept
from tests.store.raw import ask

GROUPS, EACH = 2000, 5
PIECE = 500  # deliveries accepted together
RETENTION = NOW + 1.0
_DONE = Plan(action=Action.UPDATE, reason="the issue shows an older state of the group")


def measure() -> Iterator[Finding]:
    """Bodies beside what was sent, and the whole store beside that."""
    with tempfile.TemporaryDirectory() as home:
        settings = StoreSettings(url=f"sqlite:{home}/syncd.db")
        store = open_store(settings)
        chosen = random.Random(load.SEED)
        _keep(store, chosen, LEARN_FROM)
        store.bodies.learn(NOW)
        last = _last(settings)
        sent = _keep(store, chosen, GROUPS * EACH)
        while absorb(store):
            pass
        _file(store)
        full = _size(Path(home), "full")
        bodies = [
            kept / told
            for (kept,), told in zip(ask(settings, _BODIES.format(last=last, piece=PIECE)), sent, strict=True)
        ]
        while store.inbox.purge(RETENTION, 0.0):
            pass
        groups = store.report.how_many()
        kept = _size(Path(home), "kept")
        store.close()
    each = sum(sent) / (GROUPS * EACH)
    yield Finding(
        what="a kept delivery's body",
        against="what was sent",
        ratios=bodies,
        seen=f"{each * sum(bodies) / len(bodies):,.0f} and {each:,.0f} bytes",
        at_most=0.35,
    )
    whole = (full - kept) / (GROUPS * EACH + LEARN_FROM)
    yield Finding(
        what="all of a kept delivery, with its row, its places in indexes and the memory of its digest",
        against="what was sent",
        ratios=[whole / each],
        seen=f"{whole:,.0f} and {each:,.0f} bytes",
    )
    yield Finding(
        what="a group with its issue, its latest decision and a release, kept for ever",
        against="one of its notifications",
        ratios=[kept / groups / each],
        seen=f"{kept / groups:,.0f} and {each:,.0f} bytes",
    )


_BODIES = """SELECT SUM(length(body)) FROM deliveries WHERE id > {last} GROUP BY (id - {last} - 1) / {piece} ORDER BY MIN(id)"""


def _last(settings: StoreSettings) -> int:
    return int(ask(settings, "SELECT MAX(id) FROM deliveries")[0][0])


def _keep(store: Store, chosen: random.Random, many: int) -> list[int]:
    """Accept so many: the bytes of each PIECE of them."""
    sizes = []
    for start in range(0, many, PIECE):
        told = [json.loads(load.notification(number, chosen)) for number in range(start, start + PIECE)]
        for number, one in enumerate(told, start):
            one["fingerprint"] = crash(number % GROUPS)["fingerprint"]
        accept(store, *told)
        sizes.append(sum(len(json.dumps(one)) for one in told))
    return sizes


def _file(store: Store) -> None:
    number = 0
    while claim := store.outbox.claim("here", f"w/{number}", NOW):
        number += 1
        revision = store.outbox.load(claim)[0].revision
        store.issues.intend(claim, Intent(marker=f"syncd-{number:064}", revision=revision), FREE, NOW)
        url = f"https://github.com/acme/game/issues/{number}"
        store.issues.link(
            claim, Created(remote_id=str(10**9 + number), key=f"acme/game#{number}", url=url, number=number), NOW
        )
        store.outbox.settle(claim, _DONE, f"acme/game#{number}", revision, NOW, NOW)


def _size(home: Path, name: str) -> int:
    """Without the room that was freed: a copy has none."""
    return back_up(home / "syncd.db", home / f"{name}.db")
