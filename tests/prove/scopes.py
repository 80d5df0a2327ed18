"""Whom a refusal is charged to: every status, kind of body, operation and state of repository, project and issue, for each tracker.

The adapters run against the fakes without HTTP; `tests.trackers` tries each status over HTTP. The rules in `tests.trackers` name the right answer by operation, state and
status; no code of syncd takes part in it.
"""

import json
import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from syncd.config import GitHubSettings, JiraSettings
from syncd.errors import Misconfigured, TrackerError
from syncd.model import Issue
from syncd.trackers import Tracker
from syncd.trackers.github.tracker import GitHub
from syncd.trackers.jira.tracker import Jira
from tests.fakes.github import TOKEN, FakeGitHub
from tests.fakes.inside import answered
from tests.fakes.jira import EMAIL, FakeJira, FakeJiraCloud, FakeJiraDataCenter
from tests.fakes.jira import TOKEN as JIRA_TOKEN
from tests.fakes.notebook import Memory
from tests.fakes.server import Answer, Recorded, ServerBase
from tests.prove.report import Row
from tests.trackers.clock import AdapterClock
from tests.trackers.github import parts as github_parts
from tests.trackers.github import scopes as github
from tests.trackers.jira import parts as jira_parts
from tests.trackers.jira import scopes as jira

STATUSES = range(100, 600)
MOST_REQUESTS = 12  # of one call, with its control questions
_LANGUAGES = ("Der Vorgang wurde abgelehnt.", "このイシューにはコメントできません", "Opération interdite", "nope")


def _jira_words(*texts: str, **errors: str) -> bytes:
    return json.dumps({"errorMessages": texts, "errors": errors}).encode()


