"""Every change in the console leaves its entry in the audit, and a person who only reads changes nothing."""

import asyncio
import base64
import html
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Route as HttpRoute
from starlette.types import ASGIApp

from syncd import config as configuration
from syncd.config import Config, ConsoleSettings, Secret, StoreSettings
from syncd.console.bulk import choice_of
from syncd.console.guard import Guard
from syncd.console.site import GROUP, PAGES, site
from syncd.platform.clock import Clock
from syncd.render.addresses import group_page
from syncd.store import Store, open_store
from tests.cli.test_output import CONFIG
from tests.console.test_fuzz import status
from tests.operate import changes

READER, OPERATOR = "reader:look only", "operator:open sesame"


def headers(login: str) -> tuple[tuple[bytes, bytes], ...]:
    """What a browser sends that is logged in, from a page of the console."""
    credentials = base64.b64encode(login.encode())
    return (b"host", b"127.0.0.1"), (b"sec-fetch-site", b"same-origin"), (b"authorization", b"Basic " + credentials)


@dataclass(frozen=True)
class Place:
    """A console over a filled store, and a way into it."""

    app: ASGIApp
    store: Store
    settings: StoreSettings

    def ask(self, method: str, path: str, form: str = "", login: str = OPERATOR) -> tuple[int, str]:
        """Status and text of an answer."""
        body = bytearray()
        where, _, query = path.partition("?")
        code = asyncio.run(status(self.app, method, where, query, form.encode(), headers(login), body))
        return code, body.decode()

    def post(self, path: str, form: str = "") -> None:
        """Do as an operator does by a form."""
        code, text = self.ask("POST", path, form)
        assert code in (303, 404), (path, code, text)

    def page(self, fingerprint: str) -> str:
        """The path of the page of a group."""
        return group_page(self.store.lists.by_fingerprint(fingerprint)[0].standing.group.identity)


