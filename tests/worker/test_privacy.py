"""Nothing private leaves: a secret of each kind stands in every text of a group, and in no document about it."""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from syncd.config.trackers import GROUP_FACTS
from syncd.core import policy
from syncd.core.policy import LabelRule
from syncd.core.redact import Redactor, private
from syncd.core.scrub import Scrubber
from syncd.model import Announcement, Group, GroupKind, Identity, Occasion, Place, Release, Storm
from syncd.render import adf, markdown, wiki
from syncd.render.templates import NAMES, Templates
from syncd.render.text import Document
from syncd.trackers.jira.fields import _filled
from syncd.worker.presentation import Presentation, Presented

# By kind: a secret, of which `zq` is the part that must not leave. `{}` is a number that makes each of them another one.
SECRETS = {
    "unix folder": "/home/zq{}/game",
    "unix folder on a server": "/mnt/home/zq{}/x",
    "macOS folder": "/Users/zq{}/Library",
    "Windows folder": r"C:\Users\zq{}\game",
    "Windows folder, escaped": r"C:\\Users\\zq{}\\game",
    "Windows share": r"\\server\users\zq{}\x",
    "mail": "zq{}@corp.example",
    "mail of another alphabet": "zqé{}@müller.example",
    "mail in an address": "zq{}%40corp.example",
    "token of GitHub": "ghp_zq{}" + "x" * 36,
    "token of Jira": "ATATT3xFfGF0zq{}" + "x" * 40,
    "key of Amazon": "password=zq{}AKIA",
    "JSON web token": "eyJhbGciOiJIUzI1NiJ9.zq{}eyJzdWIiOiIxIn0.c2ln",
    "bearer": "Authorization: Bearer zq{}abcdef0123456789",
    "basic login": "authorization=Basic zq{}YWxpY2U6c2VjcmV0",
    "password": "password=zq{}",
    "password in JSON": '"client_secret": "zq{}"',
    "password in a name": "DB_PASSWORD=zq{}",
    "password in an address": "postgresql://app:zq{}@db/x",
    "parameter": "https://a.example/x?access_token=zq{}&y=1",
    "escaped parameter": "next=%2Fx%3Ftoken%3Dzq{}",
    "cookie": "Cookie: sid=zq{}",
    "private key": "-----BEGIN PRIVATE KEY-----zq{}MIIE",
    "folder with a blank": "/home/Jane zq{}/game",
    "user in a variable": "USERNAME=zq{}",
    "mail without a dot": "zq{}@localhost",
    "mail in words": "zq{} [at] corp [dot] example",
    "password behind a blank": "password zq{}hunter2",
    "password behind an arrow": "password -> zq{}",
    "password of another language": "пароль: zq{}",
    "password in an object": '"name": "password", "value": "zq{}"',
    "token of GitLab": "glpat-zq{}xxxxxxxxxxxxxxxxxxxx",
    "login on a command line": "curl -u bob:zq{} x",
    "computer": "COMPUTERNAME=zq{}",
    "computer by its look": "zq{}s-MacBook-Pro.local",
}
ADDRESSES = ["10.99.{}.77", "2001:db8:99::{}:77", "fe80::99:{}:77"]
PLACE = Place(remote_id="1", key="K-1", url="https://t.example/K-1")
EVERYTHING = "".join(
    f"{{{{ {name} }}}}\n\n"
    for name in (
        *(
            "application",
            "project",
            "universe",
            "fingerprint",
            "top_frame",
            "url",
            "classifiers",
            "frames",
            "aliases",
            "releases",
        ),
        *("attributes", "previous", "note", "announcement"),
        *(
            f"blocks.{block}"
            for block in (
                *(
                    "headline",
                    "links",
                    "related",
                    "facts",
                    "identifiers",
                    "link",
                    "counts",
                    "callstack",
                    "stack",
                    "frames",
                ),
                *("attributes", "releases", "shares", "summary", "trend", "note"),
            )
        ),
    )
)


