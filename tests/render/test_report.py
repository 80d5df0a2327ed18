import json
import re
from html import unescape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from syncd.model import Announcement, Group, GroupKind, Identity, Occasion, Place, Point, Release, Storm
from syncd.render import adf, markdown, wiki
from syncd.render.parts import ReportExtras, parts
from syncd.render.report import announcement, body, closing, status, title
from syncd.render.text import Block, Code, Details, Document, Link, Paragraph, Span, Table, Value
from tests.fakes.adf import problem
from tests.golden import golden
from tests.render.strategies import harmless, hostile

HOSTS = ["*.backtrace.io"]
FINGERPRINT = "3f2a9c1b" * 8
GROUP = Group(
    identity=Identity("acme", "game", FINGERPRINT),
    application="/opt/game/bin/renderer",
    group_url="https://acme.sp.backtrace.io/p/game/triage",
    callstack=("__GI_raise", "abort", "Renderer::draw(Frame const&)", "main"),
    object_id="1a2b",
    classifiers=("abort", "stl_exception"),
    occurrences=12345,
    approximate=True,
    hosts=321,
    users=1,
    first_seen=1795400000,
    last_seen=1795490159,
    releases=(
        Release(release="1.0", occurrences=12000, first_seen=1795400000, last_seen=1795400000),
        Release(release="1.1", occurrences=34, approximate=True, last_seen=1795490159),
        Release(release="0.9", occurrences=1),
    ),
)


def group(**changes: Any) -> Group:
    return replace(GROUP, **changes)


def table(document: Document, first_of_header: str) -> Table:
    (match,) = (block for block in document if isinstance(block, Table) and block.header[0] == first_of_header)
    return match


@pytest.mark.parametrize(
    ("callstack", "frame"),
    [
        (("draw", "main"), "draw"),
        (("__GI_raise", "abort", "draw"), "draw"),
        (("gsignal", "__pthread_kill_implementation", "tgkill", "draw"), "draw"),
        (("libc.so.6!__memcpy_avx_unaligned_erms+0x1a", "draw+0x8"), "draw"),
        (("free(void*)", "_int_free", "operator delete(void*)", "draw"), "draw"),
        (("rust_panic", "std::panicking::begin_panic", "core::option::unwrap_failed", "draw"), "draw"),
        (("runtime.gopanic", "runtime.panicmem", "main.draw"), "main.draw"),
        (("_CxxThrowException", "KERNELBASE!RaiseException", "draw"), "draw"),
        (("??", "0x7fff5fbff8c0", "<signal handler called>", "draw"), "draw"),
        (
            ("__cxxabiv1::__terminate", "std::terminate()", "__gnu_cxx::__verbose_terminate_handler", "draw"),
            "draw",
        ),
        (("abort", "raise"), "abort"),
        (("Pool::free(int)", "draw"), "Pool::free"),
        (("freeze", "draw"), "freeze"),
        (("(anonymous namespace)::run()", "draw"), "(anonymous namespace)::run"),
        (("\u200b", " \n", "draw"), "draw"),
    ],
)
def test_the_title_names_the_first_frame_that_says_something(callstack: tuple[str, ...], frame: str) -> None:
    assert title(group(callstack=callstack)) == f"Crash in {frame} (renderer)"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"application": "C:\\Games\\game.exe"}, "Crash in Renderer::draw (game.exe)"),
        ({"application": "/opt/game/"}, "Crash in Renderer::draw (game)"),
        ({"application": None}, "Crash in Renderer::draw"),
        ({"application": "//"}, "Crash in Renderer::draw"),
        ({"callstack": ()}, "Crash in renderer, group 3f2a9c1b3f2…"),
        ({"callstack": (), "application": None}, "Crash in game, group 3f2a9c1b3f2…"),
    ],
)
def test_the_title_falls_back_on_the_facts_of_the_group(changes: dict[str, Any], expected: str) -> None:
    assert title(group(**changes)) == expected


