"""Every first answer to a create is cut off, on the GitHub that somebody else wrote and on one whose lists lag.

The negative controls meet the same cuts: which answer is cut, and how, depends on the seed and the crashes alone.
"""

import itertools
import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from time import sleep

import github
import requests

from tests.fakes.emulator import REPOSITORY, EmulatedGitHub, emulated_github
from tests.fakes.emulator import TOKEN as EMULATOR_TOKEN
from tests.fakes.github import TOKEN, FakeGitHub
from tests.fakes.server import Fault, How, Recorded, ServerBase
from tests.prove.crashes import FINGERPRINT, Tally, crash, fingerprint, tally, until
from tests.prove.report import Row
from tests.system.daemon import Daemon
from tests.system.kinds import GITHUB_EMULATOR, opened

PATIENCE_SECONDS = 600.0
LAG_SECONDS = 3600.0  # longer than any proof takes
_MORE = 'probe_after = ["1s", "2s", "3s"]\nwrites = ["6000/1m"]\n'
_COMMITTED: list[How] = ["reset_after", "half_after", "empty_after", "garbage_after"]
_FIRST: list[How] = [*_COMMITTED, "reset_before"]
_LATER_SHARE = 0.6
_TRIES = 5
_TRY_AGAIN_SECONDS = 0.2


class Cuts:
    """A `ServerBase.weather`: no crash's first create gets a whole answer, and six in ten of the later ones do not either.

    The ways of cutting are dealt evenly over the first. One in five is cut before it is carried out: whoever never sends again
    is found out by that. `cut` counts.
    """

    def __init__(self, seed: int, wanted: Sequence[str]) -> None:
        self.cut: Counter[str] = Counter()
        self.creates = 0
        self._seed = seed
        self._times: Counter[str] = Counter()
        shuffled = random.Random(seed).sample(wanted, len(wanted))
        self._first = dict(zip(shuffled, itertools.cycle(_FIRST), strict=False))

    def __call__(self, request: Recorded) -> Fault | None:
        match = FINGERPRINT.search(request.raw.decode())
        if request.method != "POST" or not request.path.endswith("/issues") or match is None:
            return None
        self.creates += 1
        self._times[match[0]] += 1
        times = self._times[match[0]]
        chance = random.Random(f"{self._seed} {match[0]} {times}")
        if times > 1 and chance.random() >= _LATER_SHARE:
            return None
        how = self._first[match[0]] if times == 1 else chance.choice(_COMMITTED)
        self.cut[how] += 1
        return Fault(how=how)

    def __str__(self) -> str:
        ways = ", ".join(f"{count} {how.replace('_', ' ')}" for how, count in sorted(self.cut.items()))
        return f"{self.cut.total()} of {self.creates} answers cut ({ways})"


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """Two lines. `size` is how many crashes."""
    yield _with_default_retry(folder / "emulator", seed, size)
    yield _with_lagging_lists(folder / "lag", seed, size)


def _with_default_retry(folder: Path, seed: int, size: int) -> Row:
    syncd = file_with_syncd(folder, GITHUB_EMULATOR, seed, size)
    control = file_with_pygithub(folder, seed, size)
    return _row("the GitHub emulator `emulate`, which is not ours", "PyGithub with its default retry", syncd, control)


def _with_lagging_lists(folder: Path, seed: int, size: int) -> Row:
    syncd = file_with_syncd(folder, "github", seed, size)
    control = search_then_create(folder, seed, size)
    return _row("a GitHub whose lists lag by an hour", "search, then create", syncd, control)


def _row(where: str, other: str, syncd: tuple[Tally, Cuts], control: tuple[Tally, Cuts]) -> Row:
    (ours, cuts), (theirs, other_cuts) = syncd, control
    wanted = ours.issues - ours.doubles + ours.missing
    return Row(
        done=f"every first answer to a create was cut off on {where}",
        many=f"{wanted} crashes; {cuts}",
        came=f"{ours.issues} issues, {ours.doubles} double, {ours.missing} missing",
        control=f"{other}: {theirs.issues} issues, {theirs.doubles} double; {other_cuts}",
        ok=ours.exact and theirs.doubles > 0,
    )


