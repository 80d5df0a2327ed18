"""The verdict on a run: counts in the tracker, compared with the senders' ledger."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.prove.chaos_load import Ledger
from tests.system import reference

_FINGERPRINT = re.compile(r"\b[0-9a-f]{64}\b")
_STATUS = re.compile(r"Seen (?:at least |between )?([\d,]+) (?:and [\d,]+ )?times?\b")
_FILED = re.compile(r"([\d,]*\d)(?: and [\d,]*\d)? times?\b")


@dataclass(kw_only=True)
class Verdict:
    """The facts of one run. `kills` is by step, `failed` by kind of failure; `wrong` lists violations."""

    kind: str
    seed: int
    kills: dict[str, int] = field(default_factory=dict)
    busy: int = 0  # kills while a worker had a group or a request in progress
    seconds: float = 0.0
    drained_after: float | None = None
    acknowledged: int = 0
    resent: int = 0
    groups: int = 0
    issues: int = 0
    duplicates: int = 0
    missing: int = 0
    strays: int = 0  # issues without an acknowledged group
    double_comments: int = 0
    wrong_counts: list[str] = field(default_factory=list)
    lost: int = 0
    requests: int = 0
    stormy: int = 0  # requests while failures were switched on
    failed: dict[str, int] = field(default_factory=dict)
    late: int = 0  # creates carried out after the death of their sender
    in_doubt: int = 0
    probes: int = 0
    parked: int = 0
    replayed: int = (
        0  # deliveries that two kills met alone in hand: they were in the quarantine until an operator replayed them
    )
    bugs: int = 0

    @property
    def wrong(self) -> list[str]:
        """The violations as sentences; empty if there are none."""
        counted = {
            f"{self.duplicates} issues are duplicates": self.duplicates,
            f"{self.missing} groups have no issue": self.missing,
            f"{self.strays} issues belong to no acknowledged group": self.strays,
            f"{self.double_comments} issues have more than one status comment": self.double_comments,
            f"{len(self.wrong_counts)} counts are wrong, such as: {'; '.join(self.wrong_counts[:3])}": len(
                self.wrong_counts
            ),
            f"{self.lost} acknowledged notifications are lost": self.lost,
            f"{self.parked} issues are parked": self.parked,
            f"the daemon logged {self.bugs} bugs": self.bugs,
            "the daemon did not drain in time": self.drained_after is None,
        }
        return [sentence for sentence, count in counted.items() if count]

    def line(self) -> str:
        """All facts in one line."""
        by_step = ", ".join(f"{step} {count}" for step, count in sorted(self.kills.items()))
        by_way = ", ".join(f"{how} {count}" for how, count in sorted(self.failed.items()))
        facts = {
            "kills": f"{sum(self.kills.values())} ({by_step})",
            "busy": self.busy,
            "seconds": round(self.seconds),
            "drained after": "never" if self.drained_after is None else round(self.drained_after),
            "acknowledged": self.acknowledged,
            "resent": self.resent,
            "groups": self.groups,
            "issues": self.issues,
            "duplicates": self.duplicates,
            "missing": self.missing,
            "strays": self.strays,
            "double comments": self.double_comments,
            "wrong counts": len(self.wrong_counts),
            "lost": self.lost,
            "requests": f"{self.requests}, with failures on {self.stormy}",
            "injected failures": f"{sum(self.failed.values())} ({by_way})",
            "late commits": self.late,
            "in doubt": self.in_doubt,
            "probes": self.probes,
            "parked": self.parked,
            "replayed": self.replayed,
            "bugs": self.bugs,
        }
        summary = "; ".join(f"{name} {fact}" for name, fact in facts.items())
        return f"{self.kind}, seed {self.seed}: {'PASSED' if not self.wrong else 'FAILED'}; {summary}"


def count(
    verdict: Verdict,
    ledger: Ledger,
    texts: Sequence[str],
    comments: Sequence[int],
    groups: Mapping[str, dict[str, Any]],
) -> None:
    """Fill in the verdict from the tracker (`texts`, `comments`), the ledger and the store (`groups`)."""
    expected = reference.counts(ledger.acknowledged)
    verdict.acknowledged, verdict.resent = len(ledger.acknowledged), ledger.resent
    verdict.groups, verdict.issues = len(expected), len(texts)
    texts_by_group: dict[str, list[str]] = {name: [] for name in expected}
    for text in texts:
        named = set(_FINGERPRINT.findall(text))
        verdict.strays += not named & expected.keys()
        for name in named & expected.keys():
            texts_by_group[name].append(text)
    verdict.missing = sum(not issues for issues in texts_by_group.values())
    verdict.duplicates = sum(max(0, len(issues) - 1) for issues in texts_by_group.values())
    verdict.double_comments = sum(number > 1 for number in comments)
    # Two acknowledgements with one number are one delivery in the inbox.
    verdict.lost = len(ledger.acknowledged) - len(ledger.numbers)
    acknowledged = Counter(notification["fingerprint"] for _, notification in ledger.acknowledged)
    for name, group in expected.items():
        _compare(verdict, name, group, texts_by_group[name], groups.get(name))
        stored = groups[name]["notifications"] if name in groups else 0
        verdict.lost += max(0, acknowledged[name] - stored)
        tried = acknowledged[name] + ledger.unanswered.get(name, 0)
        if stored > tried:
            verdict.wrong_counts.append(f"{name[:8]} has {stored} notifications, and {tried} were sent")


def _compare(
    verdict: Verdict, name: str, group: dict[str, Any], issues: Sequence[str], stored: dict[str, Any] | None
) -> None:
    total = group["occurrences"] if stored is None else stored["occurrences"]
    for text in issues:
        if (count := visible_count(text)) != total:
            verdict.wrong_counts.append(f"the issue of {name[:8]} says {count} instead of {total}")
    # The number of notifications is compared by its bounds.
    if stored is not None and not reference.fits(stored | {"notifications": group["notifications"]}, group):
        verdict.wrong_counts.append(f"the store says {stored} of {name[:8]} instead of {group}")


def visible_count(text: str) -> int | None:
    """The current number of occurrences as a reader of the issue sees it."""
    counts = _STATUS.findall(text) or _FILED.findall(text)[:1]
    return int(counts[-1].replace(",", "")) if counts else None
