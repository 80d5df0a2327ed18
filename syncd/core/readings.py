"""Readings of issues: whether one says anything new, whether it may be older than what is stored, and which issues a survey reads. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from typing import NamedTuple

from syncd.model import Condition, Issue, Observation

# A replica or an index of a tracker is behind for at most so long; after that, an older state is a state that was restored.
LAG_SECONDS = 600.0
DORMANT_SECONDS = 30 * 86400.0
ROUNDS = 24  # surveys in which every dormant issue is read once, unless there are more than ROUNDS * MOST_DORMANT
MOST_ACTIVE = 4000
MOST_DORMANT = 1000


class Cursor(NamedTuple):
    """The last issues that a survey read, by their `remote_id`."""

    active: str = ""
    dormant: str = ""


def is_outdated(issue: Issue, observation: Observation, now: float) -> bool:
    """True if the tracker showed a later state of the issue shortly before: a replica or an index of it is behind."""
    if issue.looked_at is None or issue.changed_at is None or observation.changed_at is None:
        return False
    # Another place has changes of its own.
    same_place = observation.place.remote_id == issue.remote_id
    return same_place and observation.changed_at < issue.changed_at and abs(now - issue.looked_at) < LAG_SECONDS


def is_behind(issue: Issue, observation: Observation) -> bool:
    """True if a hook has named a later change than the tracker shows: a replica or an index of it may be behind."""
    changed_at, news_at = observation.changed_at, issue.news_at
    # Another place has times of its own.
    same_place = observation.place.remote_id == issue.remote_id
    return same_place and changed_at is not None and news_at is not None and changed_at < news_at


def dated(issue: Issue, observation: Observation) -> Condition:
    """The condition in a reading, with a time of closing that can be believed.

    A tracker may keep the time of an earlier closing, such as Jira the date of a resolution that survives reopening. A closing is later than
    the latest change that was read while the issue was open, and not later than the change with which it is read.
    """
    condition, before = observation.condition, issue.condition
    if not condition.closed or before is None:
        return condition
    # An issue that was filed and not read since has neither time.
    since = issue.changed_at if observation.changed_at is not None else issue.looked_at if issue.is_read else None
    if condition.closed_at is not None and (since is None or condition.closed_at >= since):
        return condition
    if before.closed:
        later = condition.closed_at is not None and condition.closed_at > (before.closed_at or 0.0)
        return condition if later else replace(condition, closed_at=before.closed_at)
    return replace(condition, closed_at=since if observation.changed_at is None else observation.changed_at)


def is_news(issue: Issue, observation: Observation) -> bool:
    """True if an issue has to be looked at, because a survey shows another address or another condition than the latest look: later ones,
    or those of a tracker that was restored."""
    place, condition = observation.place, dated(issue, observation)
    if (place.remote_id, place.key, place.url) != (issue.remote_id, issue.key, issue.url):
        return True
    if issue.condition is None:
        # The first look comes with the next notification; until then nothing but a closing needs a baseline.
        return condition.closed
    return condition != issue.condition


def is_dormant(issue: Issue, now: float) -> bool:
    """True if the issue was closed long ago and its crash is silent since: syncd looks at it anyway when the crash comes back."""
    if issue.condition is None or not issue.condition.closed:
        return False
    latest = max(issue.condition.closed_at or 0.0, issue.synced_at or 0.0, issue.looked_at or 0.0)
    return latest < now - DORMANT_SECONDS


def portion(issues: Sequence[Issue], cursor: Cursor, now: float) -> tuple[list[Issue], Cursor]:
    """The issues that a survey reads where it has to ask for each of them, and where the next survey goes on: all active ones, up to
    MOST_ACTIVE; of the dormant ones so many that all are read within ROUNDS surveys, up to MOST_DORMANT."""
    active = [issue for issue in issues if not is_dormant(issue, now)]
    dormant = [issue for issue in issues if is_dormant(issue, now)]
    first = after(active, cursor.active, MOST_ACTIVE)
    rest = after(dormant, cursor.dormant, min(ceil(len(dormant) / ROUNDS), MOST_DORMANT))
    return first + rest, Cursor(*(str(part[-1].remote_id) if part else "" for part in (first, rest)))


def after(issues: Sequence[Issue], last: str, size: int) -> list[Issue]:
    """Up to `size` of these issues, in the order of their ids, from the one behind `last` on and around."""
    by_place = {(len(str(issue.remote_id)), str(issue.remote_id)): issue for issue in issues}
    places = sorted(by_place)
    start = bisect_right(places, (len(last), last))
    return [by_place[place] for place in (places[start:] + places[:start])[:size]]
