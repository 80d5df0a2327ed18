"""Each command that the runbook gives for an alert is run against a daemon in that state, and ends the state."""

import itertools
import re
import shlex
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from syncd import config as configuration
from syncd.store import open_store
from tests.fakes.backtrace import TOKEN, FakeBacktrace
from tests.fakes.backtrace.server import LINK_TOKEN
from tests.fakes.channels import Chats
from tests.fakes.github import FakeGitHub
from tests.fakes.server import Fault
from tests.prove.crashes import crash, fingerprint
from tests.store.stuck import doubtful, linked, parked
from tests.system.daemon import Daemon, run_syncd
from tests.system.kinds import Kind, opened

ROOT = Path(__file__).parents[2]
ALERTS = (ROOT / "docs/runbook.md").read_text().partition("\n# Alerts\n")[2].partition("\n# ")[0]
SECTIONS = {part.partition("\n")[0]: part for part in ALERTS.split("\n## ")[1:]}
COMMANDS = {name: re.findall(r"`(syncd [a-z][^`]*)`", text) for name, text in SECTIONS.items()}
# What cures these is outside of syncd, or takes longer than a test; their commands show the state.
SHOWN_ONLY = {"SyncdCrashLoop", "SyncdSilent", "SyncdInboxStuck", "SyncdOutboxStuck"}


class Operator:
    """Runs commands of one section of the runbook as an operator types them, each at least once."""

    def __init__(self, alert: str, daemon: Daemon) -> None:
        self.daemon = daemon
        self._commands = COMMANDS[alert]
        self._untried = set(self._commands)

    def run(self, command: str, *, codes: tuple[int, ...] = (0,), **values: object) -> str:
        """What a command prints. `values` take the places of the arguments in capitals."""
        assert command in self._commands, f"the runbook has no `{command}` here"
        self._untried.discard(command)
        arguments = [str(values.get(word, word)) for word in shlex.split(command)[1:]]
        assert not [word for word in arguments if word.isupper()], arguments
        ran = run_syncd(*arguments, "--config", str(self.daemon.config), folder=self.daemon.folder)
        assert ran.returncode in codes, ran.stdout + ran.stderr
        return ran.stdout + ran.stderr

    def end(self) -> None:
        """Everything that the section names was tried."""
        assert not self._untried

    def states(self) -> set[str]:
        """The states that `status` names."""
        return {need["state"] for need in self.daemon.status()["needs"]}

    def wait_for(self, state: str) -> None:
        self.daemon.wait_for(lambda: state in self.states(), f"the state {state}")

    def wait_without(self, state: str) -> None:
        self.daemon.wait_for(lambda: state not in self.states(), f"the end of the state {state}")


def github(folder: Path, kind: Kind) -> tuple[Daemon, FakeGitHub]:
    assert isinstance(kind.fake, FakeGitHub)
    return Daemon(folder, kind.toml("writes = []\n")), kind.fake


def no_daemon(operator: Operator, folder: Path) -> None:
    operator.daemon.start()
    operator.daemon.kill()
    assert "no daemon runs on this store" in operator.run("syncd status", codes=(3,))
    operator.run("syncd check")
    operator.run("syncd systemd-unit", codes=(78,))  # the configuration is in /tmp
    operator.daemon.start()
    operator.wait_without("no_daemon")


def store_fault(operator: Operator, folder: Path) -> None:
    daemon = operator.daemon.start()
    daemon.send(crash(1))
    daemon.drain()
    daemon.syncd("backup", str(folder / "backup.db"))
    daemon.stop()
    (folder / "syncd.db").write_bytes(b"damaged" * 10_000)
    operator.run("syncd check", codes=(78,))
    operator.run("syncd status", codes=(75,))
    assert ".replaced-" in operator.run("syncd restore FILE", FILE=folder / "backup.db")
    daemon.start()
    operator.run("syncd check")
    assert list(daemon.groups()) == [fingerprint(1)]
    assert not operator.states()


