"""Ten releases over half a year: what a team finds in its tracker at the end, and which comments it was sent on the way."""

import re
from pathlib import Path

import pytest

from tests.postgres import Databases
from tests.story.life import Life, lived
from tests.story.people import STATUS, Observation
from tests.system.kinds import KINDS

AUDIO, DRAW, NET = "Audio::open", "Renderer::draw", "Net::poll"
MERGED = "0" * 40 + "ab" * 12

# At the end, for each issue: is it open, and which comments did people receive, in order?
EXPECTED: dict[str, tuple[bool, list[str]]] = {
    f"Crash in {AUDIO} (game)": (True, ["Came back in 1.2: 3 new", "Came back in 2.0: 2 new"]),
    f"Crash in {DRAW} (game)": (False, []),
    f"Crash in {NET} (game)": (False, []),
    f"Crash in {DRAW} (game) ": (True, []),
    "Crash storm: groups held back by route main": (False, []),
    **{f"Crash in Level{number}::load (game)": (True, []) for number in range(12)},
}


def issues_of(life: Life) -> dict[str, tuple[bool, list[str]]]:
    """The same, as it really is; of two issues with one title the later one has a blank more."""
    result: dict[str, tuple[bool, list[str]]] = {}
    for issue in sorted(life.people.issues(), key=lambda issue: issue.open):
        title = issue.title if issue.title not in result else f"{issue.title} "
        remarks = [
            match[0]
            for text in issue.comments
            if (match := re.search(r"Came back in .*?: \d+ new", re.sub(r"[`*{}\n]", "", text))) is not None
        ]
        result[title] = (issue.open, remarks)
    return result


def released(life: Life, ledger: dict[str, int], release: str, count: int) -> dict[str, int]:
    """The ledger with more occurrences in a release, a fortnight later."""
    life.wait(14)
    ledger[release] = ledger.get(release, 0) + count
    return ledger


@pytest.mark.parametrize("kind", KINDS)
def test_ten_releases(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ten_releases(kind, tmp_path, monkeypatch)


def test_ten_releases_in_a_store_on_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, servers: Databases
) -> None:
    ten_releases("github", tmp_path, monkeypatch, servers.new())


def ten_releases(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str | None = None) -> None:
    route = 'name = "main"\nmax_new_issues = ["5/1d"]\ngather = "0s"\n'
    with lived(kind, tmp_path, monkeypatch, route, url) as life:
        audio, draw, net = {"1.0": 9}, {"1.0": 4}, {"1.0": 2}
        life.notify(AUDIO, audio)
        life.notify(DRAW, draw)
        life.notify(NET, net)
        assert len(life.people.issues()) == 3

        # Closed as fixed before the release with the fix is out; old clients go on, and so does a hotfix of their line.
        life.wait(3)
        life.people.close(f"Crash in {AUDIO} (game)", fixed_in=["1.1"])
        life.notify(AUDIO, released(life, audio, "1.0", 20))
        life.notify(AUDIO, released(life, audio, "1.0.1", 5))
        life.notify(DRAW, released(life, draw, "1.1", 6))
        assert not by_title(life, f"Crash in {AUDIO} (game)").open

        # It comes back in 1.2, is fixed again in 1.3; nobody wants to fix the one in DRAW.
        life.notify(AUDIO, released(life, audio, "1.2", 3))
        assert by_title(life, f"Crash in {AUDIO} (game)").open
        life.wait(2)
        life.people.close(f"Crash in {AUDIO} (game)", fixed_in=["1.3"])
        life.people.close(f"Crash in {DRAW} (game)", "rejected")
        life.notify(DRAW, released(life, draw, "1.3", 50))
        life.notify(AUDIO, released(life, audio, "1.2", 8))
        assert not by_title(life, f"Crash in {DRAW} (game)").open

        # NET is the same as AUDIO, says a person: its occurrences are shown there from now on.
        life.people.close(f"Crash in {NET} (game)", "duplicate", duplicate_of=f"Crash in {AUDIO} (game)")
        life.wait(1)
        life.notify(NET, released(life, net, "1.2", 30))
        life.wait(1)
        status = next(text for text in by_title(life, f"Crash in {AUDIO} (game)").comments if STATUS in text)
        assert f"Seen {sum(audio.values()) + sum(net.values())} times" in status
        assert "1 more fingerprint" in status

        # Groups are merged in the crash reporter: another fingerprint, the same frames. It says so, and nothing merges.
        life.notify(DRAW, {"1.5": 5}, fingerprint=MERGED)
        assert len(life.people.issues()) == 4

        # 1.6 is a bad one.
        life.wait(14)
        for number in range(12):
            life.notify(f"Level{number}::load", {"1.6": 3}, users=number)
        titles = [issue.title for issue in life.people.issues()]
        assert len(titles) == 4 + 5 + 1
        life.wait(1)
        later = [issue.title for issue in life.people.issues()]
        assert {f"Crash in Level{number}::load (game)" for number in (11, 10, 9, 8, 7)} <= {*later}
        life.wait(3)

        # 1.7 to 1.9 are quiet; then it comes back once more.
        life.notify(AUDIO, released(life, audio, "1.0", 1))
        life.wait(40)
        life.notify(AUDIO, released(life, audio, "2.0", 2))
        life.wait(1)

        assert issues_of(life) == EXPECTED
        assert life.store.report.counts(life.clock.now).held == 0
        assert life.store.dead_letters.all() == []


def by_title(life: Life, title: str) -> Observation:
    (issue,) = [issue for issue in life.people.issues() if issue.title == title]
    return issue
