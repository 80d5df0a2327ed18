"""What a configuration means, section by section."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from syncd import config
from syncd.config import GitHubSettings, JiraSettings, LocalSettings, Seconds, Secret
from syncd.core.policy import Match
from tests.config.conftest import CLOUD, DATACENTER, EVERYTHING, GITHUB, JIRA, LOCAL, Faults, Load, keys


def test_an_empty_file_is_a_safe_configuration(load: Load) -> None:
    loaded = load("")

    assert loaded.receiver.address == ("127.0.0.1", 8080)
    assert loaded.receiver.password is None
    assert loaded.receiver.max_body_bytes == 1_048_576
    assert loaded.receiver.accept_unrecognised is False
    assert loaded.store.path == Path("syncd.db")
    assert loaded.notifications.occurrence_mode == "auto"
    assert loaded.notifications.release_attributes[:2] == ["application.version", "version"]
    assert loaded.links.hosts == ["*.backtrace.io"]
    assert loaded.all_routes == []


def test_the_example_is_a_configuration_that_works() -> None:
    loaded = config.load(Path(__file__).parents[2] / "config.toml.example")

    assert isinstance(loaded.trackers["files"], LocalSettings)
    assert [route.tracker for route in loaded.all_routes] == ["files"]


def test_every_section_is_loaded(load: Load) -> None:
    loaded = load(
        '[receiver]\nlisten = "0.0.0.0:80"\nusername = "backtrace"\npassword = { file = "p" }\nbody_seconds = "1m"\n'
        '[store]\nurl = "sqlite:///var/lib/syncd/syncd.db"\nretention = "7d"\n'
        '[notifications]\noccurrence_mode = "window"\nrelease_attributes = ["build_tag", "version"]\n'
        '[links]\nhosts = ["crashes.acme.example"]\n'
        + GITHUB
        + CLOUD
        + 'fields = { customfield_1 = "{{ group.occurrences }}", customfield_2 = "{{group.hosts}} hosts" }\n'
        + '[[routes]]\nmatch = { project = "game-*", application = ["a", "b"] }\ntracker = "crashes"\n'
        + '[[routes]]\ntracker = "mobile"\nstatus_interval = "2h"\n'
    )

    github, jira = loaded.trackers["crashes"], loaded.trackers["mobile"]
    assert isinstance(github, GitHubSettings)
    assert (github.repository, github.labels, github.timeout) == ("acme/game", ["crash"], 15.0)
    assert isinstance(jira, JiraSettings)
    assert (jira.deployment, jira.email, jira.issue_type) == ("cloud", "crashes@acme.example", "Bug")
    assert loaded.receiver.body_seconds == 60.0
    assert loaded.store.retention == 7 * 86400.0
    assert [(route.tracker, route.status_interval) for route in loaded.all_routes] == [
        ("crashes", 900.0),
        ("mobile", 7200.0),
    ]
    assert loaded.routes[0].match.project == ["game-*"]
    assert loaded.routes[0].match.application == ["a", "b"]
    assert loaded.routes[0].match.universe == []


def test_with_one_tracker_and_no_route_everything_goes_to_it(load: Load) -> None:
    (route,) = load(LOCAL).all_routes

    assert (route.name, route.tracker, route.match) == ("route-1", "files", Match())


def test_a_route_in_the_file_replaces_the_default_route(load: Load) -> None:
    loaded = load(LOCAL + '[[routes]]\nmatch = { project = "game" }\ntracker = "files"\n')

    assert [route.match.project for route in loaded.all_routes] == [("game",)]


def test_a_configuration_is_frozen(load: Load) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load("").store.url = "sqlite:other.db"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ('"30s"', 30.0),
        ('"15m"', 900.0),
        ('"2h"', 7200.0),
        ('"1d"', 86_400.0),
        ('"1.5h"', 5400.0),
        ('" 3 s "', 3.0),
        ("15", 15.0),
        ("0.5", 0.5),
        ('"0s"', 0.0),
    ],
)
def test_durations_have_a_unit_or_are_seconds(load: Load, text: str, seconds: float) -> None:
    loaded = load(f"{LOCAL}probe_after = [{text}]\n")

    assert loaded.trackers["files"].probe_after == [seconds]


@pytest.mark.parametrize(
    "text",
    ['"15"', '"15 min"', '"-5s"', '"1e3s"', '""', '"s"', "-1", "nan", "inf", "true", "[]", '"' + "9" * 400 + 'd"'],
)
def test_a_value_that_is_no_duration_is_refused(faults: Faults, text: str) -> None:
    assert keys(faults(f'{LOCAL}{EVERYTHING}"files"\nstatus_interval = {text}\n')) == ["routes[0].status_interval"]


def test_a_status_interval_is_at_most_a_day(load: Load, faults: Faults) -> None:
    assert load(f'{LOCAL}{EVERYTHING}"files"\nstatus_interval = "24h"\n').routes[0].status_interval == 86_400
    assert keys(faults(f'{LOCAL}{EVERYTHING}"files"\nstatus_interval = "25h"\n')) == ["routes[0].status_interval"]


@settings(max_examples=200)
@given(st.text() | st.floats() | st.integers() | st.booleans() | st.none())
def test_any_value_for_a_duration_becomes_seconds_or_is_refused(value: object) -> None:
    try:
        seconds: float = TypeAdapter(Seconds).validate_python(value)
    except ValidationError:
        return
    assert 0 <= seconds < float("inf")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:syncd.db", "syncd.db"),
        ("sqlite:kept/syncd.db", "kept/syncd.db"),
        ("sqlite:./syncd.db", "syncd.db"),
        ("sqlite:///syncd.db", "syncd.db"),
        ("sqlite:///var/lib/syncd/syncd.db", "/var/lib/syncd/syncd.db"),
        ("sqlite:////var/lib/syncd.db", "/var/lib/syncd.db"),
        ("sqlite:/var/lib/syncd.db", "/var/lib/syncd.db"),
    ],
)
def test_a_store_is_a_file(load: Load, url: str, path: str) -> None:
    assert load(f'[store]\nurl = "{url}"\n').store.path == Path(path)


@pytest.mark.parametrize(
    "url", ["", "syncd.db", "sqlite:", "sqlite:///", "sqlite://syncd.db", "SQLITE:syncd.db", "mysql://h/d"]
)
def test_a_url_of_no_store_is_refused_with_an_example(faults: Faults, url: str) -> None:
    (problem,) = faults(f'[store]\nurl = "{url}"\n')

    assert problem.startswith("store.url: ")
    assert "sqlite:///var/lib/syncd/syncd.db" in problem


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("127.9.9.9:0", ("127.9.9.9", 0)),
        ("localhost:65535", ("localhost", 65535)),
        ("[::1]:8080", ("::1", 8080)),
    ],
)
def test_the_receiver_listens_on_loopback_without_credentials(
    load: Load, listen: str, address: tuple[str, int]
) -> None:
    assert load(f'[receiver]\nlisten = "{listen}"\n').receiver.address == address


REACHABLE = ["0.0.0.0:80", "[::]:80", "10.1.2.3:80", "crashes.acme.example:80", "localhost.acme.example:80"]


@pytest.mark.parametrize("listen", REACHABLE)
def test_the_receiver_listens_beyond_loopback_only_with_a_login(load: Load, faults: Faults, listen: str) -> None:
    section = f'[receiver]\nlisten = "{listen}"\n'

    (problem,) = faults(section)
    assert problem.startswith("receiver.password: ")
    assert "allow_unauthenticated" in problem
    assert load(section + 'username = "u"\npassword = { env = "P" }\n').receiver.password is not None
    assert load(section + "allow_unauthenticated = true\n").receiver.password is None
    assert len(faults(section + "allow_unauthenticated = false\n")) == 1


@pytest.mark.parametrize(
    "listen", ["", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "h:²", "h:-1", "h: 1"]
)
def test_an_address_that_cannot_be_listened_on_is_refused_with_an_example(faults: Faults, listen: str) -> None:
    (problem,) = faults(f'[receiver]\nlisten = "{listen}"\n')

    assert problem.startswith("receiver.listen: ")
    assert '"127.0.0.1:8080"' in problem


def test_an_invalid_value_causes_no_second_fault(faults: Faults) -> None:
    reachable = '[receiver]\nlisten = "0.0.0.0:80"\n'

    assert keys(faults(reachable + 'allow_unauthenticated = "yes"\n')) == ["receiver.allow_unauthenticated"]
    assert keys(faults(reachable + 'username = "u"\npassword = "p"\n')) == ["receiver.password"]
    assert keys(faults('[receiver]\nusername = 5\npassword = { env = "P" }\n')) == ["receiver.username"]


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ('username = "u"', "receiver.password"),
        ('password = { env = "P" }', "receiver.password"),
        ('previous_password = { env = "P" }', "receiver.previous_password"),
    ],
)
def test_half_a_login_is_refused(faults: Faults, section: str, key: str) -> None:
    assert keys(faults(f"[receiver]\n{section}\n")) == [key]


def test_two_passwords_may_be_valid_at_once(load: Load) -> None:
    receiver = load(
        '[receiver]\nusername = "u"\npassword = { env = "NEW" }\nprevious_password = { env = "OLD" }\n'
    ).receiver

    assert receiver.previous_password == Secret(env="OLD")


@pytest.mark.parametrize(
    ("tracker", "key"),
    [
        pytest.param(JIRA + 'deployment = "cloud"\n', "email", id="Cloud needs an email"),
        pytest.param(DATACENTER + 'email = "a@acme.example"\n', "email", id="Data Center has none"),
        pytest.param(JIRA + 'deployment = "server"\n', "deployment", id="no such deployment"),
        pytest.param(JIRA, "deployment", id="which deployment"),
        pytest.param(DATACENTER.replace("https://", ""), "url", id="no scheme"),
        pytest.param(DATACENTER.replace('.example"', '.example/rest/api/2/"'), "url", id="the API"),
        pytest.param(DATACENTER.replace('.example"', '.example/jira/browse/CRASH-1"'), "url", id="an issue"),
        pytest.param(DATACENTER + "transition_fields = { customfield_1 = nan }\n", "transition_fields", id="no number"),
        pytest.param(DATACENTER.replace("https://", "ftp://"), "url", id="another scheme"),
        pytest.param(DATACENTER.replace("https://", "https://me:secret@"), "url", id="password in the address"),
        pytest.param(DATACENTER.replace('"MOB"', '"mob"'), "project", id="a project's name is no key"),
        pytest.param(DATACENTER + 'labels = ["two words"]\n', "labels[0]", id="a label has no blanks"),
        pytest.param(DATACENTER + "concurrency = 0\n", "concurrency", id="nobody to do it"),
        pytest.param(DATACENTER + 'timeout = "0s"\n', "timeout", id="no time to do it"),
    ],
)
def test_a_jira_tracker_that_cannot_work_is_refused(faults: Faults, tracker: str, key: str) -> None:
    assert keys(faults(tracker)) == [f"trackers.mobile.{key}"]


@pytest.mark.parametrize("tracker", [CLOUD, DATACENTER])
def test_each_jira_has_its_own_login(load: Load, tracker: str) -> None:
    assert isinstance(load(tracker).trackers["mobile"], JiraSettings)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('"acme/game"', '"https://github.com/acme/game"', "repository"),
        ('"acme/game"', '"game"', "repository"),
        ('"acme/game"', '"acme/game"\napi_url = "ghe.acme.example"', "api_url"),
        ('"acme/game"', '"acme/game"\napi_url = "https://me:secret@ghe.acme.example"', "api_url"),
        ('"acme/game"', '"acme/game"\nlabels = [""]', "labels[0]"),
        ('"acme/game"', '"acme/game"\nlabels = ["' + "x" * 51 + '"]', "labels[0]"),
    ],
)
def test_a_github_tracker_that_cannot_work_is_refused(faults: Faults, old: str, new: str, key: str) -> None:
    problems = faults(GITHUB.replace(old, new))

    assert keys(problems) == [f"trackers.crashes.{key}"]
    assert "secret" not in "".join(problems)


@pytest.mark.parametrize("fact", config.GROUP_FACTS)
def test_a_mapped_field_may_contain_any_fact_of_a_group(load: Load, fact: str) -> None:
    loaded = load(f'{DATACENTER}fields = {{ f = "{{{{ group.{fact} }}}} and {{{{group.{fact}}}}}" }}\n')

    (tracker,) = loaded.trackers.values()
    assert isinstance(tracker, JiraSettings)
    assert tracker.fields == {"f": f"{{{{ group.{fact} }}}} and {{{{group.{fact}}}}}"}


@pytest.mark.parametrize(
    ("template", "remedy"),
    [
        ("{{ group.occurences }}", "did you mean 'group.occurrences'?"),
        ("{{ occurrences }}", "did you mean 'group.occurrences'?"),
        ("{{ group.callstack }}", "group."),
        ("{{ }}", "group."),
        ("{{ group.hosts | upper }}", "did you mean 'group.hosts'?"),
    ],
)
def test_a_mapped_field_with_an_unknown_fact_is_refused(faults: Faults, template: str, remedy: str) -> None:
    (problem,) = faults(f'{DATACENTER}fields = {{ good = "x", customfield_1 = "{template}" }}\n')

    assert problem.startswith("trackers.mobile.fields: customfield_1 ")
    assert remedy in problem


def test_every_wrong_mapped_field_is_reported(faults: Faults) -> None:
    (problem,) = faults(f'{DATACENTER}fields = {{ a = "{{{{ group.x }}}} {{{{ y }}}}", b = "{{{{ z }}}}" }}\n')

    assert [fact in problem for fact in ("group.x", "{{ y }}", "{{ z }}")] == [True] * 3


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("hello-world", "owner/name"),
        ("https://github.com/acme/game", "acme/game"),
        ("https://github.example.com/acme/my.game/", "acme/my.game"),
        ("git@github.com:acme/game.git", "acme/game"),
        ("acme/game/issues extra", "owner/name"),
        ("", "owner/name"),
    ],
)
def test_what_is_no_repository_is_refused_with_what_to_write(faults: Faults, written: str, remedy: str) -> None:
    (problem,) = faults(GITHUB.replace("acme/game", written))
    assert problem.endswith(f"""repository: {written!r} is not a repository; write "{remedy}\"""")


@pytest.mark.parametrize("written", ["2027-01-31", '"2027-01-31"'])
def test_a_day_is_a_date_or_its_text(load: Load, written: str) -> None:
    tracker = load(GITHUB + f"token_expires = {written}\n").trackers["crashes"]
    assert str(getattr(tracker, "token_expires", None)) == "2027-01-31"


@pytest.mark.parametrize("written", ['"soon"', '"2027-02-30"', "2027-01-31T00:00:00Z", "20270131"])
def test_what_is_no_day_is_refused_with_its_key(faults: Faults, written: str) -> None:
    assert any("token_expires" in fault for fault in faults(GITHUB + f"token_expires = {written}\n"))


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"\xef\xbb\xbf" + b'[console]\nlisten = "off"\n')
    assert config.load(tmp_path / "config.toml").console.address is None
