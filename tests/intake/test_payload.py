"""What a body says: a notification, or a refusal that names what is wrong with it."""

import json
import math
import random
import re
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.errors import RejectedDelivery
from syncd.intake.sources import backtrace
from syncd.intake.sources.document import DROPPED, REPLACED, Document
from syncd.intake.sources.values import Reading
from syncd.model import Identity, Notification
from tests.corpus import SHAPES, corpus
from tests.factories import FINGERPRINT, FIRST, LAST, notification_json

SAMPLE = Path(__file__).parents[1] / "samples" / "backtrace-sample.json"
NOW = 1_800_000_000.0


def parse(value: object, *release_attributes: str) -> Notification:
    reading = Reading(release_attributes=release_attributes or ("version",))
    return backtrace.parse(msgspec.json.encode(value), NOW, reading)


def parsed(**overrides: object) -> Notification:
    return parse(notification_json(**overrides))


def refusal(body: bytes) -> RejectedDelivery:
    with pytest.raises(RejectedDelivery) as caught:
        backtrace.parse(body, NOW, Reading())
    return caught.value


def outcome(body: bytes) -> Notification | RejectedDelivery:
    try:
        return backtrace.parse(body, NOW, Reading())
    except RejectedDelivery as error:
        return error


def with_value(text: bytes) -> bytes:
    """A body whose identity is well, with one more value as it stands."""
    return b'{"universe":"u","project":"p","fingerprint":"f","more":' + text + b"}"


def each(expected: object, *values: object) -> list[Any]:
    """Cases that all come to the same."""
    return [pytest.param(value, expected, id=repr(value)) for value in values]


def nested(depth: int, bottom: bytes) -> bytes:
    """Containers in containers, `depth` of them with the outermost."""
    return with_value(b"[" * (depth - 1) + bottom + b"]" * (depth - 1))


def test_each_field_of_the_documented_sample_is_read() -> None:
    notification = backtrace.parse(SAMPLE.read_bytes(), NOW, Reading())

    assert notification == Notification(
        identity=Identity("my_universe", "my_project", "8910551e27a339e542..."),
        digest=notification.digest,
        application="my_app.exe",
        group_url="https://u.sp.backtrace.io/dashboard/...",
        callstack=("printf", "my_fn", "main"),
        occurrences=35,
        object_id="2e6",
        first=1502953926,
        last=1502953926,
        classifiers=("exception",),
        hosts=4,
        users=0,
        releases=(("1.1.0", 24), ("1.2.3", 10), ("1.2.2", 1)),
        attributes=notification.attributes,
        attribute_counts=notification.attribute_counts,
        received_at=NOW,
    )
    assert dict(notification.attributes)["environment"] == ("production", "devel", "staging")
    assert sum(count for _, count in notification.releases) == notification.occurrences


def test_the_identity_is_enough() -> None:
    notification = parse({"universe": "u", "project": "p", "fingerprint": "f"})

    assert notification == Notification(identity=Identity("u", "p", "f"), digest=notification.digest, received_at=NOW)


# Bodies that are no JSON, and what is read of those that are clumsy. tests/oddities.py has thousands of both.


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b" \n", id="white space"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b"universe=u&project=p", id="a form"),
        pytest.param(with_value(b"'x'"), id="single quotes"),
        pytest.param(with_value(b"[1,]"), id="trailing comma, as in the documentation"),
        pytest.param(b"// a group\n" + with_value(b"1"), id="comment, as in the documentation"),
        pytest.param(with_value(b"1") + b"\x00", id="NUL behind"),
        pytest.param(with_value(b"1") + with_value(b"1"), id="two values"),
        pytest.param(with_value(b"[" * 100_000), id="100,000 levels, never closed"),
        pytest.param(with_value(b"NAN"), id="not a number in capitals"),
        pytest.param(json.dumps(notification_json()).encode("utf-16")[:-1], id="half a character of UTF-16"),
    ],
)
def test_a_body_that_is_no_json_is_refused_with_400(body: bytes) -> None:
    error = refusal(body)

    assert (error.status, error.code, error.field) == (400, "not_json", None)