@settings(max_examples=200, deadline=None)
@given(
    st.lists(hostile.map(lambda text: text * 40), max_size=3),
    hostile.map(lambda text: text * 20),
    hostile,
    hostile,
)
def test_a_title_is_one_line_that_every_tracker_takes(
    callstack: list[str], application: str, project: str, fingerprint: str
) -> None:
    identity = Identity("acme", project, fingerprint)

    line = title(group(identity=identity, callstack=tuple(callstack), application=application))

    assert line.startswith("Crash in ")
    assert len(line) <= 240
    assert len(line.encode("utf-8", errors="strict").decode().splitlines()) == 1


def block(name: str, crashed: Group, **extras: Any) -> tuple[Block, ...]:
    return parts(crashed, ReportExtras(**{"link_hosts": HOSTS, **extras}))[name]


def test_the_identifiers_come_last_and_are_folded() -> None:
    last = body(GROUP, ReportExtras(link_hosts=HOSTS, route="main"))[-1]

    assert isinstance(last, Details)
    assert table(last.blocks, "Fact").rows == (
        ("Fingerprint", Value(FINGERPRINT)),
        ("Application", Value("/opt/game/bin/renderer")),
        ("Project", Value("game")),
        ("Universe", Value("acme")),
        ("Classifiers", Value("abort, stl_exception")),
        ("Latest crash object", Value("1a2b")),
        ("Route", Value("main")),
    )


CONSOLE = "https://syncd.example.com/groups/acme/game/71b74582"
MAIL = ReportExtras(link_hosts=HOSTS, console=CONSOLE)


@pytest.mark.parametrize("changes", [{}, {"at_most": 13000}, {"approximate": False}], ids=["least", "between", "sure"])
def test_the_first_three_lines_of_a_mail_say_what_crashed_how_often_and_where_to_look(changes: dict[str, Any]) -> None:
    """GitHub and Jira begin a mail with the text of the issue."""
    times = {(): "at least 12,345", ("at_most",): "between 12,345 and 13,000", ("approximate",): "12,345"}[(*changes,)]
    lines = [
        f"`Renderer::draw` · `abort, stl_exception` · **1 user** · {times} times on 321 machines · since 2026-11-23 · "
        "under 1% in `1.1`, its newest release · [Open in Backtrace](https://acme.sp.backtrace.io/p/game/triage)",
        "",
        f"Latest crash object `1a2b` · [Open in syncd]({CONSOLE})",
    ]

    assert written(body(group(**changes), MAIL)).splitlines()[:3] == lines


def read(node: Any) -> str:
    return str(node.get("text", "")) + "".join(map(read, node.get("content", [])))


def test_every_tracker_gets_the_same_first_lines() -> None:
    document = body(GROUP, MAIL)[:2]

    plain = re.sub(r"[`*]|\[(.*?)\]\(.*?\)", r"\1", written(document)).splitlines()
    entities = re.sub(r"[*]|\[(.*?)\|.*?\]", r"\1", unescape(wiki.write(document, 30_000))).splitlines()
    assert plain[::2] == entities[::2] == [read(node) for node in adf.write(document, 30_000)["content"]]  # type: ignore[attr-defined]


def test_a_kind_of_crash_that_the_frames_say_is_in_plain_words() -> None:
    (line,) = block("headline", group(classifiers=("hang",)))

    assert isinstance(line, Paragraph)
    assert "Hang" in line.spans


def test_the_body_of_a_group_of_which_little_is_known_is_whole() -> None:
    unknown = Group(identity=Identity("acme", "game", "f"))
    document = body(unknown, ReportExtras(link_hosts=HOSTS))

    assert document[0] == Paragraph(("No function to name", " · ", "Crash"))
    assert [row[0] for row in table(block("facts", unknown), "Fact").rows] == ["Fingerprint", "Project", "Universe"]
    assert {row[1] for row in table(block("counts", unknown), "Count").rows} == {"not known"}
    assert Paragraph(("This group has no call stack.",)) in document
    assert Paragraph(("No release is known.",)) in document


def test_an_address_that_may_not_be_linked_is_shown_as_text() -> None:
    document = body(group(group_url="https://evil.example/p"), ReportExtras(link_hosts=HOSTS))

    assert "| Group URL | `https://evil.example/p` |" in written(document)
    assert addresses(document) == []


