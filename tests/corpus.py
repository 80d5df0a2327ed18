"""Notifications of many groups, in every shape that Backtrace is known or thought to send.

The same seed gives the same corpus. Every shape of every field occurs, each in the company of various others.
"""

import hashlib
import json
import random
from collections.abc import Callable
from typing import Any

START = 1_750_000_000
MISSING: Any = object()  # the field is not there at all

Shape = Callable[[int, random.Random], Any]


def corpus(seed: int = 20261124, size: int = 240) -> list[dict[str, Any]]:
    """`size` notifications, one for each of `size` groups. With 20 or more, every shape of `SHAPES` occurs."""
    chance = random.Random(seed)
    # Each column is shuffled by itself, so that shapes of different fields meet in ever new company.
    columns = {field: _column(list(shapes.values()), size, chance) for field, shapes in SHAPES.items()}
    notifications = [_notification(number, columns, chance) for number in range(size)]
    # All crashes without a call stack fall into one group, so a corpus has at most one.
    notifications[0]["fingerprint"] = "0" * 64
    return notifications


def _column(shapes: list[Shape], size: int, chance: random.Random) -> list[Shape]:
    column = [shapes[number % len(shapes)] for number in range(size)]
    chance.shuffle(column)
    return column


def _notification(number: int, columns: dict[str, list[Shape]], chance: random.Random) -> dict[str, Any]:
    fields = {field: column[number](number, chance) for field, column in columns.items()}
    fields |= fields.pop("extra")
    present = [(field, value) for field, value in fields.items() if value is not MISSING]
    chance.shuffle(present)
    return dict(present)


def _sha256(number: int) -> str:
    return hashlib.sha256(f"crash {number}".encode()).hexdigest()


def _always(value: Any) -> Shape:
    return lambda number, chance: value


def _callstack(number: int, chance: random.Random) -> list[str]:
    names = (
        "Renderer::draw",
        "Texture<Pixel<unsigned char>>::load",
        "std::vector<int>::at(unsigned long)",
        "loop",
    )
    return [f"{name}_{number}" for name in chance.sample(names, 3)] + ["main"]


def _releases(number: int, chance: random.Random) -> list[list[object]]:
    return [[f"1.{minor}.{number % 7}", chance.randint(1, 40)] for minor in range(chance.randint(1, 4))]


def _versions(*names: object) -> Shape:
    return lambda number, chance: {"version": [[name, chance.randint(1, 9)] for name in names]}


def _under(name: str) -> Shape:
    return lambda number, chance: {name: _releases(number, chance)}


