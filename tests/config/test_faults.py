"""Every fault of a configuration is reported at once, with its key and a remedy."""

from pathlib import Path

import pytest

from syncd import config
from syncd.errors import ConfigError
from tests.config.conftest import DATACENTER, EVERYTHING, GITHUB, JIRA, LOCAL, Faults, keys
from tests.golden import golden


def test_every_fault_is_reported_at_once_with_its_key(faults: Faults) -> None:
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
    ("text", "key", "nearest"),
    [
        ("[recever]\n", "recever", "receiver"),
        ("[receiver]\nlisten_on = 1\n", "receiver.listen_on", "listen"),
        ("[store]\nx = 1\n", "store.x", "history, password, retention, url"),
        (
            GITHUB + 'repo = "x"\nlabel = "x"\n',
            "trackers.crashes.label",
            "labels",
        ),
        (
            '[receiver]\nusername = "u"\npassword = { fil = "x" }\n',
            "receiver.password.fil",
            "file",
        ),
        (
            f'{LOCAL}{EVERYTHING}"files"\nmatch = {{ projects = "x" }}\n',
            "routes[0].match.projects",
            "project",
        ),
    ],
)
def test_an_unknown_key_is_reported_with_the_nearest_key(faults: Faults, text: str, key: str, nearest: str) -> None:
    (problem,) = [problem for problem in faults(text) if problem.startswith(f"{key}: ")]
    assert nearest in problem.partition("(")[2]


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
def test_a_value_of_the_wrong_type_is_reported_with_its_key(faults: Faults, text: str, key: str) -> None:
    assert keys(faults(text)) == [key]


@pytest.mark.parametrize(
    "content",
    [b"a b\n", b'a = "\xff"\n', b"[a]\n[a]\n"],
)
def test_a_file_that_is_not_toml_is_refused_with_its_path(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match="is not TOML") as caught:
        config.load(path)
    assert str(path) in str(caught.value)


def test_a_file_that_cannot_be_read_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.toml: cannot be read: No such file"):
        config.load(tmp_path / "missing.toml")
    with pytest.raises(ConfigError, match="is a folder; name a file"):
        config.load(tmp_path)


FAULTS = {
    "unknown keys": "[recever]\n[store]\nx = 1\n",
    "wrong types": 'receiver = 5\nroutes = [5]\n[trackers.a]\nkind = ["github"]\n[console]\nlisten = true\n',
    "missing keys": '[trackers.a]\nkind = "github"\n[trackers.b]\nkind = "local"\n[trackers.c]\n[[routes]]\n',
    "a receiver beyond loopback": '[receiver]\nlisten = "0.0.0.0:80"\n[console]\nlisten = "0.0.0.0:81"\n',
    "addresses": '[receiver]\nlisten = "8080"\n' + DATACENTER.replace("https://", "ftp://"),
    "half a login": '[receiver]\nusername = "u"\nprevious_password = { env = "P" }\n',
    "secrets": '[receiver]\nusername = "u"\npassword = "p"\n' + GITHUB.replace('{ env = "TOKEN" }', "{}"),
    "stores": '[store]\nurl = "mysql://u:p@h/d"\n',
    "a password in a URL": '[store]\nurl = "postgresql://u:p@h/d"\n',
    "a password for a file": '[store]\npassword = { env = "P" }\n',
    "Jira Cloud without an email": JIRA + 'deployment = "cloud"\n',
    "Jira Data Center with an email": DATACENTER + 'email = "a@acme.example"\nfields = { f = "{{ group.x }}" }\n',
    "durations and limits": LOCAL + 'probe_after = ["1m", "20s"]\nwrites = ["75/m", "0/1m"]\nsurvey_interval = "soon"\n',
    "routes": GITHUB + '[[routes]]\nname = "a"\ntracker = "crash"\n[[routes]]\nname = "a"\ntracker = "crashes"\n',
    "several trackers without routes": GITHUB + LOCAL,
    "patterns": LOCAL + '[notifications]\nrelease_pattern = "("\n[[routes]]\ntracker = "files"\nmatch = { project = [] }\n',
    "patterns that cost much": LOCAL + '[notifications]\nrelease_pattern = "(?:.?){999}"\n[privacy]\nnever = ["' + '", "'.join([f"*{'?' * 60}{n}*" for n in range(40)]) + '"]\n'
    + '[[routes]]\ntracker = "files"\nfixed_in_pattern = "(\\\\pL?){60}"\nmatch = { project = ["/(a{1,9}){1,999}/", "' + "?" * 999 + '"] }\n',
    "a list without brackets": GITHUB + 'labels = "crash"\nwrites = "75/1m"\n[routes]\ntracker = "crashes"\n',
    "a limit without brackets": LOCAL + '[[routes]]\ntracker = "files"\nmax_new_issues = "100"\n',
    "the beginning of a key": '[trackers.a]\nkind = "github"\nrepo = "acme/game"\ntoken_file = "x"\n',
    "a list that is not closed": 'a = """[\n"""\nb = \'[\' # [\n[trackers.a]\nlabels = ["x",\n  "y"\ntoken = 1\n',
    "a table that is not closed at the end": '[receiver]\npassword = { file = "]"',
    "a text that is not closed": 'a = "\\"{"\nb = """\nc = 1\n',
    "a text that ends on no line": 'a = "x\nb = 1\n',
    "rules": LOCAL + '[[routes]]\ntracker = "files"\nlabels = [{ label = "x" }]\nowners = [{ assignee = "x" }, { frame = "x" }]\n',
}  # fmt: skip


def test_the_sentences_of_all_faults(faults: Faults) -> None:
    for name, text in FAULTS.items():
        golden("config", name, "\n".join(faults(text)))
