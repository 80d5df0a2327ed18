"""The response to every first create is truncated, on an independent GitHub emulator and on a fake with lagging lists.

The negative controls get the same cuts: the seed and the crashes determine which response is cut, and how.
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
LAG_SECONDS = 3600.0  # longer than the proof
_MORE = 'timeout = "2s"\nprobe_after = ["3s", "4s", "5s"]\nwrites = ["6000/1m"]\n'
_COMMITTED: list[How] = ["reset_after", "half_after", "empty_after", "garbage_after"]
_FIRST: list[How] = [*_COMMITTED, "reset_before"]
_LATER_SHARE = 0.6
_TRIES = 5
_TRY_AGAIN_SECONDS = 0.2


class Cuts:
    """A `ServerBase.weather` that truncates the response to the first create of each crash, and to six in ten later creates.

    The ways of cutting are distributed evenly over the first creates. One in five is cut before it is carried out, which exposes a client
    that never repeats. `cut` counts the cuts by way.
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
        return f"{self.cut.total()} of {self.creates} responses cut ({ways})"


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """Two rows. `size` is the number of crashes."""
    yield _with_default_retry(folder / "emulator", seed, size)
    yield _with_lagging_lists(folder / "lag", seed, size)


def _with_default_retry(folder: Path, seed: int, size: int) -> Row:
    syncd = file_with_syncd(folder, GITHUB_EMULATOR, seed, size)
    control = file_with_pygithub(folder, seed, size)
    return _row("the independent GitHub emulator `emulate`", "PyGithub with its default retry", syncd, control)


def _with_lagging_lists(folder: Path, seed: int, size: int) -> Row:
    syncd = file_with_syncd(folder, "github", seed, size)
    control = search_then_create(folder, seed, size)
    return _row("a GitHub whose lists lag by an hour", "search, then create", syncd, control)


def _row(where: str, control_name: str, syncd: tuple[Tally, Cuts], control: tuple[Tally, Cuts]) -> Row:
    (result, cuts), (control_result, control_cuts) = syncd, control
    wanted = result.issues - result.doubles + result.missing
    return Row(
        action=f"the response to every first create is truncated by {where}",
        scale=f"{wanted} crashes; {cuts}",
        result=f"{result.issues} issues, {result.doubles} duplicate, {result.missing} missing",
        control=f"{control_name}: {control_result.issues} issues, {control_result.doubles} duplicate; {control_cuts}",
        ok=result.exact and control_result.doubles > 0,
    )


def file_with_syncd(folder: Path, kind: str, seed: int, size: int) -> tuple[Tally, Cuts]:
    """File `size` crashes in an empty tracker with a daemon, and count the issues after the daemon has no work left."""
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
    sleep(0.2)  # each status query is a process
    status = daemon.status()
    waits = status["inbox"]["waiting"] + status["outbox"]["due"] + status["outbox"]["waiting"]
    return not waits and status["issues"]["linked"] == size


def _texts(fake: ServerBase) -> list[str]:
    """The texts of all issues, read from the tracker."""
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
    """The control: PyGithub with its default retry, one create_issue call per crash."""
    wanted = [fingerprint(number) for number in range(size)]
    cuts = Cuts(seed, wanted)
    with emulated_github(folder) as front:
        front.weather = cuts
        # The pause between writes is not part of the proof.
        client = github.Github(auth=github.Auth.Token(EMULATOR_TOKEN), base_url=front.url, seconds_between_writes=None)
        repository = client.get_repo(REPOSITORY)
        for name in wanted:
            # Errors that no retry repairs. Some are raised by the code that reads a truncated response.
            with suppress(github.GithubException, requests.RequestException, AssertionError, AttributeError, TypeError):
                repository.create_issue("Crash", f"Fingerprint {name}")
        client.close()
        front.weather = None
        return tally(wanted, _texts(front)), cuts


def search_then_create(folder: Path, seed: int, size: int) -> tuple[Tally, Cuts]:
    """The control: search by label, create if nothing is found, search again after an error."""
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
        issues_with_label = requests.get(issues, params=query, headers=headers, timeout=10).json()
        if any(name in issue["body"] for issue in issues_with_label):
            return
        draft = {"title": "Crash", "body": f"Fingerprint {name}", "labels": ["crash"]}
        with suppress(requests.RequestException, json.JSONDecodeError):
            answer = requests.post(issues, json=draft, headers=headers, timeout=10)
            if answer.status_code == 201 and answer.json():
                return
        sleep(_TRY_AGAIN_SECONDS)