def test_own_frames_are_marked_and_runs_of_others_are_folded() -> None:
    libraries = ("raise", "abort", "std::terminate()", "std::vector<int>::at(unsigned long)")
    frames = (*libraries, "Bag::at(int)", *("Ui::paint()",) * 9, "malloc", "Game::loop()", "main", "_start", "??")

    folded, every = block("callstack", group(callstack=frames, application="game"))

    assert folded == Code(
        (
            "  raise",
            "  … 3 frames of libraries and the system",
            "→ Bag::at(int)",
            "→ Ui::paint()",
            "  … 8 more of the same",
            "  malloc",
            "→ Game::loop()",
            "  … 3 frames of libraries and the system, some without names",
        )
    )
    assert every == Details("All 19 frames", (Code(frames),), spare=True)


def test_a_stack_without_own_frames_shows_its_top() -> None:
    folded, _ = block("callstack", group(callstack=("raise",) * 30))

    assert folded == Code((*("  raise",) * 10, "  … 20 frames of libraries and the system"))


def test_the_body_shows_thirty_releases_and_can_unfold_sixty_frames_and_counts_the_rest() -> None:
    frames = tuple(f"frame {number}" for number in range(75))
    releases = tuple(Release(release=str(number), occurrences=1, last_seen=number) for number in range(42))

    document = body(group(callstack=frames, releases=releases), ReportExtras(link_hosts=HOSTS))

    assert Details("All 75 frames", (Code(frames[:60], more=15),), spare=True) in document
    ledger = table(document, "Release")
    assert [row[0] for row in ledger.rows] == [Value(str(number)) for number in range(41, 11, -1)]
    assert ledger.more == 12


def test_the_ledger_lists_the_latest_release_first() -> None:
    assert table(body(GROUP, ReportExtras(link_hosts=HOSTS)), "Release") == LEDGER


LEDGER = Table(
    ("Release", "Occurrences", "Share", "First seen", "Last seen"),
    (
        (Value("1.1"), "at least 34", "under 1%", "not known", "2026-11-24 03:15 UTC"),
        (Value("1.0"), "12,000", "97%", "2026-11-23 02:13 UTC", "2026-11-23 02:13 UTC"),
        (Value("0.9"), "1", "under 1%", "not known", "not known"),
    ),
)


def test_the_status_says_the_current_numbers_in_a_sentence_and_a_ledger() -> None:
    assert status(GROUP, ReportExtras()) == (
        Paragraph(("Seen at least 12,345 times on 321 machines by 1 user.",)),
        Paragraph(("First seen 2026-11-23 02:13 UTC, last seen 2026-11-24 03:15 UTC.",)),
        LEDGER,
        Paragraph(("syncd keeps these numbers current in this comment.",)),
    )


DAY = 86_400
GROWN = group(
    approximate=False,
    trail=tuple(
        Point(at=1795400000.0 + day * DAY, occurrences=count) for day, count in enumerate((45, 45, 12000, 12345))
    ),
    releases=(
        Release(release="1.0", occurrences=12000, noticed_at=1795400000.0),
        Release(release="1.1", occurrences=345, noticed_at=1795400000.0 + 3 * DAY),
    ),
)


def test_the_status_says_first_what_changed() -> None:
    first, _, _, trend, *_ = status(GROWN, ReportExtras())

    assert written((first,)) == "**345 more** since 2026-11-25 02:13 UTC · new in `1.1`"
    assert written((trend,)) == "`▁·█▁` received by day, 2026-11-23 to 2026-11-26; the largest has 11,955"


def test_the_first_day_of_a_crash_that_is_older_than_its_first_notification_is_not_charted() -> None:
    (trend,) = block("trend", replace(GROWN, first_seen=1795400000 - 40 * DAY))

    assert "2026-11-24 to 2026-11-26" in written((trend,))


