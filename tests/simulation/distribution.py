"""What happened in many runs, so that a reader sees that they are no idle ones."""

from collections.abc import Iterator, Mapping

# Each row adds up some counters of a run: acts of the history, requests that the site carried out, rows that a query changed.
ROWS: dict[str, tuple[str, ...]] = {
    "notifications": ("query accept",),
    "issues created": ("carried out: create",),
    "status comments and announcements": ("carried out: comment", "carried out: edit comment"),
    "requests never carried out": ("requests lost",),
    "answers lost": ("answers lost",),
    "requests carried out late": ("carried out late",),
    "creates in doubt by their sender's death or lease": ("query doubt_dead", "query doubt_expired"),
    "creates refused or in doubt by their answer": ("query end_intent",),
    "probes": ("read: probe",),
    "creates proven absent": ("query absent",),
    "groups parked": ("query park",),
    "claims taken over": ("query free_claims",),
    "processes killed": ("machine kills",),
    "processes suspended": ("machine suspends",),
    "commits lost or reported failed": ("store loses a commit", "store reports a commit failed"),
    "store away": ("store is away",),
    "tracker away": ("tracker is away",),
    "silences": ("query silence",),
    "rests of a tracker": ("query pause",),
    "trials": ("query begin_trial",),
    "pauses of a route": ("query pause_route",),
    "clocks set back": ("query shift_outbox",),
    "issues closed by people": ("person closes",),
    "regressions": ("query regress",),
    "reopenings": ("carried out: reopen",),
    "issues deleted, locked or moved": ("person deletes", "person locks", "person moves"),
    "issues followed": ("query follow_issue",),
    "merges": ("query add_alias",),
    "issues given up": ("query retire", "query retire_live"),
    "issues linked by hand": ("query link_by_hand",),
    "storms": ("query begin_storm",),
    "groups released from a hold or a storm": ("query let_through",),
    "dead letters": ("query bury",),
}


def table(counts: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Yield each kind of event with how often it happened."""
    for name, counters in ROWS.items():
        yield name, sum(counts.get(counter, 0) for counter in counters)