@pytest.mark.parametrize(
    ("body", "alike", "flaws"),
    [
        pytest.param(nested(64, b""), nested(64, b""), {}, id="64 levels"),
        pytest.param(nested(64, b"1"), nested(64, b"1"), {}, id="64 levels around a number"),
        pytest.param(nested(65, b"1"), nested(64, b"null"), {DROPPED}, id="65 levels"),
        pytest.param(nested(64, b"{}"), nested(64, b"null"), {DROPPED}, id="65 levels, the last an object"),
        pytest.param(nested(100_000, b"1"), nested(64, b"null"), {DROPPED}, id="100,000 levels"),
        pytest.param(nested(64, b"[[1]],2,[3]"), nested(64, b"null,2,null"), {DROPPED}, id="deep, shallow, deep"),
        pytest.param(nested(64, b'{"]":1},"[",2'), nested(64, b'null,"[",2'), {DROPPED}, id="brackets in texts"),
        pytest.param(nested(64, b'["\\"]"],2'), nested(64, b"null,2"), {DROPPED}, id="a quote in a text"),
        pytest.param(with_value(b"18446744073709551615"), with_value(b"18446744073709551615"), {}, id="2**64 - 1"),
        pytest.param(with_value(b"-9223372036854775808"), with_value(b"-9223372036854775808"), {}, id="-2**63"),
        pytest.param(with_value(b"18446744073709551616"), with_value(b"null"), {DROPPED}, id="2**64"),
        pytest.param(with_value(b"9" * 100_000), with_value(b"null"), {DROPPED}, id="100,000 digits"),
        pytest.param(with_value(b'[{"a":[-1e999,1]}]'), with_value(b'[{"a":[null,1]}]'), {DROPPED}, id="far inside"),
        pytest.param(with_value(b"1e308"), with_value(b"1e308"), {}, id="a large fraction"),
        pytest.param(with_value(b"1e-999"), with_value(b"0.0"), {}, id="a tiny fraction"),
        pytest.param(with_value(b'"a\\u0000b"'), with_value(b'"a\\u0000b"'), {}, id="NUL"),
        pytest.param(
            with_value(b'"\\ud83d\\ude00"'), with_value('"\U0001f600"'.encode()), {}, id="a pair of surrogates"
        ),
        pytest.param(with_value(b'"\\ud83d"'), with_value('"\ufffd"'.encode()), {REPLACED}, id="half of it"),
        pytest.param(with_value(b'{"\\ud83d":1}'), with_value('{"\ufffd":1}'.encode()), {REPLACED}, id="in a name"),
        pytest.param(
            with_value(b'["\xff",NaN]'), with_value('["\ufffd",null]'.encode()), {REPLACED, DROPPED}, id="both"
        ),
        pytest.param(b" \r\n\t" + with_value(b"1") + b"\n", with_value(b"1"), {}, id="white space around"),
        pytest.param(b"\xef\xbb\xbf" + with_value(b"1"), with_value(b"1"), {}, id="byte order mark"),
    ],
)
def test_of_a_clumsy_body_everything_is_read_that_can_be_kept(body: bytes, alike: bytes, flaws: set[str]) -> None:
    read = backtrace.decode(body)

    assert read == Document(msgspec.json.decode(alike), {"more": flaws} if flaws else {})
    assert backtrace.parse(body, NOW, Reading()).identity == Identity("u", "p", "f")


def kept(value: Any, depth: int = 2) -> Any:
    """What a database, and a reader without recursion, can hold of a value."""
    match value:
        case str():
            return "".join("\ufffd" if "\ud800" <= sign <= "\udfff" else sign for sign in value)
        case bool() | None:
            return value
        case int() if not -(2**63) <= value < 2**64:
            return None
        case float() if not math.isfinite(value):
            return None
        case list() | dict() if depth > 64:
            return None
        case list():
            return [kept(item, depth + 1) for item in value]
        case dict():
            return {kept(name): kept(item, depth + 1) for name, item in value.items()}
    return value


