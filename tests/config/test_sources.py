"""`[sources.NAME]`."""

import pytest

from syncd.config.sources import kinds
from tests.config.conftest import LOCAL, Faults, Load

GENERIC = '[sources.any]\nkind = "generic"\n'
MAP = 'map = { fingerprint = "id", project = "app" }\n'
SECRET = 'secret = { env = "SECRET" }\n'


@pytest.mark.parametrize("kind", sorted(kinds().keys() - {"generic"}))
def test_a_kind_needs_nothing_but_its_name(kind: str, load: Load) -> None:
    (source,) = load(f'{LOCAL}[sources.x]\nkind = "{kind}"\n').sources.values()

    assert source.title == kinds()[kind].title


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ('[sources.x]\nkind = "sentri"\n', "sources.x", "'sentri' is no kind of source (did you mean 'sentry'?)"),
        ("[sources.x]\n", "sources.x.kind", ""),
        (GENERIC, "sources.any", "map.fingerprint is missing"),
        (GENERIC + 'map = { fingerprint = "id" }\n', "sources.any", "map.project is missing"),
        (GENERIC + 'map = { fingerprint = "a[?", project = "b" }\n', "sources.any.map.fingerprint", "is not JMESPath"),
        (GENERIC + 'map = { fingerprint = "a", project = "b", titel = "c" }\n', "sources.any.map.titel", "title"),
        (GENERIC + 'map = "id"\n', "sources.any.map", ""),
        (GENERIC + MAP + f'only = "{"(" * 499}a{")" * 499}"\n', "sources.any.only", "nested too deep"),
        (GENERIC + MAP + f'only = "{"a" * 1001}"\n', "sources.any.only", "has 1,001 characters"),
        (GENERIC + MAP + 'login = "hmac"\n', "sources.any", 'login = "hmac" needs header'),
        (GENERIC + MAP + 'login = "header"\n', "sources.any", "the name of the header with the secret"),
        (GENERIC + MAP + 'login = "basic"\n' + SECRET, "sources.any", "username and secret belong together"),
        (GENERIC + MAP + 'username = "a"\n' + SECRET, "sources.any", 'username is for login = "basic"'),
        (GENERIC + MAP + 'previous_secret = { env = "S" }\n', "sources.any", "needs secret as well"),
        (GENERIC + MAP + 'login = "hmac"\nheader = "X"\nsigned = "{bdy}"\n', "sources.any", "signed needs {body} once"),
        (GENERIC + MAP + 'login = "hmac"\nheader = "X"\nsigned = "{ts}{body}"\n', "sources.any", "{header:NAME}"),
        (GENERIC + MAP + 'login = "hmac"\nheader = "X"\nsigned = "{timestamp}{body}"\n', "sources.any", "timestamp_header"),
        (GENERIC + MAP + 'tolerance = 0\n', "sources.any.tolerance", ""),
        ('[sources.x]\nkind = "sentry"\nmap = { title = "a" }\n', "sources.x", "Sentry is read without them"),
        ('[sources."a/b"]\nkind = "sentry"\n', "sources.a/b", ""),
    ],
)  # fmt: skip
def test_a_fault_names_key_and_remedy(text: str, key: str, reason: str, faults: Faults) -> None:
    (problem,) = faults(LOCAL + text)

    assert problem.startswith(f"{key}")
    assert reason in problem


def test_a_source_that_anybody_could_use_is_refused(faults: Faults, load: Load) -> None:
    source = '[sources.x]\nkind = "sentry"\n'
    login = '[receiver]\nlisten = "0.0.0.0:80"\nusername = "a"\npassword = { env = "P" }\n'

    (problem,) = faults(LOCAL + login + source)
    assert problem.startswith("sources.x.secret: ")
    assert load(LOCAL + login + source + SECRET).sources["x"].secret is not None


def test_keys_of_the_file_replace_those_of_the_kind_and_add_to_what_is_dropped(load: Load) -> None:
    text = '[sources.x]\nkind = "rollbar"\ncounts = "event"\ndrop = ["data.more"]\nmap = { title = "data.item.name" }\n'
    source = load(LOCAL + text).sources["x"]

    assert (source.counts, source.map.title) == ("event", "data.item.name")
    assert source.map.fingerprint == "data.item.id"
    assert {"data.more", "data.occurrence.person"} <= set(source.drop)


def test_sources_are_part_of_the_version_of_the_configuration(load: Load) -> None:
    assert load(LOCAL).version != load(LOCAL + '[sources.x]\nkind = "sentry"\n').version