def test_a_crash_of_one_day_has_no_chart_and_no_change() -> None:
    once = replace(GROWN, trail=GROWN.trail[:1])

    assert block("trend", once) == ()
    assert "more" not in written((status(once, ReportExtras())[0],))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"occurrences": 1, "approximate": False, "hosts": 1, "users": 2}, "Seen 1 time on 1 machine by 2 users."),
        ({"occurrences": 0, "releases": ()}, "The number of occurrences is not known."),
        ({"hosts": None, "users": None}, "Seen at least 12,345 times."),
    ],
)
def test_the_summary_of_the_status_has_only_known_counts(changes: dict[str, Any], sentence: str) -> None:
    assert written(status(group(**changes), ReportExtras())[:1]) == sentence


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (("reopen", None, (), ""), "syncd reopens it if the crash comes back"),
        (("reopen", 30 * 86400.0, (), ""), "Later than 30d after the closing, syncd files another issue"),
        (("comment", None, (), ""), "syncd comments and leaves it closed if the crash comes back"),
        (("new_issue", None, (), ""), "syncd files another issue if the crash comes back"),
        (("reopen", None, ("not_planned", "won*t do"), ""), "Closed as not planned or won't do, it stays closed"),
        (("reopen", None, (), "mute"), "The label `mute` keeps syncd from writing here"),
    ],
)
def test_a_body_says_what_closing_and_the_label_mean_by_the_rules_of_its_route(settings: Any, sentence: str) -> None:
    assert sentence in written(body(GROUP, ReportExtras(closing=closing(*settings))))


def test_a_regression_says_release_number_users_since_when_fix_and_links() -> None:
    facts = {"release": "1.1", "occurrences": 41, "fixed_in": "1.0", "closed_at": 1795400000, "answer": "reopen"}

    document = announcement(owed(Occasion.REGRESSION, **facts), group(users=17), MAIL)  # type: ignore[arg-type]

    assert written(document) == (
        "**Came back** in `1.1`: 41 new occurrences since this issue was closed on 2026-11-23 02:13 UTC as fixed in `1.0`.\n\n"
        "17 users so far · last seen 2026-11-24 03:15 UTC · [Open in Backtrace](https://acme.sp.backtrace.io/p/game/triage) · "
        f"[Open in syncd]({CONSOLE})"
    )


@pytest.mark.parametrize("limit", [30_000, 60_000])
def test_the_first_line_and_the_fingerprint_survive_every_limit(limit: int) -> None:
    crowd = tuple(Release(release=f"{'字' * 250}{number}", occurrences=1) for number in range(30))
    huge = group(callstack=("字|" * 500,) * 60, releases=crowd, attributes=((("a" * 250), ("|" * 250,) * 5),) * 60)
    document = body(huge, MAIL)

    texts = [written(document), wiki.write(document, limit), json.dumps(adf.write(document, limit))]

    for text in texts:
        assert FINGERPRINT in text
        assert "12,345 times on 321 machines" in text


@pytest.mark.parametrize(
    ("occurrences", "total", "share"),
    [
        (1, 1, "100%"),
        (999, 1000, "over 99%"),
        (1, 1000, "under 1%"),
        (1, 3, "33%"),
        (0, 10, "0%"),
        (20, 10, "100%"),
        (0, 0, "0%"),
    ],
)
def test_shares_are_of_all_occurrences_and_never_round_to_all_or_nothing(
    occurrences: int, total: int, share: str
) -> None:
    releases = (Release(release="1", occurrences=occurrences),)

    assert table(status(group(occurrences=total, releases=releases), ReportExtras()), "Release").rows[0][2] == share


def test_the_status_does_not_depend_on_the_number_of_notifications() -> None:
    assert status(group(revision=7, notifications=99), ReportExtras()) == status(GROUP, ReportExtras())


