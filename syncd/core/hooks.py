"""When a report of a tracker's hook leads to a look, and how often surveys are made beside hooks. Pure.

A report is a reason to look at an issue and says nothing about it: senders repeat, delay, reorder and lose reports.
"""

SURVEY_DUE = (
    "survey_due_at"  # the fact of a tracker: when a report asked for a survey, since it concerns everything there
)
SPACING_SECONDS = 15.0  # between the looks at one issue for reports, however many come
GATHER_SECONDS = 1.0  # a look between these is made so long after the latest report
FLOOD = 5  # reports of one issue within SPACING_SECONDS; more are no work of people, and no look is made between
LAG_SECONDS = 30.0  # after a look that shows less than a report names, until the only further one
MOST_LOOKS = 60  # at issues of one tracker within a minute, for reports; instead of more, a survey is made
SURVEY_SPACING_SECONDS = 60.0  # between two surveys for reports
HEARD_SECONDS = 86400.0  # for so long a hook counts as working after it reported a change
RARER = 6  # times as long is the interval of surveys beside hooks that work
LONGEST_SECONDS = 86400.0  # and never longer than this


def due(latest: float | None, now: float) -> float:
    """The time from which a look for a report is due. `latest` is that of the latest such look, which may lie ahead; one beyond the spacing was
    written before the clock was set back."""
    if latest is None or not latest - SPACING_SECONDS <= now <= latest + SPACING_SECONDS:
        return now
    return latest if latest > now else latest + SPACING_SECONDS


def survey_interval(interval: float, reported_at: float | None, missed_at: float | None, now: float) -> float:
    """The seconds between two surveys of a tracker: `interval`, or RARER times as much while a hook reports its changes. `reported_at` is when
    it did last, `missed_at` when a survey last met a change that no hook had reported."""
    works = reported_at is not None and 0 <= now - reported_at < HEARD_SECONDS
    misses = missed_at is not None and 0 <= now - missed_at < HEARD_SECONDS
    return max(interval, min(interval * RARER, LONGEST_SECONDS)) if works and not misses else interval