clumsy_text = st.text(st.characters() | st.sampled_from('\ud83d\ude00\U0001f600[]{}"\\'), max_size=6).filter(
    lambda text: not re.search("[\ud800-\udbff][\udc00-\udfff]", text)  # together they are a character
)
clumsy = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**64, -(2**63) - 1, 10**4000])
    | st.floats()
    | clumsy_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(clumsy_text, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(clumsy, st.integers(0, 80), st.booleans(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32-be"]))
def test_of_a_clumsy_value_exactly_that_is_read_which_can_be_kept(
    value: Any, levels: int, is_ascii: bool, encoding: str
) -> None:
    for level in range(levels):
        value = [value, level] if level % 2 else {"x": value, "y": level}
    text = json.dumps({"more": value}, ensure_ascii=is_ascii)
    if re.search("[\ud800-\udfff]", text):  # these encodings hold no surrogate but an escaped one
        text = json.dumps({"more": value})

    assert backtrace.decode(text.encode(encoding)).value == {"more": kept(value)}


def test_a_note_names_each_field_and_what_it_lost_in_one_line() -> None:
    assert backtrace.decode(with_value(b"[1]")).note is None
    assert backtrace.decode(with_value(b'["\xff",NaN]')).note == f"more: {DROPPED}, {REPLACED}"
    many = b",".join(b'"\\u0000%d":NaN' % number for number in range(1000))
    note = backtrace.decode(b"{" + many + b"}").note
    assert note is not None
    assert note.count(DROPPED) == 8
    assert note.endswith("; 992 more fields")
    assert "\x00" not in note


def test_of_a_key_that_stands_twice_the_last_one_counts() -> None:
    body = b'{"universe":"u","project":"p","fingerprint":"first","fingerprint":"last"}'

    assert backtrace.parse(body, NOW, Reading()).identity.fingerprint == "last"


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"5", b"true", b'[{"universe":"u"}]'])
def test_json_that_is_no_object_is_refused_with_422(body: bytes) -> None:
    error = refusal(body)

    assert (error.status, error.code, error.field) == (422, "not_a_notification", None)


# The identity.


@pytest.mark.parametrize("field", ["universe", "project", "fingerprint"])
@pytest.mark.parametrize(
    ("value", "code"),
    [
        pytest.param(..., "no", id="missing"),
        pytest.param(None, "no", id="null"),
        pytest.param("", "no", id="empty"),
        pytest.param("*", "no", id="not set"),
        pytest.param(" \u2003", "no", id="blank"),
        pytest.param(True, "no", id="boolean"),
        pytest.param(1.5, "no", id="fraction"),
        pytest.param(["a"], "no", id="list"),
        pytest.param({"a": "b"}, "no", id="object"),
        pytest.param("a\x00b", "bad", id="NUL"),
        pytest.param("a\nb", "bad", id="line feed"),
        pytest.param("a\x7f", "bad", id="delete"),
        pytest.param("a\ud83d", "bad", id="half an emoji"),
        pytest.param(float("nan"), "no", id="not a number"),
        pytest.param("x" * 1025, "bad", id="too long"),
    ],
)
def test_a_body_without_an_identity_is_refused_with_422_naming_the_field(field: str, value: object, code: str) -> None:
    error = refusal(json.dumps(notification_json(**{field: value})).encode())

    assert (error.status, error.code, error.field) == (422, f"{code}_{field}", field)
    assert field in error.message


def test_the_first_field_that_is_wrong_is_named() -> None:
    error = refusal(msgspec.json.encode(notification_json(universe="", project=None, fingerprint=[])))

    assert error.field == "universe"


def test_a_refusal_does_not_repeat_the_body() -> None:
    error = refusal(msgspec.json.encode(notification_json(project="pri\nvate")))

    assert "vate" not in repr(error) + str(error) + error.message


@pytest.mark.parametrize(("field", "limit"), [("universe", 255), ("project", 255), ("fingerprint", 1024)])
def test_an_identity_is_taken_whole_up_to_its_limit(field: str, limit: int) -> None:
    whole = "ü" * limit

    assert getattr(parsed(**{field: whole}).identity, field) == whole
    assert refusal(msgspec.json.encode(notification_json(**{field: whole + "ü"}))).code == f"bad_{field}"


@pytest.mark.parametrize(
    ("fingerprint", "kept", "compared"),
    [
        pytest.param(FINGERPRINT, FINGERPRINT, FINGERPRINT, id="SHA-256"),
        pytest.param(FINGERPRINT.upper(), FINGERPRINT.upper(), FINGERPRINT, id="SHA-256 in upper case"),
        pytest.param("0" * 64, "0" * 64, "0" * 64, id="no call stack"),
        pytest.param("0" * 40 + "AB" * 12, "0" * 40 + "AB" * 12, "0" * 40 + "ab" * 12, id="merged"),
        pytest.param("8910551E27...", "8910551E27...", "8910551E27...", id="cut: opaque"),
        pytest.param("A" * 63, "A" * 63, "A" * 63, id="no SHA-256: opaque"),
        pytest.param(12345, "12345", "12345", id="number"),
        pytest.param(" a ", "a", "a", id="blanks around"),
        pytest.param(-1, "-1", "-1", id="number below zero"),
        pytest.param(10**30, str(10**30), str(10**30), id="number of any size"),
    ],
)
def test_a_fingerprint_is_kept_as_it_came_and_compared_without_case_where_it_is_a_sha256(
    fingerprint: object, kept: str, compared: str
) -> None:
    identity = parsed(fingerprint=fingerprint).identity

    assert (identity.fingerprint, identity.fingerprint_key) == (kept, compared)


# The fields, in the shapes they come in.

FRAMES = ("a::b<c>(d)", "main")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param([*FRAMES], FRAMES, id="list"),
        pytest.param('{"frame": ["a::b<c>(d)", "main"]}', FRAMES, id="JSON text of the query API"),
        pytest.param(' [\n"a::b<c>(d)", "main"]', FRAMES, id="JSON text of a list"),
        pytest.param({"frame": [*FRAMES]}, FRAMES, id="dictionary"),
        pytest.param({"frame": "main"}, ("main",), id="dictionary with one name"),
        pytest.param("main", ("main",), id="one name"),
        pytest.param("{lambda()#1}::operator()", ("{lambda()#1}::operator()",), id="a name that looks like JSON"),
        pytest.param("[unknown]", ("[unknown]",), id="another one"),
        pytest.param('{"frame": ["main"', ('{"frame": ["main"',), id="broken JSON text"),
        pytest.param("[" * 500 + "]" * 500, (), id="JSON text too deep"),
        pytest.param('["a", 1e999, "b"]', ("a", "b"), id="JSON text out of range"),
        pytest.param('["a\\ud83d", "b"]', ("a\ufffd", "b"), id="JSON text with half an emoji"),
        pytest.param([4198400, "0x1c", 1.5], ("4198400", "0x1c", "1.5"), id="numbers"),
        pytest.param(["a", None, "*", "", " ", True, {}, ["x"], "b"], ("a", "b"), id="hollow frames"),
        pytest.param([" a\x00b\n"], ("ab",), id="NUL and blanks around"),
        *each((), None, ..., "*", "", [], {}, "{}", "[]", True),
    ],
)
def test_a_call_stack_is_read_in_every_shape(value: object, expected: tuple[str, ...]) -> None:
    assert parsed(callstack=value).callstack == expected