def half(part: str, missing: str) -> Callable[[Operator, Path], None]:
    def story(operator: Operator, folder: Path) -> None:
        daemon, command = operator.daemon, f"syncd run --only {missing}"
        assert command in COMMANDS[f"SyncdNo{missing.title()}"]
        daemon.options = ["--only", part]
        daemon.spawn()
        daemon.wait_for(daemon.listens if part == "receiver" else daemon.works, "the first process")
        operator.wait_for(f"no_{missing}")
        second = Daemon.__new__(Daemon)
        second.__dict__ |= daemon.__dict__ | {"log": folder / "second.log", "options": shlex.split(command)[2:]}
        second.spawn()
        operator.wait_without(f"no_{missing}")
        operator._untried.discard(command)
        second.stop()
        daemon.stop()

    return story


def unreachable(operator: Operator, folder: Path, fake: FakeGitHub) -> None:
    fake.weather = lambda request: Fault(how="reset_before", method=request.method)
    daemon = operator.daemon.start()
    daemon.send(crash(1))
    operator.wait_for("tracker_unreachable")
    assert "127.0.0.1" in operator.run("syncd status", codes=(3,))
    operator.run("syncd check", codes=(1, 78))
    fake.weather = None
    operator.run("syncd check")
    operator.run("syncd resume NAME", NAME="here")
    daemon.drain()
    operator.wait_without("tracker_unreachable")


def rests(operator: Operator, folder: Path, fake: FakeGitHub) -> None:
    right = (folder / "github-token").read_text()
    (folder / "github-token").write_text("expired")
    daemon = operator.daemon.start()
    daemon.send(crash(1))
    operator.wait_for("tracker_rests")
    assert "401" in operator.run("syncd status", codes=(3,))
    assert "401" in operator.run("syncd check", codes=(1,))
    (folder / "github-token").write_text(right)
    operator.run("syncd resume NAME", NAME="here")
    daemon.drain()
    operator.wait_without("tracker_rests")


def token_expires(operator: Operator, folder: Path, fake: FakeGitHub) -> None:
    config, key = operator.daemon.config, "trackers.here.token"
    before = config.read_text()
    config.write_text(before.replace('kind = "github"\n', 'kind = "github"\ntoken_expires = 2026-01-31\n'))
    operator.daemon.start()
    operator.wait_for("token_expires")
    assert f"{key} expired on 2026-01-31" in operator.run("syncd check", codes=(1,))
    operator.daemon.stop()
    config.write_text(config.read_text().replace("2026-01-31", "2999-01-31"))
    operator.daemon.start()
    operator.wait_without("token_expires")


def missing(operator: Operator, folder: Path) -> None:
    daemon = operator.daemon.start()
    daemon.send_all([crash(1), crash(2)], 1)
    daemon.drain()
    daemon.stop()
    before = daemon.config.read_text()
    there = before.replace("[trackers.here]", "[trackers.there]").replace('tracker = "here"', 'tracker = "there"')
    daemon.config.write_text(there.replace("/issues", "/others"))
    (folder / "others").mkdir()
    daemon.start()
    daemon.send_all([crash(1, total=5), crash(2, total=5)], 1)
    operator.wait_for("tracker_missing")
    assert fingerprint(1)[:8] in operator.run("syncd groups")
    (issue,) = [path for path in (folder / "issues").glob("*.md") if fingerprint(1) in path.read_text()]
    shutil.copy(issue, folder / "others")
    command = "syncd relink FINGERPRINT ISSUE --tracker NAME"
    operator.run(command, FINGERPRINT=fingerprint(1), ISSUE=issue.stem, NAME="there")
    daemon.wait_for(lambda: "5" in (folder / "others" / issue.name).read_text(), "the new issue to be written to")
    daemon.stop()
    daemon.config.write_text(
        daemon.config.read_text() + before[before.index("[trackers.here]") : before.index("[[routes]]")]
    )
    daemon.start()
    operator.wait_without("tracker_missing")


