"""The double of Backtrace against what its public tools rely on: every fold equals what a reader of the objects would count."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.backtrace import TOKEN, FakeBacktrace, Objects, callstack
from tests.fakes.backtrace.__main__ import Story
from tests.fakes.backtrace.objects import COLUMNS, QueryError

FINGERPRINTS = [format(number, "064x") for number in (0xA << 252, 0xB << 252, 0xC << 252, 1)]
TIMED = {"timestamp": [["at-least", "1."]]}

OBJECT = st.fixed_dictionaries(
    {
        "fingerprint": st.sampled_from(FINGERPRINTS),
        "timestamp": st.integers(1, 10_000),
        "version": st.sampled_from(["1.0", "1.1", "2.0", None]),
        "guid": st.sampled_from(["u1", "u2", "u3", None]),
        "application": st.sampled_from(["game", None]),
    }
)
FOLDS = {
    "timestamp": [["range"]],
    "guid": [["unique"]],
    "version": [["histogram"], ["head"]],
    "application": [["head"]],
}


def answer_to(objects: Objects, **query: Any) -> dict[str, Any]:
    return objects.query({"group": ["fingerprint"], "filter": [TIMED], **query})[0]


def by_name(response: dict[str, Any]) -> dict[str, tuple[int, dict[tuple[str, str], Any]]]:
    """By group: its count, and its folds by column and operation."""
    described = [(each["name"], each["op"]) for each in response["columns_desc"]]
    return {key: (count, dict(zip(described, folds, strict=True))) for key, folds, count in response["values"]}


@given(st.lists(OBJECT, max_size=40))
def test_every_fold_is_what_a_reader_of_the_objects_counts(several: list[dict[str, Any]]) -> None:
    objects = Objects()
    for each in several:
        objects.add([each])
    groups = by_name(answer_to(objects, fold=FOLDS, limit=100))
    assert set(groups) == {each["fingerprint"] for each in several}
    for fingerprint, (count, folds) in groups.items():
        own = [each for each in several if each["fingerprint"] == fingerprint]
        assert count == len(own) == objects.count(fingerprint)
        times = [each["timestamp"] for each in own]
        assert folds["timestamp", "range"] == [min(times), max(times)]
        assert folds["guid", "unique"] == [len({each["guid"] for each in own} - {None})]
        assert dict(map(tuple, folds["version", "histogram"])) == Counter(each["version"] or "*" for each in own)
        assert sum(count for _, count in folds["version", "histogram"]) == count
        assert folds["version", "head"] == [own[0]["version"] or "*"]


@given(st.lists(OBJECT, max_size=40), st.integers(1, 5), st.booleans())
def test_pages_have_each_group_once_in_their_order(several: list[dict[str, Any]], limit: int, falling: bool) -> None:
    objects = Objects()
    objects.add(several)
    pages = list[list[Any]]()
    order = [{"name": ";count", "ordering": "descending"}, {"name": ";group", "ordering": "ascending"}]
    while page := answer_to(objects, order=order if falling else order[1:], limit=limit, offset=sum(map(len, pages)))[
        "values"
    ]:
        pages.append(page)
    rows = [(key, count) for page in pages for key, _, count in page]
    counts = Counter(each["fingerprint"] for each in several)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1] if falling else 0, pair[0]))
    assert rows == ordered


@given(st.lists(OBJECT, min_size=1, max_size=20), st.lists(OBJECT, min_size=1, max_size=20))
def test_objects_stored_after_a_commit_are_not_in_its_answers(
    earlier: list[dict[str, Any]], later: list[dict[str, Any]]
) -> None:
    objects = Objects()
    objects.add(earlier)
    before, tx = objects.query({"group": ["fingerprint"], "filter": [TIMED], "fold": FOLDS})
    objects.add(later)
    pinned = [{**TIMED, "_tx": [["at-most", tx]]}]
    after, _ = objects.query({"group": ["fingerprint"], "filter": pinned, "fold": FOLDS})
    assert by_name(after) == by_name(before)


@given(st.lists(OBJECT, max_size=30), st.integers(1, 10_000))
def test_filters_compare_as_they_are_named(several: list[dict[str, Any]], moment: int) -> None:
    objects = Objects()
    objects.add(several)
    tests: dict[str, Callable[[int], bool]] = {
        "equal": lambda time: time == moment,
        "at-least": lambda time: time >= moment,
        "at-most": lambda time: time <= moment,
        "greater-than": lambda time: time > moment,
        "less-than": lambda time: time < moment,
    }
    for operator, test in tests.items():
        answer = answer_to(objects, filter=[{"timestamp": [[operator, f"{moment}."]]}], limit=100)
        counts = {key: count for key, _, count in answer["values"]}
        assert counts == Counter(each["fingerprint"] for each in several if test(each["timestamp"])), operator


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"filter": [{"fingerprint": [["equal", "a"]]}]}, "at least one filter that rejects missing data"),
        ({"fold": {"build": [["head"]]}}, "build: column not found"),
        ({"offset": -1}, "offset/limit must be positive"),
        ({"limit": 0}, "offset/limit must be positive"),
        ({"fold": {"guid": [["everything"]]}}, "invalid parameter 'everything'"),
        ({"filter": [TIMED | {"fingerprint": [["regular-expression", "a|b"]]}]}, "regexec unsupported"),
        ({"filter": [TIMED, TIMED]}, "invalid parameter 'filter'"),
        ({"set": {"tags": "x"}}, "invalid parameter 'set'"),
    ],
)
def test_a_query_that_cannot_be_answered_is_refused_by_its_text(query: dict[str, Any], text: str) -> None:
    objects = Objects()
    objects.add([{"fingerprint": "a", "timestamp": 5}])
    with pytest.raises(QueryError, match=text):
        answer_to(objects, **query)


def post(fake: FakeBacktrace, token: str = TOKEN, project: str = "game", **query: Any) -> requests.Response:
    body = {"group": ["fingerprint"], "filter": [TIMED], **query}
    headers = {"X-Coroner-Token": token, "X-Coroner-Location": fake.url}
    place = f"{fake.url}/api/query?universe=acme&project={project}"
    return requests.post(place, json=body, headers=headers, timeout=5)


def test_errors_come_with_200_or_with_their_own_status() -> None:
    with FakeBacktrace() as fake:
        for polite, statuses in ((True, (200, 200, 200)), (False, (403, 404, 400))):
            fake.polite = polite
            answers = (post(fake, "wrong"), post(fake, project="engine"), post(fake, limit=-1))
            assert tuple(answer.status_code for answer in answers) == statuses
            texts = [answer.json()["error"]["message"] for answer in answers]
            assert texts == ["invalid token", "no such project 'engine'", "offset/limit must be positive"]
        fake.tokens[TOKEN]["game"] = {"object:get"}
        assert post(fake).json()["error"]["message"] == "insufficient permissions"


def test_a_fold_comes_where_the_description_says_and_not_where_it_was_asked() -> None:
    with FakeBacktrace() as fake:
        fake.objects.add([{"fingerprint": "a", "timestamp": 5, "version": "1.0", "callstack": callstack("f", "main")}])
        fold = {"version": [["head"]], "callstack": [["head"]]}
        response = post(fake, fold=fold).json()["response"]
        assert [each["name"] for each in response["columns_desc"]] == ["callstack", "version"]
        assert json.loads(by_name(response)["a"][1]["callstack", "head"][0]) == {"frame": ["f", "main"]}
        assert set(response) >= {"columns", "factors_desc", "cardinalities"}
        assert set(COLUMNS) >= set(fold)


@pytest.mark.parametrize("windowed", [True, False])
def test_the_webhook_counts_all_objects_or_those_since_its_last(windowed: bool) -> None:
    with FakeBacktrace() as fake:
        fake.windowed = windowed
        for count in (3, 2):
            fake.objects.add(
                [{"fingerprint": "a", "timestamp": 5 + n, "version": "1.0", "object": n} for n in range(count)]
            )
            body = fake.webhook("a")
            total = count if windowed else fake.objects.count("a")
            assert body["occurrences"] == total
            assert body["attributes"]["version"] == [["1.0", total]]


def test_setting_a_ticket_replaces_the_list_and_moves_an_open_group() -> None:
    from tests.fakes.backtrace.server import LINK_TOKEN

    with FakeBacktrace() as fake:
        fake.objects.add([{"fingerprint": "a", "timestamp": 5}])
        headers = {"X-Coroner-Token": LINK_TOKEN, "X-Coroner-Location": fake.url}
        ticket = {"action": "set", "value": [{"watcher": "syncd", "short": "G-1"}]}
        body = {"project": "game", "fingerprint": ["a", "b"], "ticket": ticket}
        place = f"{fake.url}/api/issue?universe=acme&project=game"
        first, second = requests.post(place, json=body, headers=headers, timeout=5).json()["results"]
        assert json.loads(first["ticket"]) == ticket["value"]
        assert (first["state"], "error" in second) == ("in-progress", True)
        assert not fake.problems


def test_the_story_crashes_on_and_is_muted_in_the_end() -> None:
    with FakeBacktrace("acme", "game-client") as fake:
        story = Story(fake, lambda: 2_000_000_000.0)
        backlog = {name: fake.objects.count(name) for name in fake.objects.groups()}
        assert list(backlog.values()) == [6, 6, 6]
        names = {story.step() for _ in range(60)}
        assert len(names) == 5
        assert all(fake.objects.count(name) > backlog.get(name, 0) for name in names)
        assert any((fake.objects.issue(name) or {})["state"] == "muted" for name in names)
        assert fake.webhook(names.pop(), "game-client")["project"] == "game-client"
