"""The list of groups for other programs: a CSV file, and an Atom feed of new groups and of those that came back."""

import csv
import io
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlencode
from xml.etree import ElementTree

from syncd.console import lists
from syncd.console.page import PageRequest, crash, key_of, link, state_of, text_of
from syncd.core.quantities import counted
from syncd.operate import search
from syncd.render.addresses import group_page
from syncd.render.text import clean, one_line
from syncd.store.filters import Sort
from syncd.store.listing import LOOKED, Listed

BATCH = 500  # groups of a file that are read at once
ENTRIES = 50  # of a feed


@dataclass(frozen=True, slots=True)
class Download:
    """A file that a program reads. `next` is the address of its continuation, None without one."""

    content: bytes
    media_type: str
    name: str
    next: str | None = None


# A spreadsheet takes a cell that begins so for a formula: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = tuple("=+-@\t\r|%＝＋－＠")
COLUMNS = (
    "universe", "project", "fingerprint", "crash", "application", "state", "issue", "url", "occurrences", "at_most", "users", "hosts",
    "last_24_hours", "first_seen", "last_seen", "releases",
)  # fmt: skip


def table(request: PageRequest) -> Download:
    """The first LOOKED groups of the list as CSV (RFC 4180), with the address of the rest."""
    filters, order, after = lists.wanted(request), lists.sort(request), key_of(request.get("after"))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    written = 0
    while True:
        listing = search.page(request.store, filters, order, after, BATCH, request.now)
        writer.writerows(map(_cell, _values(listed, request.now)) for listed in listing.groups)
        written, after = written + len(listing.groups), listing.next
        if after is None or written >= LOOKED:
            break
    query = {name: value for name, value in request.query.items() if name in (*search.FILTERS, "text", "sort")}
    rest = None if after is None else f"{request.base}/groups.csv?{urlencode(query | {'after': text_of(after)})}"
    return Download(text.getvalue().encode(), "text/csv; charset=utf-8", "groups.csv", rest)


def _values(listed: Listed, now: float) -> Iterable[object]:
    standing = listed.standing
    group, issue = standing.group, standing.issue
    return (
        group.identity.universe,
        group.identity.project,
        group.identity.fingerprint,
        crash(standing),
        group.application,
        state_of(standing)[0],
        issue and issue.key,
        issue and issue.url,
        group.occurrences,
        group.at_most,
        group.users,
        group.hosts,
        lists.row(listed, now)[1],
        _moment(group.first_seen),
        _moment(group.last_seen),
        " ".join(release.release for release in group.releases),
    )


def _cell(value: object) -> object:
    """A value that no spreadsheet takes for a formula."""
    if value is None or isinstance(value, int):
        return value
    text = one_line(str(value), 2000, "")
    return f"'{text}" if text.startswith(_FORMULA) else text


_NAMESPACE = uuid.UUID("4f7d0f5e-2a55-5c1c-9d4c-7a2f6f0f3c10")  # of the ids in feeds
_ATOM = "http://www.w3.org/2005/Atom"


def feed(request: PageRequest) -> Download:
    """New groups and those that came back, the latest first, as Atom (RFC 4287). An id names an event, whatever becomes of the group's row."""
    since, filters = search.fresh(request.now), lists.wanted(request)
    read = request.store.lists.groups
    new = read(replace(filters, first=max(filters.first or 0, since)), Sort.FIRST_SEEN, None, ENTRIES)
    entries = [(float(group.standing.group.first_seen or 0), _entry(request, group, "new", "")) for group in new.groups]
    comebacks = request.store.report.comebacks(since, 4 * ENTRIES)
    fit = replace(filters, returned=max(filters.returned or 0.0, float(since)))
    fitting = {group.id: group for group in read(fit, Sort.LAST_SEEN, None, 4 * ENTRIES).groups}
    for comeback in comebacks:
        if group := fitting.get(comeback.group_id):
            event = f"{comeback.release}\0{comeback.closed_at:.0f}"
            entries.append((comeback.at, _entry(request, group, "regressed", event, comeback.release)))
    entries = sorted(entries, key=lambda entry: -entry[0])[:ENTRIES]
    query = {name: value for name in (*search.FILTERS, "text") if (value := request.get(name))}
    root = ElementTree.Element("feed", xmlns=_ATOM)
    _add(root, "id", _urn("feed", *(f"{name}={value}" for name, value in sorted(query.items()))))
    _add(root, "title", f"syncd: new and regressed groups{': ' if query else ''}{', '.join(query.values())}")
    _add(root, "updated", _moment(entries[0][0] if entries else 0))
    _add(ElementTree.SubElement(root, "author"), "name", "syncd")
    _link(root, "self", f"{request.base}{link('/groups.atom', **query)}", "application/atom+xml")
    _link(root, "alternate", f"{request.base}{link('/groups', **query)}", "text/html")
    for at, entry in entries:
        _add(entry, "updated", _moment(at))
        root.append(entry)
    content = ElementTree.tostring(root, "utf-8", xml_declaration=True)
    return Download(content, "application/atom+xml; charset=utf-8", "groups.atom")


def _entry(request: PageRequest, listed: Listed, kind: str, event: str, release: str = "") -> ElementTree.Element:
    standing = listed.standing
    group, issue, identity = standing.group, standing.issue, standing.group.identity
    entry = ElementTree.Element("entry")
    _add(entry, "id", _urn(kind, identity.universe, identity.project, identity.fingerprint_key, event))
    _add(entry, "title", f"{f'Came back in {release}' if kind == 'regressed' else 'New'}: {crash(standing)}")
    _link(entry, "alternate", f"{request.base}{group_page(identity)}", "text/html")
    if issue is not None and (issue.url or "").startswith(("https://", "http://")):
        _link(entry, "related", str(issue.url), None)
    ElementTree.SubElement(entry, "category", term=kind)
    facts = [
        f"project {identity.project}",
        counted(group.occurrences, "occurrence"),
        *([counted(group.users, "user")] if group.users is not None else []),
        f"issue {issue.key}" if issue is not None and issue.key else "no issue",
    ]
    _add(entry, "summary", ", ".join(facts))
    return entry


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    # XML 1.0 has no control characters, not even escaped.
    ElementTree.SubElement(parent, name).text = clean(text)


def _link(parent: ElementTree.Element, rel: str, address: str, kind: str | None) -> None:
    ElementTree.SubElement(parent, "link", {"rel": rel, "href": clean(address)} | ({"type": kind} if kind else {}))


def _urn(*parts: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, chr(0).join(parts))}"


def _moment(at: float | None) -> str:
    """A time as RFC 3339 has it; the nearest for one that is outside of the calendar, and empty for None."""
    if at is None:
        return ""
    return datetime.fromtimestamp(min(max(int(at), 0), 253402300799), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
