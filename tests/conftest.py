"""Fixtures of several tests."""

import os
import random
import socket
from collections.abc import Generator, Iterator
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory, mkdtemp

import hypothesis
import psycopg._conninfo_attempts
import psycopg_pool.base
import pytest

from syncd.config import Config, LocalSettings, Route, StoreSettings
from syncd.store import Store, open_store
from syncd.worker.routing import Routing
from tests import leaks
from tests.clock import MovableClock
from tests.postgres import Databases, databases
from tests.scene import PROBES, Scene, Tracker
from tests.system import processes

# A deadline for each example would measure the load of the machine.
hypothesis.settings.register_profile("syncd", deadline=None)
hypothesis.settings.load_profile("syncd")
# While Hypothesis makes a value, it takes each draw from Python's own generator for one of the strategy's; the threads of psycopg draw any time.
psycopg_pool.base.random = random.Random().random  # type: ignore[attr-defined]
psycopg._conninfo_attempts.shuffle = random.Random().shuffle  # type: ignore[attr-defined]
processes.PREPARED = True


@pytest.fixture(scope="session")
def servers() -> Iterator[Databases]:
    """A PostgreSQL server for as long as the tests run, and new databases on it."""
    with databases() as made:
        yield made


# Their stores commit thousands of times, and none of these tests pulls a plug. Rooms that start daemons stay on the disk.
IN_MEMORY = ("operate", "simulation", "story", "trackers", "worker")
MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def memory_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for everything that need not outlive the tests: in memory where the system has a place for that."""
    base = tmp_path_factory.getbasetemp()
    where = MEMORY if os.access(MEMORY, os.W_OK) and not base.is_relative_to(MEMORY) else base
    with TemporaryDirectory(prefix="syncd-", dir=where) as folder:
        yield Path(folder)


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder of the test's own, in memory in the rooms of IN_MEMORY."""
    room = request.path.relative_to(request.config.rootpath).parts[1]
    if room not in IN_MEMORY or tmp_path.is_relative_to(MEMORY):
        return tmp_path
    folder: Path = request.getfixturevalue("memory_folder")
    return Path(mkdtemp(prefix=f"{tmp_path.name}-", dir=folder))


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The service manager's socket at tmp_path/notify."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(30)
        yield sock


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite store with every migration: a copy of it costs a tenth of the migrations."""
    file = tmp_path_factory.mktemp("migrated") / "syncd.db"
    open_store(StoreSettings(url=f"sqlite:{file}")).close()
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path, migrated: Path) -> StoreSettings:
    """An empty store on each of the two databases; on PostgreSQL without its tables yet."""
    if request.param == "sqlite":
        copyfile(migrated, tmp_path / "syncd.db")
        return StoreSettings(url=f"sqlite:{tmp_path}/syncd.db")
    made: Databases = request.getfixturevalue("servers")
    return StoreSettings(url=made.new())


@pytest.fixture
def store(settings: StoreSettings) -> Iterator[Store]:
    """An empty store."""
    opened = open_store(settings)
    yield opened
    opened.close()


@pytest.fixture
def scene(settings: StoreSettings, store: Store) -> Scene:
    config = Config(
        store=settings,
        trackers={"here": LocalSettings(kind="local", folder="unused", probe_after=PROBES)},
        routes=[Route(tracker="here", status_interval=1.0, gather=0.0)],
    )
    clock = MovableClock()
    routing = Routing(config=config, instance_key=store.instance_key())
    return Scene(store, routing, Tracker(wall=clock), settings, clock)


# The tests in these start processes, servers or a browser, or take seconds each. Single tests of that kind elsewhere are marked slow.
SLOW = (
    "tests/console/test_browser.py",
    "tests/console/test_fuzz.py",
    "tests/console/test_guard.py",
    "tests/console/test_audit.py",
    "tests/console/test_lists.py",
    "tests/console/test_many.py",
    "tests/console/test_pages.py",
    "tests/console/test_permalinks.py",
    "tests/console/test_visitor.py",
    "tests/deploy/test_alerts.py",
    "tests/intake/test_doors.py",
    "tests/intake/test_hooks.py",
    "tests/intake/test_memory.py",
    "tests/intake/test_reports.py",
    "tests/intake/test_source_receiver.py",
    "tests/notices/test_channels.py",
    "tests/platform/test_process.py",
    "tests/plugins/gitlab/test_connection.py",
    "tests/plugins/gitlab/test_hook.py",
    "tests/prove",
    "tests/store/test_copying.py",
    "tests/store/test_postgresql.py",
    "tests/store/test_server.py",
    "tests/story",
    "tests/system",
    "tests/trackers/github/test_emulator.py",
    "tests/trackers/github/test_faults.py",
    "tests/trackers/github/test_probe_failures.py",
    "tests/trackers/jira/test_faults.py",
    "tests/trackers/sample/test_control.py",
    "tests/trackers/test_check_hook.py",
    "tests/worker/test_worst_bodies.py",
)

# Their files hold long tests: begun last, one of them would keep the others waiting at the end.
LONG = (
    "test_cluster.py",
    "test_unreachable.py",
    "test_main_job.py",
    "test_storm.py",
    "test_ten_releases.py",
    "test_runbook.py",
    "test_hooks.py",
    "test_scopes.py",
    "test_wheel.py",
    "test_store_faults.py",
    "test_status.py",
    "test_browser.py",
    "test_tutorial.py",
    "test_adopt.py",
    "test_chaos.py",
    "test_clock.py",
    "test_alertmanager.py",
    "test_cut_emulator.py",
    "test_hanging.py",
    "test_bugsink.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--quick",
        action="store_true",
        help="only tests that need no process, server, browser or hundreds of examples; stores are SQLite files",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What is slow is not even imported in a quick run."""
    quick = config.getoption("--quick")
    return True if quick and str(collection_path.relative_to(config.rootpath)) in SLOW else None


