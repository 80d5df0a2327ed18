"""Issues of another integration are taken over while commands are killed: no crash gets a second issue, and a closing is respected."""

import csv
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.github import PERSON, FakeGitHub
from tests.fakes.jira import FakeJira, FakeJiraCloud
from tests.prove.crashes import crash, fingerprint, until
from tests.prove.report import Row
from tests.system.daemon import Daemon, run_syncd
from tests.system.kinds import KINDS, Kind, opened

LABEL = "Backtrace"
KILLS = 20
OLD, NEW, FIX = "2.3", "2.5", "2.4"
_SETTINGS = 'timeout = "5s"\nconcurrency = 4\nwrites = []\n'
_PATIENCE_SECONDS = 600.0


@dataclass(kw_only=True)
class Adopted:
    """The result: issues before and after, those that do not stand for their crash, second issues of a crash, issues with another number of
    comments than one, issues that were reopened wrongly or stayed closed wrongly, and changes of a repeated adoption."""

    tickets: int = 0
    kills: int = 0
    midway: int = field(default=0, compare=False)  # kills after which some more issues were adopted, and not all
    unlinked: int = 0
    second: int = 0
    talkative: int = 0
    wrong_reopened: int = 0
    wrong_closed: int = 0
    changed_again: int = 0

    @property
    def sound(self) -> bool:
        """True if every issue stands for its crash, and as people left it."""
        return not (
            self.unlinked
            or self.second
            or self.talkative
            or self.wrong_reopened
            or self.wrong_closed
            or self.changed_again
        )


@dataclass
class _Tickets:
    """What another integration filed: the key of each crash's issue, and those that are closed with and without a fix version."""

    keys: dict[int, str] = field(default_factory=dict)
    fixed: set[int] = field(default_factory=set)
    closed: set[int] = field(default_factory=set)
    in_file: list[int] = field(default_factory=list)

    def file(self, kind: Kind, folder: Path, number: int, size: int) -> None:
        """File the issue of a crash: seven of ten are named in a file only, two only by their text and label, one by both."""
        part = number * 10 // size
        link = f"https://acme.sp.backtrace.io/p/game-client/triage?fingerprints={fingerprint(number)}"
        title = f"[{fingerprint(number)[:6]}] game: frame_{number}"
        text, labels = ("A person wrote this.", []) if part < 7 else (f"Seen in {link}", [LABEL])
        if part < 8:
            self.in_file.append(number)
        closed, fixed = number % 20 == 3, number % 20 == 7
        fake = kind.fake
        if isinstance(fake, FakeGitHub):
            issue = fake.file(fake.repository, title, text, PERSON, labels)
            self.keys[number] = f"acme/game#{issue.number}"
            if closed or fixed:
                fake.close_issue(issue, milestone=FIX if fixed else None)
        elif isinstance(fake, FakeJira):
            ticket = fake.file(title, labels=labels)
            self.keys[number] = ticket.key
            fake.edit_issue(ticket.key, description=document_of(text) if isinstance(fake, FakeJiraCloud) else text)
            if closed or fixed:
                fake.close_issue(ticket.key, fix_versions=[FIX] if fixed else [])
        else:
            self.keys[number] = f"ticket-{number}"
            status = "closed (fixed)" if closed or fixed else "open"
            lines = [f"- Status: {status}", *(["- Fixed in: 2.4"] if fixed else []), f"- Labels: {', '.join(labels)}"]
            (folder / "issues").mkdir(exist_ok=True)
            head = "\n".join(lines)
            (folder / "issues" / f"ticket-{number}.md").write_text(f"# {title}\n\n{head}\n\n{text}\n")
        (self.fixed if fixed else self.closed if closed else set()).add(number)


def document_of(text: str) -> dict[str, Any]:
    link = text.rpartition(" ")[2]
    marks = [{"type": "link", "attrs": {"href": link}}] if link.startswith("https:") else []
    node: dict[str, Any] = {"type": "text", "text": "the group" if marks else text}
    content = [{"type": "paragraph", "content": [{**node, "marks": marks} if marks else node]}]
    return {"version": 1, "type": "doc", "content": content}


