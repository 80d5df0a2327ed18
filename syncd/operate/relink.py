"""Links a group to an issue that a person names, after reading that issue from its tracker."""

import time
from dataclasses import dataclass

from syncd.config import Config
from syncd.config.values import did_you_mean
from syncd.errors import ConfigError, Moved, SyncdError, TrackerError
from syncd.model import Place
from syncd.operate import actions, explain
from syncd.platform.clock import Clock
from syncd.store import Store
from syncd.trackers import open_tracker
from syncd.trackers.references import named


class NotLinked(SyncdError):
    """Nothing changed; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Relinked:
    """The issue of the group from now on, and the key of its previous issue."""

    place: Place
    before: str | None


def relink(
    config: Config, store: Store, group_id: int, tracker: str | None, text: str, now: float, *, dry_run: bool = False
) -> Relinked:
    """Read the issue that `text` names (number, key or URL) and link the group to it. `tracker` defaults to that of the group's
    issue, else of its route. Raises NotLinked, StoreUnavailable."""
    entry = store.lists.group(group_id)
    if entry is None:
        raise NotLinked("there is no such group")
    group, issue = entry[0].standing.group, entry[0].standing.issue
    routing = explain.rules(config)
    policy = routing.route(group)
    name = tracker or (issue.tracker if issue else None) or (policy.tracker if policy else None)
    if name is None:
        raise NotLinked("no route takes this group; give the issue's tracker as well")
    if name not in config.trackers:
        raise NotLinked(f"there is no tracker {name!r}{did_you_mean(name, sorted(config.trackers))}")
    try:
        reference = named(name, config.trackers[name], text)
        client = open_tracker(name, config.trackers[name], store.notebook(name), clock=Clock(), sleep=time.sleep)
        try:
            place = client.look(reference).place
        except Moved as error:
            place = Place(remote_id=error.remote_id, key=error.key, url=error.url)
        finally:
            client.close()
        if dry_run:
            return Relinked(place, issue.key if issue else None)
        return Relinked(place, actions.relink(store, routing, group_id, name, place, store.instance_key(), now))
    except (ValueError, ConfigError, TrackerError) as error:
        raise NotLinked(str(error)) from None