def dead_letters(operator: Operator, folder: Path, fake: FakeGitHub) -> None:
    refusal = {"message": "Validation Failed", "errors": [{"resource": "Issue", "code": "custom", "field": "body"}]}
    daemon = operator.daemon.start()
    for number in (1, 2):
        fake.inject(Fault(how="status", path="/issues$", status=422, body=refusal))
        daemon.send(crash(number))
        daemon.wait_for(lambda: daemon.status()["dead"] == number, "the dead letter")  # noqa: B023 - called in this round
    assert "Validation Failed" in operator.run("syncd dead list")
    operator.run("syncd dead discard FINGERPRINT", FINGERPRINT=fingerprint(2))
    operator.run("syncd dead retry --all")
    daemon.drain()
    assert not operator.states()
    assert len(fake.repository.issues) == 1


def parked_groups(operator: Operator, folder: Path, fake: FakeGitHub) -> None:
    daemon = operator.daemon
    store = open_store(configuration.load(daemon.config).store)
    parked(store, doubtful(store, "f1", 2), "doubt", "3 probes found no issue")
    parked(store, doubtful(store, "f2", 2), "doubt", "3 probes found no issue")
    for number, name in enumerate(("f3", "f4"), start=1):
        issue = fake.file(fake.repository, f"crash {name}", "a body", fake.account, [])
        issue.moved_to = f"repositories/999/issues/{number}"  # which the account may not read
        parked(store, linked(store, name, number), "out of reach", f"#{issue.number} is out of reach")
    store.close()
    existing = fake.file(fake.repository, "a crash", "its marker", fake.account, [])
    daemon.start()
    operator.wait_for("parked")
    assert "3 probes found no issue" in operator.run("syncd dead list")
    assert "marker" in operator.run("syncd show FINGERPRINT", FINGERPRINT="f1").lower()
    operator.run("syncd relink FINGERPRINT ISSUE", FINGERPRINT="f1", ISSUE=existing.number)
    operator.run("syncd dead retry FINGERPRINT --no-issue-exists", FINGERPRINT="f2")
    fake.repository.issues[1].moved_to = None
    operator.run("syncd dead retry FINGERPRINT", FINGERPRINT="f3")
    operator.run("syncd dead discard FINGERPRINT", FINGERPRINT="f4")
    operator.wait_without("parked")
    daemon.wait_for(lambda: len(fake.repository.issues) == 4, "one new issue, of f2")


def doubles(operator: Operator, folder: Path, fake: FakeGitHub) -> None:
    daemon = operator.daemon
    probes = 'timeout = "1s"\nprobe_after = ["2s", "4s"]\n'
    daemon.config.write_text(daemon.config.read_text().replace("writes = []\n", f"writes = []\n{probes}"))
    daemon.start()
    fake.inject(Fault(how="reset_after", path="/issues$"))
    daemon.send(crash(1))
    daemon.wait_for(lambda: fake.repository.issues, "the create")
    first = fake.repository.issues[1]
    fake.file(fake.repository, first.title, first.body, fake.account, [])
    operator.wait_for("doubles")
    assert "acme/game#2" in operator.run("syncd groups --json")
    assert "acme/game#1" in operator.run("syncd show FINGERPRINT", FINGERPRINT=fingerprint(1))
    fake.close_issue(fake.repository.issues[2])
    operator.run("syncd sync FINGERPRINT", FINGERPRINT=fingerprint(1))
    operator.wait_without("doubles")


def copied(operator: Operator, folder: Path, fake: FakeGitHub) -> None:
    daemon = operator.daemon.start()
    daemon.send_all([crash(1), crash(2)], 1)
    daemon.drain()
    daemon.stop()
    toml = daemon.config.read_text()
    (folder / "copy").mkdir()
    shutil.copy(folder / "syncd.db", folder / "copy")
    with Daemon(folder / "copy", toml[toml.index("[trackers.here]") :]) as twin:
        daemon.start()
        daemon.send(crash(3))
        daemon.drain()
        twin.send(crash(4))
        twin.drain()
        numbers = itertools.count(5)
        # After an issue with a number that is not the next one, what lies between is read ten seconds later.
        daemon.wait_for(
            lambda: daemon.send(crash(next(numbers))) and "store_copied" in operator.states(), "the copy to be noticed"
        )
        filed = len(fake.repository.issues)
        twin.stop()
    assert operator.daemon.status()["trackers"]["here"]["cause"] == "copy"
    assert "acme/game#4" in operator.run("syncd status", codes=(3,))
    assert len(fake.repository.issues) == filed
    operator.run("syncd resume NAME", NAME="here")
    operator.wait_without("store_copied")
    daemon.send(crash(4, total=2))
    daemon.drain()
    titles = [issue.title for issue in fake.repository.issues.values()]
    assert len(set(titles)) == len(titles)


