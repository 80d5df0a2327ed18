"""`dead`, `replay`, `pause`, `resume` and `status` on groups that are stuck, as an operator types them."""

import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from syncd import config as configuration
from syncd.core.budget import Allowance
from syncd.model import Call
from syncd.store import Store, open_store
from syncd.store.sqlite.file import open_file
from syncd.worker.failures import rest
from tests.fakes.server import Fault
from tests.store import steps
from tests.store.filled import NOW, absorb, accept, crash_notification
from tests.store.stuck import doubtful, linked, parked, refused, settled, update_refused
from tests.system import reference
from tests.system.daemon import Daemon, run_syncd
from tests.system.kinds import opened

HOSTILE = "GitHub refused it (422: [bold]body[/bold] is too long\x1b[31m\r\nsyncd: all is well)"
DELETED, DEAD, LOCKED, OUT, DOUBT, PROBED = "de1e7ed", "dead0", "10cced", "0u7", "d0ub7", "p20bed"


@dataclass
class Place:
    """A folder with a configuration and a store, without a daemon."""

    folder: Path
    store: Store

    def syncd(self, *arguments: str, code: int = 0) -> str:
        """The output of a command; of a failing command its stderr."""
        ran = run_syncd(*arguments, folder=self.folder)
        # Without a daemon `status` is never well.
        assert ran.returncode == (3 if arguments[0] == "status" else code), ran.stdout + ran.stderr
        assert "Traceback" not in ran.stderr
        return ran.stderr if code else ran.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.syncd(*arguments, "--json"))

    def letters(self) -> dict[str, str]:
        return {letter.fingerprint: str(letter.kind) for letter in self.store.dead_letters.all()}

    def dump(self) -> list[str]:
        """Everything in the database."""
        database = sqlite3.connect(f"file:{self.folder}/syncd.db?mode=ro", uri=True)
        try:
            return list(database.iterdump())
        finally:
            database.close()

    def run(self, statement: str) -> None:
        database = open_file(self.folder / "syncd.db", "rw")
        database.execute(statement)
        database.close()

    @property
    def credential(self) -> str:
        return configuration.load(self.folder / "config.toml").credentials["here"]

    def silence(self, seconds: float) -> None:
        now = time.time()
        steps.silence(self.store, Allowance(credential=self.credential), "slow down", now + seconds, now)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    (tmp_path / "config.toml").write_text(
        '[store]\nurl = "sqlite:syncd.db"\n'
        '[trackers.here]\nkind = "github"\nrepository = "acme/game"\ntoken = { file = "token" }\n'
        '[trackers.files]\nkind = "local"\nfolder = "issues"\n'
        '[[routes]]\ntracker = "here"\n'
    )
    store = open_store(configuration.StoreSettings(url=f"sqlite:{tmp_path}/syncd.db"))
    yield Place(tmp_path, store)
    store.close()


@pytest.fixture
def stuck(place: Place) -> Place:
    """One group in each state in which it does not go on by itself, and one in doubt that does."""
    parked(place.store, linked(place.store, DELETED, 1), "deleted", "K-1 was deleted")
    refused(place.store, DEAD, HOSTILE)
    update_refused(place.store, LOCKED, 2, "GitHub refused it (403: issue is locked)")
    parked(place.store, linked(place.store, OUT, 3), "out of reach", "K-3 was moved to where the token may not look")
    parked(place.store, doubtful(place.store, DOUBT, 2), "doubt", "3 probes found no issue")
    settled(place.store, doubtful(place.store, PROBED, 1), NOW + 60)
    return place


def test_an_empty_list_is_one_line(place: Place) -> None:
    assert len(place.syncd("dead", "list").splitlines()) == 1
    assert place.json("dead", "list") == []


def test_the_list_has_stuck_groups_and_on_request_dropped_groups(stuck: Place) -> None:
    printed = stuck.syncd("dead", "list")
    whole = stuck.syncd("dead", "list", "--dropped")

    assert all(name in printed for name in (DEAD, LOCKED, OUT, DOUBT))
    assert "3 probes found no issue" in printed
    assert "K-2" in printed
    assert "dead retry" in printed
    assert "--no-issue-exists" in printed
    assert DELETED not in printed
    assert "1 dropped" in printed
    assert "K-1 was deleted" in whole
    assert PROBED not in whole


