"""The nouns of syncd, as immutable values. Times are UTC epoch seconds; None means that the fact is not known.

Every notification changes several values; those are a `Struct`, of which a changed copy costs a twentieth of a dataclass's. None of them
can be part of a cycle, so the garbage collector does not visit them.
"""

from syncd.model.groups import (
    Attributes,
    Facts,
    Group,
    GroupKind,
    Identity,
    Notification,
    Point,
    ProjectRelease,
    Reading,
    Release,
    Storm,
    Tally,
    Thresholds,
)
from syncd.model.issues import (
    Action,
    Announcement,
    Call,
    Condition,
    Created,
    GroupView,
    Issue,
    IssueState,
    Observation,
    Occasion,
    Place,
    Plan,
    PresentSettings,
    Regression,
    Settings,
)

__all__ = [
    "Action",
    "Announcement",
    "Attributes",
    "Call",
    "Condition",
    "Created",
    "Facts",
    "Group",
    "GroupKind",
    "GroupView",
    "Identity",
    "Issue",
    "IssueState",
    "Notification",
    "Observation",
    "Occasion",
    "Place",
    "Plan",
    "Point",
    "PresentSettings",
    "ProjectRelease",
    "Reading",
    "Regression",
    "Release",
    "Settings",
    "Storm",
    "Tally",
    "Thresholds",
]