# Of a create: those that differ from group to group.
OWN_FIELDS = {"description", "customfield_1"}
# Kinds of bodies; a case has one of its kind by lot.
BODIES: Mapping[str, Sequence[bytes]] = {
    "none": (b"",),
    "a page": (b"<!DOCTYPE html><html><title>Log in</title></html>", b"\r\n <html><body>Forbidden</body></html>"),
    "truncated": (b'{"message": "Commenting is dis', b'{"errorMessages": ["Issue does not ex', b"\xff\xfe", b'{"a": '),
    "wrong type": (b"7", b"[]", b"null", b'"text"', b'{"message": 5, "errors": {"a": 1}}', b'{"errors": null}', b"{}"),
    "unknown words": (
        *(json.dumps({"message": text}).encode() for text in _LANGUAGES),
        *(_jira_words(text) for text in _LANGUAGES),
        b"XSRF check failed",
    ),
    "words of GitHub": (
        *(json.dumps({"message": text}).encode() for text in github.MESSAGES),
        *(json.dumps(each).encode() for each in github.BODIES if isinstance(each, dict) and "errors" in each),
        json.dumps({"message": github.LIMITED}).encode(),
    ),
    "words of Jira": (
        _jira_words("Issue does not exist or you do not have permission to see it."),
        _jira_words("You do not have permission to create issues in this project."),
        _jira_words("This project is archived."),
        _jira_words(description="Field 'description' cannot be set."),
        _jira_words(customfield_1="Field 'customfield_1' cannot be set."),
        _jira_words("comment body is too long"),
        _jira_words(project="valid project is required"),
        _jira_words(issuetype="The issue type selected is invalid."),
    ),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One answer to an operation's own request. `cold`: the client starts after the state began."""

    operation: str
    state: str
    status: int
    kind: str
    cold: bool


@dataclass(frozen=True, kw_only=True)
class Place:
    """A tracker as the table meets it. `expected` gives the verdicts that are right for a case and its body; `stops` says which
    operations a state stops altogether; `once` are the operations whose second request would do harm."""

    fake: Callable[[], ServerBase]
    login: Callable[[Any], str]
    adapter: Callable[[Any, Memory, Path], Tracker]
    prepare: Callable[[Any, Any], Callable[[Any, str], object]]
    requests: Mapping[str, tuple[str, str]]
    states: Mapping[str, Callable[[Any], object]]
    expected: Callable[[Case, bytes], set[str]]
    stops: Callable[[str, str], bool]
    once: Sequence[str] = ("create", "comment")


NOTE = "a note"  # for people, on the issue; nothing else is affected


def _name(error: type[TrackerError] | None) -> str:
    return NOTE if error is None else github.GROUPS.get(error, error).__name__


# GitHub


def _github(fake: FakeGitHub, memory: Memory, folder: Path) -> GitHub:
    settings = {
        "kind": "github",
        "repository": "acme/game",
        "token": {"file": str(_token(folder, TOKEN))},
        "api_url": fake.url,
    }
    clock = AdapterClock()
    return GitHub("here", GitHubSettings.model_validate(settings), memory, clock=clock, sleep=clock.sleep)


def _prepare_github(fake: FakeGitHub, adapter: GitHub) -> Callable[[GitHub, str], object]:
    fake.remaining = 10**9
    issue = github_parts.linked(adapter.create(github_parts.DRAFT))
    comment_id = adapter.comment(issue, github_parts.STATUS, github_parts.MARKER)
    return lambda client, operation: github.OPERATIONS[operation](client, issue, comment_id)


def _expected_of_github(case: Case, body: bytes) -> set[str]:
    if case.operation == "find" and 200 <= case.status < 300 and body == b"[]":
        return {NOTE}  # it is the answer: the issue has no comments
    return {_name(github.charged(case.operation, case.state, case.status, _json(body)))}


def _stops_github(operation: str, state: str) -> bool:
    return github.charged(operation, state, 418, None) is Misconfigured


# Jira


def _jira(fake: FakeJira, memory: Memory, folder: Path) -> Jira:
    is_cloud = isinstance(fake, FakeJiraCloud)
    settings = {
        "kind": "jira",
        "deployment": "cloud" if is_cloud else "datacenter",
        "url": fake.url,
        "project": "CRASH",
        "token": {"file": str(_token(folder, JIRA_TOKEN))},
        "fields": {"customfield_1": "{{ group.occurrences }}"},
        **({"email": EMAIL} if is_cloud else {}),
    }
    clock = AdapterClock()
    return Jira("here", JiraSettings.model_validate(settings), memory, clock=clock, sleep=clock.sleep)


def _prepare_jira(fake: FakeJira, adapter: Jira) -> Callable[[Jira, str], object]:
    fake.file("a neighbour")
    fake.custom_fields = {"customfield_1": "number"}
    issue: Issue = jira_parts.linked(adapter)
    assert (issue.remote_id, adapter.comment(issue, jira_parts.status("1"), jira_parts.MARKER)) == ("10002", "10003")
    return lambda client, operation: jira.OPERATIONS[operation][0](client, issue)


_JIRA_STATES = {state.__name__: state for state in (*jira.PROJECTS, *jira.ISSUES)}


def _expected_of_jira(case: Case, body: bytes) -> set[str]:
    verdicts = {_name(error) for error in jira.concerned(case.operation, _JIRA_STATES[case.state], case.status)}
    content = _json(body)
    errors = content.get("errors") if isinstance(content, dict) else None
    errors = errors if isinstance(errors, dict) else {}
    if case.operation == "create" and verdicts == {"Refused"} and errors.keys() - OWN_FIELDS:
        verdicts = {"Misconfigured"}  # a field that is the same for every group
    if case.operation == "refresh" and jira.refuses(case.status) and "customfield_1" in errors:
        return {NOTE}  # the field is left out, and nothing else was to be sent
    if case.operation == "transition" and "Refused" in verdicts:
        verdicts |= {NOTE}
    if jira.is_done(case.operation, case.status, body) or (
        case.status == 204 and case.operation in ("refresh", "transition")
    ):
        verdicts |= {NOTE}
    return verdicts


def _stops_jira(operation: str, state: str) -> bool:
    return operation in jira.PROJECTS.get(_JIRA_STATES[state], ())


PLACES: Mapping[str, Place] = {
    "GitHub": Place(
        fake=FakeGitHub,
        login=lambda fake: f"Bearer {TOKEN}",
        adapter=_github,
        prepare=_prepare_github,
        requests=github.REQUESTS,
        states=github.STATES,
        expected=_expected_of_github,
        stops=_stops_github,
    ),
    **{
        name: Place(
            fake=fake,
            login=lambda fake: fake.login,
            adapter=_jira,
            prepare=_prepare_jira,
            requests={operation: (method, path) for operation, (_, method, path, _) in jira.OPERATIONS.items()},
            states=_JIRA_STATES,
            expected=_expected_of_jira,
            stops=_stops_jira,
        )
        for name, fake in {"Jira Cloud": FakeJiraCloud, "Jira Data Center": FakeJiraDataCenter}.items()
    },
}


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _token(folder: Path, token: str) -> Path:
    path = folder / f"token-{os.getpid()}"
    path.write_text(token)
    return path


@dataclass
class Tally:
    """Cases by the right verdict for operation and status, and what was wrong."""

    cases: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    by_status: dict[tuple[str, int], Counter[str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def add(self, tally: "Tally") -> None:
        self.cases += tally.cases
        self.verdicts += tally.verdicts
        self.wrong += tally.wrong
        for key, counts in tally.by_status.items():
            self.by_status[key] = self.by_status.get(key, Counter()) + counts

    @property
    def confused(self) -> int:
        """The least number of errors of a program that goes by operation and status alone."""
        return sum(counts.total() - max(counts.values()) for counts in self.by_status.values())


def cases(place: Place, operation: str, state: str) -> Iterator[Case]:
    """The product of statuses and kinds of bodies. A client that starts meanwhile meets each hundred of statuses in a few ways only."""
    for status, kind in product(STATUSES, BODIES):
        yield Case(operation, state, status, kind, cold=False)
    for status, kind in product((103, 200, 301, 400, 403, 404, 410, 418, 422, 429, 500), BODIES):
        yield Case(operation, state, status, kind, cold=True)


def judge(
    place: Place, case: Case, body: bytes, verdict: str, reason: str, requests: Sequence[Recorded]
) -> tuple[set[str], list[str]]:
    """The verdicts that are right for a case, and what is wrong about the one that the client came to by these requests."""
    right, (method, path) = place.expected(case, body), place.requests[case.operation]
    own = [each for each in requests if each.method == method and re.search(path, each.path)]
    if not own and place.stops(case.operation, case.state):
        right = {"Misconfigured"}  # what the client has to read first says it already
    faults = []
    if verdict not in right:
        faults.append(f"{verdict}, not {' or '.join(sorted(right))}")
    if len(own) > 1 and case.operation in place.once and verdict == "OutcomeUnknown":
        faults.append(f"sent {len(own)} times")
    if len(requests) > MOST_REQUESTS:
        faults.append(f"{len(requests)} requests")
    if "<" in reason:
        faults.append("markup in the reason")
    return right, faults


def try_all(name: str, operation: str, state: str, folder: Path, seed: int, share: float) -> Tally:
    """Every case of an operation in a state, or a `share` of them by lot."""
    place, lot, tally = PLACES[name], random.Random(f"{seed} {name} {operation} {state}"), Tally()
    if operation in ("create", "look") and state in ("deleted", "transferred") and name == "GitHub":
        return tally  # the issue itself is not asked, or its fate is the answer
    fake, memory, spoiled = place.fake(), Memory(), dict[str, Any]()
    method, path = place.requests[operation]

    def spoil(request: Recorded) -> Answer | None:
        own = spoiled and request.method == method and re.search(path, request.path)
        return (spoiled["status"], fake.common_headers(), spoiled["body"]) if own else None

    try:
        with answered(fake, place.login(fake), getattr(fake, "api", "") + "/", spoil) as requests:
            adapter = place.adapter(fake, memory, folder)
            carry_out = place.prepare(fake, adapter)
            for unspoiled in place.requests:
                if unspoiled not in ("create", "comment", "close", "reopen", "transition"):
                    carry_out(adapter, unspoiled)  # whatever a client remembers, it remembers now
            place.states[state](fake)
            for case in cases(place, operation, state):
                if share < 1 and lot.random() >= share:
                    continue
                if case.cold:
                    adapter = place.adapter(fake, memory, folder)
                body = lot.choice(BODIES[case.kind])
                spoiled.update(status=case.status, body=b"" if case.status in jira.BARE else body)
                requests.clear()
                verdict, reason = NOTE, ""
                try:
                    result = carry_out(adapter, operation)
                    reason = result if isinstance(result, str) else ""
                except TrackerError as error:
                    verdict, reason = _name(type(error)), error.reason
                except Exception as error:  # noqa: BLE001 - any other error is a fault of the adapter
                    verdict = f"{type(error).__name__}: {error}"
                spoiled.clear()
                if b"customfield_1" in body:
                    adapter = place.adapter(fake, memory, folder)  # for an hour a client leaves out what Jira refused
                right, faults = judge(place, case, b"" if case.status in jira.BARE else body, verdict, reason, requests)
                tally.cases += 1
                tally.verdicts[verdict] += 1
                counts = tally.by_status.setdefault((operation, case.status), Counter())
                counts["/".join(sorted(right))] += 1
                if faults:
                    tally.wrong.append(f"{case}: {'; '.join(faults)}: {reason} {body[:80]!r}")
    finally:
        fake.close()
    return tally


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """A row for each tracker. `size` is the number of cases of each, by lot; 0 is all of them."""
    for name, place in PLACES.items():
        whole = len(place.requests) * len(place.states) * len(list(cases(place, "", "")))
        share = min(1.0, size / whole) if size else 1.0
        tally = Tally()
        with ProcessPoolExecutor(max_workers=1 if size else 2) as pool:
            parts = [
                pool.submit(partial(try_all, name, operation, state, folder, seed, share))
                for operation, state in product(place.requests, place.states)
            ]
            for part in parts:
                tally.add(part.result())
                (folder / f"{name}.txt").write_text("\n".join([f"{tally.cases:,} so far", *tally.wrong]))
        yield Row(
            action=f"{name}: every status from 100 to 599, {len(BODIES)} kinds of bodies, {len(place.requests)} operations, "
            f"{len(place.states)} states of repository, project and issue",
            scale=f"{tally.cases:,} of {whole:,} combinations",
            result=f"{len(tally.wrong)} charged wrongly: {'; '.join(tally.wrong[:5])}"
            if tally.wrong
            else "none charged wrongly: "
            + ", ".join(f"{verdict} {count:,}" for verdict, count in tally.verdicts.most_common()),
            control=f"whoever goes by operation and status alone errs in {tally.confused:,} of them at least",
            ok=not tally.wrong and tally.confused > 0,
        )
