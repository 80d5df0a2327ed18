"""The filter and the order of a list of groups, and the parameters of a filter in a query."""

from dataclasses import dataclass
from enum import StrEnum

from syncd.store.records import text_of

UNASSIGNED = "unassigned"


class Sort(StrEnum):
    """The order of a list, the largest or latest first. An index has those of STORED; the others are computed from the trails."""

    LAST_SEEN = "last_seen"
    FIRST_SEEN = "first_seen"
    OCCURRENCES = "occurrences"
    USERS = "users"
    LAST_DAY = "last_day"
    GROWTH = "growth"


STORED = (Sort.LAST_SEEN, Sort.FIRST_SEEN, Sort.OCCURRENCES, Sort.USERS)


class State(StrEnum):
    """The states that a list can be limited to. TABS are those with a tab of their own."""

    OPEN = "open"
    NEW = "new"
    REGRESSED = "regressed"
    HELD = "held"
    CLOSED = "closed"
    CRASHING = "crashing"
    MUTED = "muted"
    FILED = "filed"
    UNFILED = "unfiled"
    DOUBT = "doubt"
    BY_HAND = "by_hand"
    PARKED = "parked"
    DEAD = "dead"


TABS = (State.OPEN, State.NEW, State.REGRESSED, State.HELD, State.CLOSED, State.MUTED)


@dataclass(frozen=True, slots=True)
class Term:
    """A text that a group contains: in its fingerprint, stack, project, application or classifiers, or in the key of its issue if the text has
    a digit. With a `name`, a group also fits whose attribute of that name has a value that contains `value`."""

    text: str
    name: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The filter of a list. A group fits if it has all `terms`; of them, of `classifier` and of `owner` upper and lower case are the same. `owner` is
    a part of the name of somebody whom the issue is assigned to, or UNASSIGNED if it is known to be nobody. `since` is the least time of the
    latest occurrence, `first` that of the first one, `returned` that of a regression, in epoch seconds; NEW limits nothing without
    `first`. `labels` are those by which issues are MUTED."""

    project: str | None = None
    owner: str | None = None
    application: str | None = None
    release: str | None = None
    state: State | None = None
    classifier: str | None = None
    terms: tuple[Term, ...] = ()
    since: int | None = None
    first: int | None = None
    returned: float | None = None
    labels: tuple[str, ...] = ()

    @property
    def everything(self) -> bool:
        """True if nothing is filtered."""
        return self == Wanted(labels=self.labels)


def parameters(wanted: Wanted) -> dict[str, object]:
    """The parameters of `_wanted` in queries.sql for a filter."""
    terms = [
        {
            "term": containing(term.text),
            # Every issue key has a digit; joining the issue of each group doubles the cost.
            "numbered": int(any(sign.isdigit() for sign in term.text)),
            "name": term.name and term.name.lower(),
            "value": containing(term.value or ""),
        }
        for term in wanted.terms
    ]
    return {
        "project": wanted.project,
        "application": wanted.application,
        "release": wanted.release,
        "owner": _pattern_of_owner(wanted.owner),
        "state": wanted.state,
        # The comma keeps a quotation mark within another classifier from passing for the beginning of this one.
        "classifier": containing(f",{text_of(wanted.classifier)}") if wanted.classifier else None,
        "terms": text_of(terms) if terms else None,
        "since": wanted.since,
        "first": wanted.first,
        "returned": wanted.returned,
        "labels": text_of([text_of(label) for label in wanted.labels]),
    }


def _pattern_of_owner(name: str | None) -> str | None:
    """Return the stored text of no owner, or a pattern of those with a name."""
    if name is None or name.lower() == UNASSIGNED:
        return name and "[]"
    return containing(text_of(name)[1:-1])


def containing(text: str) -> str:
    """Return the LIKE pattern of texts in lower case that contain `text`. The escape is an exclamation mark: crash texts are full of
    backslashes."""
    escaped = text.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"
