"""`[hooks.NAME]`: where trackers report changes."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator

from syncd.config.plugins import hook_server
from syncd.config.values import Secret, Section, did_you_mean

# Kinds of trackers that report changes, with the key that names the server whose numbers an issue has, and its default.
SERVERS = {"github": ("api_url", "https://api.github.com"), "jira": ("url", "")}

Names = Annotated[
    list[str], BeforeValidator(lambda value: [value] if isinstance(value, str) else value), Field(min_length=1)
]


class HookSettings(Section):
    """`[hooks.NAME]`: a webhook of a tracker, which sends to `/hooks/NAME`."""

    tracker: Names
    """the tracker whose changes it reports, or a list of several: `["game", "web"]`, for the hook of a GitHub App, of an organization,
    of a GitLab group, or of a Jira site"""
    secret: Secret
    """a secret, the same as in the tracker's settings of the hook; it signs every report"""
    previous_secret: Secret | None = None
    """the old secret, still accepted during rotation"""
    signed: bool = True
    """with `false`, for a Jira that cannot sign, the secret is the end of the address: `/hooks/NAME/SECRET`. It then needs 20 characters or more, all
    of them letters, digits, `-` and `_`"""

    @field_validator("tracker")
    @classmethod
    def _once(cls, value: list[str]) -> list[str]:
        if len(set(value)) < len(value):
            raise ValueError("names a tracker twice; remove one of the two")
        return value


def contradictions(document: Mapping[str, Any]) -> Iterator[str]:
    """Problems of hooks and trackers together, from the bare document: whatever has the wrong type is reported elsewhere."""
    trackers, hooks = document.get("trackers", {}), document.get("hooks", {})
    if not isinstance(trackers, dict) or not isinstance(hooks, dict):
        return
    for name, hook in hooks.items():
        names = hook.get("tracker") if isinstance(hook, dict) else None
        names = [names] if isinstance(names, str) else names if isinstance(names, list) else []
        places = set()
        for tracker in names:
            section = trackers.get(tracker) if isinstance(tracker, str) else {}
            if section is None:
                yield f"hooks.{name}.tracker: {tracker!r} is not configured{did_you_mean(tracker, list(trackers))}"
            elif isinstance(section, dict) and isinstance(kind := section.get("kind"), str):
                server = SERVERS.get(kind) or hook_server(kind)
                if server is None:
                    yield f"hooks.{name}.tracker: {tracker!r} is of kind {kind}, which reports no changes; remove the hook"
                    continue
                places.add((kind, str(section.get(*server)).rstrip("/")))
                if kind == "github" and hook.get("signed", True) is False:
                    yield f"hooks.{name}.signed: GitHub signs every report; remove this key"
        if len(places) > 1:
            yield f"hooks.{name}.tracker: a hook belongs to one server; write a hook for each, with a secret of its own"
