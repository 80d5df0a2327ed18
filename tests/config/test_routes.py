"""Routes: trackers, names, patterns, policies; limits and schedules of trackers."""

from pathlib import Path

import pytest

from syncd.config import warnings
from syncd.errors import ConfigError
from syncd.worker.presentation import Presentation
from tests.config.conftest import EVERYTHING, GITHUB, LOCAL, Faults, Load, keys


def test_a_route_to_an_unknown_tracker_is_refused_with_the_nearest_name(faults: Faults) -> None:
    problems = faults(GITHUB + EVERYTHING + '"crash"\n' + EVERYTHING + '"x"\n')

    assert keys(problems) == ["routes[0].tracker", "routes[1].tracker"]
    assert ["crashes" in problem for problem in problems] == [True, True]


def test_several_trackers_need_routes(faults: Faults, load: Load) -> None:
    (problem,) = faults(GITHUB + LOCAL)

    assert problem.startswith("routes: ")
    assert load(GITHUB + LOCAL + EVERYTHING + '"files"\n').all_routes[0].tracker == "files"


def test_an_empty_list_of_patterns_is_refused_rather_than_matching_everything(load: Load) -> None:
    with pytest.raises(ConfigError, match=r"routes\[0\]\.match\.project: "):
        load('[trackers.a]\nkind = "local"\nfolder = "x"\n[[routes]]\nmatch = { project = [] }\ntracker = "a"\n')


def test_a_tracker_has_delays_of_probes_and_limits_of_writes(load: Load) -> None:
    loaded = load(
        '[trackers.a]\nkind = "local"\nfolder = "x"\nprobe_after = ["20s", "1m"]\nwrites = ["75/1m", "480/1h"]\n'
    )

    assert loaded.trackers["a"].probe_after == [20.0, 60.0]
    assert [(limit.count, limit.seconds) for limit in loaded.trackers["a"].writes] == [(75, 60.0), (480, 3600.0)]