def test_of_a_long_call_stack_the_top_is_kept() -> None:
    assert parsed(callstack=[f"f{n}" for n in range(5000)]).callstack == tuple(f"f{n}" for n in range(1000))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param([FIRST, LAST], (FIRST, LAST), id="first and last"),
        pytest.param([LAST, FIRST], (FIRST, LAST), id="the other way round"),
        pytest.param([FIRST, FIRST], (FIRST, FIRST), id="the same"),
        pytest.param([FIRST], (FIRST, FIRST), id="one element"),
        pytest.param(FIRST, (FIRST, FIRST), id="a number"),
        pytest.param(str(FIRST), (FIRST, FIRST), id="a text"),
        pytest.param([FIRST + 0.9, f"{LAST}.5"], (FIRST, LAST), id="fractions"),
        pytest.param([FIRST, LAST, 5], (FIRST, LAST), id="three elements"),
        pytest.param([0, LAST], (LAST, LAST), id="the first not known"),
        pytest.param([FIRST, None], (FIRST, FIRST), id="the last not known"),
        pytest.param([FIRST, int(NOW) + 86_401], (FIRST, int(NOW)), id="the last in the future"),
        pytest.param([int(NOW) + 86_401] * 2, (None, None), id="both in the future"),
        pytest.param([FIRST, int(NOW) + 86_400], (FIRST, int(NOW) + 86_400), id="a clock that is a day ahead"),
        pytest.param([FIRST * 1000, LAST * 1000], (FIRST, LAST), id="milliseconds"),
        pytest.param([-5, -1], (None, None), id="before 1970"),
        *each((None, None), None, ..., [], [0, 0], [None, None], "*", "", {}, [[FIRST, LAST]], [True, False]),
    ],
)
def test_a_span_of_time_is_read_in_every_shape(value: object, expected: tuple[int | None, int | None]) -> None:
    notification = parsed(timestamp=value)

    assert (notification.first, notification.last) == expected