texts = hostile.map(lambda text: text * 80)
releases = st.builds(
    Release,
    release=texts,
    occurrences=st.integers(0, 2**63 - 1),
    approximate=st.booleans(),
    first_seen=st.none() | st.integers(-(2**63), 2**63 - 1),
    last_seen=st.none() | st.integers(-(2**63), 2**63 - 1),
)
groups = st.builds(
    Group,
    identity=st.builds(Identity, texts, texts, texts),
    application=st.none() | texts,
    group_url=st.none() | texts | st.just("https://a.backtrace.io/" + "x" * 2000),
    callstack=st.lists(texts, max_size=5).map(lambda frames: tuple(frames * 20)),
    classifiers=st.lists(texts, max_size=3).map(tuple),
    occurrences=st.integers(0, 2**63 - 1),
    approximate=st.booleans(),
    hosts=st.none() | st.integers(0, 2**63 - 1),
    users=st.none() | st.integers(0, 2**63 - 1),
    first_seen=st.none() | st.integers(-(2**63), 2**63 - 1),
    last_seen=st.none() | st.integers(-(2**63), 2**63 - 1),
    releases=st.lists(releases, max_size=3).map(lambda rows: tuple(rows * 12)),
)


def test_all_that_came_with_a_crash_travels_as_untrusted() -> None:
    crashed = Group(
        identity=Identity("EVIL", "EVIL", "EVIL"),
        application="EVIL",
        group_url="https://a.backtrace.io.EVIL/",
        callstack=("EVIL",),
        object_id="EVIL",
        classifiers=("EVIL",),
        releases=(Release(release="EVIL", occurrences=1),),
    )

    for document in (body(crashed, ReportExtras(link_hosts=HOSTS)), status(crashed, ReportExtras())):
        assert "EVIL" in repr(document)
        assert "EVIL" not in repr(harmless(document))


def addresses(document: Document) -> list[str]:
    def inline(spans: tuple[Span, ...]) -> list[str]:
        return [span.url for span in spans if isinstance(span, Link)]

    return [url for block in document if isinstance(block, Paragraph) for url in inline(block.spans)]


@settings(max_examples=25, deadline=None)
@given(groups)
def test_every_text_fits_every_tracker_whatever_crashed(crashed: Group) -> None:
    for document in (body(crashed, ReportExtras(link_hosts=HOSTS)), status(crashed, ReportExtras())):
        github = markdown.write(document, 65_536, tail="<!-- m -->")
        datacenter = wiki.write(document, 32_767)
        cloud = json.dumps(adf.write(document, 32_767), separators=(",", ":"))

        assert len(github) <= 65_536
        assert len(datacenter.encode("utf-16-le")) <= 2 * 32_767
        assert len(cloud) <= 32_767
        for url in addresses(document):
            assert f"({url})" in github
            assert f"|{url}]" in datacenter
            assert json.dumps(url) in cloud


# Beside the crash: what it is related to, where it was seen, how a closed issue stands, and further comments.

PLACE = Place(remote_id="7", key="acme/game#7", url="https://github.com/acme/game/issues/7")
STORM = Group(
    identity=Identity("syncd", "main", "storm main 1"),
    kind=GroupKind.STORM,
    storm=Storm(
        held=12,
        since=1795400000,
        largest=(("draw", "d0a1", 9, 30), ("<b>load", "10ad", 0, 4)),
        cap="100 in 1h",
        ends_in=90000.0,
        shares=(("release", "2.4.0", 80),),
    ),
)


def owed(occasion: Occasion, **facts: str | int | float) -> Announcement:
    return Announcement(id=1, occasion=occasion, subject="", facts=facts, marker="")


def written(document: Document) -> str:
    return markdown.write(document, 60_000)


OVER = replace(STORM, storm=Storm(held=0, since=0.0, over=True))
MERGED = group(identity=Identity("u", "p", "0" * 40 + "a" * 24))
UNKNOWN = Group(identity=Identity("acme", "game", "f"))
CROWDED = group(
    callstack=tuple(f"frame {number}" for number in range(75)),
    releases=tuple(Release(release=str(number), occurrences=1, last_seen=number) for number in range(42)),
)
ATTRIBUTES = group(attributes=(("os", ("Linux", "@all")), ("|x", ("`",))), attribute_counts=((8765, 12), ()))
WHOLE = ReportExtras(
    link_hosts=HOSTS,
    console=CONSOLE,
    route="main",
    closing=closing("reopen", None, ("not_planned", "won*t do"), "syncd:ignore"),
)
RELATED = ReportExtras(link_hosts=HOSTS, previous=PLACE, alike=[PLACE])
HOSTILE_NOTE = "not reopened: in @everyone ![x](https://evil.example) `"