def test_a_trackers_message_cannot_forge_lines_of_the_list(stuck: Place) -> None:
    printed = stuck.syncd("dead", "list")

    assert "[bold]body[/bold]" in printed
    assert "\x1b" not in printed
    assert not [line for line in printed.splitlines() if line.startswith("syncd:")]


def test_the_list_in_json_has_all_kinds_the_newest_first(stuck: Place) -> None:
    stuck.run("UPDATE groups SET decided_at = decided_at + id")
    letters = stuck.json("dead", "list")

    kinds = [(letter["fingerprint"], letter["kind"], letter["cause"]) for letter in letters]
    assert kinds == [
        (DOUBT, "parked", "doubt"),
        (OUT, "parked", "out of reach"),
        (LOCKED, "dead", None),
        (DEAD, "dead", None),
        (DELETED, "dropped", "deleted"),
    ]
    assert [letter["issue"] and letter["issue"]["key"] for letter in letters] == [None, "K-3", "K-2", None, "K-1"]
    assert letters[3]["reason"] == HOSTILE


@pytest.mark.parametrize(
    ("name", "more", "what"),
    [
        pytest.param(DEAD, [], "sent again", id="refused"),
        pytest.param(LOCKED, [], "brought up to date (K-2)", id="update refused"),
        pytest.param(OUT, [], "brought up to date (K-3)", id="out of reach"),
        pytest.param(DELETED, [], "created anew", id="deleted"),
        pytest.param(OUT, ["--no-issue-exists"], "created anew", id="out of reach, and gone"),
        pytest.param(DOUBT, [], "probed again from the beginning", id="in doubt"),
        pytest.param(DOUBT, ["--no-issue-exists"], "created anew", id="in doubt, but looked for"),
    ],
)
def test_a_retry_prints_its_effect(stuck: Place, name: str, more: list[str], what: str) -> None:
    assert f"would be {what}" in stuck.syncd("dead", "retry", name, *more, "--dry-run")
    assert name in stuck.letters()
    (tried,) = stuck.json("dead", "retry", name[:3], *more)

    assert (tried["fingerprint"], tried["will"], tried["done"]) == (name, f"be {what}", True)
    assert name not in stuck.letters()
    assert len(stuck.letters()) == 4


@pytest.mark.parametrize(
    ("names", "message"),
    [
        pytest.param([DEAD], "refused it", id="refused"),
        pytest.param([DELETED], "K-1", id="deleted"),
        pytest.param(["--all"], "--no-issue-exists", id="all"),
    ],
)
def test_no_issue_exists_is_refused_without_a_parked_group(stuck: Place, names: list[str], message: str) -> None:
    before = stuck.dump()

    assert message in stuck.syncd("dead", "retry", *names, "--no-issue-exists", code=2)
    assert stuck.dump() == before


def test_all_selects_stuck_groups_of_one_tracker_or_of_all(stuck: Place) -> None:
    stuck.run(
        f"UPDATE outbox SET tracker = 'files' WHERE group_id = (SELECT id FROM groups WHERE fingerprint = '{DEAD}')"
    )

    (files,) = stuck.json("dead", "retry", "--all", "--tracker", "files")
    assert files["fingerprint"] == DEAD
    assert "did you mean 'files'" in stuck.syncd("dead", "retry", "--all", "--tracker", "file", code=4)
    assert {letter["fingerprint"] for letter in stuck.json("dead", "retry", "--all")} == {LOCKED, OUT, DOUBT}
    assert stuck.letters() == {DELETED: "dropped"}
    assert "nothing to do" in stuck.syncd("dead", "retry", "--all")


def test_an_ambiguous_beginning_lists_the_groups_and_changes_none(stuck: Place) -> None:
    before = stuck.dump()

    message = stuck.syncd("dead", "retry", DOUBT, "d", code=2)
    assert f"acme/game/{DEAD}" in message
    assert f"acme/game/{DOUBT}" in message
    assert "or issue like 'zzz'" in stuck.syncd("dead", "discard", DEAD, "zzz", code=4)
    assert "or issue like 'game/'" in stuck.syncd("dead", "retry", "game/", code=4)
    assert stuck.dump() == before


def test_a_project_selects_one_of_two_equal_fingerprints(place: Place) -> None:
    refused(place.store, "same", "too long", project="one")
    refused(place.store, "same", "too long", project="two")

    message = place.syncd("dead", "retry", "same", code=2)
    assert "acme/one/same" in message
    (tried,) = place.json("dead", "retry", "two/same")
    assert tried["project"] == "two"
    (tried,) = place.json("dead", "retry", "acme/one/s")
    assert tried["project"] == "one"