@pytest.mark.parametrize(("field", "name"), [("occurrences", "occurrences"), ("hosts", "hosts"), ("guids", "users")])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (35, 35),
        (0, 0),
        (35.9, 35),
        ("35", 35),
        (" 35.0 ", 35),
        (2**53 + 1, 2**53),
        (2**64 - 1, 2**53),
        (1e300, 2**53),
        *each(None, None, ..., -1, -0.5, True, "*", "", "many", "1e3", "-1", "٣", [], {}, [35]),
    ],
)
def test_a_count_is_a_whole_number_not_below_zero_or_not_known(
    field: str, name: str, value: object, expected: int | None
) -> None:
    count = getattr(parsed(**{field: value}), name)

    assert (count, type(count)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2e6", "2e6"),
        ("2E6", "2E6"),
        (0x2E6, "2e6"),
        (2**64 - 1, "f" * 16),
        *each(None, None, ..., "*", "", -1, 1.5, True, [], {}),
    ],
)
def test_an_object_id_is_hexadecimal_text(value: object, expected: str | None) -> None:
    assert parsed(object_id=value).object_id == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["segfault", "dump"], ("segfault", "dump")),
        ("exception  breakpoint", ("exception", "breakpoint")),
        (["oom", None, 5, "*", "", True], ("oom",)),
        (["a b"], ("a b",)),
        *each((), None, ..., [], "", "*", {}, 5),
    ],
)
def test_classifiers_are_a_list_or_one_text(value: object, expected: tuple[str, ...]) -> None:
    assert parsed(classifiers=value).classifiers == expected


@pytest.mark.parametrize(("field", "name"), [("application", "application"), ("group_url", "group_url")])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("client", "client"),
        (" C:\\game\\client.exe ", "C:\\game\\client.exe"),
        ("a\x00b", "ab"),
        *each(None, None, ..., "*", " * ", "", "\x00", 5, True, [], {}),
    ],
)
def test_a_text_is_not_known_where_nothing_is_left_to_show(
    field: str, name: str, value: object, expected: str | None
) -> None:
    assert getattr(parsed(**{field: value}), name) == expected


# Releases.


@pytest.mark.parametrize(
    ("histogram", "expected"),
    [
        pytest.param([["1.1", 3], ["1.2", 5]], (("1.2", 5), ("1.1", 3)), id="the most frequent first"),
        pytest.param([["b", 3], ["a", 3]], (("a", 3), ("b", 3)), id="then by name"),
        pytest.param([["145.1.87.42", 1]], (("145.1.87.42", 1),), id="four parts"),
        pytest.param([["1.1", 3], [" 1.1\x00", 4]], (("1.1", 7),), id="one release twice"),
        pytest.param([["1.1", "3"]], (("1.1", 3),), id="count as text"),
        pytest.param([[7, 1], [2.5, 2], [2**60, 3]], ((str(2**60), 3), ("2.5", 2), ("7", 1)), id="numbers"),
        pytest.param([[True, 1], [None, 2], ["*", 3], ["", 4], [[], 5]], (), id="no text"),
        pytest.param([["1.1", 0], ["1.2", -1], ["1.3", None]], (), id="nobody crashed in it"),
        pytest.param([["1.1"], ["1.2", 1, 1], "1.3", 5, None, {}], (), id="broken pairs"),
        pytest.param({"1.1": 3, "1.2": 5}, (("1.2", 5), ("1.1", 3)), id="dictionary"),
        pytest.param("1.1", (("1.1", 3),), id="bare value: all three occurrences have it"),
        pytest.param([["1.1", 2**63]], (("1.1", 2**53),), id="count beyond reason"),
        pytest.param([["1.1", 2**53]] * 3, (("1.1", 2**53),), id="sum beyond reason"),
        *each((), None, ..., [], {}, "*", True),
    ],
)
def test_a_histogram_of_releases_is_read_in_every_shape(
    histogram: object, expected: tuple[tuple[str, int], ...]
) -> None:
    attributes = {} if histogram is ... else {"version": histogram}

    assert parsed(attributes=attributes).releases == expected


