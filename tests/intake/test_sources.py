"""One suite for every kind of source: what its bodies become, and what never does."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.config.sources import kinds
from syncd.core import fold, paths
from syncd.core.counts import Counting
from syncd.errors import RejectedDelivery
from syncd.intake.opening import open_sources
from syncd.intake.sources.backtrace import parse, recognise, recognise_large
from syncd.intake.sources.source import OpenSource
from syncd.intake.sources.values import Reading
from syncd.model import Group, Notification
from tests.intake.source_bodies import CUMULATIVE, MAKERS, PERSONAL, RESOLVING, backtrace, config, section, sentry_issue

NOW = 1_796_080_000.0
KINDS = sorted(MAKERS)


def source(kind: str, name: str = "", **keys: Any) -> OpenSource:
    label = name or kind
    return open_sources(config(**{label: section(kind, **keys)}))[label]


def notifications(opened: OpenSource, *bodies: object) -> list[Notification]:
    """All notifications in bodies that nothing of is refused."""
    read = []
    for body in bodies:
        prepared = opened.prepare(json.dumps(body).encode())
        assert not prepared.rejected, prepared.rejected
        read += [opened.parse(part, NOW) for part, _ in prepared.parts]
    return read


def folded(opened: OpenSource, *bodies: object) -> Group:
    """The group of these bodies, each digest once."""
    once = {notification.digest: notification for notification in notifications(opened, *bodies)}
    assert opened.mode is not None
    return fold.fold_all(None, [*once.values()], Counting(mode=opened.mode), lambda place: [*once.values()][place])[0]


def test_every_kind_has_a_body_here() -> None:
    assert {*KINDS, "backtrace"} == set(kinds())


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_names_crash_project_and_title(kind: str) -> None:
    (notification,) = notifications(source(kind), MAKERS[kind]())

    identity = notification.identity
    assert identity.universe == f"source:{kind}"
    assert identity.project in ("shop", "1717", "90")
    assert "c1" in identity.fingerprint
    assert notification.message
    assert notification.last is not None


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_stored_has_nothing_personal_and_is_read_again_as_the_same(kind: str) -> None:
    opened = source(kind)

    ((part, identity),) = opened.prepare(json.dumps(MAKERS[kind]()).encode()).parts
    assert [text for text in PERSONAL if text.encode() in part] == []
    assert opened.prepare(part).parts == ((part, identity),)
    assert opened.parse(part, NOW).identity == identity


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_personal_reaches_the_quarantine(kind: str) -> None:
    """Every source gets the bodies of every other kind, and its own without a fingerprint."""
    opened = source(kind)
    own = json.dumps(MAKERS[kind]()).replace('"c1"', "null").replace("issues/c1", "").replace("errors/c1", "")
    for body in [own, *(json.dumps(make()) for name, make in MAKERS.items() if name != kind)]:
        prepared = opened.prepare(body.encode())
        kept = b"".join(part for part, _ in (*prepared.rejected, *prepared.parts))
        assert [text for text in PERSONAL if text.encode() in kept] == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_crash_of_two_sources_is_two_groups(kind: str) -> None:
    bodies = json.dumps(MAKERS[kind]()).encode()

    ((_, here),) = source(kind, "here").prepare(bodies).parts
    ((_, there),) = source(kind, "there").prepare(bodies).parts
    assert (here.project, here.fingerprint) == (there.project, there.fingerprint)
    assert here.universe != there.universe


def test_no_body_names_the_universe_of_a_source() -> None:
    body = json.dumps(backtrace() | {"universe": "source:here"}).encode()

    for read in (recognise, recognise_large, lambda body: parse(body, NOW, Reading())):
        with pytest.raises(RejectedDelivery, match="only the groups of configured sources") as error:
            read(body)
        assert (error.value.code, error.value.field) == ("bad_universe", "universe")


def test_two_sources_of_backtrace_never_meet_either() -> None:
    body = json.dumps(backtrace()).encode()

    ((_, here),) = source("backtrace", "here").prepare(body).parts
    assert here.universe == "source:here:acme"
    assert source("backtrace", "here").parse(body, NOW).identity == here


@pytest.mark.parametrize("kind", KINDS)
def test_a_delivery_that_comes_again_is_the_same_notification(kind: str) -> None:
    first, again = notifications(source(kind), MAKERS[kind](number=3), MAKERS[kind](number=3))

    assert first.digest == again.digest
    assert first.digest != notifications(source(kind), MAKERS[kind](number=4))[0].digest


@pytest.mark.parametrize("kind", KINDS)
def test_ten_crashes_count_as_the_kind_says(kind: str) -> None:
    group = folded(source(kind), *(MAKERS[kind](number=number) for number in range(1, 11)))

    assert group.occurrences == 10
    # An alert of Sentry stands for at least one event.
    assert (group.approximate, group.at_most) == (kind == "sentry", None)


@pytest.mark.parametrize("kind", CUMULATIVE)
def test_a_total_counts_what_was_not_sent(kind: str) -> None:
    assert folded(source(kind), MAKERS[kind](number=1), MAKERS[kind](number=5000)).occurrences == 5000


@pytest.mark.parametrize("kind", RESOLVING)
def test_a_resolved_crash_is_no_occurrence(kind: str) -> None:
    make = MAKERS[kind]
    group = folded(source(kind), make(number=1), make(number=1, resolved=True))

    assert group.occurrences == 1
    assert group.source_state is not None
    assert group.source_state.name == "resolved"
    assert (
        folded(source(kind, on_resolved="ignore"), make(number=1), make(number=1, resolved=True)).source_state is None
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_of_another_kind_is_refused_with_its_address(kind: str) -> None:
    if kind == "generic":
        pytest.skip("it takes any shape")
    opened, alike = source(kind), {"alertmanager", "grafana"}
    for name, make in {**MAKERS, "backtrace": backtrace}.items():
        if name in (kind, "generic") or {kind, name} == alike:
            continue
        ((_, error),) = opened.prepare(json.dumps(make()).encode()).rejected
        assert (error.status, error.code) == (422, "other_source"), name
        assert kinds()[name].title in error.message
        assert ("/webhooks/backtrace" if name == "backtrace" else f'kind = "{name}"') in error.message


@pytest.mark.parametrize("kind", KINDS)
def test_the_shape_of_a_kind_fits_its_own_bodies_alone(kind: str) -> None:
    for name, make in MAKERS.items():
        fits = bool(paths.search(kinds()[kind].shape, make()))
        assert fits == (name == kind and kind != "generic"), name


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["", "\x00", "*", "x" * 5000, 2**70]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where anything is in a body."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(below for key, item in items for below in places(item, (*path, key)))]


@given(data=st.data(), kind=st.sampled_from(KINDS), value=values, resolved=st.booleans())
def test_a_body_with_anything_anywhere_is_read_or_refused(
    data: st.DataObject, kind: str, value: Any, resolved: bool
) -> None:
    make = MAKERS[kind]
    body: Any = copy.deepcopy(make(resolved=True) if resolved and kind in RESOLVING else make())
    path = data.draw(st.sampled_from(places(body)))
    if path:
        at = body
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value
    else:
        body = value
    opened = source(kind)
    prepared = opened.prepare(json.dumps(body).encode())
    assert bool(prepared.ignored) != bool(prepared.parts or prepared.rejected)
    for part, identity in prepared.parts:
        notification = opened.parse(part, NOW)
        assert notification.identity == identity
        fold.fold_all(None, [notification], Counting(mode=opened.mode or "auto"), lambda _: notification)  # noqa: B023


@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_is_refused_as_backtraces_is(body: bytes) -> None:
    for kind in KINDS:
        with pytest.raises(RejectedDelivery, match="The body is not JSON") as error:
            source(kind).prepare(body)
        assert (error.value.status, error.value.code) == (400, "not_json")


def test_alerts_of_one_body_are_notifications_of_their_own() -> None:
    body = MAKERS["alertmanager"]("a")
    body["alerts"] += [MAKERS["alertmanager"](crash)["alerts"][0] for crash in "bc"] + [{"status": "firing"}]
    body["truncatedAlerts"] = 4

    prepared = source("alertmanager").prepare(json.dumps(body).encode())
    assert [identity.fingerprint for _, identity in prepared.parts] == ["a", "b", "c"]
    assert [error.code for _, error in prepared.rejected] == ["no_fingerprint"]
    assert prepared.note == "4 alerts were left out by max_alerts of the sender"


def test_one_issue_for_each_group_of_alerts() -> None:
    opened = source("alertmanager", per="group")
    body = MAKERS["alertmanager"]("a")
    body["alerts"].append(MAKERS["alertmanager"]("b")["alerts"][0])
    group = folded(opened, body)
    assert (group.identity.fingerprint, group.occurrences) == (body["groupKey"], 2)

    body["alerts"][0] |= {"status": "resolved", "endsAt": "2026-11-30T21:00:00Z"}
    assert folded(opened, body).source_state is not None
    assert folded(opened, body).source_state.name == "open"  # type: ignore[union-attr]
    assert folded(opened, body | {"status": "resolved"}).source_state.name == "resolved"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("labels", "project"), [({"job": "j", "namespace": "n"}, "n"), ({"job": "j"}, "j"), ({"alertname": "x"}, "syncd")]
)
def test_the_project_of_an_alert(labels: dict[str, str], project: str) -> None:
    body = MAKERS["alertmanager"]()
    body["alerts"][0]["labels"] = labels

    assert notifications(source("alertmanager"), body)[0].identity.project == project
    assert notifications(source("alertmanager", project="ours"), body)[0].identity.project == "ours"


def test_an_event_and_an_issue_of_sentry_are_one_crash() -> None:
    issue = {"action": "unresolved", "data": {"issue": sentry_issue("c1", 57) | {"substatus": "regressed"}}}
    group = folded(source("sentry"), MAKERS["sentry"](), issue)

    assert (group.occurrences, group.users) == (57, 3)
    assert [row.release for row in group.releases] == ["2.4.0"]
    assert group.callstack == ("shop.cart.total (shop/cart.py:12)", "shop.views.checkout (shop/views.py:41)")
    assert group.source_state is not None
    assert group.source_state.name == "regressed"


@pytest.mark.parametrize(
    ("release", "expected"), [("shop@2.4.0+77", "2.4.0"), ("2.4.0", "2.4.0"), ("a1b2c3", "a1b2c3")]
)
def test_the_release_of_sentry_is_without_package_and_build(release: str, expected: str) -> None:
    body = MAKERS["sentry"]()
    body["data"]["event"]["release"] = release

    assert notifications(source("sentry"), body)[0].releases == ((expected, 1),)


@pytest.mark.parametrize("resource", ["installation", "comment", "metric_alert"])
def test_what_sentry_sends_about_no_crash_is_ignored(resource: str) -> None:
    body = {"action": "created", "installation": {"uuid": "7a48"}, "data": {resource: {"id": 1}}}

    assert resource in source("sentry").prepare(json.dumps(body).encode()).ignored


def test_a_test_of_bugsink_and_a_deployment_of_rollbar_are_ignored() -> None:
    assert source("bugsink").prepare(json.dumps(MAKERS["bugsink"]() | {"alert_reason": "TEST"}).encode()).ignored
    assert source("generic", only="crash.app == 'other'").prepare(json.dumps(MAKERS["generic"]()).encode()).ignored


def test_a_list_in_a_generic_body_is_several_notifications() -> None:
    keys: dict[str, Any] = {
        "each": "data.crashes",
        "map": {"fingerprint": "id", "project": "envelope.data.app", "title": "text"},
    }
    body = {"data": {"app": "shop", "crashes": [{"id": 1, "text": "a"}, {"id": 2}, {"text": "c"}]}}

    opened = source("generic", counts="event", **keys)
    prepared = opened.prepare(json.dumps(body).encode())
    assert [(identity.project, identity.fingerprint) for _, identity in prepared.parts] == [
        ("shop", "1"),
        ("shop", "2"),
    ]
    ((kept, error),) = prepared.rejected
    assert "This source reads it from id." in error.message
    assert json.loads(kept) == {"data": {"app": "shop", "crashes": [{"text": "c"}]}}
    assert opened.prepare(kept).rejected[0][0] == kept


def test_the_refused_notifications_of_a_body_are_kept_together_and_repaired_together() -> None:
    body = MAKERS["alertmanager"]("a")
    body["alerts"] += [{"status": "firing", "labels": {"number": str(number)}} for number in range(500)]

    prepared = source("alertmanager").prepare(json.dumps(body).encode())
    assert len(prepared.parts) == 1
    ((kept, _),) = prepared.rejected
    assert [alert["labels"]["number"] for alert in json.loads(kept)["alerts"]] == [str(n) for n in range(500)]


@pytest.mark.parametrize(
    ("alerts", "shared", "fits"), [(2000, 10, True), (2001, 10, False), (500, 30_000, True), (700, 30_000, False)]
)
def test_what_a_body_becomes_is_bounded(alerts: int, shared: int, fits: bool) -> None:
    body = MAKERS["alertmanager"]("a") | {"externalURL": "x" * shared}
    body["alerts"] *= alerts

    prepared = source("alertmanager").prepare(json.dumps(body).encode())
    assert len(prepared.parts) == (alerts if fits else 0)
    assert [error.code for _, error in prepared.rejected] == ([] if fits else ["too_many_notifications"])


def test_a_large_body_with_one_notification_is_one() -> None:
    body = MAKERS["generic"]() | {"more": "x" * 20_000_000}

    assert len(source("generic").prepare(json.dumps(body).encode()).parts) == 1


SENT = Path(__file__).parents[1] / "samples"  # bodies that the programs themselves sent, with other host names


def test_what_alertmanager_sent_is_a_firing_and_its_end() -> None:
    bodies = [json.loads((SENT / f"alertmanager-{name}.json").read_text()) for name in ("firing", "resolved")]
    group = folded(source("alertmanager"), bodies[0], bodies[0], bodies[1])

    assert (group.identity.project, group.identity.fingerprint) == ("shop", "f97248b29e9c6099")
    assert (group.occurrences, group.classifiers) == (1, ("critical",))
    assert group.message == "HighErrorRate: 7 % of requests fail\nsince the deployment"
    assert group.source_state is not None
    assert group.source_state.name == "resolved"


def test_what_bugsink_sent_is_an_issue_with_its_total_and_release() -> None:
    group = folded(source("bugsink"), json.loads((SENT / "bugsink.json").read_text()))

    assert (group.identity.project, group.occurrences) == ("shop", 1)
    assert group.message == "ZeroDivisionError: division by zero"
    assert [row.release for row in group.releases] == ["2.4.0"]
