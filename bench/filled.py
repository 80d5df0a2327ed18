"""Stores with ten thousand and with a million groups, on both databases; each is built at most once in a run."""

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import psycopg

from syncd.config import StoreSettings
from syncd.store import Store, bring_up, open_store
from syncd.store.sqlite.file import open_file
from tests import postgres
from tests.postgres import Databases

FEW, MANY = 10_000, 1_000_000
NOW = 1_800_000_000
PROJECTS = 5
DUE = "here"  # 1,000 groups are due for this tracker, none for "later"
_STACK = (
    '["' + '","'.join(f"engine::module_{place}::function_of_some_length(int, char const*)" for place in range(7)) + '"]'
)
_SPREAD = 2654435761  # odd, so that multiplication permutes the numbers below 2^32 as hashes would
_FILL = (
    f"""INSERT INTO groups (universe, project, fingerprint, fingerprint_key, application, callstack, classifiers, occurrences, approximate,
        notifications, hosts, users, first_seen, last_seen, revision, decision, decision_reason, decided_at, signature)
    WITH RECURSIVE numbers (n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < {{groups}})
    SELECT 'acme', 'project' || (n % {PROJECTS}), 'f' || (n * {_SPREAD} % 4294967296), 'f' || (n * {_SPREAD} % 4294967296), 'game',
        '{_STACK}', '["crash"]', 1 + n * {_SPREAD} % 5000, 0, 1, 1, n * {_SPREAD} % 700, {NOW} - n * {_SPREAD} % 8000000,
        {NOW} - n * {_SPREAD} % 4000000, 1, CASE n % 20 WHEN 0 THEN 'hold' ELSE 'update' END, 'nothing to do', {NOW}, 's' || (n / 3)
    FROM numbers""",
    f"""INSERT INTO releases (group_id, release, occurrences, approximate, first_seen, last_seen, since, until)
    SELECT id, '1.' || (id % 40), 1 + id % 50, 0, {NOW} - 1000, {NOW}, {NOW} - 1000, {NOW} FROM groups""",
    """INSERT INTO issues (group_id, tracker, state, marker, remote_id, key, url, attempt, floor, synced_revision)
    SELECT id, 'later', CASE WHEN id BETWEEN 2001 AND 2100 THEN 'parked' ELSE 'linked' END, 'syncd-' || id, id, 'GAME-' || id,
        'https://acme.example/browse/GAME-' || id, 1, 0, 1 FROM groups WHERE id % 20 <> 0""",
    f"""INSERT INTO outbox (group_id, tracker, state, due_at, attempts, rank)
    SELECT id, CASE WHEN id <= 1000 THEN '{DUE}' ELSE 'later' END, CASE WHEN id BETWEEN 3001 AND 3100 THEN 'dead' ELSE 'waiting' END,
        CASE WHEN id <= 1000 THEN {NOW} - 1 ELSE {NOW} + id END, 0, 2 FROM groups""",
)  # fmt: skip


def fingerprint(number: int) -> str:
    """The fingerprint of the group with this number, as _FILL writes it."""
    return f"f{number * _SPREAD % 2**32}"


def file(groups: int) -> Path:
    """The SQLite file of a store with this many groups."""
    store("sqlite", groups)
    return _file(groups)


@cache
def store(dialect: str, groups: int) -> Store:
    """A store with this many groups. Each group has one release, and 19 of 20 have an issue."""
    settings = StoreSettings(url=f"sqlite:{_file(groups)}" if dialect == "sqlite" else _databases().new())
    bring_up(settings)
    _run(settings, [_FILL[0].format(groups=groups), *_FILL[1:], "ANALYZE"])
    opened = open_store(settings)
    atexit.register(opened.close)
    return opened


def _file(groups: int) -> Path:
    return _home() / f"{groups}.db"


def _run(settings: StoreSettings, statements: Sequence[str]) -> None:
    if settings.dialect == "postgresql":
        with psycopg.connect(settings.url) as session:
            session.execute("SET session_replication_role = replica")  # skip the check of each foreign key
            for statement in statements:
                session.execute(statement.encode())
        return
    database = open_file(settings.path, "rw")
    for statement in ("PRAGMA synchronous=OFF", "PRAGMA cache_size=-400000", "BEGIN", *statements, "COMMIT"):
        database.execute(statement)
    database.close()


@cache
def _home() -> Path:
    home = Path(tempfile.mkdtemp(prefix="syncd-bench-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return home


@cache
def _databases() -> Databases:
    stack = ExitStack()
    atexit.register(stack.close)
    return Databases(stack.enter_context(postgres.server()).url("postgres"))
