"""How much room a store in a file takes: for each delivery that is kept, and for each group for ever."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from syncd.config import StoreSettings
from syncd.model import Action, Created, Plan
from syncd.store import Store, open_store
from syncd.store.backup import back_up
from syncd.store.issues import Intent
from tests.prove.crashes import crash
from tests.store.filled import FREE, NOW, absorb, accept

GROUPS, EACH, BODY_BYTES = 2000, 5, 4096
RETENTION = NOW + 1.0
_DONE = Plan(action=Action.UPDATE, reason="the issue shows an older state of the group")


def measure() -> Iterator[str]:
    """Lines with bytes."""
    with tempfile.TemporaryDirectory() as home:
        store = open_store(StoreSettings(url=f"sqlite:{home}/syncd.db"))
        empty = _size(Path(home), "empty")
        for total in range(1, EACH + 1):
            for start in range(0, GROUPS, 500):
                accept(store, *(_told(number, total) for number in range(start, start + 500)))
                absorb(store)
        _file(store)
        full = _size(Path(home), "full")
        while store.inbox.purge(RETENTION, 0.0):
            pass
        kept = _size(Path(home), "kept")
        store.close()
    per_delivery = (full - kept) / (GROUPS * EACH)
    yield f"each kept delivery of {BODY_BYTES:,} bytes takes {per_delivery:,.0f} bytes ({GROUPS * EACH:,} of them)"
    yield f"each group with its issue, its latest decision and a release takes {(kept - empty) / GROUPS:,.0f} bytes for ever ({GROUPS:,} of them)"


def _told(number: int, total: int) -> dict[str, object]:
    told = crash(number, total)
    return told | {"padding": "x" * (BODY_BYTES - len(str(told)) - 20)}


def _file(store: Store) -> None:
    number = 0
    while claim := store.outbox.claim("here", f"w/{number}", NOW):
        number += 1
        store.issues.intend(claim, Intent(marker=f"syncd-{number:064}", revision=EACH), FREE, NOW)
        url = f"https://github.com/acme/game/issues/{number}"
        store.issues.link(
            claim, Created(remote_id=str(10**9 + number), key=f"acme/game#{number}", url=url, number=number), NOW
        )
        store.outbox.settle(claim, _DONE, f"acme/game#{number}", EACH, NOW, NOW)


def _size(home: Path, name: str) -> int:
    """Without the room that was freed: a copy has none."""
    return back_up(home / "syncd.db", home / f"{name}.db")
