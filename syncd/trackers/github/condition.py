"""How people left an issue on GitHub: what its JSON says, and for a duplicate, of which issue."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from syncd.config import GitHubSettings
from syncd.errors import TrackerError
from syncd.model import Condition, Observation, Place
from syncd.trackers.github.answers import Label, Number, read, web
from syncd.trackers.github.connection import Connection
from syncd.trackers.github.look import Address

# REST tells that an issue is a duplicate, but not of which.
_QUERY = """query($owner:String!,$name:String!,$number:Int!){repository(owner:$owner,name:$name){databaseId
issue(number:$number){duplicateOf{number url repository{databaseId nameWithOwner}}}}}"""


class _Milestone(msgspec.Struct):
    title: str = ""


class Kept(msgspec.Struct):
    """An issue as people left it. `labels` are objects, on some old servers bare names."""

    number: Number
    html_url: str = ""
    repository_url: str = ""
    state: str = "open"
    state_reason: str | None = None
    closed_at: datetime | None = None
    updated_at: datetime | None = None
    milestone: _Milestone | None = None
    labels: list[Label | str] = []
    locked: bool = False
    pull_request: object = None


class _Home(msgspec.Struct, rename="camel"):
    database_id: int
    name_with_owner: str = ""


class _Other(msgspec.Struct):
    number: Number
    repository: _Home
    url: str = ""


class _Issue(msgspec.Struct, rename="camel"):
    duplicate_of: _Other | None = None


class _Repository(msgspec.Struct, rename="camel"):
    database_id: int
    issue: _Issue | None = None


class _Data(msgspec.Struct):
    repository: _Repository | None = None


class _Reply(msgspec.Struct):
    data: _Data | None = None


def seen(connection: Connection, settings: GitHubSettings, address: Address, home_id: str, kept: Kept) -> Observation:
    """Where an issue is and how people left it. One more query where it was closed as a duplicate."""
    owner, _, name = kept.repository_url.rstrip("/").rpartition("/")
    elsewhere = f"{owner.rpartition('/')[2]}/{name}" if owner else f"repository {address.repository_id}"
    repository = elsewhere if address.away else settings.repository
    place = Place(remote_id=address.remote_id, key=f"{repository}#{address.number}", url=web(kept.html_url))
    other = _duplicate_of(connection, repository, address, home_id, settings) if _is_duplicate(kept) else None
    return Observation(place=place, condition=_condition(kept, other))


def _is_duplicate(kept: Kept) -> bool:
    return kept.state == "closed" and kept.state_reason == "duplicate"


def _condition(kept: Kept, duplicate_of: Place | None) -> Condition:
    closed = kept.state == "closed"
    labels = (label if isinstance(label, str) else label.name for label in kept.labels)
    return Condition(
        closed=closed,
        resolution=(kept.state_reason or "") if closed else "",
        closed_at=kept.closed_at.timestamp() if closed and kept.closed_at is not None else None,
        fixed_in=(kept.milestone.title,) if kept.milestone is not None and kept.milestone.title else (),
        labels=tuple(sorted(filter(None, labels))),
        locked=kept.locked,
        duplicate_of=duplicate_of,
    )


def _duplicate_of(
    connection: Connection, repository: str, address: Address, home_id: str, settings: GitHubSettings
) -> Place | None:
    """The issue that this one duplicates; None where GraphQL cannot be asked, or does not know. It then stays closed."""
    owner, _, name = repository.partition("/")
    variables: Mapping[str, object] = {"owner": owner, "name": name, "number": int(address.number)}
    try:
        answer = connection.query(_QUERY, variables)
    except TrackerError:
        return None
    reply = read(answer, _Reply) if answer.ok else None
    found = reply.data.repository if reply is not None and reply.data is not None else None
    if found is None or str(found.database_id) != address.repository_id or found.issue is None:
        return None
    other = found.issue.duplicate_of
    if other is None:
        return None
    there = str(other.repository.database_id)
    target = Address(there, str(other.number), there != home_id)
    full_name = other.repository.name_with_owner if target.away else settings.repository
    return Place(remote_id=target.remote_id, key=f"{full_name}#{other.number}", url=web(other.url))
