"""Reading up to a hundred numbers of a repository by one GraphQL query."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from syncd.errors import Misconfigured, Refused, Unavailable
from syncd.trackers.github.answers import Account, Listed, Number, failure, query_limit
from syncd.trackers.github.connection import Connection
from syncd.trackers.transport import Sent, decode

MOST_NUMBERS = 100  # of one query

# A token, or a server, that may not use GraphQL but can still read by REST.
_DENIED = frozenset({"FORBIDDEN", "INSUFFICIENT_SCOPES"})

_REPOSITORY = "query($owner:String!,$name:String!){repository(owner:$owner,name:$name){databaseId hasIssuesEnabled %s}}"
# The list of issues does not show that one was transferred or deleted.
_PRESENT = f"""{_REPOSITORY}
fragment issue on Issue{{number createdAt repository{{databaseId}}}}
fragment pull on PullRequest{{number createdAt repository{{databaseId}}}}"""
_WHOLE = f"""{_REPOSITORY}
fragment issue on Issue{{number body createdAt url repository{{databaseId}}author{{...author}}}}
fragment pull on PullRequest{{number body createdAt url repository{{databaseId}}author{{...author}}}}
fragment talk on Discussion{{number body createdAt url repository{{databaseId}}author{{...author}}}}
fragment author on Actor{{__typename login ...on User{{databaseId}} ...on Bot{{databaseId}}}}"""


class _Author(msgspec.Struct, rename="camel"):
    typename: str = msgspec.field(default="", name="__typename")
    login: str = ""
    database_id: int | None = None


class _Home(msgspec.Struct, rename="camel"):
    database_id: int


class _Item(msgspec.Struct, rename="camel"):
    typename: str = msgspec.field(name="__typename")
    number: Number
    created_at: datetime
    repository: _Home
    url: str = ""
    body: str | None = None
    author: _Author | None = None


class _Error(msgspec.Struct):
    type: str | None = None
    path: list[str | int] | None = None


class _Data(msgspec.Struct):
    repository: dict[str, msgspec.Raw] | None = None


class _Reply(msgspec.Struct):
    data: _Data | None = None
    errors: list[_Error] | None = None


def read_whole(
    connection: Connection, repository: str, repository_id: str, numbers: Sequence[int]
) -> Mapping[int, Listed | None] | None:
    """The issues, pull requests and discussions under these numbers with their texts and authors, None for a number that is none of them; None
    in all where the token or server has no GraphQL, or the name leads to another repository. Raises what it means when one of the numbers
    could not be read."""
    selections = (
        f"n{number}:issueOrPullRequest(number:{number}){{__typename ...issue ...pull}} "
        f"d{number}:discussion(number:{number}){{__typename ...talk}}"
        for number in numbers
    )
    return _read(connection, _WHOLE, selections, repository, repository_id, numbers)


def read_present(
    connection: Connection, repository: str, repository_id: str, numbers: Sequence[int]
) -> Mapping[int, Listed | None] | None:
    """As `read_whole`, without discussions, texts and authors."""
    selections = (f"n{number}:issueOrPullRequest(number:{number}){{__typename ...issue ...pull}}" for number in numbers)
    return _read(connection, _PRESENT, selections, repository, repository_id, numbers)


def _read(
    connection: Connection,
    query: str,
    selections: Iterable[str],
    repository: str,
    repository_id: str,
    numbers: Sequence[int],
) -> dict[int, Listed | None] | None:
    owner, _, name = repository.partition("/")
    answer = connection.query(query % " ".join(selections), {"owner": owner, "name": name})
    if not answer.ok:
        error = failure(answer, Sent.AGAIN)
        if isinstance(error, Misconfigured | Refused):
            return None
        raise error
    reply = answer.read(_Reply)
    if reply is None:
        return None  # JSON, but not of a GraphQL server
    faults = [(str((fault.path or [""])[-1]), fault.type or "") for fault in reply.errors or []]
    if any(kind == "RATE_LIMITED" for _, kind in faults):
        raise query_limit(answer)
    # A token may be barred from discussions alone: what cannot be read is unclear by itself.
    faults = [(alias, kind) for alias, kind in faults if not re.fullmatch(r"d\d+", alias)]
    kinds = {kind for _, kind in faults}
    fields = reply.data.repository if reply.data else None
    if fields is None or _DENIED & kinds or bytes(fields.get("databaseId", b"")) != repository_id.encode():
        return None  # another repository may have the name by now
    if bytes(fields.get("hasIssuesEnabled", b"")) != b"true":
        # Then every number looks unused.
        raise Misconfigured("the repository takes no issues")
    if any(kind != "NOT_FOUND" or alias not in fields for alias, kind in faults):
        raise Unavailable("GitHub could not read all the numbers it was asked for")
    unused = {alias for alias, _ in faults}
    entries: dict[int, Listed | None] = {}
    for number in numbers:
        entries[number] = None
        item = None
        discussion = bytes(fields.get(f"d{number}", b"null"))
        alias = f"n{number}" if f"n{number}" not in unused else f"d{number}" if discussion != b"null" else ""
        if not alias:
            continue
        try:
            item = decode(fields.get(alias, b""), _Item)
        except msgspec.MsgspecError:
            raise Unavailable(f"GitHub's answer does not say what is under number {number}") from None
        # A number of a transferred issue; as far as is known, GitHub answers NOT_FOUND for it.
        if item.number == number and str(item.repository.database_id) == repository_id:
            author = item.author
            user = author and Account(id=author.database_id or 0, login=author.login, type=author.typename)
            entries[number] = Listed(
                number=number,
                html_url=item.url,
                body=item.body,
                user=user or None,
                created_at=item.created_at,
                pull_request=None if item.typename == "Issue" else item.typename,
            )
    return entries
