import unicodedata
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from syncd.render.text import clean, cut, flat, logged, one_line, safe_url, utc
from tests.render.strategies import ACCENT, FAMILY, hostile

HOSTS = ["*.backtrace.io", "crash.example.com", "crash.example.com:8443"]
FLAG = "\U0001f1e9\U0001f1ea"
CLUSTERS = [
    *(
        "a",
        " ",
        "字",
        "\U0001f600",
        ACCENT,
        "o\u0302\u0323",
        FAMILY,
        FLAG,
        "\U0001f44b\U0001f3fd",
        "1\ufe0f\u20e3",
    ),
    *("\u1112\u1161\u11ab", "\ud55c\u11ab", "\u0915\u094d\u0937", "\u0e19\u0e33", "\u0600\u0661"),
    "\U0001f3f4\U000e0067\U000e0062\U000e007f",
]
DECEIVING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\r\nb\rc\nd\te", "a\nb\nc\nd\te"),
        ("a\u2028b\u2029c", "a\nb\nc"),
        ("\x00\x07\x1b\x7f\x80\x9f", "\ufffd" * 6),
        ("\ud800\udc00", "\ufffd\ufffd"),
        (DECEIVING, "\ufffd" * len(DECEIVING)),
        (f"naïve 字 {FAMILY} \u200b", f"naïve 字 {FAMILY} \u200b"),
    ],
)
def test_cleaning_keeps_letters_and_replaces_characters_that_cannot_be_stored_or_deceive(
    text: str, cleaned: str
) -> None:
    assert clean(text) == cleaned


@settings(max_examples=200, deadline=None)
@given(hostile)
def test_cleaned_text_can_be_sent_and_cleaning_again_changes_nothing(text: str) -> None:
    cleaned = clean(text)

    cleaned.encode("utf-8")
    assert clean(cleaned) == cleaned
    assert not [c for c in cleaned if unicodedata.category(c) in ("Cc", "Cs") and c not in "\t\n"]
    assert not set(cleaned) & set(DECEIVING)


def test_flat_text_keeps_its_blanks() -> None:
    assert flat("  a\r\n\tb  ") == "  a \tb  "


@settings(max_examples=200, deadline=None)
@given(hostile, st.integers(7, 60))
@example("\u200b\n\u00ad", 20)
@example(ACCENT[1] * 100, 20)
@example("a" + ACCENT[1] * 100, 20)
def test_one_line_is_one_visible_line_within_its_limit(text: str, limit: int) -> None:
    line = one_line(text, limit)

    assert 0 < len(line) <= limit
    assert line.splitlines() == [line]
    assert line == " ".join(line.split())
    assert line == clean(line)
    assert any(character.isprintable() and not character.isspace() for character in line)


def test_one_line_collapses_blanks_cuts_with_an_ellipsis_and_falls_back() -> None:
    assert one_line(" a\u00a0 b\x85c\x0bd ", 20) == "a b c d"
    assert one_line("abcdef", 6) == "abcdef"
    assert one_line("abcdefg", 6) == "abcde…"
    assert one_line(" \u200b\n", 6, otherwise="none") == "none"
    assert one_line("…", 6, otherwise="none") == "none"


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_grapheme_cluster_is_cut_as_a_whole(cluster: str) -> None:
    for short in range(1, len(cluster) + 1):
        assert cut(f"x{cluster}y", short) == "x"
    assert cut(f"x{cluster}y", 1 + len(cluster)) == f"x{cluster}"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(CLUSTERS), max_size=20), st.integers(0, 40))
