"""An issue that a person names by its number, key or address, in its tracker's own terms."""

import re

from syncd.config import GitHubSettings, JiraSettings, LocalSettings, TrackerSettings
from syncd.model import Issue, IssueState


def named(tracker: str, settings: TrackerSettings, text: str) -> Issue:
    """The issue as far as its name tells, to be looked at. Raises ValueError for what names none of this tracker's."""
    said = text.strip()
    if isinstance(settings, GitHubSettings):
        remote_id, key = _of_github(settings, said)
    elif isinstance(settings, JiraSettings):
        remote_id, key = _of_jira(settings, said)
    elif isinstance(settings, LocalSettings):
        remote_id, key = _of_folder(said)
    else:
        raise ValueError(f"the issues of a tracker of kind {settings.kind!r} cannot be linked by hand")
    return Issue(tracker=tracker, state=IssueState.LINKED, marker="", remote_id=remote_id, key=key)


def _of_github(settings: GitHubSettings, said: str) -> tuple[str, str]:
    """#12, 12, acme/game#12, https://github.com/acme/game/issues/12"""
    match = re.fullmatch(r"(?:https?://[^/\s]+/(?=.+/issues/))?([\w.-]+/[\w.-]+)?(?:/issues/|#)?(\d{1,18})", said)
    if match is None:
        raise ValueError(f"{said!r} names no issue; write it like #12, or its address")
    # A number alone means another issue in every repository.
    if match[1] is not None and match[1].lower() != settings.repository.lower():
        raise ValueError(f"{said!r} is in {match[1]}, and not in {settings.repository}")
    return match[2], f"{settings.repository}#{match[2]}"


def _of_jira(settings: JiraSettings, said: str) -> tuple[str, str]:
    """MOB-12, https://acme.atlassian.net/browse/MOB-12. Jira takes a key wherever it takes an id."""
    address = settings.url.rstrip("/") + "/browse/"
    if said.startswith(("http://", "https://")) and not said.startswith(address):
        raise ValueError(f"{said!r} is not at {settings.url}")
    key = said.removeprefix(address).upper()
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,80}-\d{1,18}", key):
        raise ValueError(f"{said!r} names no issue; write it like {settings.project}-12, or its address")
    return key, key


def _of_folder(said: str) -> tuple[str, str]:
    """crash-in-draw-0123, with or without .md"""
    match = re.fullmatch(r"([^/\\\s.][^/\\\s]{0,240}?)(?:\.md)?", said)
    if match is None:
        raise ValueError(f"{said!r} names no file of the folder; write its name alone")
    return f"{match[1]}.md", match[1]