@contextmanager
def made(folder: Path, template: Path) -> Iterator[Place]:
    """A console with two logins over a copy of the filled store."""
    shutil.copytree(template, folder, dirs_exist_ok=True)
    (folder / "operator").write_text("open sesame")
    (folder / "reader").write_text("look only")
    (folder / "config.toml").write_text(CONFIG.format(folder=folder))
    loaded = configuration.load(folder / "config.toml")
    passwords = {
        key: Secret(file=str(folder / name)) for key, name in (("password", "operator"), ("reader_password", "reader"))
    }
    config: Config = loaded.model_copy(update={"console": ConsoleSettings.model_validate(passwords)})
    store = open_store(config.store)
    try:
        yield Place(site(config, store, Clock()), store, config.store)
    finally:
        store.close()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a filled store."""
    folder = tmp_path_factory.mktemp("filled")
    changes.filled(folder)
    return folder


@pytest.fixture
def place(tmp_path: Path, template: Path) -> Iterator[Place]:
    with made(tmp_path, template) as console:
        yield console


@dataclass(frozen=True)
class Scenario:
    """How an operator comes to an action, and the entries that it leaves: action, kind and beginning of the subject of each."""

    action: str
    entries: tuple[tuple[str, str, str], ...]
    group: str = ""
    form: str = ""
    number: int = 1
    name: str = ""
    before: tuple[tuple[str, str], ...] = field(default=())  # actions that come first

    def path(self, place: Place) -> str:
        page = place.page(self.group) if self.group else ""
        return (
            self.action.replace(GROUP, page).replace("{number:number}", str(self.number)).replace("{name}", self.name)
        )

    def content(self, place: Place) -> str:
        """The form, in which `{dead0}` is the choice of that group in a list."""
        return re.sub(r"\{(\w+)\}", lambda name: choice_of(place.store.lists.by_fingerprint(name[1])[0]), self.form)


SCENARIOS = tuple(
    Scenario(path, entries, **facts)
    for path, entries, facts in (
        ("/groups", (("hold", "group", "10cced"), ("hold", "group", "dead0")), {"form": "do=hold&group-{10cced}=on&group-{dead0}=on"}),
        (GROUP + "/sync", (("sync", "group", "10cced"),), {"group": "10cced"}),
        (GROUP + "/file", (("file", "group", "dead0"),), {"group": "dead0", "form": "reason=now"}),
        (GROUP + "/hold", (("hold", "group", "dead0"),), {"group": "dead0", "form": "reason=wait"}),
        (GROUP + "/end-hold", (("end hold", "group", "dead0"),), {"group": "dead0", "before": (("/groups/dead0/hold", ""),)}),
        (GROUP + "/alias", (("add alias", "group", "10cced"),), {"group": "10cced", "form": "target=dead0"}),
        (GROUP + "/end-alias", (("remove alias", "group", "10cced"),), {"group": "10cced", "before": (("/groups/10cced/alias", "target=dead0"),)}),
        (GROUP + "/relink", (("relink", "group", "10cced"),), {"group": "10cced", "form": "issue=made-by-hand"}),
        (GROUP + "/retry", (("retry", "group", "dead0"),), {"group": "dead0"}),
        (GROUP + "/discard", (("discard", "group", "dead0"),), {"group": "dead0"}),
        (GROUP + "/replay", (("replay", "group", "dead0"),), {"group": "dead0"}),
        ("/dead/retry-all", tuple(("retry", "group", name) for name in ("10cced", "d0ub7", "dead0")), {}),
        ("/deliveries/{number:number}/replay", (("replay", "delivery", "1"),), {}),
        ("/quarantine/{number:number}/replay", (("replay", "delivery", "quarantine/2"),), {"number": 2}),
        ("/quarantine/{number:number}/discard", (("discard", "delivery", "quarantine/1"),), {}),
        ("/trackers/{name}/pause", (("pause", "tracker", "here"),), {"name": "here", "form": "reason=moving"}),
        ("/trackers/{name}/resume", (("resume", "tracker", "here"),), {"name": "here", "before": (("/trackers/here/pause", ""),)}),
        ("/routes/{name}/pause", (("pause", "route", "game"),), {"name": "game", "form": "reason=moving"}),
        ("/routes/{name}/resume", (("resume", "route", "game"),), {"name": "game", "before": (("/routes/game/pause", ""),)}),
    )
)  # fmt: skip


def prepare(place: Place, scenario: Scenario) -> None:
    for path, form in scenario.before:
        _, kind, name, action = path.split("/")
        place.post(f"{place.page(name)}/{action}" if kind == "groups" else path, form)


def post_routes(app: ASGIApp) -> set[str]:
    """The paths of all routes that take a POST, as the router has them."""
    assert isinstance(app, Guard)
    assert isinstance(app._app, Starlette)
    return {
        route.path for route in app._app.routes if isinstance(route, HttpRoute) and "POST" in (route.methods or set())
    }


def test_every_route_of_a_change_has_a_scenario(place: Place) -> None:
    assert post_routes(place.app) == {scenario.action for scenario in SCENARIOS}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.action)
def test_a_change_leaves_one_entry_with_its_operator(place: Place, scenario: Scenario) -> None:
    prepare(place, scenario)
    before, named = changes.entries(place.settings), changes.lines(place.settings)
    place.post(scenario.path(place), scenario.content(place))

    entries = changes.entries(place.settings)[len(before) :]
    assert sorted((action, kind, subject) for _, action, kind, subject, _ in entries) == sorted(scenario.entries)
    assert {actor for actor, *_ in entries} == {"console:operator"}
    assert all(" → " in detail for *_, detail in entries)
    about_groups = [subject for _, _, kind, subject, _ in entries if kind == "group"]
    lines = changes.lines(place.settings)[len(named) :]
    assert sorted(fingerprint for fingerprint, *_ in lines) == sorted(about_groups)
    assert {actor for *_, actor in lines} <= {"console:operator"}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.action)
def test_a_reader_changes_nothing(place: Place, scenario: Scenario) -> None:
    prepare(place, scenario)
    before, entries = changes.contents(place.settings), changes.entries(place.settings)
    code, text = place.ask("POST", scenario.path(place), scenario.content(place), READER)

    assert (code, text) == (403, "console:reader may read this console and change nothing.\n")
    assert (changes.contents(place.settings), changes.entries(place.settings)) == (before, entries)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a_reader_may_use_no_other_method(place: Place, method: str) -> None:
    assert place.ask(method, "/trackers/here/pause", "", READER)[0] == 403


def every_page(place: Place, login: str) -> dict[str, str]:
    """All pages that links without a filter lead to, by path."""
    pages, queue = dict[str, str](), ["/", "/releases?project=game", "/releases?project=game&release=1.0"]
    while queue:
        path = queue.pop()
        if path in pages or path.endswith((".css", ".svg")):
            continue
        code, pages[path] = place.ask("GET", path, "", login)
        assert code in (200, 404), path
        queue += [html.unescape(each) for each in re.findall(r'href="(/[^"?]*)"', pages[path])]
    return pages


def test_a_reader_sees_every_page_and_no_form_that_changes_anything(place: Place) -> None:
    place.post("/routes/game/pause")
    place.post(f"{place.page('dead0')}/hold", "reason=wait")
    as_operator, as_reader = every_page(place, OPERATOR), every_page(place, READER)

    assert as_reader.keys() == as_operator.keys()
    for path in PAGES:
        pattern = re.sub(r"\{\w+:segment\}", "[^/]+", re.sub(r"\{\w+:number\}", r"\\d+", path))
        assert any(re.fullmatch(pattern, entry.partition("?")[0]) for entry in as_reader), path
    assert sum('method="post"' in page for page in as_operator.values()) > 10
    for path, page in as_reader.items():
        assert 'method="post"' not in page, path
        assert 'class="sure"' not in page, path
        assert page.count("<button") <= page.count("<button>Show") + page.count('<button type="button" class="copy"'), (
            path
        )
    assert "console:reader, reads only" in as_reader["/"]
    assert "console:operator</span>" in as_operator["/"]


@given(order=st.lists(st.sampled_from(SCENARIOS), min_size=1, max_size=10))
@hypothesis_settings(max_examples=12)
def test_there_is_an_entry_exactly_where_something_changed(template: Path, order: list[Scenario]) -> None:
    """Also where an action is repeated, comes too late, or contradicts the one before."""
    with TemporaryDirectory() as folder, made(Path(folder), template) as place:
        for scenario in order:
            before, count = changes.contents(place.settings), len(changes.entries(place.settings))
            place.post(scenario.path(place), scenario.content(place))
            entries = changes.entries(place.settings)[count:]
            assert bool(entries) == (changes.contents(place.settings) != before), scenario.action
            assert {actor for actor, *_ in entries} <= {"console:operator"}
            subjects = [(kind, subject) for _, _, kind, subject, _ in entries]
            assert len(subjects) == len(set(subjects)), "one entry for each subject"


def test_the_page_of_the_audit_filters_and_continues(place: Place) -> None:
    for at in range(60):
        place.post("/trackers/here/pause", f"reason=round {at}")
    place.post(f"{place.page('dead0')}/hold", "reason=<b>wait</b>")
    first = place.ask("GET", "/audit")[1]
    assert "next page" in first
    assert "&lt;b&gt;wait" in first
    assert "round 59" in first
    path = html.unescape(re.findall(r'href="([^"]*)" rel="next"', first)[0])
    second = place.ask("GET", path)[1]
    assert "round 0" in second
    assert "round 59" not in second

    for query, count in (("actor=operator", 50), ("actor=console:operator", 50), ("actor=nobody", 0), ("subject=dead", 1), ("subject=DEAD0", 1), ("subject=%25", 0)):  # fmt: skip
        page = place.ask("GET", f"/audit?{query}")[1]
        assert page.count("<tr><td><time") == count, query
    assert place.ask("GET", "/audit?after=x")[0] == 404


def test_the_timeline_of_a_group_names_the_operator(place: Place) -> None:
    page = place.page("dead0")
    place.post(f"{page}/hold", "reason=wait")
    assert 'by <a href="/audit?actor=console%3Aoperator">console:operator</a>' in place.ask("GET", page)[1]
