"""Every issue of a repository with its text, whoever filed it."""

from collections.abc import Iterator, Sequence

from syncd.trackers import IssueText, is_wanted
from syncd.trackers.github.connection import Connection
from syncd.trackers.github.control import Address
from syncd.trackers.github.look import Reader, Snapshot, page_of

_PER_PAGE = 100


class _Text(Snapshot):
    title: str = ""
    body: str | None = None


def search(
    connection: Connection, reader: Reader, home_id: str, label: str | None, query: str | None
) -> Iterator[Sequence[IssueText]]:
    """One GET for each hundred issues, the oldest first, so that none that is filed meanwhile moves another to a page that was read. The list
    without a filter: one by a label lags, and a search gives a thousand issues at most."""
    page, size = 0, _PER_PAGE
    while size >= _PER_PAGE:
        page += 1
        parameters: dict[str, str | int] = {
            "state": "all",
            "sort": "created",
            "direction": "asc",
            "per_page": _PER_PAGE,
            "page": page,
        }
        answer = connection.send_idempotent("GET", f"/repositories/{home_id}/issues", parameters=parameters)
        entries, size = page_of(answer, _Text)
        texts = [
            IssueText(
                observation=reader.observe(Address(home_id, str(entry.number), away=False), entry),
                title=entry.title,
                body=entry.body or "",
            )
            for entry in entries
            if entry.pull_request is None
        ]
        yield [text for text in texts if is_wanted(text, label, query)]