def planted(secret: str) -> tuple[Group, Group, dict[str, str]]:
    """A crash, a storm, and the facts of a comment; every text in them has a secret of its own."""
    numbers = iter(range(1, 200))

    def text(what: str = "v") -> str:
        return f"{what} {secret.format(next(numbers))}"

    crash = Group(
        identity=Identity(text(), text(), text()),
        application=text(),
        group_url=f"https://acme.sp.backtrace.io/p/{quote(text())}?filters={quote(text())}&q={text()}#{text()}",
        callstack=tuple(text(f"f{number}") for number in range(61)),
        object_id=text(),
        classifiers=(text(), text()),
        occurrences=12,
        first_seen=1,
        last_seen=2,
        releases=(
            Release(release=text(), occurrences=3, first_seen=1, last_seen=2),
            Release(release=text("1.0"), occurrences=9),
        ),
        attributes=((text("os"), (text(), text())), ("os.version", (text(), text("1.2.3.4")))),
        aliases=(text(), text()),
        follows=text(),
    )
    storm = Storm(
        held=9, since=1.0, largest=((text(), text(), 1, 2), (text(), text(), 3, 4)), shares=(("release", text(), 50),)
    )
    held = Group(identity=Identity("u", "main", "f"), kind=GroupKind.STORM, storm=storm)
    return crash, held, {name: text() for name in ("release", "fixed_in", "refused", "answer", "reason")}


def test_every_text_of_a_group_is_planted() -> None:
    crash, storm, _ = planted("zq{}")
    texts = [value for group in (crash, storm) for value in leaves(group) if "zq" not in value]

    # Those of a storm are a route's name and constants; the rest says what syncd itself decided, and no writer reads it.
    assert texts == ["between", "os.version", "crash", "u", "main", "f", "between", "storm", "", "release"]


def leaves(value: object) -> Iterator[str]:
    """Every text in a value, at any depth."""
    if isinstance(value, str):
        yield str(value)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, msgspec.Struct):
        yield from leaves([getattr(value, name) for name in value.__struct_fields__])
    elif is_dataclass(value):
        yield from leaves([getattr(value, field.name) for field in fields(value)])


def documents(presented: Presented, facts: dict[str, str]) -> Iterator[Document]:
    """Every document that can be made of a group."""
    yield presented.body(previous=PLACE, alike=[PLACE])
    yield presented.status(f"its fix {facts['fixed_in']} compares with nothing")
    numbers = {"occurrences": 3, "milestone": 10, "since": 5}
    for occasion in Occasion:
        for chosen in (facts, {**facts, "refused": "", "answer": "comment"}):
            yield presented.announcement(
                Announcement(id=1, occasion=occasion, subject="", facts={**chosen, **numbers}, marker="m")
            )


def everything(secret: str, scrubber: Scrubber) -> Iterator[str]:
    """All texts about planted groups: titles, mapped fields, labels and documents."""
    crash, storm, facts = planted(secret)
    titles = "{{ frames }}{{ attributes }}"
    templates = {"r": Templates({name: titles if name == "title" else EVERYTHING for name in NAMES})}
    presentation = Presentation(
        link_hosts=["*.backtrace.io"],
        redactor=Redactor(allowed=["*"], query=["filters"], scrubber=scrubber),
        templates=templates,
    )
    for group in (crash, storm):
        for route in ("r", None):
            presented = presentation.present(group, route)
            yield presented.title()
            names = (*GROUP_FACTS, "attributes.os.version")
            yield json.dumps([_filled(f"{{{{ group.{name} }}}}", presented.group) for name in names])
            yield from leaves(presented.group)
            yield from policy.labels(presented.group, [LabelRule(classifier="*", label="{value}")])
            yield from policy.labels(presented.group, [LabelRule(attribute="os.version", label="{value}")])
            for document in documents(presented, facts):
                yield from leaves(document)


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.slow
def test_no_secret_leaves_in_any_text(secret: str) -> None:
    leaked = [text for text in everything(secret, Scrubber()) if "zq" in text]

    assert [text[max(0, text.index("zq") - 80) :][:120] for text in leaked] == []


