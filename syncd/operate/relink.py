"""Letting an issue that a person names stand for a group, once its tracker has shown it."""

from dataclasses import dataclass

from syncd.config import Config
from syncd.config.values import did_you_mean
from syncd.errors import ConfigError, Moved, SyncdError, TrackerError
from syncd.model import Issue, Place
from syncd.operate import explain
from syncd.store import Store
from syncd.trackers import open_tracker
from syncd.trackers.references import named


class NotLinked(SyncdError):
    """Nothing was changed; the message says why."""


@dataclass(frozen=True, slots=True)
class Relinked:
    """Which issue stands for the group now, and the key of the one that did."""

    place: Place
    before: str | None


def relink(
    config: Config, store: Store, group_id: int, tracker: str | None, text: str, now: float, *, dry_run: bool = False
) -> Relinked:
    """Look at the issue that `text` names and let it stand for the group. Where no `tracker` is named it is that of the group's
    issue, else of its route. Raises NotLinked, StoreUnavailable."""
    found = store.lists.group(group_id)
    if found is None:
        raise NotLinked("there is no such group")
    standing = found[0].standing
    judging = explain.rules(config)
    policy = judging.route(standing.group)
    name = tracker or (standing.issue.tracker if standing.issue else None) or (policy.tracker if policy else None)
    if name is None or name not in config.trackers:
        raise NotLinked(f"there is no tracker {name or ''!r}{did_you_mean(name or '', sorted(config.trackers))}")
    try:
        place = _place(config, store, name, named(name, config.trackers[name], text))
        if dry_run:
            return Relinked(place, standing.issue.key if standing.issue else None)
        before = store.operator.relink(group_id, name, place, store.instance_key(), judging.owes, now)
    except (ValueError, ConfigError, TrackerError) as error:
        raise NotLinked(str(error)) from None
    return Relinked(place, before)


def _place(config: Config, store: Store, name: str, issue: Issue) -> Place:
    """Where the issue is, as its tracker tells it: one read, or a few."""
    client = open_tracker(name, config.trackers[name], store.notebook(name))
    try:
        return client.look(issue).place
    except Moved as error:
        return Place(remote_id=error.remote_id, key=error.key, url=error.url)
    finally:
        client.close()