def take_over(kind: str, folder: Path, size: int, kills: int, seed: int, *, adopts: bool = True) -> Adopted:
    """Let another integration file `size` issues, adopt them beside a running daemon while commands are killed, send a notification of each crash
    in an old release, then in a new one."""
    result, chance = Adopted(tickets=size), random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    with opened(kind, folder) as tracker:
        if isinstance(tracker.fake, FakeGitHub):
            tracker.fake.remaining = 10**9  # what is told here takes days, not an hour
        tickets = _Tickets()
        for number in range(size):
            tickets.file(tracker, folder, number, size)
        file = folder / "tickets.csv"
        with file.open("w", newline="") as lines:
            writer = csv.writer(lines)
            writer.writerow(["fingerprint", "issue", "owner"])
            writer.writerows([fingerprint(number).upper(), tickets.keys[number], "ada"] for number in tickets.in_file)
        with Daemon(folder, tracker.toml("" if kind == "local" else _SETTINGS)) as daemon:
            if adopts:
                _adopt(daemon, file, kills, chance, result)
            time.sleep(1.1)  # trackers tell times of closings in whole seconds
            daemon.send_all([_crash(number, {OLD: 3}) for number in range(size)])
            _drain(daemon)
            groups = daemon.groups()
            for number, key in tickets.keys.items():
                result.unlinked += (groups[fingerprint(number)]["issue"] or {}).get("key") != key
            result.second = len(tracker.texts()) - size
            result.talkative = sum(count != 1 for count in tracker.comments()[:size])
            result.wrong_reopened = len((tickets.fixed | tickets.closed) - _closed(daemon, tickets))
            daemon.send_all([_crash(number, {OLD: 3, NEW: 4}) for number in range(size)])
            _drain(daemon)
            closed = _closed(daemon, tickets)
            result.wrong_closed = len(tickets.fixed & closed)
            result.wrong_reopened += len(tickets.closed - closed)
            result.second = len(tracker.texts()) - size
    return result


def _adopt(daemon: Daemon, file: Path, kills: int, chance: random.Random, result: Adopted) -> None:
    commands = [[str(file)], ["--search", "--label", LABEL]]
    adopted = 0
    for number in range(kills):
        # Importing takes the first tenths of a second.
        seconds = chance.uniform(0.3, 0.8 + result.tickets / 400)
        daemon.kill_command("adopt", *commands[number % 2], seconds=seconds)
        result.kills += 1
        before, adopted = adopted, len(json.loads(daemon.syncd("adopt", "--json")))
        result.midway += before < adopted < result.tickets
    for command in commands:
        run_syncd("adopt", *command, "--config", str(daemon.config), folder=daemon.folder)
    waiting = daemon.syncd("adopt", "--json")
    for command in commands:
        ran = run_syncd("adopt", *command, "--json", "--config", str(daemon.config), folder=daemon.folder)
        counts = json.loads(ran.stdout)["counts"]
        result.changed_again += counts["linked"] + counts["waits"] + counts["left out"]
    result.changed_again += daemon.syncd("adopt", "--json") != waiting


def _crash(number: int, releases: dict[str, int]) -> dict[str, Any]:
    total, now = sum(releases.values()), int(time.time())
    versions = [[release, count] for release, count in releases.items()]
    return {**crash(number, total), "timestamp": [now - 1, now], "attributes": {"version": versions}}


def _drain(daemon: Daemon) -> None:
    def drained() -> bool:
        status = daemon.status()
        return not (status["inbox"]["waiting"] + status["outbox"]["due"] + status["outbox"]["waiting"])

    until(drained, "the end of all updates", _PATIENCE_SECONDS)


def _closed(daemon: Daemon, tickets: _Tickets) -> set[int]:
    """The crashes whose issue is closed, as the daemon reads it."""
    groups = daemon.groups()
    return {number for number in tickets.keys if _is_closed(groups[fingerprint(number)]["issue"])}


def _is_closed(issue: dict[str, Any] | None) -> bool:
    return bool(((issue or {}).get("condition") or {}).get("closed"))


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """One row for each kind of tracker. `size` is the number of issues."""
    for kind in KINDS:
        adopted = take_over(kind, folder / kind, size, KILLS, seed)
        few = max(20, size // 20)
        control = take_over(kind, folder / f"{kind}-control", few, 0, seed, adopts=False)
        yield Row(
            action=f"issues of another integration are adopted beside a running daemon, with kill -9 of the command at random times ({kind}); "
            "then each crash is notified in an old and in a new release",
            scale=f"{adopted.tickets} issues, {adopted.kills} kills, {adopted.midway} of them with some issues adopted since the one before",
            result=f"{adopted.second} second issues, {adopted.unlinked} crashes without their issue, {adopted.talkative} issues with another "
            f"number of comments than one, {adopted.wrong_reopened} reopened for an old release, {adopted.wrong_closed} not reopened "
            f"for a release with the fix, {adopted.changed_again} changes by a second adoption",
            control=f"without adoption: {control.second} second issues of {few}",
            ok=adopted.sound and control.second == few,
        )