@pytest.mark.parametrize("secret", ADDRESSES)
def test_no_address_leaves_in_any_text(secret: str) -> None:
    leaked = [text for text in everything(secret, Scrubber()) if "99" in text]

    assert [text[max(0, text.index("99") - 80) :][:120] for text in leaked] == []


@pytest.mark.parametrize("secret", ["mail", "password in JSON", "folder with a blank", "computer by its look"])
def test_no_secret_leaves_in_any_markup(secret: str) -> None:
    crash, _, facts = planted(SECRETS[secret])
    presented = Presentation(redactor=Redactor(allowed=["*"])).present(crash, None)

    for document in documents(presented, facts):
        written = (
            markdown.write(document, 65_000),
            wiki.write(document, 32_000),
            json.dumps(adf.write(document, 30_000)),
        )
        assert "zq" not in "".join(written)


def test_the_walk_finds_what_is_not_scrubbed() -> None:
    nothing = Scrubber(user_folders=False, emails=False, ips=False, tokens=False, devices=False)
    texts = "".join(everything("zq{}!", nothing))
    crash, storm, facts = planted("zq{}!")

    missing = {
        value for value in (*leaves(crash), *leaves(storm), *facts.values()) if "zq" in value and value not in texts
    }
    # An address has its own encoding; the last frame is below those that are shown.
    assert missing == {crash.group_url, crash.callstack[-1]}


NAMES_OF_PRIVATE_ATTRIBUTES = [
    "guid",
    "hostname",
    "device.name",
    "device.machine",
    "application.session",
    "session_id",
    "user",
    "user.id",
    "userName",
    "user.agent.full",
    "email",
    "email_address",
    "mail",
    "description",
    "comment",
    "comments",
    "UserActivityHint",
    "MachineId",
    "LoginId",
    "EpicAccountId",
    "DescriptionCrashGuid",
    "location",
    "location.href",
    "document.referrer",
    "document.title",
    "document.baseURI",
    "page.href",
    "page.url",
    "application.url",
    "process.cwd",
    "process.id",
    "application.data_path",
    "application.temporary_cache",
    "path",
    "ip",
    "ip_address",
    "client.ip",
    "clientIp",
    "remote-address",
    "address",
    "DEVICE_NAME",
    "deviceName",
    "device-name",
    "Device.Name",
    "devicename",
    "HOSTNAME",
    "host_name",
    "machinename",
    "steamId",
]

NAMES_OF_PUBLIC_ATTRIBUTES = [
    "version",
    "application.version",
    "application.build",
    "application_version",
    "_version",
    "ver",
    "channel",
    "uname.sysname",
    "uname.machine",
    "uname.version",
    "os",
    "os.version",
    "os_version",
    "environment",
    "device.model",
    "device.manufacturer",
    "device.brand",
    "device.sdk",
    "device.osName",
    "device.osVersion",
    "error.type",
    "error.message",
    "build.type",
    "graphic.name",
    "graphic.driver.version",
    "scene.name",
    "browser.name",
    "browser.version",
    "application.unity.version",
    "scripting.backend",
    "backtrace.agent",
    "electron.process",
    "fault.address",
    "allocation.size",
    "shipping",
    "curl.version",
    "chip",
    "zip",
    "iphone.model",
    "microphone",
    "capacity",
    "hostile",
    "guided",
    "culture",
    "engine.name",
    "cpu.count",
    "memory.total",
]


@pytest.mark.parametrize("name", NAMES_OF_PRIVATE_ATTRIBUTES)
def test_no_pattern_lets_an_attribute_out_that_points_to_a_person_or_a_device(name: str) -> None:
    group = Group(identity=Identity("u", "p", "f"), attributes=((name, ("x",)),))

    for allowed in ("*", name, f"{name[0]}*"):
        assert Redactor(allowed=[allowed]).group(group).attributes == ()