@pytest.mark.parametrize("attributes", [None, ..., [], [["version", "1.0"]], "version", 5])
def test_without_attributes_there_are_no_releases(attributes: object) -> None:
    assert parsed(attributes=attributes).releases == ()


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["version"], "by version"),
        (["application.version", "version"], "by application.version"),
        (["build_tag", "version"], "by version"),
        (["hollow", "empty", "application.version"], "by application.version"),
        (["absent"], None),
        ([], None),
    ],
)
def test_the_first_release_attribute_that_names_a_release_counts(names: list[str], expected: str | None) -> None:
    attributes = {
        "hollow": [["*", 4], [None, 3]],
        "empty": [],
        "version": [["by version", 1]],
        "application.version": [["by application.version", 1]],
    }
    body = msgspec.json.encode(notification_json(attributes=attributes))

    releases = backtrace.parse(body, NOW, Reading(release_attributes=names)).releases
    assert releases == (((expected, 1),) if expected else ())


# Redeliveries.


def shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        keys = chance.sample(list(value), len(value))
        return {key: shuffled(value[key], chance) for key in keys}
    return [shuffled(item, chance) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("number", range(5))
def test_a_redelivery_is_recognised_whatever_the_order_of_keys_and_the_white_space(number: int) -> None:
    value = notification_json(nested={"a": [{"b": 1, "c": 2}], "d": "\u00e9"})
    reordered = json.dumps(shuffled(value, random.Random(number)), indent=number, ensure_ascii=number % 2 == 0)

    assert backtrace.parse(reordered.encode(), NOW + 5, Reading()).digest == parse(value).digest


@pytest.mark.parametrize("field", list(notification_json()))
def test_a_notification_that_differs_in_one_fact_is_no_redelivery(field: str) -> None:
    changed = notification_json(**{field: "something else"})

    assert parse(changed).digest != parse(notification_json()).digest


@pytest.mark.parametrize(
    "changed",
    [
        {"attributes": {"version": [["1.1.0", 1], ["1.2.0", 2]]}},
        {"attributes": {"version": [["1.2.0", 2], ["1.1.0", 2]]}},
        {"callstack": ["main", "Loop::turn", "Renderer::draw"]},
        {"timestamp": [FIRST, LAST + 1]},
        {"object_id": "2e7"},
        {"hosts": ...},
    ],
)
def test_a_small_difference_is_no_redelivery_either(changed: dict[str, object]) -> None:
    assert parsed(**changed).digest != parsed().digest


def test_a_redelivery_is_recognised_although_the_sender_numbers_its_deliveries() -> None:
    assert parsed(delivery_number=1).digest == parsed(delivery_number=2).digest


# Whatever comes.

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.sampled_from(["*", "", '{"frame": ["a"]}', "[[", "\x00", "1.2.3", "35", FIRST, LAST, 2**63])
)
any_json = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)
pairs = st.lists(st.tuples(scalars, scalars), max_size=4)
notifications = st.fixed_dictionaries(
    {
        "universe": st.just("u"),
        "project": st.just("p"),
        "fingerprint": st.text("abcXYZ019", min_size=1, max_size=64),
    },
    optional={
        **{name: any_json for name in ("application", "callstack", "occurrences", "object_id", "classifiers")},
        **{name: any_json for name in ("group_url", "hosts", "guids", "unknown")},
        "timestamp": any_json | st.lists(scalars, max_size=3),
        "attributes": any_json | st.fixed_dictionaries({"version": any_json | pairs}),
    },
)


def assert_bounded(notification: Notification) -> None:
    texts = [notification.application, notification.group_url, notification.object_id, *notification.callstack]
    texts += [*notification.classifiers, *(release for release, _ in notification.releases)]
    for text in texts:
        assert text is None or (0 < len(text) <= 4096 and "\x00" not in text)
        assert text is None or text.encode()
    counts = [notification.occurrences, notification.hosts, notification.users]
    counts += [count for _, count in notification.releases]
    for count in counts:
        assert count is None or (type(count) is int and 0 <= count <= 2**53)
    assert len(notification.callstack) <= 1000
    assert len(notification.releases) <= 2000
    assert len(notification.classifiers) <= 100
    assert all(len(classifier) <= 255 for classifier in notification.classifiers)
    assert len({release for release, _ in notification.releases}) == len(notification.releases)
    assert all(len(release) <= 255 and count > 0 for release, count in notification.releases)
    first, last = notification.first, notification.last
    assert (first is None) == (last is None)
    assert first is None or last is None or 0 < first <= last <= NOW + 86_400


