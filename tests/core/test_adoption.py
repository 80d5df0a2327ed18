"""Which fingerprint an issue names, which of several issues stands for a crash, and what a file of issues says."""

import csv
import io
import json
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core import adoption
from syncd.core.adoption import Entry, Fault, Mention
from syncd.model import Condition, Identity, Observation, Place

A, B, C = "ab" * 32, "0123456789abcdef" * 4, "c" * 64
TRIAGE = "https://acme.sp.backtrace.io/p/game/triage"
MERGED = "0" * 40 + "1234567890abcdef12345678"

NAMED = {
    # What Backtrace's own integrations write, by public issues: a link to the triage page.
    f"{TRIAGE}?fingerprints={A}": ((A,), "game"),
    f"[Group]({TRIAGE}?fingerprint={A.upper()}&time=month)": ((A,), "game"),
    f"{TRIAGE}?filters=((fingerprint,equal,{A}))": ((A,), "game"),
    f"{TRIAGE}?filters=%28%28fingerprint%2Cequal%2C{A}%29%29": ((A,), "game"),
    f"{TRIAGE}?query={quote(quote(json.dumps({'filter': [{'fingerprint': [['equal', A]]}]})))}": ((A,), "game"),
    f"https://backtrace.example.com/explore/acme/p/game-client/overview/{A}": ((A,), "game-client"),
    # What people write.
    f"Fingerprint: {A}": ((A,), ""),
    f"fingerprint `{A}`": ((A,), ""),
    f"|Fingerprint|{{{{{A}}}}}|": ((A,), ""),
    f"Crash {A} again": ((A,), ""),
    f"fingerprint {MERGED}": ((MERGED,), ""),
    # Several are several; the same one is one.
    f"fingerprints={A},{B}": ((A, B), ""),
    f"{A} and {B}": ((A, B), ""),
    f"{TRIAGE}?fingerprint={A} {TRIAGE}?fingerprint={A.upper()}": ((A,), "game"),
    # Other digests are none, and none beside a fingerprint counts.
    f"image sha256:{B}": ((), ""),
    f"sha-256 {B}, fingerprint {A}": ((A,), ""),
    f"libgame.so {B} {C} in https://x/?fingerprint={A}": ((A,), ""),
    f"These numbers include 2 more fingerprints: `{B}, {C}`\nfingerprint={A}": ((A,), ""),
    f"a git commit {A[:40]}, {A}0, x{A}": ((), ""),
    "": ((), ""),
}


@pytest.mark.parametrize("body", NAMED)
def test_an_issue_names_a_fingerprint(body: str) -> None:
    mention = adoption.mention("A crash", body)

    assert (mention.fingerprints, mention.project) == NAMED[body]
    assert mention.beginning == ""


@pytest.mark.parametrize(
    ("title", "beginning"),
    [
        ("[a3d7ac] App: RokuChannelManager.Leave", "a3d7ac"),
        ("[A3D7AC] App: f", "a3d7ac"),
        ("[a3d7a] App", ""),
        ("[a3d7ax] App", ""),
        ("Crash [a3d7ac] in App", ""),
        ("[a3d7ac]", ""),
    ],
)
def test_a_title_names_the_beginning_of_a_fingerprint(title: str, beginning: str) -> None:
    assert adoption.mention(title, "") == Mention(beginning=beginning)


WRAPPERS = st.sampled_from(
    (
        "fingerprint={}",
        "fingerprints={}&x=1",
        "((fingerprint,equal,{}))",
        '"fingerprint":[["equal","{}"]]',
        "| Fingerprint | `{}` |",
        "Fingerprint: {}",
        "fingerprint\n{}",
    )
)
DIGITS = st.text("0123456789abcdef", min_size=64, max_size=64)
NOISE = st.text(st.characters(exclude_characters="0123456789abcdefABCDEFgG%\n"), max_size=30).filter(
    lambda text: "finger" not in text.lower()
)


@given(DIGITS, WRAPPERS, st.integers(0, 2), st.booleans(), NOISE, NOISE, st.lists(DIGITS, max_size=3))
def test_a_fingerprint_is_read_in_each_form_and_encoding_beside_other_digests(
    digits: str, wrapper: str, times: int, upper: bool, before: str, after: str, bare: list[str]
) -> None:
    form = wrapper.format(digits.upper() if upper else digits)
    for _ in range(times):
        form = quote(form)
    hashes = "\n".join(f"sha {'x' * 60} {each}" for each in bare)

    assert adoption.mention("", f"{hashes}\n{before} {form} {after}\n{hashes}").fingerprints == (digits,)


@given(st.text(), st.text())
def test_whatever_an_issue_says_is_read(title: str, body: str) -> None:
    mention = adoption.mention(title, body)

    assert all(len(digits) == 64 and digits == digits.lower() for digits in mention.fingerprints)