def file_with_syncd(folder: Path, kind: str, seed: int, size: int) -> tuple[Tally, Cuts]:
    """What a daemon files for `size` crashes in an empty tracker, counted there after everything has settled."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [fingerprint(number) for number in range(size)]
    cuts = Cuts(seed, wanted)
    with opened(kind, folder) as tracker, Daemon(folder, tracker.toml(_MORE)) as daemon:
        assert tracker.fake is not None
        tracker.fake.weather = cuts
        _lag(tracker.fake)
        daemon.send_all([crash(number) for number in range(size)])
        until(lambda: _is_settled(daemon, size), f"{size} linked issues", PATIENCE_SECONDS)
        assert daemon.stop() == 0
        return tally(wanted, _texts(tracker.fake)), cuts


def _lag(fake: ServerBase) -> None:
    if isinstance(fake, FakeGitHub):
        fake.lag_seconds = fake.filtered_lag_seconds = LAG_SECONDS


def _is_settled(daemon: Daemon, size: int) -> bool:
    sleep(0.2)  # each question is a process of its own
    status = daemon.status()
    waits = status["inbox"]["waiting"] + status["outbox"]["due"] + status["outbox"]["waiting"]
    return not waits and status["issues"]["linked"] == size


def _texts(fake: ServerBase) -> list[str]:
    """The texts of all issues there are, asked of the tracker itself."""
    if isinstance(fake, FakeGitHub):
        return [issue.body or "" for issue in fake.repository.issues.values()]
    assert isinstance(fake, EmulatedGitHub)
    texts: list[str] = []
    for page in range(1, 1000):
        _, _, issues = fake._ask(
            "GET", f"/repos/{REPOSITORY}/issues?state=all&per_page=100&page={page}", b"", EMULATOR_TOKEN
        )
        texts += [issue["body"] or "" for issue in issues]
        if len(issues) < 100:
            break
    return texts


def file_with_pygithub(folder: Path, seed: int, size: int) -> tuple[Tally, Cuts]:
    """The control: what PyGithub files by itself, asked once for each crash."""
    wanted = [fingerprint(number) for number in range(size)]
    cuts = Cuts(seed, wanted)
    with emulated_github(folder) as front:
        front.weather = cuts
        # Ours to set are the seconds between writes: they are no part of what is proved.
        client = github.Github(auth=github.Auth.Token(EMULATOR_TOKEN), base_url=front.url, seconds_between_writes=None)
        repository = client.get_repo(REPOSITORY)
        for name in wanted:
            # What no retry mends. Some of it is no error of PyGithub's, but of the code that reads what was cut.
            with suppress(github.GithubException, requests.RequestException, AssertionError, AttributeError, TypeError):
                repository.create_issue("Crash", f"Fingerprint {name}")
        client.close()
        front.weather = None
        return tally(wanted, _texts(front)), cuts


def search_then_create(folder: Path, seed: int, size: int) -> tuple[Tally, Cuts]:
    """The control: look for the crash by its label, create it where it is not found, look again after any error."""
    wanted = [fingerprint(number) for number in range(size)]
    cuts = Cuts(seed, wanted)
    with FakeGitHub() as fake, ThreadPoolExecutor(8) as pool:
        _lag(fake)
        fake.weather = cuts
        list(pool.map(lambda name: _search_then_create(fake, name), wanted))
        return tally(wanted, _texts(fake)), cuts


def _search_then_create(fake: FakeGitHub, name: str) -> None:
    issues, headers = f"{fake.url}/repos/acme/game/issues", {"Authorization": f"Bearer {TOKEN}"}
    for _ in range(_TRIES):
        query = {"labels": "crash", "state": "all", "per_page": "100"}
        listed = requests.get(issues, params=query, headers=headers, timeout=10).json()
        if any(name in issue["body"] for issue in listed):
            return
        draft = {"title": "Crash", "body": f"Fingerprint {name}", "labels": ["crash"]}
        with suppress(requests.RequestException, json.JSONDecodeError):
            answer = requests.post(issues, json=draft, headers=headers, timeout=10)
            if answer.status_code == 201 and answer.json():
                return
        sleep(_TRY_AGAIN_SECONDS)
