"""The route that matches a group, and the labels and owner of a new issue."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from syncd.core import conditions, patterns, policy
from syncd.core.policy import LabelRule, OwnerRule, Policy
from syncd.model import Group, GroupKind, Point, ProjectRelease, Release
from tests.factories import make_group, make_policy
from tests.golden import golden

GROUP = make_group(
    universe="acme",
    project="game",
    application="client",
    classifiers=("segfault", "startup"),
    releases=(Release(release="2.3.1", occurrences=1), Release(release="2.4.0", occurrences=1)),
    attributes=(
        ("os", ("Windows 11", "Linux")),
        ("environment", ("production",)),
        ("error.type", ("Hang", "OOMException")),
        ("region", ("eu", "us")),
    ),
    attribute_counts=((6, 2), (), (5, 4), ()),
)


def a_route(name: str = "main", **match: Any) -> Policy:
    return make_policy(name, match=match)


@pytest.mark.parametrize(
    ("match", "takes"),
    [
        pytest.param({"classifiers": "segfault"}, True, id="one of several classifiers"),
        pytest.param({"classifiers": ["hang", "start*"]}, True, id="one of several patterns"),
        pytest.param({"classifiers": "hang"}, False, id="no classifier"),
        pytest.param({"error_type": "hang"}, True, id="an error type in lower case"),
        pytest.param({"error_type": ["crash", "OOM*"]}, True, id="a pattern of error types"),
        pytest.param({"error_type": "/^HANG$/"}, True, id="an expression for error types"),
        pytest.param({"error_type": ["crash", "hang?"]}, False, id="no error type"),
        pytest.param({"not": {"error_type": "hang"}}, False, id="excluded by an error type"),
        pytest.param({"not": {"error_type": "message"}}, True, id="not excluded by an error type"),
        pytest.param({"releases": "2.4.*"}, True, id="a release"),
        pytest.param({"releases": "3.*"}, False, id="no release"),
        pytest.param({"attributes": {"os": "Windows*"}}, True, id="an attribute"),
        pytest.param({"attributes": {"os": "mac*"}}, False, id="another value"),
        pytest.param({"attributes": {"device": "*"}}, False, id="an attribute that is not there"),
        pytest.param({"attributes": {"os": "Linux", "environment": "prod*"}}, True, id="two attributes"),
        pytest.param({"attributes": {"os": "Linux", "environment": "test"}}, False, id="one of two attributes"),
        pytest.param({"not": {"classifiers": "startup"}}, False, id="excluded by a classifier"),
        pytest.param({"not": {"classifiers": "hang"}}, True, id="not excluded"),
        pytest.param({"not": {"project": "web", "classifiers": "startup"}}, False, id="excluded by either key"),
        pytest.param({"project": "game", "not": {"releases": "2.3.*"}}, False, id="excluded by a release"),
        pytest.param({"not": {"attributes": {"os": "Linux"}}}, False, id="excluded by an attribute"),
        pytest.param({"application": ["client", "server"], "universe": "acme"}, True, id="all keys"),
        pytest.param({"releases": ">= 2.4"}, True, id="a release from here on"),
        pytest.param({"releases": ">=2.4.1"}, False, id="none of its releases from here on"),
        pytest.param({"releases": "< 2.4-rc1"}, True, id="a release before the candidate"),
        pytest.param({"releases": ">= 2.3, < 2.3.1"}, False, id="a range"),
        pytest.param({"releases": ["9.*", "> 2.3.1, <= 2.4"]}, True, id="a pattern or a range"),
        pytest.param({"releases": ">= 2, < 3"}, True, id="a range of whole numbers"),
        pytest.param({"releases": "> 20241105"}, False, id="a release that is not comparable"),
        pytest.param({"first_release": ">= 2.4"}, False, id="first noticed before"),
        pytest.param({"first_release": "2.3.*"}, True, id="first noticed in a line"),
        pytest.param({"not": {"first_release": "< 2.4"}}, False, id="excluded by the first release"),
        pytest.param({"attributes": {"os": "/^win/i"}}, True, id="an expression that ignores case"),
        pytest.param({"attributes": {"os": "/^win/"}}, False, id="an expression that does not"),
        pytest.param({"attributes": {"os": "(?i)windows"}}, True, id="an expression with flags"),
        pytest.param({"attributes": {"os": "/windows (7|8)/i"}}, False, id="an expression with choices"),
        pytest.param({"classifiers": ["hang", "/^seg.ault$/"]}, True, id="a pattern or an expression"),
        pytest.param({"commonest": {"os": "Windows*"}}, True, id="the commonest value"),
        pytest.param({"commonest": {"os": "Linux"}}, False, id="a value that is not the commonest"),
        pytest.param({"shares": {"os": "/^win/i 75%"}}, True, id="a share that is just met"),
        pytest.param({"shares": {"os": "Windows* 76%"}}, False, id="a share that is just missed"),
        pytest.param({"shares": {"os": ["*BSD 1%", "Linux 25%"]}}, True, id="one of several shares"),
        pytest.param({"shares": {"environment": "production 100%"}}, True, id="the single value, which nobody counted"),
        pytest.param({"shares": {"region": "eu 1%"}}, False, id="several values, which nobody counted"),
        pytest.param({"shares": {"device": "* 1%"}}, False, id="a share of an attribute that is not there"),
        pytest.param({"not": {"shares": {"os": "Linux 25%"}}}, False, id="excluded by a share"),
        pytest.param({"application": "client", "universe": "other"}, False, id="all keys but one"),
    ],
)
def test_a_route_matches_groups_that_fit_each_of_its_keys_and_none_of_its_not(
    match: dict[str, Any], takes: bool
) -> None:
    assert (policy.route(GROUP, [a_route(**match)]) is not None) is takes


@pytest.mark.parametrize(
    ("release", "pattern", "takes"),
    [("3.0", ">= 3", True), ("2.9", ">= 3", False), ("3", ">= 3", True), ("7", ">= 3", True), ("2", ">= 3", False)],
)
def test_a_whole_number_bounds_versions_and_whole_numbers(release: str, pattern: str, takes: bool) -> None:
    group = make_group(releases=(Release(release=release, occurrences=1),))

    assert (policy.route(group, [a_route(releases=pattern)]) is not None) is takes


@pytest.mark.parametrize(
    ("match", "place", "may_take"),
    [
        pytest.param({}, ("acme", "game", "client"), True, id="no condition"),
        pytest.param({"project": "game"}, ("acme", "game", "client"), True, id="its project"),
        pytest.param({"project": "web"}, ("acme", "game", "client"), False, id="another project"),
        pytest.param(
            {"universe": "other", "project": "game"}, ("acme", "game", "client"), False, id="another universe"
        ),
        pytest.param({"application": "client"}, ("acme", "game", "client"), True, id="its application"),
        pytest.param({"application": "server"}, ("acme", "game", "client"), False, id="another application"),
        pytest.param({"application": "server"}, ("acme", "game", ""), True, id="an unknown application"),
        pytest.param({"classifiers": "hang"}, ("acme", "game", "client"), True, id="classifiers may be any"),
        pytest.param({"not": {"project": "game"}}, ("acme", "game", "client"), False, id="its project excluded"),
        pytest.param({"not": {"project": "web"}}, ("acme", "game", "client"), True, id="another project excluded"),
        pytest.param({"not": {"application": "client"}}, ("acme", "game", ""), True, id="an application excluded"),
        pytest.param({"not": {"classifiers": "hang"}}, ("acme", "game", "client"), True, id="classifiers excluded"),
        pytest.param({"project": "web", "not": {"project": "shop"}}, ("acme", "game", ""), False, id="neither"),
        pytest.param({"project": "game", "not": {"universe": "acme"}}, ("acme", "game", ""), False, id="both"),
    ],
)
def test_a_route_may_take_groups_of_a_place_unless_that_is_excluded(
    match: dict[str, Any], place: tuple[str, str, str], may_take: bool
) -> None:
    assert policy.may_take(a_route(**match).match, *place) is may_take


@pytest.mark.parametrize(
    ("users", "least", "issues"), [(None, 1, 9), (0, 1, 9), (1, 1, 10), (99, 100, 9), (100, 100, 10), (101, 100, 10)]
)
def test_a_part_of_the_limit_is_for_groups_with_many_users(users: int | None, least: int, issues: int) -> None:
    route = make_policy(max_new_issues=["10/1h"], reserve_percent=10, reserve_min_users=least)

    assert [limit.count for limit in route.limits_of(users)] == [issues]


def test_a_storm_belongs_to_the_route_it_is_named_after_whatever_that_matches() -> None:
    storm = make_group(universe="syncd", project="second", kind=GroupKind.STORM)
    routes = [a_route("first"), a_route("second", project="web")]

    assert policy.route(storm, routes) is routes[1]
    assert policy.route(make_group(project="gone", kind=GroupKind.STORM), routes) is None


@pytest.mark.parametrize(
    ("earlier", "later", "reachable"),
    [
        pytest.param({}, {"project": "game"}, False, id="everything before something"),
        pytest.param({"project": "game"}, {}, True, id="something before everything"),
        pytest.param({"project": "*"}, {"project": "game"}, False, id="a star covers a word"),
        pytest.param({"project": "*"}, {"project": "/^ga/"}, False, id="a star covers an expression"),
        pytest.param({"project": "/^ga/"}, {"project": "/^ga/"}, False, id="an expression covers itself"),
        pytest.param({"project": "game-*"}, {"project": "game-server"}, False, id="a glob covers a word"),
        pytest.param({"project": "game-*"}, {"project": "game-s*"}, False, id="a glob covers a longer glob"),
        pytest.param({"project": "game-s*"}, {"project": "game-*"}, True, id="not the other way round"),
        pytest.param({"project": ["a", "b"]}, {"project": "b"}, False, id="one of a list"),
        pytest.param({"project": "a"}, {"project": ["a", "b"]}, True, id="a part of a list"),
        pytest.param({"project": "game", "classifiers": "oom"}, {"project": "game"}, True, id="one condition more"),
        pytest.param({"project": "game"}, {"project": "game", "classifiers": "oom"}, False, id="one condition less"),
        pytest.param({"not": {"project": "web"}}, {"project": "game"}, True, id="a not leaves something"),
        pytest.param({"attributes": {"os": "W*"}}, {"attributes": {"os": "Windows"}}, False, id="an attribute"),
        pytest.param({"attributes": {"os": "*"}}, {"attributes": {"device": "x"}}, True, id="another attribute"),
        pytest.param({"project": "g?me"}, {"project": "game"}, False, id="a question mark covers a letter"),
        pytest.param({"project": "g?me"}, {"project": "ga*"}, True, id="wildcards nobody can compare"),
        pytest.param({"project": "g[ab]*"}, {"project": "ga*"}, True, id="a set of letters"),
        pytest.param({"project": "game-*"}, {"project": "games*"}, True, id="a glob with another beginning"),
        pytest.param({"project": "game?*"}, {"project": "game?x*"}, True, id="a wildcard before the star"),
    ],
)
def test_a_route_behind_one_that_takes_everything_it_would_can_never_match(
    earlier: dict[str, Any], later: dict[str, Any], reachable: bool
) -> None:
    never = list(policy.unreachable([a_route("first", **earlier), a_route("second", **later)]))

    assert [taken.name for taken, _ in never] == ([] if reachable else ["second"])
    for _, reason in never:
        golden("routes", "behind a route that matches all of its groups", reason)


@pytest.mark.parametrize(
    ("match", "key"),
    [
        ({"project": "game", "not": {"project": "g*"}}, "project"),
        ({"project": ["game", "web"], "not": {"project": ["web", "game"]}}, "project"),
        ({"universe": "acme", "project": "game", "not": {"universe": "acme", "project": "g*"}}, "universe"),
        ({"project": ["game", "web"], "not": {"project": "web"}}, None),
        ({"classifiers": "oom", "not": {"classifiers": "oom"}}, None),
        ({"not": {"project": "*"}}, None),
    ],
)
def test_a_route_that_excludes_its_own_condition_can_never_match(match: dict[str, Any], key: str | None) -> None:
    never = list(policy.unreachable([a_route(**match)]))

    assert len(never) == (key is not None)
    for _, reason in never:
        golden("routes", f"excludes its own {key}", reason)


values = st.sampled_from(["a", "ab", "abc", "b", ""])
globs = st.sampled_from(["a", "a*", "ab*", "*", "?", "b", "[ab]*", "*b"])
matches = st.fixed_dictionaries(
    {},
    optional={
        "project": st.lists(globs, min_size=1, max_size=2),
        "application": st.lists(globs, min_size=1, max_size=2),
        "classifiers": st.lists(globs, min_size=1, max_size=2),
    },
)
groups = st.builds(
    lambda project, application, classifiers: make_group(
        project=project or "p", application=application, classifiers=tuple(classifiers)
    ),
    values,
    values,
    st.lists(values, max_size=2),
)


@given(matches, matches, st.lists(groups, min_size=1, max_size=20))
def test_a_route_reported_as_unreachable_never_matches(
    earlier: dict[str, Any], later: dict[str, Any], some: list[Group]
) -> None:
    routes = [a_route("first", **earlier), a_route("second", **later)]
    never = {taken.name for taken, _ in policy.unreachable(routes)}

    for group in some:
        taken = policy.route(group, routes)
        assert taken is None or taken.name not in never


@pytest.mark.parametrize(
    ("case", "match"),
    [
        ("none of two patterns", {"project": ["web", "shop"]}),
        ("an attribute", {"project": "game", "attributes": {"os": "mac*"}}),
        ("the first of two conditions", {"universe": "x", "project": "web"}),
        ("excluded", {"not": {"releases": "9.*", "classifiers": ["oom", "seg*"]}}),
    ],
)
def test_a_route_that_does_not_match_has_a_reason(case: str, match: dict[str, Any]) -> None:
    reason = policy.hindrance(GROUP, a_route(**match).match)

    assert policy.route(GROUP, [a_route(**match)]) is None
    assert reason is not None
    golden("routes", case, reason)


@pytest.mark.parametrize("match", [{}, {"project": "game", "not": {"classifiers": "hang"}}])
def test_a_route_that_matches_has_no_hindrance(match: dict[str, Any]) -> None:
    assert policy.hindrance(GROUP, a_route(**match).match) is None


def test_labels_come_from_classifiers_and_attributes_each_once() -> None:
    rules = [
        LabelRule(classifier="segfault", label="memory"),
        LabelRule(classifier="*", label="memory"),
        LabelRule(classifier="hang", label="hang"),
        LabelRule(attribute="os", value="W*", label="os-{value}"),
        LabelRule(attribute="environment", label="{value}"),
        LabelRule(attribute="device", label="device"),
        LabelRule(error_type="hang", label="kind-{value}"),
        LabelRule(error_type="crash", label="crash"),
    ]

    assert policy.labels(GROUP, rules) == ("memory", "os-Windows 11", "production", "kind-Hang")
    assert policy.labels(GROUP, []) == ()


STACK = make_group(callstack=("libc.so.6!abort", "libaudio.so!Audio::open(int)", "game.exe!main"))


@pytest.mark.parametrize(
    ("rules", "owner"),
    [
        ([{"frame": "Audio::*", "assignee": "alice"}], ("alice", None)),
        ([{"frame": "Video::*", "assignee": "bob"}, {"frame": "Audio::*", "assignee": "alice"}], ("alice", None)),
        ([{"frame": "main", "assignee": "bob"}, {"frame": "Audio::*", "assignee": "alice"}], ("bob", None)),
        ([{"module": "libaudio*", "component": "Audio"}], (None, "Audio")),
        ([{"module": "libaudio*", "frame": "Audio::*", "component": "Audio", "assignee": "a"}], ("a", "Audio")),
        ([{"module": "libvideo*", "frame": "Audio::*", "component": "Audio"}], (None, None)),
        ([{"module": "libaudio*", "frame": "Video::*", "component": "Audio"}], (None, None)),
        ([], (None, None)),
    ],
)
def test_the_first_owner_rule_that_fits_assigns_the_issue(
    rules: list[dict[str, str]], owner: tuple[str | None, str | None]
) -> None:
    assert policy.owner(STACK, [OwnerRule(**rule) for rule in rules]) == owner


def test_a_pattern_minds_the_case() -> None:
    assert patterns.fits("Game", ["web", "G*"])
    assert not patterns.fits("game", ["G*"])
    assert not patterns.fits("game", [])


DOUBTFUL = [
    ("attributes", ">=2.4"),
    ("project", "< 3"),
    ("attributes", "^Windows"),
    ("classifiers", "oom|hang"),
    ("label", r"Windows \d+"),
    ("owner", "Renderer::.*"),
    ("application", "game "),
    ("application", " game"),
    ("universe", ""),
    ("releases", ">= latest"),
    ("releases", ">= 2.*"),
    ("releases", ">= 3, < 2.9"),
    ("first_release", "> 2.4, <= 2.4"),
    ("releases", "== 2.4, < 2.4"),
    ("releases", ">= 2.4 < 3"),
]


@pytest.mark.parametrize(("condition", "pattern"), DOUBTFUL)
def test_a_pattern_that_can_match_nothing_has_a_reason(condition: str, pattern: str) -> None:
    assert conditions.doubtful(condition, pattern)


@pytest.mark.parametrize(
    ("condition", "pattern"),
    [
        *((key, "/^a|b$/i") for key in ("project", "releases")),
        ("releases", ">= 2.4"),
        ("releases", ">= 2.4, <= 2.4"),
        ("releases", "== 2.4"),
        ("first_release", "> 2.4-beta, < 3"),
        ("releases", "1.2.3 (*)"),
        ("releases", "2.*"),
        ("releases", "1.2.3+46"),
        ("owner", "com.acme.*"),
        ("owner", "com.acme.Game$Loop.*"),
        ("owner", "operator||*"),
        ("attributes", "C:\\Users*"),
        ("owner", "*::operator()*"),
        ("attributes", "C:*"),
        ("project", "*"),
        ("classifiers", "[!a-c]*?"),
    ],
)
def test_a_pattern_that_can_match_has_none(condition: str, pattern: str) -> None:
    assert conditions.doubtful(condition, pattern) is None


numbers = st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda pair: f"{pair[0]}.{pair[1]}")
ranges = st.lists(
    st.tuples(st.sampled_from(["<", "<=", ">", ">=", "=="]), numbers).map(" ".join), min_size=1, max_size=3
)


@given(ranges, numbers)
def test_a_range_without_releases_takes_none_of_them(comparisons: list[str], release: str) -> None:
    pattern = ", ".join(comparisons)
    fitting = policy.route(make_group(releases=(Release(release=release, occurrences=1),)), [a_route(releases=pattern)])
    signs = {"<": float.__lt__, "<=": float.__le__, ">": float.__gt__, ">=": float.__ge__, "==": float.__eq__}
    pairs = [each.split() for each in comparisons]

    assert (fitting is not None) is all(signs[sign](float(release), float(bound)) for sign, bound in pairs)
    assert fitting is None or conditions.doubtful("releases", pattern) is None


RULES = [
    {"when": {"min_users": 100}, "priority": "High", "labels": ["many"]},
    {
        "when": {"classifiers": "segfault", "not": {"releases": ">= 3"}},
        "priority": "Low",
        "issue_type": "Task",
        "fields": {"Team": "A"},
    },
    {
        "when": {"min_occurrences": 5, "attributes": {"os": "/^win/i"}},
        "assignee": "ada",
        "fields": {"Team": "B", "Points": 3},
    },
    {"component": "Client", "milestone": "Triage"},
]


def test_the_first_rule_that_matches_sets_each_key_and_each_field() -> None:
    rules = make_policy(set=RULES).set
    few = policy.settings(replace(GROUP, users=99, occurrences=4), rules)
    many = policy.settings(replace(GROUP, users=100, occurrences=5), rules)

    assert (few.priority, few.issue_type, few.labels, few.assignee) == ("Low", "Task", (), None)
    assert few.fields == {"Team": "A"}
    assert (many.priority, many.labels, many.assignee, many.component) == ("High", ("many",), "ada", "Client")
    assert many.fields == {"Team": "A", "Points": 3}
    assert many.milestone == "Triage"
    assert policy.hindrance(GROUP, rules[0].when) == "it has 0 of 100 users"


@pytest.mark.parametrize(
    ("first_seen", "points", "reason"),
    [
        # All occurrences are within the window: its users are counted.
        (95_000, [(96_000.0, 3, 12), (99_000.0, 5, 30)], None),
        (95_000, [(96_000.0, 300, 12), (99_000.0, 500, 19)], "it has 19 of 20 users"),
        # An old group whose sender counts the users of all time.
        (1_000, [(2_000.0, 300, 40), (99_000.0, 305, 41)], "it has at most 5 of 20 users"),
        (1_000, [(2_000.0, 300, 40), (99_000.0, 340, 41)], None),
        (1_000, [(2_000.0, 300, 40)], "it has at most 0 of 20 users"),
    ],
)
def test_users_within_a_window_are_counted_in_a_young_group_and_a_bound_in_an_old_one(
    first_seen: int, points: list[tuple[float, int, int]], reason: str | None
) -> None:
    trail = tuple(Point(at=at, occurrences=count, users=users) for at, count, users in points)
    users = max(point.users for point in trail)
    group = make_group(first_seen=first_seen, trail=trail, occurrences=trail[-1].occurrences, users=users)

    assert policy.hindrance(group, policy.When(min_users=20, within=10_000.0), now=100_000.0) == reason
    assert policy.hindrance(group, policy.When(min_users=10), now=100_000.0) is None
    on_machines = replace(
        group, trail=tuple(Point(at=at, occurrences=count, hosts=hosts) for at, count, hosts in points)
    )
    of_machines = None if reason is None else reason.replace("users", "machines")
    assert policy.hindrance(on_machines, policy.When(min_hosts=20, within=10_000.0), now=100_000.0) == of_machines


def test_a_rule_without_numbers_is_for_groups_that_had_none_of_late() -> None:
    group = make_group(trail=(Point(at=2_000.0, occurrences=1),))

    assert policy.hindrance(group, policy.When(within=10_000.0), now=100_000.0) is None


@pytest.mark.parametrize(("first", "is_new"), [("2.4", True), ("2.3", False), (None, False)])
def test_a_rule_may_be_for_groups_that_are_new_in_the_last_releases(first: str | None, is_new: bool) -> None:
    project = [ProjectRelease(name, float(at), True) for at, name in enumerate(["2.2", "2.3", "2.4"])]
    group = make_group(releases=() if first is None else (Release(release=first, occurrences=1, noticed_at=1.0),))
    reason = policy.hindrance(group, policy.When(new_in_last=1), project)

    assert reason == (None if is_new else "it occurred first before the last 1 release of its project")
