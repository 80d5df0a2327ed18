"""Issues that exist before syncd hears of their crash: which fingerprint an issue names, and which of several stands for a group. Pure."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from urllib.parse import unquote

from syncd.model import Identity, Observation

COLUMNS = ("universe", "project", "fingerprint", "tracker", "issue")
_NEEDED = ("fingerprint", "issue")
_MOST_CHARACTERS = 200_000  # of one text; GitHub takes 65,536, Jira 32,767
_LONGEST_FACT = 2000

_DIGITS = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{64}(?![0-9A-Za-z])")
_LABEL = re.compile(r"(more\s+)?fingerprint", re.IGNORECASE)
_LABEL_REACH = 60  # characters between the word and the digits: `fingerprint":[["equal","`, a cell of a table
_BETWEEN = re.compile(r"[\s,;|\"'`()\[\]+]{1,8}")
_OTHER_DIGEST = re.compile(r"sha-?256[:=\s]{1,3}\Z", re.IGNORECASE)
_PROJECT = re.compile(r"https?://[^\s/]{1,253}/(?:[^\s/]{1,100}/){0,3}p/([^\s/?#\"'<>)\]|]{1,200})")
_FACT = re.compile(r"\|?\s*(Universe|Project|Fingerprint)(?:\s*\||\t|\s{2,})\s*(.*)")
_CODE = re.compile(r"(`+) ?(.*?) ?\1")
_BEGINNING = re.compile(r"\s*\[([0-9A-Fa-f]{6,63})\]\s")


@dataclass(frozen=True, slots=True)
class Mention:
    """The fingerprints that an issue names, in lower case, and the universe and project of its group; empty where it does not name them.
    `beginning` are the first digits of one in its title."""

    fingerprints: tuple[str, ...] = ()
    universe: str = ""
    project: str = ""
    beginning: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a file: the issue, as people write it, stands for the crash with the fingerprint. `universe` and `project` are empty where any
    fits, `tracker` is where the caller knows it."""

    line: int
    fingerprint: str
    issue: str
    universe: str = ""
    project: str = ""
    tracker: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A line of a file that cannot be used, and the reason."""

    line: int
    reason: str


def mention(title: str, body: str) -> Mention:
    """Read what an issue names. The table of facts that syncd writes counts before anything else. Then a SHA-256 behind the word fingerprint,
    as in a link's query or a filter, counts before any other; those of aliases, which syncd writes behind `more fingerprints`, count not
    at all. A link to Backtrace names a project, and no universe that a notification would name."""
    beginning = _BEGINNING.match(title)
    digits = "" if beginning is None else beginning[1].lower()
    facts = _facts(body[:_MOST_CHARACTERS])
    if _DIGITS.fullmatch(facts.get("Fingerprint", "")):
        return Mention((facts["Fingerprint"].lower(),), facts.get("Universe", ""), facts.get("Project", ""), digits)
    # A link may be encoded inside of another link.
    text = unquote(unquote(f"{title}\n{body}"[:_MOST_CHARACTERS]))
    project = _PROJECT.search(text)
    return Mention(_named(text), project="" if project is None else project[1], beginning=digits)


def _facts(body: str) -> dict[str, str]:
    """The facts of syncd's own table in the markup of each tracker; none where a row that it always has is not there, or is there twice."""
    facts: dict[str, str] = {}
    for line in body.splitlines():
        match = _FACT.fullmatch(line.strip()[:_LONGEST_FACT])
        if match is None:
            continue
        name, value = match[1], match[2].strip()
        if name in facts:
            return {}
        if line.lstrip().startswith("|"):
            value = value.removesuffix("|").strip().replace("\\|", "|")
        # Wiki markup has signs as entities.
        value = code[2] if (code := _CODE.fullmatch(value)) else unescape(value)
        facts[name] = value.replace("\u200b", "").strip()  # syncd breaks mentions with it
    return facts if facts.keys() == {"Universe", "Project", "Fingerprint"} else {}


