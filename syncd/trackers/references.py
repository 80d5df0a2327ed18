"""An issue that a person names by its number, key or address, in its tracker's own terms. Asks no tracker."""

import re
from pathlib import Path
from urllib.parse import unquote

from syncd.config import GitHubSettings, JiraSettings, LocalSettings, TrackerSettings
from syncd.model import Issue, IssueState


def named(tracker: str, settings: TrackerSettings, text: str) -> Issue:
    """The issue called `text`, unread: its place may hold nothing. Raises ValueError for text that names no issue of the tracker."""
    name = text.strip()
    if isinstance(settings, GitHubSettings):
        # #12, 12, acme/game#12, https://github.com/acme/game/issues/12
        match = re.fullmatch(r"(?:https?://[^/\s]+/(?=.+/issues/))?([\w.-]+/[\w.-]+)?(?:/issues/|#)?(\d{1,18})", name)
        if match is None:
            raise ValueError(f"{name!r} names no issue; write it like #12, or its address")
        # A number alone means a different issue in every repository.
        if match[1] is not None and match[1].lower() != settings.repository.lower():
            raise ValueError(f"{name!r} is in {match[1]}, and not in {settings.repository}")
        remote_id, key = match[2], f"{settings.repository}#{match[2]}"
    elif isinstance(settings, JiraSettings):
        # MOB-12, https://acme.atlassian.net/browse/MOB-12. Jira takes a key wherever it takes an id.
        address = settings.url.rstrip("/") + "/browse/"
        if name.startswith(("http://", "https://")) and not name.startswith(address):
            raise ValueError(f"{name!r} is not at {settings.url}")
        remote_id = key = name.removeprefix(address).upper()
        if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,80}-\d{1,18}", key):
            raise ValueError(f"{name!r} names no issue; write it like {settings.project}-12, or its address")
    elif isinstance(settings, LocalSettings):
        # crash-in-draw-0123, with or without .md, or its file: address
        address = Path(settings.folder).absolute().as_uri() + "/"
        if name.startswith(address):
            name = unquote(name.removeprefix(address))
        match = re.fullmatch(r"([^/\\\s.][^/\\\s]{0,240}?)(?:\.md)?", name)
        if match is None:
            raise ValueError(f"{name!r} names no file of the folder; write its name alone")
        remote_id, key = f"{match[1]}.md", match[1]
    else:
        remote_id, key = settings.name_issue(name)
    return Issue(tracker=tracker, state=IssueState.LINKED, marker="", remote_id=remote_id, key=key)
