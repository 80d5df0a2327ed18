"""Many issues by number in one GraphQL request. Pure: the text of a query, and what its answer means.

GitHub answers a number that is no issue or pull request with null and an error of type NOT_FOUND, all under a 200.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from syncd.errors import Misconfigured, Refused, Unavailable
from syncd.trackers.answer import Answer, Sent
from syncd.trackers.decoding import decode
from syncd.trackers.github.answers import Account, Listed, Number, failure, read, used_up

# What a token, or a server, has where it may not use GraphQL but can still read by REST.
_DENIED = frozenset({"FORBIDDEN", "INSUFFICIENT_SCOPES"})

_QUERY = """query($owner:String!,$name:String!){repository(owner:$owner,name:$name){databaseId hasIssuesEnabled %s}}
fragment issue on Issue{number body createdAt url repository{databaseId}
author{__typename login ...on User{databaseId} ...on Bot{databaseId}}}
fragment pull on PullRequest{number createdAt url repository{databaseId}}"""


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


def text(numbers: Sequence[int]) -> str:
    """A query for these numbers of the repository that its variables name."""
    wanted = (f"n{number}:issueOrPullRequest(number:{number}){{__typename ...issue ...pull}}" for number in numbers)
    return _QUERY % " ".join(wanted)


def meaning(answer: Answer, repository_id: str, numbers: Sequence[int]) -> dict[int, Listed | None] | None:
    """What is under each of the numbers, None where nothing is; None for all where this token or server has no GraphQL.

    Raises what it means when one of the numbers could not be read.
    """
    if not answer.ok:
        error = failure(answer, Sent.AGAIN)
        if isinstance(error, Misconfigured | Refused):
            return None
        raise error
    reply = read(answer, _Reply)
    if reply is None:
        return None  # JSON, but not of a GraphQL server
    faults = [(str((fault.path or [""])[-1]), fault.type or "") for fault in reply.errors or []]
    kinds = {kind for _, kind in faults}
    if "RATE_LIMITED" in kinds:
        raise used_up(answer)
    fields = reply.data.repository if reply.data else None
    if fields is None or _DENIED & kinds or not _is(fields.get("databaseId"), repository_id):
        return None  # another repository may have the name by now
    if not _is(fields.get("hasIssuesEnabled"), "true"):
        # Then every number looks as if nothing was there.
        raise Misconfigured("the repository takes no issues")
    if any(kind != "NOT_FOUND" or alias not in fields for alias, kind in faults):
        raise Unavailable("GitHub could not read all the numbers it was asked for")
    nothing = {alias for alias, _ in faults}
    return {number: _entry(number, fields, nothing, repository_id) for number in numbers}


def _is(value: msgspec.Raw | None, wanted: str) -> bool:
    return value is not None and bytes(value) == wanted.encode()


def _entry(number: int, fields: dict[str, msgspec.Raw], nothing: set[str], repository_id: str) -> Listed | None:
    alias = f"n{number}"
    if alias in nothing:
        return None
    try:
        item = decode(fields.get(alias, b""), _Item)
    except msgspec.MsgspecError:
        raise Unavailable(f"GitHub's answer does not say what is under number {number}") from None
    if item.number != number or str(item.repository.database_id) != repository_id:
        return None  # transferred; as far as is known GitHub then answers NOT_FOUND
    return Listed(
        number=number,
        html_url=item.url,
        body=item.body,
        user=_account(item.author),
        created_at=item.created_at,
        pull_request=None if item.typename == "Issue" else item.typename,
    )


def _account(author: _Author | None) -> Account | None:
    if author is None:
        return None
    return Account(id=author.database_id or 0, login=author.login, type=author.typename)