@pytest.mark.parametrize("command", ["retry", "discard"])
@pytest.mark.parametrize("arguments", [[], [DEAD, "--all"], [DEAD, "--tracker", "here"]])
def test_a_selection_of_letters_is_required(stuck: Place, command: str, arguments: list[str]) -> None:
    assert "--all" in stuck.syncd("dead", command, *arguments, code=2)
    assert len(stuck.letters()) == 5


def test_discarded_groups_need_nobody(stuck: Place) -> None:
    printed = stuck.syncd("dead", "discard", DEAD, LOCKED, DOUBT, DELETED)

    assert {line.split()[0]: line.split()[1] for line in printed.splitlines()[:4]} == {
        DEAD: "dead", LOCKED: "dead", DOUBT: "parked", DELETED: "dropped"
    }  # fmt: skip
    assert stuck.letters() == {DELETED: "dropped", OUT: "parked", DOUBT: "dropped"}
    assert "discarded by an operator: 3 probes found no issue" in stuck.syncd("dead", "list", "--dropped")
    assert stuck.json("status")["issues"]["parked"] == 1


def test_a_retry_that_must_wait_prints_the_reason(stuck: Place) -> None:
    stuck.run(
        f"UPDATE outbox SET tracker = 'old' WHERE group_id = (SELECT id FROM groups WHERE fingerprint = '{DEAD}')"
    )
    stuck.syncd("pause", "here", "--reason", "maintenance")

    printed = stuck.syncd("dead", "retry", "--all", "--dry-run")
    assert re.search("^here .*maintenance", printed, re.MULTILINE)
    assert re.search("^old .*not configured", printed, re.MULTILINE)


@pytest.mark.parametrize(
    "command",
    [
        ["dead", "retry", "--all"],
        ["dead", "retry", DOUBT, "--no-issue-exists"],
        ["dead", "discard", "--all"],
        ["replay", "--all-kept"],
        ["pause", "files", "--reason", "maintenance"],
        ["resume", "here"],
    ],
)
def test_a_dry_run_prints_something_and_changes_nothing(stuck: Place, command: list[str]) -> None:
    stuck.store.limits.pause_by_hand("here", "maintenance", time.time())
    before = stuck.dump()

    assert "would" in stuck.syncd(*command, "--dry-run")
    assert stuck.json(*command, "--dry-run")
    assert stuck.dump() == before
    stuck.syncd(*command)
    assert stuck.dump() != before, "or the comparison proves nothing"


def test_a_replay_of_everything_needs_an_option(stuck: Place) -> None:
    before = stuck.dump()

    assert "--all-kept" in stuck.syncd("replay", code=2)
    assert "contradict" in stuck.syncd("replay", "--since", "2h", "--all-kept", code=2)
    assert "is not a duration" in stuck.syncd("replay", "--since", "soon", code=2)
    assert "begins with 'zzz'" in stuck.syncd("replay", "zzz", code=4)
    assert "2 groups" in stuck.syncd("replay", "de", code=2)
    assert stuck.dump() == before


def test_a_replay_counts_readable_and_unreadable_deliveries(place: Place) -> None:
    now = time.time()
    accept(place.store, *(crash_notification(f"a{number}") for number in range(600)), at=now - 7200)
    accept(
        place.store,
        crash_notification("b"),
        crash_notification("b", occurrences=9),
        crash_notification("broken"),
        at=now - 60,
    )
    absorb(place.store)
    place.run("UPDATE deliveries SET body = CAST('{}' AS BLOB) WHERE id = (SELECT MAX(id) FROM deliveries)")

    lately = place.json("replay", "--since", "1h", "--dry-run")
    assert (lately["deliveries"], lately["groups"]) == (3, 1)
    assert (lately["first_received"], lately["last_received"]) == (now - 60, now - 60)
    (unreadable,) = lately["unreadable"]
    assert unreadable["deliveries"] == 1
    printed = place.syncd("replay", "--all-kept", "--dry-run")
    assert printed.startswith("603 deliveries of 601 groups, received ")
    assert "to the quarantine" in printed
    assert unreadable["reason"] in printed
    assert place.json("replay", "game/b", "--dry-run")["deliveries"] == 2
    assert place.store.report.counts(now).inbox_waiting == 0

    assert place.syncd("replay", "--all-kept").startswith("603 deliveries")
    assert place.store.report.counts(now).inbox_waiting == 603
    assert "Nothing to replay" in place.syncd("replay", "--all-kept")