@pytest.mark.parametrize(
    "piece",
    [
        "https://a/",
        "https://" + "a/" * 20,
        "fingerprint ",
        f"{A} ",
        "`",
        "| Project | ",
        "Project  `` ` ",
        "%25",
        "[a3d7ac] ",
    ],
)
def test_a_long_text_takes_no_long_time(piece: str) -> None:
    began = time.process_time()
    adoption.mention(piece * 200, piece * (1_000_000 // len(piece)))

    assert time.process_time() - began < 2.0


@pytest.mark.parametrize(
    ("fingerprint", "whole"), [(A, True), (A[:63], False), ("a3d7ac", False), ("web:42", True), ("deadbeef-1", True)]
)
def test_a_beginning_is_no_whole_fingerprint(fingerprint: str, whole: bool) -> None:
    assert adoption.is_whole(fingerprint) is whole


@pytest.mark.parametrize(
    ("universe", "project", "fits"),
    [("", "", True), ("acme", "game", True), ("", "GAME", True), ("other", "", False), ("", "web", False)],
)
def test_names_of_universe_and_project_narrow_what_is_meant(universe: str, project: str, fits: bool) -> None:
    assert adoption.fits(universe, project, Identity("acme", "Game", A)) is fits


def observed(closed: bool, created_at: float | None) -> Observation:
    place = Place(remote_id="1", key="K-1", url="")
    return Observation(place=place, condition=Condition(closed=closed, created_at=created_at))


@pytest.mark.parametrize(
    ("several", "first"),
    [
        ({"a": (True, 5.0), "b": (False, 9.0)}, "b"),
        ({"a": (False, 5.0), "b": (False, 9.0)}, "a"),
        ({"a": (True, 5.0), "b": (True, 9.0)}, "b"),
        ({"b": (False, None), "a": (False, None)}, "a"),
    ],
)
def test_the_open_one_stands_for_a_crash_else_the_newest(
    several: dict[str, tuple[bool, float | None]], first: str
) -> None:
    assert adoption.ranked({name: observed(*facts) for name, facts in several.items()})[0] == first


CELL = st.text(
    st.characters(min_codepoint=33, exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=12
)
LINES = st.lists(st.fixed_dictionaries({name: CELL for name in adoption.COLUMNS}), min_size=1, max_size=5)


def entries(lines: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{name: line[name].strip() for name in adoption.COLUMNS} for line in lines]


def as_read(result: tuple[list[Entry], list[Fault]]) -> list[dict[str, str]]:
    assert not result[1]
    return [{name: getattr(entry, name) for name in adoption.COLUMNS} for entry in result[0]]


@given(LINES, st.sampled_from(",;\t"), st.permutations((*adoption.COLUMNS, "Owner")), st.booleans(), st.booleans())
def test_a_csv_file_is_read_as_spreadsheets_write_it(
    lines: list[dict[str, str]], separator: str, columns: list[str], marked: bool, quoted: bool
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL)
    writer.writerow([column.upper() for column in columns])
    for line in lines:
        writer.writerow([line.get(column, "ada") for column in columns])

    read = adoption.read_file(("\ufeff" if marked else "") + text.getvalue(), as_json=False)
    assert as_read(read) == entries(lines)


@given(LINES, st.booleans())
def test_json_lines_are_read(lines: list[dict[str, str]], ascii_only: bool) -> None:
    text = "\n\n".join(json.dumps({**line, "owner": ["ada"]}, ensure_ascii=ascii_only) for line in lines)

    assert as_read(adoption.read_file(text, as_json=True)) == entries(lines)


@given(st.text(), st.booleans())
def test_whatever_a_file_says_is_read(text: str, as_json: bool) -> None:
    for entry in adoption.read_file(text, as_json=as_json)[0]:
        assert entry.fingerprint
        assert entry.issue


FAULTS = {
    "fingerprint,ticket\n": [(1, "the header has no column issue; it has fingerprint, ticket")],
    "": [(1, "the header has no column fingerprint and no column issue; it has nothing")],
    f"fingerprint,issue\n{A},\n,\n{A},K-1\n,K-2\n": [(2, "issue is empty"), (5, "fingerprint is empty")],
    f'fingerprint,issue\n{A},"K\n1"\n': [(3, "issue has a line break or a control character")],
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_line_that_cannot_be_used_is_named(text: str) -> None:
    assert [(fault.line, fault.reason) for fault in adoption.read_file(text, as_json=False)[1]] == FAULTS[text]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "it is no JSON; write one object in each line"),
        ("[" * 100_000, "it is no JSON; write one object in each line"),
        ("[1]", 'it is no object; write {"fingerprint": …, "issue": …}'),
        ('{"fingerprint": ["a"], "issue": 1}', "fingerprint is no text"),
        ('{"fingerprint": "a"}', "issue is empty"),
    ],
)
def test_a_line_of_json_that_cannot_be_used_is_named(line: str, reason: str) -> None:
    good = json.dumps({"fingerprint": A, "issue": 12})

    read, faults = adoption.read_file(f"{good}\n{line}\n{good}", as_json=True)
    assert [entry.issue for entry in read] == ["12", "12"]
    assert faults == [Fault(2, reason)]
