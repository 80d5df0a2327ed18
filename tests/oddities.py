"""Bodies of clumsy and hostile senders, and what must become of each: every place of a notification with every odd value in every encoding,
bodies that are odd as a whole, and bodies that are damaged somewhere.

The table is the columns of `VALUES` and `WHOLE`; nothing of the program decides it. The same seed gives the same bodies.
"""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

LAST = 1_750_003_600
BASE: Mapping[str, Any] = {
    "universe": "acme",
    "project": "game",
    "fingerprint": "f1",
    "application": "client",
    "href": "https://acme.sp.backtrace.io/",
    "group_url": "https://acme.sp.backtrace.io/p/game/triage?group=1",
    "callstack": ["Renderer::draw", "Loop::run", "main"],
    "occurrences": 7,
    "object_id": "2e6",
    "timestamp": [LAST - 3600, LAST],
    "classifiers": ["segfault"],
    "hosts": 2,
    "guids": 3,
    "attributes": {"version": [["1.1", 3], ["1.2", 4]], "os": [["Linux", 7]]},
}
IDENTITY = ("universe", "project", "fingerprint")
# Each place by its field and the JSON around the odd value.
PLACES: Mapping[str, tuple[str, str]] = {
    **{field: (field, "@") for field in BASE},
    "a field of nobody's": ("more", "@"),
    "deep in a field of nobody's": ("more", '[{"a":[1,{"b":@}]}]'),
    "a frame": ("callstack", '["a",@,"b"]'),
    "the only frame": ("callstack", "[@]"),
    "the frames of the query API": ("callstack", '{"frame":@}'),
    "the first time": ("timestamp", f"[@,{LAST}]"),
    "the last time": ("timestamp", f"[{LAST - 3600},@]"),
    "a classifier": ("classifiers", '["oom",@]'),
    "an attribute": ("attributes", '{"version":@,"os":[["Linux",7]]}'),
    "a pair of an attribute": ("attributes", '{"version":[["1.1",3],@],"os":[["Linux",7]]}'),
    "a value of an attribute": ("attributes", '{"version":[["1.1",3],[@,4]],"os":[["Linux",7]]}'),
    "a count of an attribute": ("attributes", '{"version":[["1.1",3],["1.2",@]],"os":[["Linux",7]]}'),
}
# The facts of a notification that a field may change.
FEEDS: Mapping[str, tuple[str, ...]] = {
    "application": ("application",),
    "group_url": ("group_url",),
    "callstack": ("callstack",),
    "occurrences": ("occurrences",),
    "object_id": ("object_id",),
    "timestamp": ("first", "last"),
    "classifiers": ("classifiers",),
    "hosts": ("hosts",),
    "guids": ("users",),
    "attributes": ("attributes", "attribute_counts", "releases"),
}


class Loss(StrEnum):
    """What a value loses when it is read."""

    NOTHING = "nothing"
    REPLACED = "replaced"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Value:
    """An odd value: its JSON, the identity it stands for (None for none, ... for one that cannot be taken), what it loses, and the JSON
    that must be read alike. A byte that is not UTF-8 is written as `surrogateescape` does."""

    text: str
    identity: Any = None
    loss: Loss = Loss.NOTHING
    alike: str = ""


def _nest(levels: int, bottom: str = "1") -> str:
    return "[" * levels + bottom + "]" * levels


def _replaced(text: str, alike: str) -> Value:
    return Value(text, ..., Loss.REPLACED, alike)


def _dropped(text: str, identity: Any = None) -> Value:
    return Value(text, identity, Loss.DROPPED, "null")