def assert_read_alike_in_any_shape(body: bytes) -> None:
    """The reader has a shortcut for bodies of the documented shape. A field that is not documented makes it go the long way."""

    def result(read: Callable[[], Identity | Notification]) -> object:
        try:
            return read()
        except RejectedDelivery as error:
            return error.status, error.code, error.field, error.message

    if body.startswith(b"{}") or not body.startswith(b"{"):
        return
    undocumented = b'{"a field of nobody\'s":0,' + body[1:]
    for read in (
        lambda text: backtrace.identify(backtrace.decode(text)),
        lambda text: backtrace.parse(text, NOW, Reading()),
    ):
        assert result(partial(read, body)) == result(partial(read, undocumented))


def assert_read_or_refused(body: bytes) -> None:
    assert_read_alike_in_any_shape(body)
    read = outcome(body)
    if isinstance(read, RejectedDelivery):
        assert read.status in (400, 422)
    else:
        assert_bounded(read)


@settings(max_examples=200, deadline=None)
@given(any_json)
def test_no_json_brings_down_the_parser(value: object) -> None:
    assert_read_or_refused(msgspec.json.encode(value))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=30).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_bring_down_the_parser(body: bytes) -> None:
    for text in (body, with_value(body), with_value(b'"' + body + b'"')):
        assert_read_or_refused(text)


@settings(max_examples=200, deadline=None)
@given(notifications)
def test_whatever_surrounds_an_identity_is_read_and_bounded(value: dict[str, object]) -> None:
    notification = parse(value)

    assert notification.identity == Identity("u", "p", str(value["fingerprint"]))
    assert_bounded(notification)


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param({"callstack": ["f" * 10_000] * 90}, id="long frames"),
        pytest.param({"callstack": "[" + "1," * 400_000 + "1]"}, id="JSON text with many frames"),
        pytest.param({"callstack": "{" * 900_000}, id="JSON text that never closes"),
        pytest.param({"classifiers": "a " * 400_000}, id="many classifiers"),
        pytest.param({"classifiers": ["c" * 300_000] * 3}, id="long classifiers"),
        pytest.param({"occurrences": " " * 900_000 + "x"}, id="a count of blanks"),
        pytest.param({"occurrences": "1" * 900_000}, id="a count of digits"),
        pytest.param({"attributes": {"version": [[f"1.{n}", n] for n in range(50_000)]}}, id="many releases"),
        pytest.param({"attributes": {"version": [["1", 2**53]] * 50_000}}, id="one release many times"),
        pytest.param({"more": [[]] * 300_000}, id="many lists"),
        pytest.param({f"key {n}": n for n in range(50_000)}, id="many keys"),
    ],
)
def test_a_megabyte_of_anything_is_read_in_no_time_and_bounded(overrides: dict[str, object]) -> None:
    body = msgspec.json.encode(notification_json(**overrides))

    begun = time.process_time()
    notification = backtrace.parse(body, NOW, Reading())
    assert time.process_time() - begun < 2.0
    assert_bounded(notification)


def test_depth_is_dropped_whatever_the_interpreter_allows() -> None:
    allowed = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    try:
        assert backtrace.decode(nested(5000, b"1")).value == backtrace.decode(nested(64, b"null")).value
        assert_read_alike_in_any_shape(nested(5000, b"1"))
    finally:
        sys.setrecursionlimit(allowed)


# The corpus of all shapes.


def test_the_corpus_has_every_shape_of_at_least_200_groups_and_never_changes() -> None:
    notifications = corpus()

    identities = [parse(value).identity for value in notifications]
    assert len({(i.universe, i.project, i.fingerprint_key) for i in identities}) == len(notifications) >= 200
    assert corpus() == notifications
    assert corpus(seed=1) != notifications
    assert max(len(shapes) for shapes in SHAPES.values()) <= 20


def test_every_notification_of_the_corpus_is_read_and_bounded() -> None:
    for value in corpus():
        assert_bounded(parse(value))
        assert_read_alike_in_any_shape(msgspec.json.encode(value))


