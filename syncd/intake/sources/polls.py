"""A body of Backtrace's shape that syncd made itself from a poll. It has a proof by the key of the store, so that no sender can pass its counts
for totals of a poll. Pure."""

import hashlib
import hmac
from dataclasses import dataclass

import msgspec

from syncd.core.polls import STATES
from syncd.model import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class PollFacts:
    """What a poll says besides the fields of a notification. `at` is its time: a state that comes back is another message."""

    at: float = 0.0
    triage: str | None = None
    backfill: bool | None = None


def sealed(key: str, identity: Identity, occurrences: int, facts: PollFacts) -> dict[str, object]:
    """The field `poll` of a body."""
    return {
        "at": facts.at,
        "triage": facts.triage,
        "backfill": facts.backfill,
        "proof": _proof(key, identity, occurrences, facts),
    }


def facts_of(key: str, identity: Identity, occurrences: object, field: object) -> PollFacts | None:
    """The facts in the field `poll` of a body; None unless this store's key made its proof."""
    if not key or not isinstance(field, dict) or not isinstance(occurrences, int):
        return None
    at, triage, backfill, proof = (field.get(name) for name in ("at", "triage", "backfill", "proof"))
    facts = PollFacts(
        at=float(at) if isinstance(at, int | float) else 0.0,
        triage=triage if triage in STATES else None,
        backfill=backfill if isinstance(backfill, bool) else None,
    )
    if isinstance(proof, str) and hmac.compare_digest(
        proof.encode("utf-8", "replace"), _proof(key, identity, occurrences, facts).encode()
    ):
        return facts
    return None


def _proof(key: str, identity: Identity, occurrences: int, facts: PollFacts) -> str:
    group = [identity.universe, identity.project, identity.fingerprint, occurrences]
    content = msgspec.json.encode(["poll", *group, facts.at, facts.triage, facts.backfill])
    return hmac.new(key.encode(), content, hashlib.sha256).hexdigest()
