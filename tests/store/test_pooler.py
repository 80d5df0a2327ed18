"""A store behind pgbouncer: accepted in session mode, refused where the pooler lends a session for each transaction only."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psycopg
import pytest
from structlog.testing import capture_logs

from syncd.config import StoreSettings
from syncd.errors import StoreUnavailable, StoreUnusable
from syncd.store import bring_up, open_store, probe, read_store
from syncd.store.postgresql.connection import CONNECT_SECONDS
from tests.pooler import needs_pooler, pooler
from tests.postgres import Databases
from tests.prove.crashes import until

pytestmark = needs_pooler


@pytest.fixture
def direct(servers: Databases) -> str:
    return servers.new()


@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize(
    ("processes", "settings"),
    [
        pytest.param(1, {}, id="the backend that was used last is lent first"),
        pytest.param(1, {"server_round_robin": 1, "min_pool_size": 5}, id="all backends are lent in turn"),
        pytest.param(1, {"default_pool_size": 1}, id="there is one backend"),
        pytest.param(4, {}, id="four processes of the pooler share a port"),
    ],
)
def test_a_pooler_that_lends_sessions_for_transactions_is_refused(
    direct: str, mode: str, processes: int, settings: dict[str, int]
) -> None:
    with pooler(direct, mode, processes, **settings) as running:
        place = StoreSettings(url=running.url(direct))

        for _ in range(5):
            for opening in (bring_up, probe, read_store):
                with pytest.raises(StoreUnusable, match="pool_mode = session"):
                    opening(place)


@pytest.mark.parametrize("processes", [1, 3])
def test_a_pooler_that_lends_a_session_until_its_end_is_accepted(direct: str, processes: int) -> None:
    with pooler(direct, "session", processes) as running:
        place = StoreSettings(url=running.url(direct))
        for _ in range(3):
            bring_up(place)
            probe(place)


def test_a_small_pool_is_judged_by_the_sessions_that_it_lends(direct: str) -> None:
    with pooler(direct, "session", default_pool_size=3) as running:
        bring_up(StoreSettings(url=running.url(direct)))
    with pooler(direct, "session", default_pool_size=1) as running:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            bring_up(StoreSettings(url=running.url(direct)))
        assert time.monotonic() - began < 4 * CONNECT_SECONDS


def test_clients_that_keep_a_pool_busy_hide_nothing(direct: str) -> None:
    stopping = threading.Event()

    def work(url: str) -> None:
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as session:
            while not stopping.is_set():
                session.execute("SELECT pg_sleep(0.001)")

    with pooler(direct, "transaction", default_pool_size=4) as running, ThreadPoolExecutor(8) as clients:
        url = running.url(direct)
        working = [clients.submit(work, url) for _ in range(8)]
        try:
            for _ in range(20):
                with pytest.raises(StoreUnusable):
                    bring_up(StoreSettings(url=url))
        finally:
            stopping.set()
        for client in working:
            client.result()


def test_a_pooler_whose_mode_changes_is_reported(direct: str) -> None:
    with pooler(direct, "session") as running, capture_logs() as events:
        store = open_store(StoreSettings(url=running.url(direct)))
        store.hints.listen(lambda topic: None)
        until(lambda: store.hints.leads, "it to lead", 30)
        assert "session_shared" not in str(events)

        running.reload("transaction")
        client = psycopg.connect(running.url(direct), autocommit=True, prepare_threshold=None)

        def reported() -> bool:
            client.execute("SELECT 1")
            store.report.counts(0.0)
            return any(event["event"] == "session_shared" for event in events)

        until(reported, "the log to say so", 30)
        client.close()
        store.close()


def test_a_session_that_ends_leaves_nothing_to_the_next_client(direct: str) -> None:
    with pooler(direct, "session", server_reset_query="") as running:
        store = open_store(StoreSettings(url=running.url(direct)))
        store.hints.listen(lambda topic: None)
        until(lambda: store.hints.leads, "it to lead", 30)
        store.hints.send("topic")
        store.report.counts(0.0)
        store.close()

        left = (
            "SELECT (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'), (SELECT count(*) FROM pg_listening_channels()),"
            " (SELECT count(*) FROM pg_prepared_statements)"
        )
        with ExitStack() as clients:
            url = running.url(direct)
            sessions = [clients.enter_context(psycopg.connect(url, autocommit=True)) for _ in range(8)]
            assert {session.execute(left).fetchone() for session in sessions} == {(0, 0, 0)}