def test_an_operators_pause_is_shown_with_its_reason_until_it_is_resumed(place: Place) -> None:
    paused = place.json("pause", "here", "--reason", "[red]main\ntenance")

    assert paused["state"] == "paused"
    here = place.json("status")["trackers"]["here"]
    assert (here["state"], here["cause"], here["until"]) == ("paused", "operator", None)
    assert here["reason"].startswith("[red]main tenance (since 20")
    assert "[red]main tenance (since 20" in place.syncd("status")
    assert "resumed" in place.syncd("resume", "here")
    assert "is paused" not in place.syncd("status")
    assert "was not paused" in place.syncd("resume", "here")


def test_an_unknown_tracker_can_neither_be_paused_nor_resumed(place: Place) -> None:
    for command in ("pause", "resume"):
        assert "did you mean 'here'" in place.syncd(command, "hree", code=4)


def test_a_tracker_that_was_removed_from_the_configuration_can_still_be_resumed(place: Place) -> None:
    place.store.limits.pause_by_hand("old", "maintenance", time.time())

    assert place.json("resume", "old")["resumed"] is True
    assert place.store.report.trackers({}, NOW)["old"].state == "ok"


def test_resume_ends_the_rest_of_a_misconfigured_tracker(place: Place) -> None:
    claim = linked(place.store, "f1", 1)
    now = time.time()
    place.store.write(lambda transaction: rest(transaction, claim, "bad credentials", None, now))

    assert "bad credentials" in place.syncd("status")
    assert place.json("status")["trackers"]["here"]["cause"] == "misconfigured"
    place.syncd("resume", "here")
    assert place.json("status")["trackers"]["here"]["state"] == "ok"


def test_only_force_ends_a_wait_that_the_tracker_asked_for(place: Place) -> None:
    linked(place.store, "f1", 1)
    place.silence(600)
    assert "slow down" in place.syncd("status")
    before = place.dump()

    message = place.syncd("resume", "here", code=1)
    assert "GitHub" in message
    assert "slow down" in message
    assert "--force" in message
    assert place.dump() == before
    forced = place.json("resume", "here", "--force")
    assert (forced["resumed"], forced["silence"]["broken"]) == (True, True)
    assert place.json("status")["trackers"]["here"]["state"] == "ok"


def test_resume_ends_a_pause_and_respects_a_wait(place: Place) -> None:
    linked(place.store, "f1", 1)
    place.silence(600)
    place.store.limits.pause_by_hand("here", "maintenance", time.time())

    printed = place.syncd("resume", "here")
    assert "resumed" in printed
    assert "GitHub" in printed
    here = place.json("status")["trackers"]["here"]
    assert (here["state"], here["cause"]) == ("paused", "throttled")


def test_resume_respects_a_wait_of_a_tracker_that_never_answered(place: Place) -> None:
    place.silence(600)

    assert "GitHub" in place.syncd("resume", "here", code=1)


def test_status_shows_the_rest_of_a_used_budget(place: Place) -> None:
    full = place.json("status")["trackers"]
    assert (full["here"]["writes_left"], full["files"]["writes_left"]) == (15, None)
    assert "writes left" not in place.syncd("status")

    doubtful(place.store, "f1")
    limits = configuration.load(place.folder / "config.toml").trackers["here"].writes
    allowance = Allowance(credential=place.credential, limits=limits)
    later = time.time() + 3600  # until then nothing is refilled, however slow this machine
    for _ in range(3):
        steps.take(place.store, allowance, Call.UPDATE, later)
    assert place.json("status")["trackers"]["here"]["writes_left"] == 12
    assert "12 writes left" in place.syncd("status")


def test_status_counts_dropped_groups_and_doubles(stuck: Place) -> None:
    stuck.run("UPDATE issues SET doubles = 'K-9' WHERE key = 'K-2'")

    printed = stuck.syncd("status")
    assert re.search(r"^! 2 dead letters", printed, re.MULTILINE)
    assert re.search(r"^! 2 .*parked", printed, re.MULTILINE)
    assert re.search(r"^issues .*1 dropped.*1 with doubles", printed, re.MULTILINE)
    issues = stuck.json("status")["issues"]
    assert (issues["parked"], issues["dropped"], issues["doubles"]) == (2, 1, 1)


