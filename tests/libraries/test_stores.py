"""sqlite3, psycopg, zstandard, sqlite-utils: the errors and texts that the store decides by."""

import random
from pathlib import Path

import psycopg
import psycopg_pool
import pytest
import zstandard
from psycopg._conninfo_attempts import conninfo_attempts
from psycopg.conninfo import conninfo_to_dict
from sqlite_utils import Database

from syncd.store.sqlite.file import sqlite3
from tests.libraries import changed


def test_sqlite_names_the_error_of_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no database " * 1000)
    database = sqlite3.connect(tmp_path / "file")

    with pytest.raises(sqlite3.DatabaseError) as caught:
        database.execute("SELECT * FROM sqlite_master")

    assert caught.value.sqlite_errorname == "SQLITE_NOTADB", f"{sqlite3.__name__}: sqlite_errorname"
    database.close()


def test_sqlite_repeats_the_text_that_a_trigger_raises() -> None:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE t (a)")
    database.execute("CREATE TRIGGER b BEFORE INSERT ON t BEGIN SELECT RAISE(ABORT, 'this store was moved'); END")

    with pytest.raises(sqlite3.IntegrityError) as caught:
        database.execute("INSERT INTO t VALUES (1)")

    assert str(caught.value) == "this store was moved", f"{sqlite3.__name__}: the text of RAISE(ABORT, …)"
    database.close()


def test_a_script_of_sqlite_utils_leaves_a_transaction_open() -> None:
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.execute("BEGIN")

    Database(database, execute_plugins=False).executescript("CREATE TABLE a (b); CREATE TABLE c (d);")

    assert database.in_transaction, changed("sqlite-utils", "executescript() commits no open transaction")
    database.close()


@pytest.mark.parametrize(
    ("name", "state"),
    [("SerializationFailure", "40001"), ("DeadlockDetected", "40P01"), ("LockNotAvailable", "55P03")],
)
def test_psycopg_has_a_class_for_each_state_after_which_a_transaction_is_tried_again(name: str, state: str) -> None:
    assert getattr(psycopg.errors, name).sqlstate == state, changed("psycopg", f"errors.{name}")


def test_psycopgs_errors_have_their_common_classes() -> None:
    for error in (psycopg.IntegrityError, psycopg.DataError, psycopg.OperationalError, psycopg.ProgrammingError):
        assert issubclass(error, psycopg.Error), changed("psycopg", f"{error.__name__} is an Error")
    assert issubclass(psycopg_pool.PoolTimeout, psycopg.Error), changed("psycopg-pool", "PoolTimeout is an Error")


def test_psycopg_refuses_an_address_that_is_none_as_a_programming_error() -> None:
    with pytest.raises(psycopg.ProgrammingError):
        conninfo_to_dict("postgresql://host/database?no_such_option=1")


def test_zstandard_has_one_error_for_all_that_cannot_be_decompressed() -> None:
    packed = zstandard.ZstdCompressor().compress(b"a body" * 100)

    with pytest.raises(zstandard.ZstdError):
        zstandard.ZstdDecompressor().decompress(packed[:-3])
    with pytest.raises(zstandard.ZstdError):
        zstandard.get_frame_parameters(packed[:5])


def test_zstandard_refuses_a_dictionary_of_bodies_that_have_nothing_in_common() -> None:
    with pytest.raises(zstandard.ZstdError):
        zstandard.train_dictionary(1024, [b"a"])


def test_psycopg_draws_from_a_generator_of_its_own_here() -> None:
    before = random.getstate()
    psycopg_pool.ConnectionPool._jitter(1.0, -0.1, 0.1)
    conninfo_attempts({"host": "127.0.0.1,127.0.0.2,127.0.0.3", "load_balance_hosts": "random"})

    assert random.getstate() == before, changed(
        "psycopg", "where it draws: tests/conftest.py gives it another generator"
    )