# By field, the name of a shape and what makes it from the group's number.
SHAPES: dict[str, dict[str, Shape]] = {
    "universe": {"text": _always("acme"), "other": _always("umbrella")},
    "project": {"plain": _always("game"), "dashed": _always("game-server"), "unicode": _always("Spiel-Ü")},
    "fingerprint": {
        "sha256": lambda number, chance: _sha256(number),
        "upper case": lambda number, chance: _sha256(number).upper(),
        "merged": lambda number, chance: "0" * 32 + _sha256(number)[:32],
        "cut": lambda number, chance: _sha256(number)[:18] + "...",
        "opaque": lambda number, chance: f"group/{number}",
        "number": lambda number, chance: 10_000_000 + number,
    },
    "application": {
        "name": _always("client"),
        "executable": _always("my app.exe"),
        "path": _always("/opt/game/bin/client"),
        "windows path": _always(r"C:\Games\client.exe"),
        "null": _always(None),
        "not set": _always("*"),
        "empty": _always(""),
        "missing": _always(MISSING),
    },
    "href": {"address": _always("https://acme.sp.backtrace.io/"), "missing": _always(MISSING)},
    "group_url": {
        "address": lambda number, chance: f"https://acme.sp.backtrace.io/p/game/triage?group={number}",
        "elsewhere": _always("https://elsewhere.example/"),
        "script": _always("javascript:alert(1)"),
        "null": _always(None),
        "missing": _always(MISSING),
    },
    "callstack": {
        "list": _callstack,
        "one name": _always("main"),
        "empty list": _always([]),
        "null": _always(None),
        "missing": _always(MISSING),
        "not set": _always("*"),
        "JSON text": lambda number, chance: json.dumps({"frame": _callstack(number, chance)}),
        "dictionary": lambda number, chance: {"frame": _callstack(number, chance)},
        "JSON text of a list": lambda number, chance: json.dumps(_callstack(number, chance)),
        "broken JSON text": _always('{"frame": ["main"'),
        "hollow frames": _always(["*", None, "", "main"]),
        "numbers": _always([4198400, "0x401000", "module+0x1c"]),
        "deep recursion": lambda number, chance: ["Parser::descend"] * 1500 + ["main"],
        "long name": lambda number, chance: ["Map<" * 2000 + "int" + ">" * 2000, "main"],
        "markup": _always(["`@everyone`", "</code><script>", "| a |", "{noformat}", "![x](y)", "\u202egnirts"]),
        "lines": _always(["first\nsecond\r\nthird\ttabbed", "\x00main"]),
    },
    "occurrences": {
        "many": lambda number, chance: chance.randint(2, 5000),
        "one": _always(1),
        "none": _always(0),
        "text": _always("17"),
        "fraction": _always(12.0),
        "enormous": _always(2**63),
        "null": _always(None),
        "missing": _always(MISSING),
    },
    "object_id": {
        "hex": lambda number, chance: format(number + 512, "x"),
        "upper case": lambda number, chance: format(number + 512, "X"),
        "number": lambda number, chance: number + 512,
        "null": _always(None),
        "missing": _always(MISSING),
    },
    "timestamp": {
        "span": lambda number, chance: [START + number, START + number + chance.randint(1, 90_000)],
        "moment": lambda number, chance: [START + number, START + number],
        "one element": lambda number, chance: [START + number],
        "a number": lambda number, chance: START + number,
        "texts": lambda number, chance: [str(START + number), str(START + number + 60)],
        "fractions": lambda number, chance: [START + number + 0.25, START + number + 60.75],
        "reversed": lambda number, chance: [START + number + 60, START + number],
        "nulls": _always([None, None]),
        "zeros": _always([0, 0]),
        "far future": lambda number, chance: [START + number, 4_102_444_800],
        "milliseconds": lambda number, chance: [(START + number) * 1000, (START + number + 60) * 1000],
        "empty": _always([]),
        "null": _always(None),
        "missing": _always(MISSING),
    },
    "classifiers": {
        "list": _always(["segfault", "invalid-access"]),
        "dump": _always(["dump"]),
        "text": _always("exception breakpoint"),
        "empty list": _always([]),
        "empty text": _always(""),
        "not set": _always("*"),
        "mixed": _always(["oom", None, 5, "*"]),
        "null": _always(None),
        "missing": _always(MISSING),
    },
    "hosts": {
        "some": lambda number, chance: chance.randint(1, 90),
        "none": _always(0),
        "null": _always(None),
        "missing": _always(MISSING),
    },
    "guids": {
        "some": lambda number, chance: chance.randint(1, 90),
        "none": _always(0),
        "null": _always(None),
        "missing": _always(MISSING),
    },
    "attributes": {
        "releases": _under("version"),
        "other name": _under("application.version"),
        "odd names": lambda number, chance: {
            "uname.sysname": [["Linux", 3]],
            "fingerprint;original": [["00ab", 3]],
            "version": _releases(number, chance),
        },
        "many parts": _versions("145.1.87.42", "0.0.0-development", "2.0.0-nightly.20260101+a1b2", "a1b2c3d4"),
        "no text": _versions(7, 2.5, True, None, "*", "", 2**60),
        "dictionary": _always({"version": {"1.0.0": 4, "1.1.0": 5}}),
        "bare value": _always({"version": "3.1.4"}),
        "empty histogram": _always({"version": []}),
        "broken pairs": _always({"version": [["1.0"], ["1.0", 2, 3], "1.0", [None, None], ["1.1", "6"]]}),
        "counts beyond reason": _always({"version": [["1.0.0", 2**63], ["1.0.1", -4], ["1.0.2", 0]]}),
        "many releases": lambda number, chance: {"version": [[f"0.0.{patch}", 1] for patch in range(700)]},
        "long release": _always({"version": [["9." * 400, 1]]}),
        "empty": _always({}),
        "list": _always([["version", "1.0.0"]]),
        "null": _always(None),
        "missing": _always(MISSING),
    },
    "extra": {
        "nothing": lambda number, chance: {},
        "unknown keys": lambda number, chance: {"fingerprint_original": "ab", "nested": {"a": [{"b": None}]}},
        "a kind": lambda number, chance: {"event": "group", "state": "open", "ticket": []},
    },
}  # fmt: skip