def _is_slow(item: pytest.Item) -> bool:
    databases = {"settings": "postgresql", "either": "server_site"}
    callspec = getattr(item, "callspec", None)
    return (
        item.get_closest_marker("slow") is not None
        or item.name.startswith("test_text_of_any_length")  # of the conformance suite, which has no marks of its own
        or getattr(getattr(item, "obj", None), "is_hypothesis_test", False)  # hundreds of examples each
        # A fake is a server; of the tests against one, a quick run has the conformance suites.
        or not {"servers", "fake"}.isdisjoint(getattr(item, "fixturenames", ()))
        or (callspec is not None and any(callspec.params.get(name) == on for name, on in databases.items()))
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Each worker gets a share of the long tests, and runs it first; without the slow ones in a quick run."""
    if config.getoption("--quick"):
        slow = [item for item in items if _is_slow(item)]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in set(slow)]
    # At first a worker gets consecutive tests, the same number as the others.
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    shares: list[list[pytest.Item]] = [[] for _ in range(workers)]
    for number, name in enumerate(LONG):
        shares[number % workers] += [item for item in items if item.path.name == name]
    rest = [item for item in items if item.path.name not in LONG]
    for number, share in enumerate(shares, start=1):
        room = max(0, len(items) * number // workers - sum(map(len, shares[:number])))
        share += rest[:room] if number < workers else rest
        del rest[:room]
    items[:] = [item for share in shares for item in share]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test whose program printed or logged a secret has failed, whatever else it says."""
    report = yield
    if report.passed and (leak := leaks.leaked(report.capstdout + report.capstderr + report.caplog)):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: printed or logged {', '.join(leak)}"
    return report


@pytest.fixture(autouse=True)
def umask_of_the_tests() -> Iterator[None]:
    """The command line makes its process private. Programs of other users, which tests start, must be able to read their files."""
    umask = os.umask(0o022)
    os.umask(umask)
    yield
    os.umask(umask)


@pytest.fixture(scope="session", autouse=True)
def no_daemon_logs_a_secret(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every log that a daemon of any test has written is read at the end."""
    yield
    assert leaks.in_logs(tmp_path_factory.getbasetemp()) == []