def test_show_has_doubles_and_the_state_of_a_create_in_doubt(stuck: Place) -> None:
    stuck.run("UPDATE issues SET doubles = 'K-9' WHERE key = 'K-2'")

    assert "K-9" in stuck.syncd("show", LOCKED)
    locked = stuck.json("show", LOCKED)
    assert locked["issue"]["doubles"] == "K-9"
    probed = stuck.syncd("show", PROBED)
    assert "2027-01-15 08:01 UTC" in probed
    assert "d" * 32 in probed
    group = stuck.json("show", PROBED)
    facts = {name: group["issue"][name] for name in ("state", "marker", "probes", "probe_at", "sent_at")}
    assert facts == {"state": "in_doubt", "marker": "d" * 32, "probes": 1, "probe_at": NOW + 60, "sent_at": NOW}
    assert "d" * 32 in stuck.syncd("show", DOUBT), "a person has to look for it"
    assert "marker" not in stuck.syncd("show", LOCKED)


def test_while_a_tracker_is_paused_everything_is_counted_and_nothing_is_filed(tmp_path: Path) -> None:
    first, second, elsewhere = (
        crash_notification("f1"),
        crash_notification("f1", occurrences=50, timestamp=[1000, 3000]),
        crash_notification("f2"),
    )
    with opened("local", tmp_path) as kind:
        route = '[[routes]]\nmatch = { project = "other" }\ntracker = "there"\n'
        there = f'[trackers.there]\nkind = "local"\nfolder = "{tmp_path}/there"\n'
        with Daemon(tmp_path, there + route + kind.toml()) as daemon:
            daemon.syncd("pause", "here", "--reason", "maintenance")
            daemon.send_all([first, second], clients=1)
            daemon.send(elsewhere | {"project": "other"})
            status = daemon.wait_for(_when(daemon, lambda status: status["issues"]["linked"] == 1), "the other tracker")
            assert (status["outbox"]["due"], kind.texts()) == (1, [])
            assert daemon.groups()["f1"]["occurrences"] == 50
            assert status["trackers"]["here"]["cause"] == "operator"

            daemon.syncd("resume", "here")
            daemon.drain()
            (text,) = kind.texts()
            assert "50" in text


def test_a_retried_dead_letter_is_filed_when_the_tracker_accepts_it(tmp_path: Path) -> None:
    with opened("github", tmp_path) as kind, Daemon(tmp_path, kind.toml()) as daemon:
        assert kind.fake is not None
        refusal = {"message": "Validation Failed", "errors": [{"message": "title has \x1b[31mforbidden words"}]}
        kind.fake.inject(Fault(how="status", path="/issues$", status=422, body=refusal, times=2))
        daemon.send(crash_notification("f1"))
        daemon.wait_for(_when(daemon, lambda status: status["dead"] == 1), "the dead letter")
        printed = daemon.syncd("dead", "list")
        assert "Validation Failed" in printed
        assert "forbidden words" in printed
        assert "\x1b" not in printed

        daemon.syncd("dead", "retry", "f1")
        kind.fake.wait_for("POST", "/issues$", count=2)
        daemon.wait_for(_when(daemon, lambda status: status["dead"] == 1), "the same refusal")
        daemon.syncd("dead", "retry", "f1")
        daemon.drain()

        assert len(kind.texts()) == 1
        assert json.loads(daemon.syncd("dead", "list", "--json")) == []


def test_a_replay_beside_a_running_daemon_changes_nothing(tmp_path: Path) -> None:
    story = reference.story(groups=7, size=120, seed=5)
    with opened("local", tmp_path) as kind, Daemon(tmp_path, kind.toml()) as daemon:
        daemon.send_all(story)
        daemon.drain()
        before, texts = daemon.groups(), kind.texts()

        replayed = json.loads(daemon.syncd("replay", "--all-kept", "--json"))
        daemon.drain()
        assert (replayed["deliveries"], replayed["groups"], replayed["unreadable"]) == (120, 7, [])
        assert daemon.groups() == before
        assert kind.texts() == texts
        with sqlite3.connect(f"file:{tmp_path}/syncd.db?mode=ro", uri=True) as database:
            (absorbed,) = database.execute("SELECT COUNT(*) FROM deliveries WHERE replayed_at IS NOT NULL").fetchone()
        database.close()
        assert absorbed == 120


def _when(daemon: Daemon, is_so: Callable[[dict[str, Any]], bool]) -> Callable[[], dict[str, Any] | None]:
    def query() -> dict[str, Any] | None:
        status = daemon.status()
        return status if is_so(status) else None

    return query