def test_cutting_never_splits_a_grapheme_cluster(clusters: list[str], limit: int) -> None:
    text = "".join(clusters)
    ends = {len("".join(clusters[:count])) for count in range(len(clusters) + 1)}

    beginning = cut(text, limit)

    assert text.startswith(beginning)
    assert len(beginning) == max(end for end in ends if end <= limit)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://acme.sp.backtrace.io/p/game?x=1#y", "https://acme.sp.backtrace.io/p/game?x=1#y"),
        ("HTTPS://Acme.Backtrace.IO", "https://acme.backtrace.io"),
        ("https://acme.backtrace.io:443/", "https://acme.backtrace.io/"),
        ("https://crash.example.com:8443/", "https://crash.example.com:8443/"),
        (
            "https://a.backtrace.io/a(b)[c]|{d}!*",
            "https://a.backtrace.io/a%28b%29%5Bc%5D%7Cd%7D%21%2A".replace("Cd", "C%7Bd"),
        ),
        (
            "https://a.backtrace.io/é 'x' \"y\" <z>",
            "https://a.backtrace.io/%C3%A9%20%27x%27%20%22y%22%20%3Cz%3E",
        ),
        ("https://a.backtrace.io/%41%4g&copy;", "https://a.backtrace.io/%41%254g&copy%3B"),
    ],
)
def test_addresses_on_allowed_hosts_come_back_encoded(url: str, safe: str) -> None:
    assert safe_url(url, HOSTS) == safe


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://a.backtrace.io/",
        "javascript:alert(1)//https://a.backtrace.io/",
        " https://a.backtrace.io/",
        "https:a.backtrace.io/",
        "https:///a.backtrace.io/",
        "https://backtrace.io/",
        "https://.backtrace.io/",
        "https://a..backtrace.io/",
        "https://-.backtrace.io/",
        "https://a.backtrace.io./",
        "https://evilbacktrace.io/",
        "https://a.backtrace.io.evil.example/",
        "https://sub.crash.example.com/",
        "https://a.backtrace.io@evil.example/",
        "https://a.backtrace.io:443@evil.example/",
        "https://user:password@a.backtrace.io/",
        "https://a.backtrace.io:/",
        "https://a.backtrace.io:8443/",
        "https://crash.example.com:84430/",
        "https://a.backtrace.io:４４３/",
        "https://evil.example\\.backtrace.io/",
        "https://a.backtrace.io\\@evil.example/",
        "https://a.backtrace.io/\\",
        "https://a.backtrace.io/\nx",
        "https://a.backtrace.io/\tx",
        "https://a.backtrace.io/\u202ex",
        "https://a.backtrace.io/\ud800",
        "https://bäcktrace.backtrace.io/",
        "https://[::1]/",
        "https://a.backtrace.io/" + "x" * 2048,
    ],
)
def test_addresses_elsewhere_or_with_tricks_are_none(url: str) -> None:
    assert safe_url(url, HOSTS) is None


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["", "/", "?", "#", ".", ":", "@"]), hostile)
def test_a_safe_address_stays_on_its_host_in_any_markup(glue: str, rest: str) -> None:
    url = safe_url(f"https://a.backtrace.io{glue}{rest}", HOSTS)

    if url is not None:
        assert url.isascii()
        assert urlsplit(url).hostname == "a.backtrace.io"
        assert not set(url) & set(" \t\r\n()<>[]{}|\\\"'`;!*^")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "not known"),
        (0, "1970-01-01 00:00 UTC"),
        (1795490159, "2026-11-24 03:15 UTC"),
        (-62135596800, "0001-01-01 00:00 UTC"),
        (10**12, "not known"),
        (-(10**400), "not known"),
        (float("nan"), "not known"),
    ],
)
def test_times_have_minutes_and_absurd_ones_are_not_known(seconds: float | None, text: str) -> None:
    assert utc(seconds) == text


@pytest.mark.parametrize(
    ("fingerprint", "line"),
    [
        (
            "5f3ac1d29e7b40861d54be0a37c9f28e61b7d3405a9c8e2f1746d0b35e8fa921",
            "5f3ac1d29e7b40861d54be0a37c9f28e61b7d3405a9c8e2f1746d0b35e8fa921",
        ),
        ("group/12", "group/12"),
        ("alice@example.com\nx", "<email> x"),
        ("x" * 90 + " ghp_" + "y" * 36, "x" * 90 + " <token>"),
        ("/home/alice/x password=hunter2", "/home/<user>/x password=<token>"),
    ],
)
def test_a_log_has_a_fingerprint_without_what_is_private(fingerprint: str, line: str) -> None:
    assert logged(fingerprint) == line