def by_hand(operator: Operator, folder: Path, fake: FakeGitHub) -> None:
    daemon = operator.daemon.start()
    daemon.send(crash(1))
    daemon.drain()
    time.sleep(1.1)  # GitHub gives times in whole seconds: the closing must lie after what was known
    fake.close_issue(fake.repository.issues[1], milestone="1.1.0")
    refusal = {"message": "You cannot reopen this issue."}
    fake.inject(Fault(how="status", method="PATCH", path="/issues/1$", times=9, status=403, body=refusal))
    later = {"timestamp": [1000, int(time.time()) + 30], "attributes": {"version": [["1.0.0", 1], ["2.0.0", 8]]}}
    daemon.send(crash(1, total=9) | later)
    operator.wait_for("by_hand")
    for command in set(COMMANDS["SyncdByHand"]) - {"syncd sync FINGERPRINT"}:
        assert "acme/game#1" in operator.run(command, codes=(0, 3), FINGERPRINT=fingerprint(1))
    fake.reopen_issue(fake.repository.issues[1])
    operator.run("syncd sync FINGERPRINT", FINGERPRINT=fingerprint(1))
    operator.wait_without("by_hand")


def quarantined(operator: Operator, folder: Path) -> None:
    daemon = operator.daemon.start()
    for number in range(2):
        assert daemon.send({"not": f"a notification {number}"}).status == 422
    listed = operator.run("syncd quarantine list")
    numbers = [int(number) for number in re.findall(r"^\s*(\d+)\s", listed, re.MULTILINE)]
    operator.wait_for("quarantined")
    assert operator.run("syncd quarantine show NUMBER", NUMBER=numbers[0]) == '{"not": "a notification 1"}'
    operator.run(
        "syncd quarantine replay NUMBER", codes=(0, 1), NUMBER=numbers[0]
    )  # this version cannot parse it either
    for number in numbers:
        operator.run("syncd quarantine discard NUMBER", NUMBER=number)
    operator.wait_without("quarantined")


def disk_full(operator: Operator, folder: Path) -> None:
    operator.daemon.start()
    assert "Deleted 0 deliveries" in operator.run("syncd purge --older-than 7d")


def unauthorized(operator: Operator, folder: Path) -> None:
    daemon = operator.daemon.start()
    assert daemon.send(crash(1), password="the old one").status == 401
    assert "delivery_refused" in daemon.log.read_text()
    host, port = daemon.address
    daemon.config.write_text(daemon.config.read_text().replace('"127.0.0.1:0"', f'"{host}:{port}"'))
    operator.run("syncd send-test")
    daemon.drain()
    assert len(daemon.groups()) == 1


def backtrace_unread(operator: Operator, folder: Path) -> None:
    with FakeBacktrace() as fake:
        tokens, fake.tokens = fake.tokens, {}
        (folder / "backtrace-token").write_text(TOKEN)
        config = operator.daemon.config
        config.write_text(config.read_text() + fake.toml())
        operator.daemon.start()
        operator.wait_for("backtrace_unread")
        assert "API tokens" in operator.run("syncd check", codes=(1,))
        fake.tokens = tokens
        (folder / "backtrace-token").write_text(f"{TOKEN}\n")
        operator.wait_without("backtrace_unread")


def backtrace_unlinked(operator: Operator, folder: Path) -> None:
    daemon = operator.daemon.start()
    daemon.send(crash(1))
    daemon.drain()
    daemon.stop()
    with FakeBacktrace("acme", "game-client") as fake:
        fake.ignores_tickets = True
        fake.objects.add([{"fingerprint": fingerprint(1), "timestamp": int(time.time())}])
        (folder / "backtrace-token").write_text(TOKEN)
        (folder / "link-token").write_text(LINK_TOKEN)
        section = fake.toml(link="tickets") + 'link_token = { file = "link-token" }\n'
        daemon.config.write_text(daemon.config.read_text() + section)
        daemon.start()
        operator.wait_for("backtrace_unlinked")
        assert "does not have it" in operator.run("syncd status", codes=(3,))
        operator.run("syncd check --try-link GROUP", codes=(1,), GROUP=fingerprint(1))
        fake.ignores_tickets = False
        operator.run("syncd check --try-link GROUP", GROUP=fingerprint(1))
        operator.wait_without("backtrace_unlinked")
        daemon.stop()