VALUES: Mapping[str, Value] = {
    "null": Value("null"),
    "true": Value("true"),
    "false": Value("false"),
    "zero": Value("0", "0"),
    "minus zero": Value("-0", "0"),
    "a number": Value("12345", "12345"),
    "below zero": Value("-1", "-1"),
    "a fraction": Value("1.5"),
    "a fraction that is whole": Value("12.0"),
    "an exponent": Value("1e3"),
    "2**53 + 1": Value("9007199254740993", "9007199254740993"),
    "2**63": Value("9223372036854775808", "9223372036854775808"),
    "2**64 - 1": Value("18446744073709551615", "18446744073709551615"),
    "-2**63": Value("-9223372036854775808", "-9223372036854775808"),
    "2**64": _dropped("18446744073709551616", "18446744073709551616"),
    "below -2**63": _dropped("-9223372036854775809", "-9223372036854775809"),
    "128 bits": _dropped("9" * 39, "9" * 39),
    "400 digits": _dropped("1" * 400, ...),
    "5,000 digits": _dropped("1" * 5000, ...),
    "a large fraction": Value("1e308"),
    "a tiny fraction": Value("1e-400"),
    "a fraction of many digits": Value("0." + "3" * 3000),
    "1e400": _dropped("1e400"),
    "-1e400": _dropped("-1e400"),
    "NaN": _dropped("NaN"),
    "Infinity": _dropped("Infinity"),
    "-Infinity": _dropped("-Infinity"),
    "empty": Value('""'),
    "blank": Value('" "'),
    "a wide blank": Value('"\\u2003"'),
    "not set": Value('"*"'),
    "blanks around": Value('" 12 "', "12"),
    "text": Value('"abc"', "abc"),
    "a number as text": Value('"35"', "35"),
    "an Arabic digit": Value('"\u0663"', "\u0663"),
    "JSON as text": Value('"{\\"frame\\":[\\"a\\"]}"', '{"frame":["a"]}'),
    "broken JSON as text": Value('"[["', "[["),
    "JSON as text with half an emoji": Value('"[\\"a\\\\ud83d\\"]"', '["a\\ud83d"]'),
    "an emoji": Value('"\U0001f600"', "\U0001f600"),
    "an emoji, escaped": Value('"\\ud83d\\ude00"', "\U0001f600"),
    "a mark inside": Value('"a\ufeffb"', "a\ufeffb"),
    "right to left": Value('"\u202egnirts"', "\u202egnirts"),
    "markup": Value('"</code><script>`@everyone`"', "</code><script>`@everyone`"),
    "NUL, escaped": Value('"a\\u0000b"', ...),
    "a line feed, escaped": Value('"a\\nb"', ...),
    "a bare line feed": Value('"a\nb"', ...),
    "a bare control": Value('"a\x01b"', ...),
    "delete": Value('"a\x7fb"', ...),
    "half an emoji": _replaced('"crash \\ud83d"', '"crash \ufffd"'),
    "the other half": _replaced('"\\ude00 crash"', '"\ufffd crash"'),
    "halves in the wrong order": _replaced('"x\\ude00\\ud83d"', '"x\ufffd\ufffd"'),
    "half an emoji and a pair": _replaced('"\\ud83d\\ud83d\\ude00"', '"\ufffd\U0001f600"'),
    "Latin-1": _replaced('"Stra\udcdfe"', '"Stra\ufffde"'),
    "UTF-8 cut off": _replaced('"Stra\udcc3"', '"Stra\ufffd"'),
    "a surrogate in UTF-8": _replaced('"x\udced\udca0\udcbd"', '"x\ufffd\ufffd\ufffd"'),
    "overlong UTF-8": _replaced('"x\udcc0\udcaf"', '"x\ufffd\ufffd"'),
    "a long text": Value(json.dumps("x" * 5000), ...),
    "an empty list": Value("[]"),
    "an empty object": Value("{}"),
    "a list of lists": Value("[[],[[]],{}]"),
    "an object": Value('{"a":{"b":[1,"c"]}}'),
    "an empty name": Value('{"":1}'),
    "a name twice": Value('{"a":1,"a":2}'),
    "a name with half an emoji": Value('{"x\\ud83d":[["v",1]]}', None, Loss.REPLACED, '{"x\ufffd":[["v",1]]}'),
    "50 levels": Value(_nest(50)),
    "200 levels": Value(_nest(200), None, Loss.DROPPED),
    "1,500 levels": Value(_nest(1500), None, Loss.DROPPED),
    "1,500 objects": Value('{"a":' * 1500 + "1" + "}" * 1500, None, Loss.DROPPED),
}
ENCODINGS: Mapping[str, tuple[bytes, str]] = {
    "UTF-8": (b"", "utf-8"),
    "UTF-8 with a mark": (b"\xef\xbb\xbf", "utf-8"),
    "UTF-16 LE with a mark": (b"\xff\xfe", "utf-16-le"),
    "UTF-16 BE with a mark": (b"\xfe\xff", "utf-16-be"),
    "UTF-16 LE": (b"", "utf-16-le"),
    "UTF-32 LE with a mark": (b"\xff\xfe\0\0", "utf-32-le"),
}
_WELL = json.dumps(BASE)
# Bodies that are odd as a whole, and the code of their refusal; None if they are accepted.
WHOLE: Mapping[str, tuple[str, str | None]] = {
    "as documented": (_WELL, None),
    "white space around": (f" \r\n\t{_WELL}\n\n", None),
    "indented": (json.dumps(BASE, indent=4), None),
    "in another order": (json.dumps({name: BASE[name] for name in sorted(BASE, reverse=True)}), None),
    "only an identity": ('{"universe":"acme","project":"game","fingerprint":"f1"}', None),
    "an identity given twice": (_WELL[:-1] + ',"fingerprint":"f1"}', None),
    "cut off": (_WELL[:-5], "not_json"),
    "a comma too many": (_WELL[:-1] + ",}", "not_json"),
    "a comma too few": (_WELL.replace(', "project"', ' "project"'), "not_json"),
    "single quotes": (_WELL.replace('"', "'"), "not_json"),
    "a comment": (f"// a group\n{_WELL}", "not_json"),
    "lines of JSON": (f"{_WELL}\n{_WELL}", "not_json"),
    "text behind": (f"{_WELL}x", "not_json"),
    "NUL behind": (f"{_WELL}\0", "not_json"),
    "two marks": (f"\ufeff\ufeff{_WELL}", "not_json"),
    "a form": ("universe=acme&project=game&fingerprint=f1", "not_json"),
    "JSON in a form": (f"payload={_WELL}", "not_json"),
    "a part of a form": (f'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n{_WELL}\r\n--x--', "not_json"),
    "a page": ("<html><body>crash</body></html>", "not_json"),
    "XML": ('<?xml version="1.0"?><crash/>', "not_json"),
    "YAML": ("universe: acme\nproject: game\nfingerprint: f1\n", "not_json"),
    "words": ("crash!", "not_json"),
    "an open nest": ("[" * 50_000, "not_json"),
    "an open nest of objects": ('{"a":' * 20_000, "not_json"),
    "an open text": ('{"universe":"acme', "not_json"),
    "only quotes": ('"' * 50_001, "not_json"),
    "only backslashes": ('{"a":"' + "\\" * 50_001, "not_json"),
    "a nest": (_nest(50_000), "not_a_notification"),
    "a list": ("[]", "not_a_notification"),
    "a list of one": (f"[{_WELL}]", "not_a_notification"),
    "JSON as text": (json.dumps(_WELL), "not_a_notification"),
    "null as a whole": ("null", "not_a_notification"),
    "NaN as a whole": ("NaN", "not_a_notification"),
    "a number as a whole": ("1e999", "not_a_notification"),
    "a word as a whole": ('"crash"', "not_a_notification"),
    "an empty object as a whole": ("{}", "no_universe"),
    "another notification": ('{"alerts":[{"status":"firing"}]}', "no_universe"),
    "upper-case names": (_WELL.replace("fingerprint", "Fingerprint"), "no_fingerprint"),
    "one level down": (json.dumps({"data": BASE}), "no_universe"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A body and its verdict: the code of its refusal, or None and the identity that must be read. `alike` is a body that must be read
    to the same facts, `field` the field that is odd. Where the body is `damaged`, either verdict will do."""

    name: str
    body: bytes
    code: str | None = None
    identity: tuple[str, ...] = tuple(BASE[field] for field in IDENTITY)
    field: str | None = None
    loss: Loss = Loss.NOTHING
    alike: bytes | None = None
    damaged: bool = False


def cases(seed: int = 20261130, damaged: int = 1000) -> Iterator[Case]:
    """Yield all cases: those of the table, and so many that are damaged at random. Each is about a group of its own, unless its identity
    is what is odd."""
    number = 0
    for encoding, (mark, codec) in ENCODINGS.items():
        for place in PLACES:
            for value in VALUES:
                # Bytes that are not UTF-8 are a matter of UTF-8 alone.
                if codec == "utf-8" or not any("\udc80" <= sign <= "\udcff" for sign in VALUES[value].text):
                    yield _case(place, value, encoding, number := number + 1)
        for name, (text, code) in WHOLE.items():
            body, identity = _apart(text, number := number + 1)
            yield Case(name=f"{name}, {encoding}", body=mark + body.encode(codec), code=code, identity=identity)
    chance = random.Random(seed)
    for damage in range(damaged):
        yield Case(name=f"damage {seed}/{damage}", body=_damaged(chance, number + damage), damaged=True)


def _apart(text: str, number: int) -> tuple[str, tuple[str, ...]]:
    """The text about another group, and its identity."""
    return text.replace('"f1"', f'"group {number}"'), (BASE["universe"], BASE["project"], f"group {number}")


def _case(place: str, name: str, encoding: str, number: int) -> Case:
    field, around = PLACES[place]
    value, code = VALUES[name], None
    text, usual = _apart(_with(field, around.replace("@", value.text)), number)
    identity = dict(zip(IDENTITY, usual, strict=True))
    loss, alike = value.loss, value.alike
    if field in IDENTITY:
        limit = 1024 if field == "fingerprint" else 255
        taken = value.identity
        if taken is ... and value.text.isdigit() and len(value.text) <= limit:
            taken = value.text
        if taken is None or taken is ...:
            code = f"{'no' if taken is None else 'bad'}_{field}"
        else:
            identity[field], loss, alike = taken, Loss.NOTHING, ""
    mark, codec = ENCODINGS[encoding]
    return Case(
        name=f"{place}: {name}, {encoding}",
        body=mark + text.encode(codec, "surrogateescape"),
        code=code,
        identity=tuple(identity.values()),
        field=field,
        loss=loss,
        alike=_apart(_with(field, around.replace("@", alike)), number)[0].encode() if alike and code is None else None,
    )


def _with(field: str, text: str) -> str:
    """The notification with this JSON as the value of a field."""
    fields = {name: json.dumps(value) for name, value in BASE.items()} | {field: text}
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in fields.items()) + "}"


def _damaged(chance: random.Random, number: int) -> bytes:
    """A body with some bytes changed, taken out, put in, or doubled."""
    field, around = PLACES[chance.choice(list(PLACES))]
    text, _ = _apart(_with(field, around.replace("@", VALUES[chance.choice(list(VALUES))].text)), number)
    mark, codec = chance.choice(list(ENCODINGS.values()))
    body = bytearray(mark + text.encode(codec, "surrogateescape" if codec == "utf-8" else "replace"))
    for _ in range(chance.randint(1, 2)):
        start = chance.randrange(len(body) + 1)
        end = start + chance.choice((0, 1, 1, 2, 9))
        pieces = (
            b"",
            b'"',
            b"\\",
            b"{",
            b"]",
            b",",
            b"\0",
            b"\xff",
            b"\xed\xa0\x80",
            bytes(body[start : start + 40]),
            chance.randbytes(3),
        )
        body[start:end] = chance.choice(pieces)
    return bytes(body[: chance.randrange(1, len(body) + 2)]) if chance.random() < 0.2 else bytes(body) or b"{"