@pytest.mark.parametrize(
    ("case", "document"),
    [
        ("body", body(GROUP, ReportExtras(link_hosts=HOSTS))),
        ("body of a crash that came back and looks like another one", body(GROUP, RELATED)),
        ("body with attributes", body(ATTRIBUTES, ReportExtras())),
        ("body of a group of which little is known", body(UNKNOWN, ReportExtras())),
        ("body with many frames and releases", body(CROWDED, ReportExtras())),
        ("body of a storm", body(STORM, ReportExtras())),
        ("body with all facts", body(GROWN, WHOLE)),
        ("status", status(GROUP, ReportExtras())),
        ("status of a crash that grows", status(GROWN, ReportExtras())),
        ("status with a note", status(GROUP, ReportExtras(note=HOSTILE_NOTE))),
        ("status with aliases", status(group(aliases=("f2", "f3")), ReportExtras())),
        ("status of merged groups", status(MERGED, ReportExtras())),
        ("status of a storm that is over", status(OVER, ReportExtras())),
    ],
)
def test_a_text_is_as_people_have_approved_it(case: str, document: Document) -> None:
    golden("report", case, written(document))


@pytest.mark.parametrize(
    ("case", "occasion", "facts"),
    [
        ("reopened", Occasion.REGRESSION, {"release": "2.5", "occurrences": 3, "fixed_in": "2.4", "answer": "reopen"}),
        (
            "refused",
            Occasion.REGRESSION,
            {"release": "2.5", "occurrences": 3, "fixed_in": "", "refused": "K-1 has no way back"},
        ),
        ("commented", Occasion.REGRESSION, {"release": "2.5", "occurrences": 1, "fixed_in": "", "answer": "comment"}),
        ("without a release", Occasion.REGRESSION, {"release": "", "occurrences": 2, "fixed_in": ""}),
        ("new release", Occasion.RELEASE, {"release": "@all"}),
        ("milestone", Occasion.MILESTONE, {"milestone": 1000, "occurrences": 1000}),
        ("quiet", Occasion.QUIET, {"since": 1795400000}),
    ],
)
def test_a_further_comment_is_as_people_have_approved_it(case: str, occasion: Occasion, facts: dict[str, Any]) -> None:
    golden("report", f"comment: {case}", written(announcement(owed(occasion, **facts))))


def test_the_title_of_a_storm_names_its_route() -> None:
    assert title(STORM) == "Crash storm: groups held back by route main"


def test_a_body_links_to_the_issue_before_and_to_those_that_look_alike() -> None:
    text = written(body(GROUP, RELATED))

    assert text.count("[acme/game#7](https://github.com/acme/game/issues/7)") == 2


def test_names_and_values_of_attributes_are_literal_text() -> None:
    text = written(body(ATTRIBUTES, ReportExtras()))

    assert "| `os` | `Linux (8,765), @\u200ball (12)` |" in text
    assert "| `\\|x` | `` ` `` |" in text


def test_a_note_is_literal_text() -> None:
    text = written(status(GROUP, ReportExtras(note=HOSTILE_NOTE)))

    assert "`` not reopened: in @\u200beveryone ![x](https://evil.example) ` ``" in text


def test_the_largest_groups_of_a_storm_are_a_table_that_counts_the_rest() -> None:
    text = written(body(STORM, ReportExtras()))

    assert "| `draw` | `d0a1` | 9 | 30 |\n| `<b>load` | `10ad` | not known | 4 |\n\n… 10 more rows" in text


def test_all_of_it_is_written_for_every_tracker() -> None:
    documents = [
        body(STORM, ReportExtras()),
        status(STORM, ReportExtras()),
        body(GROUP, ReportExtras(previous=PLACE, alike=[PLACE], note="n")),
        *(announcement(owed(Occasion.REGRESSION, release="{noformat}", occurrences=1, fixed_in="|")) for _ in range(1)),
    ]
    for document in documents:
        assert not problem(adf.write(document, 30_000))
        assert "{noformat}" not in wiki.write(document, 30_000).replace("{noformat}\n", "").replace("\n{noformat}", "")