def test_counts_stay_with_their_attribute_when_others_may_not_leave() -> None:
    attributes = (("hostname", ("x",)), ("os", ("Linux", "Mac")), ("gpu", ("y",)))
    group = Group(identity=Identity("u", "p", "f"), attributes=attributes, attribute_counts=((9,), (2, 1), ()))

    redacted = Redactor(allowed=["*"]).group(group)

    assert redacted.attributes == attributes[1:]
    assert redacted.attribute_counts == ((2, 1), ())


@pytest.mark.parametrize("name", NAMES_OF_PUBLIC_ATTRIBUTES)
def test_an_attribute_that_says_nothing_about_people_may_be_allowed(name: str) -> None:
    group = Group(identity=Identity("u", "p", "f"), attributes=((name, ("x",)),))

    assert Redactor(allowed=[name]).group(group).attributes == group.attributes
    assert Redactor(allowed=["nothing"]).group(group).attributes == ()


@pytest.mark.parametrize("spelling", ["squad.tag", "SquadTag", "squad_tag", "squad-tag", "squadtag"])
def test_the_list_can_be_extended(spelling: str) -> None:
    assert private(spelling, ("squad.*",)) or spelling == "squadtag"
    assert private(spelling, ("*squad*",))
    assert not private(spelling)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://a.backtrace.io/p/x?filters=((fingerprint,equal,ab))&time=all", "https://a.backtrace.io/p/x?filters=((fingerprint,equal,ab))&time=all"),
        ("https://a.backtrace.io/p/x?token=abc&filters=(1)#access_token=x", "https://a.backtrace.io/p/x?filters=(1)"),
        ("https://a.backtrace.io/p/x?user=bob;time=all;sid=1", "https://a.backtrace.io/p/x?time=all"),
        ("https://a.backtrace.io/p/x?filters=((user,equal,bob%40corp.example))", "https://a.backtrace.io/p/x"),
        ("https://a.backtrace.io/p/x;jsessionid=0123?x", "https://a.backtrace.io/p/x;jsessionid=<token>"),
    ],
)  # fmt: skip
def test_a_link_keeps_the_parameters_that_are_allowed(url: str, kept: str) -> None:
    assert Redactor(query=["filters", "time"]).address(url) == kept


@pytest.mark.parametrize("release", ["145.1.87.42", "v1.2.3.4", "game-1.2.3.4", "1.2.3.4-beta", "10.0.0.1 (abc)"])
def test_four_numbers_that_begin_a_release_are_a_version(release: str) -> None:
    group = Group(
        identity=Identity("u", "p", "f"),
        releases=(Release(release=release, occurrences=1),),
        attributes=(("version", (release,)), ("build", (release,))),
    )
    presented = Presentation(redactor=Redactor(allowed=["*"])).present(group, None)

    text = markdown.write((*presented.body(), *presented.status(f"it was seen in {release}")), 60_000)
    assert "<ip>" not in text
    assert text.count(release) == 5


@pytest.mark.parametrize("release", ["192.168.1.7", "127.0.0.1", "1.0 at 10.1.2.3", "x 10.1.2.3"])
def test_other_four_numbers_in_a_release_are_an_address(release: str) -> None:
    assert "<ip>" in Scrubber().release(release)


def test_two_releases_with_equal_scrubbed_names_keep_their_occurrences() -> None:
    rows = tuple(Release(release=f"1.0 {name}@corp.example", occurrences=count) for name, count in (("a", 3), ("b", 4)))
    group = Group(identity=Identity("u", "p", "f"), occurrences=7, releases=rows)
    templates = {"r": Templates({"body": "{{ releases }}"})}

    document: Any = Presentation(templates=templates).present(group, "r").body()
    assert "'occurrences': 7" in markdown.write(document, 1000)