@pytest.mark.parametrize(
    ("line", "start"),
    [
        ('probe_after = ["1m", "20s"]', "probe_after: "),
        ("probe_after = []", "probe_after: "),
        ('writes = ["75/m"]', "writes[0]: '75/m'"),
        ('writes = ["0/1m"]', "writes[0]: '0/1m' is not a limit; it must allow at least one write, in at most a day"),
    ],
)
def test_an_impossible_limit_or_schedule_is_refused_with_its_key(load: Load, line: str, start: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(f'[trackers.a]\nkind = "local"\nfolder = "x"\n{line}\n')

    assert f"trackers.a.{start}" in str(caught.value)


def test_a_route_decides_about_a_deleted_issue(load: Load) -> None:
    text = '[trackers.a]\nkind = "local"\nfolder = "x"\n[[routes]]\ntracker = "a"\n'

    assert load(text).routes[0].on_deleted == "drop"
    assert load(text + 'on_deleted = "recreate"\n').routes[0].on_deleted == "recreate"
    with pytest.raises(ConfigError, match="on_deleted"):
        load(text + 'on_deleted = "ask"\n')


def test_trackers_with_the_same_secret_on_the_same_server_share_a_credential(load: Load) -> None:
    github = 'kind = "github"\ntoken = {{ env = "{}" }}\nrepository = "acme/{}"\n'
    loaded = load(
        f"[trackers.a]\n{github.format('ONE', 'a')}[trackers.b]\n{github.format('ONE', 'b')}"
        f'[trackers.c]\n{github.format("TWO", "c")}[trackers.d]\nkind = "local"\nfolder = "x"\n'
        f'{EVERYTHING}"a"\n'
    )

    assert loaded.credentials["a"] == loaded.credentials["b"] == "https://api.github.com env ONE"
    assert len(set(loaded.credentials.values())) == 3


TWO = LOCAL + '[[routes]]\nmatch = { project = "a" }\ntracker = "files"\n'


def problems(load: Load, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(text)
    return "\n".join(caught.value.problems)


@pytest.mark.parametrize(
    ("settings", "value"),
    [
        ('timeout = "30s"', "20s"),
        ('timeout = "20s"', "20s"),
        ('timeout = "60s"\nprobe_after = ["45s", "2m"]', "45s"),
        ('probe_after = ["1s", "2m"]', "1s"),
        ('probe_after = ["1m"]', "a single look"),
    ],
)
def test_delays_that_prove_nothing_are_refused(load: Load, settings: str, value: str) -> None:
    (problem,) = problems(load, f"{GITHUB}{settings}\n").split("\n")

    assert "config.toml: trackers.crashes.probe_after: " in problem
    assert value in problem
    assert "set probe_after to" in problem


def test_delays_that_a_remedy_names_are_taken(load: Load) -> None:
    remedy = problems(load, f'{GITHUB}timeout = "45s"\n').partition("such as ")[2]

    assert load(f'{GITHUB}timeout = "45s"\nprobe_after = {remedy}\n')
    assert load(f'{LOCAL}probe_after = ["1s"]\n')


def test_a_route_without_a_name_is_named_by_its_position(load: Load) -> None:
    loaded = load(TWO + '[[routes]]\nname = "rest"\ntracker = "files"\n')

    assert [route.name for route in loaded.all_routes] == ["route-1", "rest"]


@pytest.mark.parametrize("names", [("same", "same"), ("", "route-1"), ("route-2", "")])
def test_two_routes_of_one_name_are_refused(load: Load, names: tuple[str, str]) -> None:
    routes = "".join(
        f'[[routes]]\ntracker = "files"\n{f"name = {chr(34)}{name}{chr(34)}" if name else ""}\n' for name in names
    )

    assert "routes[1].name: " in problems(load, LOCAL + routes)


def test_a_route_matches_on_everything_a_group_has_and_may_exclude(load: Load) -> None:
    more = 'classifiers = "oom", error_type = "hang", releases = ["2.*"], attributes = { "uname.sysname" = "Windows*" }, not = { project = "x" }'
    (route,) = load(LOCAL + f'[[routes]]\nmatch = {{ {more} }}\ntracker = "files"\n').all_routes

    assert route.match.attributes == {"uname.sysname": ("Windows*",)}
    assert (route.match.classifiers, route.match.releases, route.match.unless.project) == (("oom",), ("2.*",), ("x",))
    assert route.match.error_type == ("hang",)


@pytest.mark.parametrize(
    ("line", "start"),
    [
        ("reopen_window = 0", "routes[0].reopen_window"),
        ("min_regression_occurrences = 0", "routes[0].min_regression_occurrences"),
        ('within = "1s"', "routes[0].within"),
        ('on_regression = "close"', "routes[0].on_regression"),
        ('max_new_issues = ["many"]', "routes[0].max_new_issues[0]: "),
        ('labels = [{ label = "x" }]', "routes[0].labels[0]: "),
        ('labels = [{ classifier = "a", attribute = "b", label = "x" }]', "routes[0].labels[0]: "),
        ('owners = [{ assignee = "x" }]', "routes[0].owners[0]: "),
        ('owners = [{ frame = "x" }]', "routes[0].owners[0]: "),
        ("match = { attributes = { os = [] } }", "routes[0].match.attributes.os: "),
        ("match = { not = { projekt = 'x' } }", "did you mean 'project'?"),
        ('min_user = 1', "did you mean 'min_users'?"),
    ],
)  # fmt: skip
def test_an_impossible_policy_is_refused_with_its_key(load: Load, line: str, start: str) -> None:
    assert start in problems(load, LOCAL + f'[[routes]]\ntracker = "files"\n{line}\n')


def test_a_release_pattern_that_is_no_regular_expression_is_refused(load: Load) -> None:
    assert "notifications.release_pattern: " in problems(load, '[notifications]\nrelease_pattern = "("\n')


def test_templates_that_cannot_be_read_are_refused_with_their_route(load: Load, tmp_path: Path) -> None:
    folder = tmp_path / "templates"
    route = LOCAL + f'[[routes]]\nname = "game"\ntracker = "files"\ntemplates = "{folder}"\n'
    with pytest.raises(ConfigError, match=r"routes\.game\.templates: .* has none of title\.j2"):
        Presentation.from_config(load(route))

    folder.mkdir()
    (folder / "body.j2").write_text("{% for %}")
    with pytest.raises(ConfigError, match=r"routes\.game\.templates: .*body\.j2, line 1"):
        Presentation.from_config(load(route))
    (folder / "body.j2").write_text("{{ application }}")
    assert set(Presentation.from_config(load(route)).templates) == {"game"}


def test_patterns_and_settings_without_an_effect_are_warnings(load: Load) -> None:
    """A pattern that can hardly match anything, wherever it is; and a setting that this kind of tracker does not have."""
    loaded = load(
        """
        [trackers.a]
        kind = "local"
        folder = "x"
        [[routes]]
        tracker = "a"
        match = { project = ">=2.4", releases = [">= 2.4", "2.*"], attributes = { os = "^Win" }, shares = { os = ["a|b 5%", "Windows* 5%"] }, not = { commonest = { os = "a|b" } } }
        labels = [{ classifier = "oom$", label = "x" }, { attribute = "os", label = "y" }]
        owners = [{ frame = "/^draw/", module = ".*lib", assignee = "ada" }]
        set = [
          { when = { min_users = 3, first_release = "> next" }, labels = ["many"], priority = "High" },
          { when = { not = { classifiers = "hang " } }, component = "Audio" },
        ]
        """
    )

    assert [warning.partition(": ")[0] for warning in warnings(loaded)] == [
        "routes[0].match.project",
        "routes[0].set[0].when.first_release",
        "routes[0].set[1].when.not.classifiers",
        "routes[0].match.attributes.os",
        "routes[0].match.shares.os",
        "routes[0].match.not.commonest.os",
        "routes[0].labels[0]",
        "routes[0].owners[0]",
        "routes[0].set[0].priority",
    ]


@pytest.mark.parametrize(
    "share", ["production", "50%", "production 0%", "production 101%", "production -5%", "/(/ 5%", ""]
)
def test_a_share_is_a_pattern_and_a_percentage(faults: Faults, share: str) -> None:
    problems = faults(f"""
        [[routes]]
        tracker = "crashes"
        match = {{ shares = {{ environment = ["{share}"] }} }}
    """)

    assert any("routes[0].match.shares.environment" in problem for problem in problems)


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ("{}", "set[0]: "),
        ("{ when = { min_users = 3 } }", "set[0]: "),
        ('{ when = { min_user = 3 }, priority = "High" }', "set[0].when.min_user: "),
        ('{ when = { releases = "/(/" }, priority = "High" }', "set[0].when.releases[0]: "),
        ('{ prioritt = "High" }', "set[0].prioritt: "),
        ('{ fields = { Team = "{{ group.attribute }}" } }', "set[0].fields: "),
    ],
)
def test_a_rule_of_set_that_cannot_work_is_refused(faults: Faults, rule: str, place: str) -> None:
    problems = faults(f'[trackers.a]\nkind = "local"\nfolder = "x"\n[[routes]]\ntracker = "a"\nset = [{rule}]\n')

    assert problems
    assert problems[0].startswith(f"routes[0].{place}")