def _named(text: str) -> tuple[str, ...]:
    labelled: dict[str, None] = {}
    bare: dict[str, None] = {}
    before: tuple[int, dict[str, None] | None] = (-1, None)  # the end of the match before, and where it went
    for match in _DIGITS.finditer(text):
        digits, start = match[0].lower(), match.start()
        context = text[max(0, start - _LABEL_REACH, before[0]) : start]
        labels = list(_LABEL.finditer(context))
        if labels:
            kind = None if labels[-1][1] else labelled
        elif before[0] >= 0 and _BETWEEN.fullmatch(text[before[0] : start]):
            kind = before[1]  # the next of a list
        else:
            kind = None if _OTHER_DIGEST.search(context) else bare
        if kind is not None:
            kind[digits] = None
        before = match.end(), kind
    return tuple(labelled or bare)


def is_whole(fingerprint: str) -> bool:
    """False for digits that are fewer than those of a SHA-256: the beginning of one. Other senders' fingerprints have any form."""
    return len(fingerprint) >= 64 or re.fullmatch(r"[0-9A-Fa-f]+", fingerprint) is None


def fits(universe: str, project: str, identity: Identity) -> bool:
    """True if the group may be meant by these names; an empty one means any. Links and payloads write a project in different cases."""
    return universe in ("", identity.universe) and project.lower() in ("", identity.project.lower())


def ranked(observations: Mapping[str, Observation]) -> list[str]:
    """The names of several issues of one crash, the one that stands for it first: an open one before a closed one, the oldest of open ones, the
    newest of closed ones. Without a time, the names decide."""

    def order(name: str) -> tuple[bool, float, str]:
        condition = observations[name].condition
        created_at = condition.created_at or 0.0
        return condition.closed, -created_at if condition.closed else created_at, name

    return sorted(observations, key=order)


def read_file(text: str, *, as_json: bool) -> tuple[list[Entry], list[Fault]]:
    """The lines of a file: CSV with a header, separated by comma, semicolon or tab, or one JSON object in each line. Other columns and keys
    mean nothing here."""
    entries: list[Entry] = []
    faults: list[Fault] = []
    for line, values in (_json_lines if as_json else _csv_lines)(text.removeprefix("\ufeff")):
        if isinstance(values, str):
            faults.append(Fault(line, values))
            continue
        lacking = [name for name in _NEEDED if not values.get(name)]
        spoiled = [name for name, value in values.items() if any(ord(mark) < 32 for mark in value)]
        if lacking:
            faults.append(Fault(line, f"{' and '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} empty"))
        elif spoiled:
            faults.append(Fault(line, f"{spoiled[0]} has a line break or a control character"))
        else:
            entries.append(Entry(line=line, **values))
    return entries, faults


Line = tuple[int, dict[str, str] | str]


def _csv_lines(text: str) -> Iterator[Line]:
    header = text.partition("\n")[0]
    separator = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        if missing := [name for name in _NEEDED if name not in names]:
            has = ", ".join(filter(None, names))[:200] or "nothing"
            yield 1, f"the header has no column {' and no column '.join(missing)}; it has {has}"
            return
        places = {name: names.index(name) for name in COLUMNS if name in names}
        for row in reader:
            if any(cell.strip() for cell in row):
                yield (
                    reader.line_num,
                    {name: row[place].strip() if place < len(row) else "" for name, place in places.items()},
                )
    except csv.Error as error:
        yield reader.line_num, f"it cannot be read as CSV: {error}"


def _json_lines(text: str) -> Iterator[Line]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            yield number, "it is no JSON; write one object in each line"
            continue
        if not isinstance(value, dict):
            yield number, 'it is no object; write {"fingerprint": …, "issue": …}'
            continue
        values = {name: value[name] for name in COLUMNS if value.get(name) not in (None, "")}
        wrong = [name for name, each in values.items() if isinstance(each, bool | float | list | dict)]
        if wrong:
            yield number, f"{wrong[0]} is no text"
            continue
        yield number, {name: str(each).strip() for name, each in values.items()}
