"""config.toml: what it means, and every fault in it at once."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from syncd import config
from syncd.config import Config, GitHubSettings, JiraSettings, LocalSettings, Seconds, Secret
from syncd.core.policy import Match
from syncd.errors import ConfigError
from syncd.worker.presentation import Presentation

PASSWORD = "correct horse battery staple"

LOCAL = '[trackers.files]\nkind = "local"\nfolder = "issues"\n'
GITHUB = '[trackers.crashes]\nkind = "github"\nrepository = "acme/game"\ntoken = { env = "TOKEN" }\n'
JIRA = '[trackers.mobile]\nkind = "jira"\nurl = "https://acme.example"\nproject = "MOB"\ntoken = { env = "TOKEN" }\n'
CLOUD = JIRA + 'deployment = "cloud"\nemail = "crashes@acme.example"\n'
DATACENTER = JIRA + 'deployment = "datacenter"\n'
EVERYTHING = "[[routes]]\ntracker = "

Load = Callable[[str], Config]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def loaded(text: str) -> Config:
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        return config.load(path)

    return loaded


@pytest.fixture
def faults(load: Load, tmp_path: Path) -> Callable[[str], list[str]]:
    def found(text: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(text)
        assert str(caught.value) == "\n".join(caught.value.problems)
        return [problem.removeprefix(f"{tmp_path}/config.toml: ") for problem in caught.value.problems]

    return found


Faults = Callable[[str], list[str]]


def keys(problems: list[str]) -> list[str]:
    return [problem.partition(": ")[0] for problem in problems]


# What it means.


def test_an_empty_file_is_a_safe_configuration(load: Load) -> None:
    loaded = load("")

    assert loaded.receiver.address == ("127.0.0.1", 8080)
    assert loaded.receiver.password is None
    assert loaded.receiver.max_body_bytes == 1_048_576
    assert loaded.receiver.accept_unrecognised is False
    assert loaded.store.path == Path("syncd.db")
    assert loaded.notifications.occurrence_mode == "auto"
    assert loaded.notifications.release_attributes == ["version"]
    assert loaded.links.hosts == ["*.backtrace.io"]
    assert loaded.all_routes == []


def test_the_example_is_a_configuration_that_works() -> None:
    loaded = config.load(Path(__file__).parents[2] / "config.toml.example")

    assert isinstance(loaded.trackers["files"], LocalSettings)
    assert [route.tracker for route in loaded.all_routes] == ["files"]


def test_every_section_says_what_it_says(load: Load) -> None:
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


def test_a_written_route_is_the_only_one(load: Load) -> None:
    loaded = load(LOCAL + '[[routes]]\nmatch = { project = "game" }\ntracker = "files"\n')

    assert [route.match.project for route in loaded.all_routes] == [("game",)]


def test_a_tracker_of_another_kind_keeps_its_own_keys(load: Load) -> None:
    tracker = load('[trackers.board]\nkind = "linear"\nteam = "X"\ntoken = { env = "T" }\n').trackers["board"]

    assert tracker.kind == "linear"
    assert tracker.concurrency == 1
    assert tracker.model_extra == {"team": "X", "token": {"env": "T"}}


def test_what_is_loaded_cannot_be_changed(load: Load) -> None:
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
def test_what_is_no_duration_is_refused(faults: Faults, text: str) -> None:
    assert keys(faults(f'{LOCAL}{EVERYTHING}"files"\nstatus_interval = {text}\n')) == ["routes[0].status_interval"]


def test_nothing_may_wait_longer_than_the_store_puts_things_off(load: Load, faults: Faults) -> None:
    assert load(f'{LOCAL}{EVERYTHING}"files"\nstatus_interval = "24h"\n').routes[0].status_interval == 86_400
    assert keys(faults(f'{LOCAL}{EVERYTHING}"files"\nstatus_interval = "25h"\n')) == ["routes[0].status_interval"]


@settings(max_examples=200)
@given(st.text() | st.floats() | st.integers() | st.booleans() | st.none())
def test_whatever_stands_for_a_duration_is_seconds_or_refused(value: object) -> None:
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
def test_what_is_no_store_is_refused_with_an_example(faults: Faults, url: str) -> None:
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
def test_the_receiver_listens_on_nothing_else_unless_somebody_must_log_in(
    load: Load, faults: Faults, listen: str
) -> None:
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
def test_what_is_no_address_to_listen_on_is_refused_with_an_example(faults: Faults, listen: str) -> None:
    (problem,) = faults(f'[receiver]\nlisten = "{listen}"\n')

    assert problem.startswith("receiver.listen: ")
    assert '"127.0.0.1:8080"' in problem


def test_what_could_not_be_judged_is_no_further_fault(faults: Faults) -> None:
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


# Trackers.


@pytest.mark.parametrize(
    ("tracker", "key"),
    [
        pytest.param(JIRA + 'deployment = "cloud"\n', "email", id="Cloud needs an email"),
        pytest.param(DATACENTER + 'email = "a@acme.example"\n', "email", id="Data Center has none"),
        pytest.param(JIRA + 'deployment = "server"\n', "deployment", id="no such deployment"),
        pytest.param(JIRA, "deployment", id="which deployment"),
        pytest.param(DATACENTER.replace("https://", ""), "url", id="no scheme"),
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
def test_a_mapped_field_may_say_any_fact_of_a_group(load: Load, fact: str) -> None:
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
def test_a_mapped_field_that_asks_for_what_does_not_exist_is_refused(
    faults: Faults, template: str, remedy: str
) -> None:
    (problem,) = faults(f'{DATACENTER}fields = {{ good = "x", customfield_1 = "{template}" }}\n')

    assert problem.startswith("trackers.mobile.fields: customfield_1 ")
    assert remedy in problem


def test_every_mapped_field_that_is_wrong_is_told(faults: Faults) -> None:
    (problem,) = faults(f'{DATACENTER}fields = {{ a = "{{{{ group.x }}}} {{{{ y }}}}", b = "{{{{ z }}}}" }}\n')

    assert [word in problem for word in ("group.x", "{{ y }}", "b asks for {{ z }}")] == [True] * 3


# Routes.


def test_a_route_to_a_tracker_that_is_not_configured_is_told_with_the_nearest_name(faults: Faults) -> None:
    problems = faults(GITHUB + EVERYTHING + '"crash"\n' + EVERYTHING + '"x"\n')

    assert problems == [
        "routes[0].tracker: 'crash' is not configured (did you mean 'crashes'?)",
        "routes[1].tracker: 'x' is not configured (known: crashes)",
    ]


def test_several_trackers_need_routes(faults: Faults, load: Load) -> None:
    (problem,) = faults(GITHUB + LOCAL)

    assert problem.startswith("routes: there are several trackers")
    assert load(GITHUB + LOCAL + EVERYTHING + '"files"\n').all_routes[0].tracker == "files"


# Every fault at once.


def test_every_fault_is_told_at_once_with_its_key(faults: Faults) -> None:
    problems = faults(
        '[receiver]\nlisten = "0.0.0.0:80"\npassword2 = 1\nmax_body_bytes = "1 MB"\n'
        '[stor]\nurl = "sqlite:a.db"\n'
        '[notifications]\noccurrence_mode = "total"\n'
        '[trackers.files]\nkind = "local"\n'
        '[trackers."a b"]\nkind = "local"\nfolder = "x"\n'
        '[trackers.mobile]\nkind = "jira"\ndeployment = "cloud"\nurl = "https://acme.example"\nprojct = "MOB"\n'
        "[trackers.bare]\n"
        '[[routes]]\nmatch = { projct = "game" }\ntracker = "file"\n'
        "[[routes]]\nstatus_interval = true\n"
    )

    assert sorted(keys(problems)) == sorted(
        [
            "receiver.password",
            "receiver.password2",
            "receiver.max_body_bytes",
            "stor",
            "notifications.occurrence_mode",
            "trackers.files.folder",
            "trackers.a b",
            "trackers.mobile.project",
            "trackers.mobile.projct",
            "trackers.mobile.token",
            "trackers.mobile.email",
            "trackers.bare.kind",
            "routes[0].match.projct",
            "routes[0].tracker",
            "routes[1].tracker",
            "routes[1].status_interval",
        ]
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[recever]\n", "recever: there is no such key (did you mean 'receiver'?)"),
        ("[receiver]\nlisten_on = 1\n", "receiver.listen_on: there is no such key (did you mean 'listen'?)"),
        ("[store]\nx = 1\n", "store.x: there is no such key (known: history, password, retention, url)"),
        (
            GITHUB + 'repo = "x"\nlabel = "x"\n',
            "trackers.crashes.label: there is no such key (did you mean 'labels'?)",
        ),
        (
            '[receiver]\nusername = "u"\npassword = { fil = "x" }\n',
            "receiver.password.fil: there is no such key (did you mean 'file'?)",
        ),
        (
            f'{LOCAL}{EVERYTHING}"files"\nmatch = {{ projects = "x" }}\n',
            "routes[0].match.projects: there is no such key (did you mean 'project'?)",
        ),
        ('[trackers.github]\nkind = "github"\nrepository = "a/b"\n', "trackers.github.token: is missing"),
    ],
)
def test_a_key_that_does_not_exist_is_told_with_the_nearest_one(faults: Faults, text: str, problem: str) -> None:
    assert problem in faults(text)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("trackers = 5\n", "trackers"),
        ("trackers = []\n", "trackers"),
        ("trackers = { a = 5 }\n", "trackers.a"),
        ("routes = 5\n", "routes"),
        ("routes = [5]\n", "routes[0]"),
        ("receiver = 5\n", "receiver"),
        ('[trackers.a]\nkind = ["github"]\n', "trackers.a.kind"),
        (f'{LOCAL}{EVERYTHING}"files"\nmatch = {{ project = 5 }}\n', "routes[0].match.project"),
        (f'{LOCAL}{EVERYTHING}"files"\nmatch = {{ project = [5] }}\n', "routes[0].match.project[0]"),
        (f"{LOCAL}{EVERYTHING}5\n", "routes[0].tracker"),
    ],
)
def test_what_has_the_wrong_shape_is_told_with_its_key(faults: Faults, text: str, key: str) -> None:
    assert keys(faults(text)) == [key]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"a b\n", "is not TOML"), (b'a = "\xff"\n', "is not TOML"), (b"[a]\n[a]\n", "is not TOML")],
)
def test_what_is_no_toml_is_refused_with_its_path(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=said) as caught:
        config.load(path)
    assert str(path) in str(caught.value)


def test_a_file_that_cannot_be_read_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.toml: cannot be read: No such file"):
        config.load(tmp_path / "missing.toml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        config.load(tmp_path)


# Secrets.


@pytest.mark.parametrize(
    "text",
    [
        f'[receiver]\nusername = "u"\npassword = "{PASSWORD}"\n',
        f'[receiver]\nusername = "u"\npassword = ["{PASSWORD}"]\n',
        f'[receiver]\nusername = "u"\npassword = {{ value = "{PASSWORD}" }}\n',
        f'[receiver]\nusername = "u"\npassword = {{ env = "A", file = "{PASSWORD}" }}\n',
        f'[receiver]\nusername = "u"\npassword = {{ env = ["{PASSWORD}"] }}\n',
        f'[receiver]\nusername = "u"\npassword = {{ env = "A" }}\nprevious_password = "{PASSWORD}"\n',
        f'[receiver]\npasswort = "{PASSWORD}"\n',
        f'[trackers.a]\nkind = "github"\nrepository = "a/b"\ntoken = "{PASSWORD}"\n',
        f'[trackers.a]\nkind = "github"\nrepository = "a/b"\ntoken = {{ env = "A" }}\npassword = "{PASSWORD}"\n',
        DATACENTER.replace('{ env = "TOKEN" }', f'"{PASSWORD}"'),
        f'[receiver]\nusername = "u"\npassword = "{PASSWORD}',
    ],
)
def test_a_secret_written_in_the_file_is_refused_and_never_repeated(faults: Faults, text: str) -> None:
    problems = faults(text)

    assert PASSWORD not in "".join(problems)
    assert problems


def test_a_secret_written_in_the_file_is_refused_with_the_remedy(faults: Faults) -> None:
    (problem,) = faults(f'[receiver]\nusername = "u"\npassword = "{PASSWORD}"\n')

    assert problem.startswith("receiver.password: secrets are never written here")
    assert [place in problem for place in ("file", "env", "credential")] == [True] * 3


@pytest.mark.parametrize("places", ["{}", '{ env = "A", file = "b" }', '{ env = "A", file = "b", credential = "c" }'])
def test_a_secret_is_kept_in_exactly_one_place(faults: Faults, places: str) -> None:
    (problem,) = faults(f'[receiver]\nusername = "u"\npassword = {places}\n')

    assert problem == "receiver.password: give exactly one of file, env, credential"


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, bytes], Secret]:
    """Keeps a value in one of the three places."""

    def keep(place: str, value: bytes) -> Secret:
        if place == "env":
            monkeypatch.setitem(os.environb, b"SYNCD_TEST_SECRET", value)
            return Secret(env="SYNCD_TEST_SECRET")
        (tmp_path / "secret").write_bytes(value)
        if place == "file":
            return Secret(file=str(tmp_path / "secret"))
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
        return Secret(credential="secret")

    return keep


Keep = Callable[[str, bytes], Secret]
PLACES = ["file", "env", "credential"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("value", "read"),
    [
        (b"correct horse", "correct horse"),
        (b"correct horse\n", "correct horse"),
        (b"correct horse\r\n", "correct horse"),
        (b" correct\thorse ", " correct\thorse "),
        ("pässword".encode(), "pässword"),
    ],
)
def test_a_secret_is_read_from_its_place_without_the_line_end(kept: Keep, place: str, value: bytes, read: str) -> None:
    secret = kept(place, value).read()

    assert secret.get_secret_value() == read
    assert read not in repr(secret) + str(secret)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("value", "reason"), [(b"", "is empty"), (b"\n", "is empty"), (b"ab\xffcd", "not UTF-8")])
def test_a_secret_that_is_none_is_refused_naming_its_place(kept: Keep, place: str, value: bytes, reason: str) -> None:
    secret = kept(place, value)

    with pytest.raises(ConfigError, match=reason) as caught:
        secret.read()
    assert ("SYNCD_TEST_SECRET" if place == "env" else "/secret") in str(caught.value)
    assert "cd" not in str(caught.value).replace("syncd", "")


def test_a_secret_that_is_not_there_is_refused_naming_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)

    with pytest.raises(ConfigError, match="the environment variable SYNCD_TEST_ABSENT is not set"):
        Secret(env="SYNCD_TEST_ABSENT").read()
    with pytest.raises(
        ConfigError, match="the secret in /etc/syncd/credentials/password-that-is-not-there cannot be read"
    ):
        Secret(credential="password-that-is-not-there").read()
    with pytest.raises(ConfigError, match=r"absent cannot be read: No such file"):
        Secret(file=str(tmp_path / "absent")).read()
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        Secret(file=str(tmp_path)).read()


def with_secrets(load: Load, file: Path) -> Config:
    place = f'{{ file = "{file}" }}'
    return load(
        f'[receiver]\nusername = "u"\npassword = {place}\nprevious_password = {place}\n'
        + GITHUB.replace('{ env = "TOKEN" }', place)
    )


@pytest.mark.parametrize(("mode", "open_to_others"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_secrets_that_other_accounts_can_read_are_warned_of(
    load: Load, tmp_path: Path, mode: int, open_to_others: bool
) -> None:
    file = tmp_path / "secret"
    file.write_text(PASSWORD)
    file.chmod(mode)

    warnings = list(config.warnings(with_secrets(load, file)))
    assert keys(warnings) == (
        ["receiver.password", "receiver.previous_password", "trackers.crashes.token"] if open_to_others else []
    )
    assert PASSWORD not in "".join(warnings)
    assert all("chmod 600" in warning for warning in warnings)


@pytest.mark.parametrize("name", ["absent", "secret/below-a-file", "x" * 300])
def test_a_secret_that_cannot_be_reached_is_nothing_to_warn_of(load: Load, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text(PASSWORD)

    assert list(config.warnings(with_secrets(load, tmp_path / name))) == []


def test_secrets_in_other_places_are_nothing_to_warn_of(load: Load) -> None:
    assert list(config.warnings(load(CLOUD))) == []


def test_an_empty_list_of_patterns_is_refused_rather_than_matching_everything(load: Load) -> None:
    with pytest.raises(ConfigError, match=r"routes\[0\]\.match\.project: an empty list would match nothing"):
        load('[trackers.a]\nkind = "local"\nfolder = "x"\n[[routes]]\nmatch = { project = [] }\ntracker = "a"\n')


def test_a_tracker_says_when_it_is_asked_about_a_lost_create_and_how_often_it_may_be_written(load: Load) -> None:
    loaded = load(
        '[trackers.a]\nkind = "local"\nfolder = "x"\nprobe_after = ["20s", "1m"]\nwrites = ["75/1m", "480/1h"]\n'
    )

    assert loaded.trackers["a"].probe_after == [20.0, 60.0]
    assert [(limit.count, limit.seconds) for limit in loaded.trackers["a"].writes] == [(75, 60.0), (480, 3600.0)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('probe_after = ["1m", "20s"]', "probe_after: each must be later than the one before it"),
        ("probe_after = []", "probe_after"),
        ('writes = ["75/m"]', "writes[0]: '75/m' is not a limit; write it like 75/1m or 480/1h"),
        ('writes = ["0/1m"]', "writes[0]: '0/1m' is not a limit; it must allow at least one write, in at most a day"),
    ],
)
def test_a_limit_or_a_schedule_that_makes_no_sense_is_told(load: Load, line: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(f'[trackers.a]\nkind = "local"\nfolder = "x"\n{line}\n')

    assert words in str(caught.value)


def test_a_route_says_what_becomes_of_an_issue_that_somebody_deleted(load: Load) -> None:
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


def test_a_probe_that_comes_before_its_create_is_over_is_unwise(load: Load) -> None:
    loaded = load(GITHUB + 'timeout = "30s"\n')

    assert [text.partition(":")[0] for text in config.warnings(loaded)] == ["trackers.crashes.probe_after"]
    assert not list(config.warnings(load(GITHUB)))


# Routes: names, patterns, policies.

TWO = LOCAL + '[[routes]]\nmatch = { project = "a" }\ntracker = "files"\n'


def problems(load: Load, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(text)
    return "\n".join(caught.value.problems)


def test_a_route_without_a_name_is_called_by_its_place(load: Load) -> None:
    loaded = load(TWO + '[[routes]]\nname = "rest"\ntracker = "files"\n')

    assert [route.name for route in loaded.all_routes] == ["route-1", "rest"]


@pytest.mark.parametrize("names", [("same", "same"), ("", "route-1"), ("route-2", "")])
def test_two_routes_of_one_name_are_refused(load: Load, names: tuple[str, str]) -> None:
    routes = "".join(
        f'[[routes]]\ntracker = "files"\n{f"name = {chr(34)}{name}{chr(34)}" if name else ""}\n' for name in names
    )

    assert "routes[1].name: another route is called" in problems(load, LOCAL + routes)


def test_a_route_matches_on_everything_a_group_has_and_may_exclude(load: Load) -> None:
    more = 'classifiers = "oom", releases = ["2.*"], attributes = { "uname.sysname" = "Windows*" }, not = { project = "x" }'
    (route,) = load(LOCAL + f'[[routes]]\nmatch = {{ {more} }}\ntracker = "files"\n').all_routes

    assert route.match.attributes == {"uname.sysname": ("Windows*",)}
    assert (route.match.classifiers, route.match.releases, route.match.unless.project) == (("oom",), ("2.*",), ("x",))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("reopen_window = 0", "routes[0].reopen_window"),
        ("min_regression_occurrences = 0", "routes[0].min_regression_occurrences"),
        ('within = "1s"', "routes[0].within"),
        ('on_regression = "close"', "routes[0].on_regression"),
        ('max_new_issues = ["many"]', "is not a limit; write it like 75/1m or 480/1h"),
        ('labels = [{ label = "x" }]', "give exactly one of classifier, attribute"),
        ('labels = [{ classifier = "a", attribute = "b", label = "x" }]', "give exactly one of classifier, attribute"),
        ('owners = [{ assignee = "x" }]', "give frame or module, or both"),
        ('owners = [{ frame = "x" }]', "give assignee or component, or both"),
        ("match = { attributes = { os = [] } }", "an empty list would match nothing"),
        ("match = { not = { projekt = 'x' } }", "did you mean 'project'?"),
        ('min_user = 1', "did you mean 'min_users'?"),
    ],
)  # fmt: skip
def test_a_policy_that_cannot_be_is_refused_with_its_key(load: Load, line: str, words: str) -> None:
    assert words in problems(load, LOCAL + f'[[routes]]\ntracker = "files"\n{line}\n')


def test_a_pattern_of_releases_that_is_no_expression_is_refused(load: Load) -> None:
    assert "is not a regular expression" in problems(load, '[notifications]\nrelease_pattern = "("\n')


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


def test_a_credential_is_found_where_a_whole_folder_was_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "syncd_token").write_text("of the folder\n")
    assert Secret(credential="token").read().get_secret_value() == "of the folder"

    (tmp_path / "other").write_text("by its own name")
    assert Secret(credential="other").read().get_secret_value() == "by its own name"