def channel_rests(operator: Operator, folder: Path) -> None:
    daemon, address = operator.daemon, folder / "slack"
    with Chats() as chats:
        address.write_text(f"{chats.url}/services/revoked")
        address.chmod(0o600)
        section = f'[channels.team]\nkind = "slack"\nurl = {{ file = "{address}" }}\n'
        daemon.config.write_text(daemon.config.read_text() + section)
        daemon.start()
        daemon.send(crash(1))
        chats.wait_for("POST", "revoked", timeout=60)
        address.write_text(f"{chats.url}/services/mistyped")
        operator.wait_for("channel_rests")
        assert "may be revoked" in " ".join(operator.run("syncd status", codes=(3,)).split())
        operator.run("syncd check")
        assert "may be revoked" in operator.run("syncd notices test NAME", codes=(1,), NAME="team")
        address.write_text(f"{chats.url}/services/T0/B0/slacksecret")
        operator.wait_without("channel_rests")
        assert len(chats.taken) == 1


LOCAL: dict[str, Callable[[Operator, Path], None]] = {
    "SyncdNoDaemon": no_daemon,
    "SyncdStoreFault": store_fault,
    "SyncdNoWorker": half("receiver", "worker"),
    "SyncdNoReceiver": half("worker", "receiver"),
    "SyncdTrackerMissing": missing,
    "SyncdQuarantined": quarantined,
    "SyncdBacktraceUnlinked": backtrace_unlinked,
    "SyncdBacktraceUnread": backtrace_unread,
    "SyncdChannelRests": channel_rests,
    "SyncdDiskFull": disk_full,
    "SyncdUnauthorized": unauthorized,
}
GITHUB: dict[str, Callable[[Operator, Path, FakeGitHub], None]] = {
    "SyncdTrackerUnreachable": unreachable,
    "SyncdTrackerRests": rests,
    "SyncdDeadLetters": dead_letters,
    "SyncdTokenExpires": token_expires,
    "SyncdParked": parked_groups,
    "SyncdDoubles": doubles,
    "SyncdStoreCopied": copied,
    "SyncdByHand": by_hand,
}


def test_each_section_with_commands_is_tried() -> None:
    tried = {*LOCAL, *GITHUB, *SHOWN_ONLY}
    assert {name for name, commands in COMMANDS.items() if commands} == tried


@pytest.mark.parametrize("alert", LOCAL)
def test_the_commands_for_an_alert_end_its_state(alert: str, tmp_path: Path) -> None:
    with opened("local", tmp_path) as kind:
        daemon = Daemon(tmp_path, kind.toml())
        operator = Operator(alert, daemon)
        try:
            LOCAL[alert](operator, tmp_path)
        finally:
            if daemon.alive:
                daemon.stop()
        operator.end()


@pytest.mark.parametrize("alert", GITHUB)
def test_the_commands_for_an_alert_about_a_tracker_end_its_state(alert: str, tmp_path: Path) -> None:
    with opened("github", tmp_path) as kind:
        daemon, fake = github(tmp_path, kind)
        operator = Operator(alert, daemon)
        try:
            GITHUB[alert](operator, tmp_path, fake)
        finally:
            if daemon.alive:
                daemon.stop()
        operator.end()


@pytest.mark.parametrize("alert", sorted(SHOWN_ONLY))
def test_the_other_commands_of_the_runbook_run(alert: str, tmp_path: Path) -> None:
    with opened("local", tmp_path) as kind, Daemon(tmp_path, kind.toml()) as daemon:
        operator = Operator(alert, daemon)
        for command in COMMANDS[alert]:
            operator.run(command)
        operator.end()
