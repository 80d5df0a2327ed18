"""The plans of the most frequent PostgreSQL queries with a million groups: EXPLAIN ANALYZE of the texts that the workers use."""

import time
from collections.abc import Iterator, Mapping
from typing import cast

import psycopg
from psycopg.abc import QueryNoTemplate

from syncd.store import queries
from tests import postgres
from tests.postgres import Databases

MILLION = 1_000_000
PARAMETERS: Mapping[str, Mapping[str, object]] = {
    "next_due": {"tracker": "here"},
    "claim_group": {"tracker": "here", "rank": 2, "owner": "w/0"},
    "waiting_sizes": {"size": 1000},
    "waiting_until": {"last": 10**6},
    "owners": {},
}
_FILL = (
    "INSERT INTO groups (universe, project, fingerprint, fingerprint_key, callstack, classifiers, occurrences, approximate,"
    " notifications, revision) SELECT 'u', 'p', md5(n::text), md5(n::text), '[]', '[]', 1, 0, 1, 1 FROM generate_series(1, %(many)s) n",
    "INSERT INTO outbox (group_id, tracker, state, due_at, attempts, rank)"
    " SELECT id, CASE id %% 3 WHEN 0 THEN 'there' ELSE 'here' END, 'waiting', %(now)s + id - 1000, 0, id %% 3 FROM groups",
    "INSERT INTO deliveries (received_at, body, state, group_id)"
    " SELECT %(now)s - id, '{}', CASE WHEN id > %(many)s - 300 THEN 'waiting' ELSE 'absorbed' END, id FROM groups",
    "ANALYZE",
)


def measure() -> Iterator[str]:
    """The plan and duration of each query."""
    now = time.time()
    texts = queries.load("postgresql")
    with postgres.server() as server:
        url = Databases(server.url("postgres")).new()
        with psycopg.connect(url, autocommit=True) as session:
            for statement in _FILL:
                parameters = {"many": MILLION, "now": now}
                session.execute(cast(QueryNoTemplate, statement), parameters if "%" in statement else None)
            yield f"{MILLION:,} groups in the outbox, {MILLION:,} deliveries:"
            for name, parameters_of in PARAMETERS.items():
                values: dict[str, object] = {
                    "now": now,
                    "leased_until": now + 180,
                    "horizon": now + 86400,
                    **parameters_of,
                }
                explain = cast(QueryNoTemplate, f"EXPLAIN (ANALYZE, COSTS OFF, BUFFERS OFF) {texts[name]}")
                with session.transaction(force_rollback=True):
                    session.execute(explain, values)  # a frequent query finds its pages in memory
                with session.transaction(force_rollback=True):
                    plan = session.execute(explain, values).fetchall()
                yield f"\n{name}"
                yield from (f"  {row[0]}" for row in plan)
