"""The commands of docs/switching.md, run as they stand against trackers that other integrations filled: no crash gets a second issue."""

import re
import shlex
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fakes.github import PERSON, FakeGitHub
from tests.fakes.jira import FakeJira
from tests.prove.adopted import document_of
from tests.prove.crashes import crash, fingerprint
from tests.system.daemon import Daemon
from tests.system.kinds import opened

PAGE = (Path(__file__).parents[2] / "docs/switching.md").read_text()
SECTIONS = {part.partition("\n")[0]: part for part in PAGE.split("\n## ")[1:]}
COMMANDS = {
    title: [
        line.strip()
        for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
        if line.strip()
    ]
    for title, text in SECTIONS.items()
}
ISSUES = 6
TRIAGE = "https://acme.sp.backtrace.io/p/{}/triage?fingerprints={}"


class Site:
    """A daemon with a GitHub repository for the project `game-client` and a Jira project for `mobile`."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        github, jira = (stack.enter_context(opened(kind, folder)) for kind in ("github", "jira-cloud"))
        assert isinstance(github.fake, FakeGitHub)
        assert isinstance(jira.fake, FakeJira)
        self.github, self.jira = github.fake, jira.fake
        trackers = [
            kind.toml("writes = []\n")
            .replace("trackers.here", f"trackers.{name}")
            .replace(
                '[[routes]]\ntracker = "here"',
                f'[[routes]]\nname = "{name}"\ntracker = "{name}"\nmatch = {{ project = "{project}" }}',
            )
            for kind, name, project in ((github, "game", "game-client"), (jira, "mobile", "mobile"))
        ]
        self.folder = folder
        self.daemon = Daemon(folder, "\n".join(trackers))

    def fill(self) -> None:
        """What other integrations filed: crashes 0 to 5 in GitHub, 10 to 15 in Jira, and a file that names 20 to 25 in GitHub."""
        lines = ["fingerprint,issue,project"]
        for number in range(ISSUES):
            digits = fingerprint(number)
            link = TRIAGE.format("game-client", digits)
            self.github.file(self.github.repository, f"[{digits[:6]}] game: frame", f"See {link}", PERSON, [])
            ticket = self.jira.file(f"[{fingerprint(10 + number)[:6]}] game: frame", labels=["Backtrace"])
            text = f"See {TRIAGE.format('mobile', fingerprint(10 + number))}"
            self.jira.edit_issue(ticket.key, description=document_of(text))
            issue = self.github.file(self.github.repository, "It crashes", "By hand.", PERSON, [])
            lines.append(f"{fingerprint(20 + number)},acme/game#{issue.number},game-client")
        (self.folder / "tickets.csv").write_text("\n".join(lines))

    def counts(self) -> tuple[int, int]:
        return len(self.github.repository.issues), len(self.jira.issues)

    def notify(self, first: int, project: str) -> None:
        """One notification of each crash from `first` on."""
        self.daemon.send_all([crash(first + number, 5, project) for number in range(ISSUES)])

    def run(self, title: str, *, stop: Callable[[str], None] = lambda _: None) -> list[str]:
        """Run each command of a section as it stands; `stop` is called after each."""
        printed = []
        for command in COMMANDS[title]:
            program, *arguments = shlex.split(command)
            assert program == "syncd"
            arguments = [str(self.folder / word) if word == "tickets.csv" else word for word in arguments]
            # `check` says that the receiver is on loopback without systemd, and more that is no matter here.
            printed.append(self.daemon.syncd(*arguments) if arguments[0] != "check" else "")
            stop(command)
        return printed


def test_the_page_has_a_test_for_each_section_with_commands() -> None:
    assert {title for title, commands in COMMANDS.items() if commands} == {
        "The order",
        "After a lost store",
        *TAKEN_OVER,
    }


TAKEN_OVER = {
    "From Backtrace's GitHub integration": (0, "game-client"),
    "From Backtrace's Jira integration": (10, "mobile"),
    "From spreadsheets and issues made by hand": (20, "game-client"),
}


@pytest.mark.parametrize("title", TAKEN_OVER)
def test_what_is_taken_over_gets_no_second_issue(title: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        site = Site(tmp_path, stack)
        site.fill()
        stack.enter_context(site.daemon)
        before = site.counts()
        planned, done = site.run(title)
        assert f"{ISSUES} would wait" in planned
        assert f"{ISSUES} wait" in done

        site.notify(*TAKEN_OVER[title])
        site.daemon.drain()
        assert site.counts() == before
        assert {group["issue"]["state"] for group in site.daemon.groups().values()} == {"linked"}


def test_the_order_files_nothing_twice_and_misses_no_crash(tmp_path: Path) -> None:
    with ExitStack() as stack:
        site = Site(tmp_path, stack)
        site.fill()
        stack.enter_context(site.daemon)

        def meanwhile(command: str) -> None:
            if command.startswith("syncd pause"):
                # The webhook is on, and so is the old integration: it files one of a crash that both hear of.
                site.notify(0, "game-client")
                site.notify(30, "game-client")
                link = TRIAGE.format("game-client", fingerprint(30))
                site.github.file(site.github.repository, "[x] game", link, PERSON, [])
                site.daemon.wait_for(lambda: len(site.daemon.groups()) == 2 * ISSUES, "all groups to be folded")

        site.run("The order", stop=meanwhile)
        site.daemon.drain()

        # What only syncd heard of is filed by it.
        assert site.counts() == (2 * ISSUES + 1 + ISSUES - 1, ISSUES)
        issues = [group["issue"] for group in site.daemon.groups().values()]
        assert all(issue["state"] == "linked" for issue in issues)
        assert len({issue["key"] for issue in issues}) == 2 * ISSUES


def test_a_lost_store_recovers_from_its_own_issues(tmp_path: Path) -> None:
    with ExitStack() as stack:
        site = Site(tmp_path, stack)
        daemon = stack.enter_context(site.daemon)
        site.notify(0, "game-client")
        daemon.drain()
        before = site.counts(), {name: group["issue"]["key"] for name, group in daemon.groups().items()}
        assert before[0] == (ISSUES, 0)
        daemon.stop()
        for file in tmp_path.glob("syncd.db*"):
            if file.is_file():
                file.unlink()
        daemon.start()
        site.run("After a lost store")
        site.notify(0, "game-client")
        daemon.drain()

        assert (site.counts(), {name: group["issue"]["key"] for name, group in daemon.groups().items()}) == before
