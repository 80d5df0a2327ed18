"""`python -m tests.titles FILE …`: how many titles of the stacks in a file name the function that a person names, and how many are readable.

A file is a JSON list of stacks: `frames`, `application`, and `expected`, the functions of which any is right; NONE stands for a title that
names no function. The comparison reads names on its own, so that a fault in the program's reading is no excuse for itself.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from syncd.render.report import title
from tests.factories import make_group

UNSEEN = Path(__file__).with_name("titles_unseen.json")
LONGEST = 95  # characters of a readable title
_SUBJECT = re.compile(r"^(?:[\w .]{1,60}? in )(.*?)(?: \([^()]*\))?$", re.DOTALL)
_LUA = re.compile(r"in (?:function|method|local|upvalue|field) '([^']+)'")
_IN_FRONT = re.compile(r"^(?:specialized|@objc|static|virtual thunk to|non-virtual thunk to|new|async) ")
_UNREADABLE = re.compile(
    r"0x[0-9a-f]|\+ ?\d|::h[0-9a-f]{16}|[0-9A-Fa-f]{16,}|:\d+(?:\b|$)|[/\\][\w .-]+\.(?:c|cc|cpp|h|java|kt|cs|js|py|lua)\b|\.(?:dll|exe|so)!"
)


def bare(name: str) -> str:
    """The name without arguments, template arguments, return type and words of the language."""
    if lua := _LUA.search(name):
        return lua[1]
    text, depth, place = "", 0, 0
    name = re.sub(r"`\d+(?:\[[^\[\]]*\])?", "", name.replace("[...]", "[…]"))
    while place < len(name):
        sign = name[place]
        if (
            sign == "<"
            and (depth or (text and (text[-1].isalnum() or text[-1] in "_:")))
            and not text.endswith("operator")
        ):
            depth += 1
        elif sign == ">" and depth:
            depth -= name[place - 1] not in "-="
        elif not depth:
            if sign == "(" and text and text[-1] not in ".:/ *" and not text.endswith("operator"):
                break
            text += sign
        place += 1
    text = text.strip()
    while _IN_FRONT.match(text):
        text = _IN_FRONT.sub("", text)
    if not text.startswith(("-[", "+[", "_")) and " in " not in text and "operator" not in text:
        text = text.split(" ")[-1] or text
    return text.removesuffix("::").strip(" *")


def subject(line: str) -> str | None:
    """The function that the title names; None if it names none."""
    if re.search(r", group [0-9a-f]{6,12}…?$", line):
        return None
    match = _SUBJECT.match(line)
    return (match[1] if match else line).split(" ← ")[0]


def right(line: str, expected: Sequence[str]) -> bool:
    name = subject(line)
    if name is None:
        return "NONE" in expected
    if name.endswith(("…", "…]")):
        return any(wanted.startswith(name.rstrip("…]")) for wanted in expected)
    named = bare(name).lstrip("…")
    return any(
        named == wanted or (len(named) > 3 and re.search(r"(?:^|[.:/+$])" + re.escape(named) + "$", wanted) and named.count(".") + named.count("::"))
        or named.endswith((f"::{wanted}", f".{wanted}", f"/{wanted}"))
        for wanted in map(bare, expected)
    )  # fmt: skip


def readable(line: str) -> bool:
    """True if the title has no arguments, places, addresses, hashes and return types, and is short."""
    name = subject(line) or ""
    plain = re.sub(
        r"\((?:anonymous namespace|\*[\w\[\]….,]+)\)|\{lambda\(\)#\d+\}|`anonymous namespace'|operator\(\)|(?<=\[)\w+\(\w+\)",
        "",
        name,
    )
    typed = " " in plain and not re.search(r"^[-+]\[|^__\d+[-+]\[|closure #\d+ in |operator |^\(Mono|'$", plain)
    return len(line) <= LONGEST and "(" not in plain and not typed and not _UNREADABLE.search(plain)


def group_of(stack: Mapping[str, Any]) -> Any:
    return make_group(
        application=stack["application"], callstack=tuple(stack["frames"]), classifiers=tuple(stack.get("classifiers", ())), attributes=()
    )  # fmt: skip


def score(stacks: Sequence[Mapping[str, Any]], verbose: bool = False) -> Counter[str]:
    counts = Counter[str](stacks=len(stacks), right=0, both=0)
    for stack in stacks:
        line = title(group_of(stack))
        is_right, is_readable = right(line, stack["expected"]), readable(line)
        counts["right"] += is_right
        counts["both"] += is_right and is_readable
        if verbose and not (is_right and is_readable):
            print(
                f"{'WRONG ' if not is_right else 'UGLY  '}{stack['id']} {stack['kind']}: {line}\n       wanted {' | '.join(stack['expected'])[:200]}"
            )
    return counts


if __name__ == "__main__":
    for name in sys.argv[1:] or [str(UNSEEN)]:
        counts = score(json.loads(Path(name).read_text()), verbose=True)
        print(name, {key: f"{value} ({100 * value / counts['stacks']:.0f} %)" for key, value in counts.items()})