@pytest.mark.parametrize("number", [2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**400, 1.5, True])
@pytest.mark.parametrize(
    "field", ["universe", "occurrences", "timestamp", "hosts", "attributes", "classifiers", "unknown"]
)
@settings(max_examples=3, deadline=None)
@given(notifications)
def test_the_shortcut_for_documented_bodies_reads_what_the_long_way_reads(
    field: str, number: object, value: dict[str, object]
) -> None:
    for shape in (number, [number], {"version": [["1", number]]}, {"version": [[number, 1]]}, [[[number]]]):
        body = json.dumps(notification_json() | value | {field: shape}).encode()
        assert_read_alike_in_any_shape(body)
        assert_read_alike_in_any_shape(body.replace(b'"universe"', b'"fingerprint": "*", "universe"'))
    assert_read_alike_in_any_shape(msgspec.json.encode(notification_json() | value))


# The release in an attribute, and the other attributes.


def releases_of(version: object, **reading: Any) -> tuple[tuple[str, int], ...]:
    body = msgspec.json.encode(notification_json(attributes={"version": version}))
    return backtrace.parse(body, NOW, Reading(**reading)).releases


@pytest.mark.parametrize(
    ("version", "pattern", "releases"),
    [
        ("build 1.2.3 (abc)", r"build ([0-9.]+)", (("1.2.3", 3),)),
        ("build 1.2.3 (abc)", r"[0-9.]+", (("1.2.3", 3),)),
        ("build 1.2.3 (abc)", r"release (\d+)", ()),
        ("1.2.3", r"(x)?1", ()),
        ("v 7 ", r"v(.*)", (("7", 3),)),
        ([["game 1.0", 2], ["game 1.0 (dirty)", 1], ["other", 9]], r"game ([0-9.]+)", (("1.0", 3),)),
    ],
)
def test_a_pattern_names_the_part_of_the_attribute_that_is_the_release(
    version: object, pattern: str, releases: tuple[tuple[str, int], ...]
) -> None:
    assert releases_of(version, release_pattern=pattern) == releases


def test_patterns_of_releases_read_the_commonest_values_of_a_body_that_has_too_many() -> None:
    version = [[f"{'x' * 240}{number:06}", number] for number in range(1, 4000)]
    releases = releases_of(version, release_pattern=r"[0-9]+")

    assert releases[0] == ("003999", 3999)
    assert len(releases) == backtrace.MAX_RELEASE_TEXT // 246


def test_an_ignored_value_is_no_release_and_its_occurrences_count() -> None:
    version = [["999.9.9", 5], ["2.0-dev", 2], ["2.0", 1]]

    assert releases_of(version, ignore_releases=["999.*", "*-dev"]) == (("2.0", 1),)
    assert releases_of(version, ignore_releases=["*"]) == ()
    assert parse(notification_json(attributes={"version": version}, occurrences=8)).occurrences == 8


def test_an_attribute_with_only_ignored_values_is_passed_over_for_the_next() -> None:
    body = msgspec.json.encode(notification_json(attributes={"version": "0.0.0-dev", "build": "7"}))
    reading = Reading(release_attributes=["version", "build"], ignore_releases=["*-dev"])

    assert backtrace.parse(body, NOW, reading).releases == (("7", 3),)


def test_attributes_are_kept_with_their_commonest_values() -> None:
    many = [[f"v{number}", number] for number in range(1, 20)]
    notification = parse(
        notification_json(attributes={"os": [["Linux", 1], ["Windows", 2]], "n": 5, "x": many, "": 1, "e": []})
    )

    assert notification.attributes == (
        ("n", ("5",)),
        ("os", ("Windows", "Linux")),
        ("x", tuple(f"v{number}" for number in range(19, 11, -1))),
    )
    # A bare value is not counted.
    assert notification.attribute_counts == ((), (2, 1), tuple(range(19, 11, -1)))


def test_reports_without_a_fingerprint_are_grouped_by_their_frames() -> None:
    zero = "0" * 64
    reading = Reading(zero_by_frames=True)

    def fingerprint(**facts: object) -> str:
        body = msgspec.json.encode(notification_json(**{"fingerprint": zero} | facts))
        return backtrace.parse(body, NOW, reading).identity.fingerprint

    assert fingerprint(callstack=["draw", "main"]) != fingerprint(callstack=["load", "main"])
    assert fingerprint(callstack=["draw", "main"]) == fingerprint(callstack=["draw", "main"], occurrences=9)
    assert fingerprint(callstack=[]) == zero
    assert fingerprint(fingerprint="abc") == "abc"
    assert parse(notification_json(fingerprint=zero)).identity.fingerprint == zero
