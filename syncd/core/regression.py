"""The decision whether a crash came back after its issue was closed. Pure.

A crash came back if a release has new occurrences that was not known when the issue was closed and is not older than the release
with the fix. Where the issue names no fix, the release must be newer than every release of the project and application that was known
then. Three facts shape the rules: old clients go on crashing, a few senders name bogus releases, and an issue is often
closed before its fix is released.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from syncd.core import fold, resolutions
from syncd.core.fold import OTHER_RELEASES
from syncd.core.patterns import encoded, expression
from syncd.core.policy import Policy
from syncd.core.quantities import counted, listed, utc
from syncd.core.releases import Kinship, Order, compare, is_final, kinship, leaps, newest, ordered
from syncd.model import Condition, Facts, Group, Issue, Occasion, ProjectRelease, Regression

TOTAL = ""  # the key of all releases together in a baseline
UNRELEASED = ""  # the release of occurrences without one
FIRST_SECONDS = 86400.0  # a release that is heard of so soon after the first of its project was out before
COMMENTED_LINE = 10  # new occurrences of another line, which may be old clients, that deserve a comment


class Kind(StrEnum):
    """The meaning of new occurrences in one release; the value is the rule. The first kind that occurs decides."""

    BACK = "came-back"
    UNCONFIRMED = "unconfirmed-release"  # one occurrence, in a release far above all others of the project
    INCOMPARABLE = "incomparable"
    UNRELEASED = "unknown-release"
    REBUILT = "rebuilt"  # not older than the fix, but it crashed before the closing
    EARLY = "early-build"  # a pre-release or a build of the fix that came out after the closing
    LINE = "other-line"  # newer than its own major release was at the closing, older than the newest one
    SAME = "same-release"  # cannot be told from the newest known release
    ANSWERED = "answered"
    PRIOR = "known-at-closing"
    OLDER = "older"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The meaning of new occurrences since the closing. If `note` is set, `reason` belongs into the status comment.

    `remark` is a comment on an issue that stays closed, as (occasion, subject, facts): people should look at it.
    """

    rule: str
    reason: str
    inputs: Facts = field(default_factory=dict)
    regression: Regression | None = None
    note: bool = False
    remark: tuple[Occasion, str, Facts] | None = None


def ledger(group: Group) -> dict[str, int]:
    """The occurrences of each release and of all together, as a baseline stores them."""
    return {TOTAL: group.occurrences} | {release.release: release.occurrences for release in group.releases}


def _closing(issue: Issue) -> Condition | None:
    """The condition of an issue that was closed when syncd read it last; None if it was open."""
    return issue.condition if issue.condition is not None and issue.condition.closed else None


def next_baseline(group: Group, issue: Issue, condition: Condition) -> Mapping[str, int]:
    """The baseline after a look at the issue: fixed at its closing, otherwise the numbers that the issue shows."""
    closing = _closing(issue)
    if not condition.closed:
        # Whoever reopens an issue has seen all its occurrences: the baseline starts anew.
        return ledger(group) if closing is not None else issue.baseline or ledger(group)
    if closing is not None and closing.closed_at == condition.closed_at:
        return issue.baseline
    return baseline_at_closing(group, issue, condition)


def baseline_at_closing(group: Group, issue: Issue, condition: Condition) -> dict[str, int]:
    """The ledger at the time of the closing. A release that has grown since then counts with the occurrences that the issue showed last while
    it was open."""
    closed_at = condition.closed_at
    if predates(issue, condition):
        return dict(issue.baseline) or ledger(group)
    if closed_at is None:
        # Without a time of closing, all occurrences count as known that the issue showed last, or that came in before it was last read open.
        open_at = issue.looked_at or 0.0
        grown_by = [row for row in group.releases if row.grown_at is not None and row.grown_at <= open_at]
        return (dict(issue.baseline) or ledger(group)) | {row.release: row.occurrences for row in grown_by}
    releases = {
        release.release: issue.baseline.get(release.release, 0)
        if (release.grown_at or 0.0) > closed_at
        else release.occurrences
        for release in group.releases
        if (release.noticed_at or 0.0) <= closed_at
    }
    grown = any(point.at > closed_at and point.occurrences > issue.baseline.get(TOTAL, 0) for point in group.trail)
    return {TOTAL: issue.baseline.get(TOTAL, group.occurrences) if grown else group.occurrences} | releases


def predates(issue: Issue, condition: Condition) -> bool:
    """True if the issue was closed before syncd adopted it: what the crash did until then is in no ledger of the closing."""
    return issue.adopted_at is not None and condition.closed_at is not None and condition.closed_at < issue.adopted_at


def change(issue: Issue, condition: Condition) -> str:
    """The closing or reopening that a look at the issue reads in its new condition, as a sentence; empty if it reads neither."""
    closing = _closing(issue)
    if not condition.closed:
        return "" if closing is None else f"{issue.key} was reopened in the tracker"
    if closing is not None and closing.closed_at == condition.closed_at:
        return ""
    when = "" if condition.closed_at is None else f" at {utc(condition.closed_at)}"
    resolution = condition.resolution.replace("_", " ").lower()
    how = f" as {resolution}" if resolution else ""
    fixed_in = f", fixed in {listed(condition.fixed_in)}" if condition.fixed_in else ""
    return f"{issue.key} was closed in the tracker{when}{how}{fixed_in}"


def resolved_as(condition: Condition, patterns: Iterable[str]) -> bool:
    """True if the issue is closed and its resolution fits one of the patterns, in any case and in any language of `resolutions`."""
    return condition.closed and resolutions.means(condition.resolution, condition.standard, tuple(patterns))


def subject(regression: Regression) -> str:
    """The subject of the announcement; it distinguishes the regressions of one issue."""
    return f"{int(regression.closed_at or 0)} {regression.release}"


def facts(regression: Regression, answer: str) -> dict[str, str | int | float]:
    """The facts of the announcement. `answer` is the action that the plan takes."""
    return {
        "release": regression.release,
        "occurrences": regression.occurrences,
        "fixed_in": regression.fixed_in,
        "answer": answer,
        **({} if regression.closed_at is None else {"closed_at": int(regression.closed_at)}),
    }


def verdict(
    group: Group, issue: Issue, condition: Condition, policy: Policy, project: Sequence[ProjectRelease] = ()
) -> Verdict:
    """Decide whether the crash of a closed issue came back. `project` are the releases of all groups of its project and application."""
    key = issue.key or "the issue"
    if policy.ignore_label and policy.ignore_label in condition.labels:
        return Verdict(rule="ignore-label", reason=f"{key} stays closed: it has the label {policy.ignore_label}")
    if condition.locked:
        return Verdict(rule="locked", reason=f"{key} stays closed: its conversation is locked")
    for rule, patterns in (("duplicate", policy.duplicate), ("wont-fix", policy.wont_fix)):
        if resolved_as(condition, patterns):
            resolution = condition.resolution.replace("_", " ").lower()
            return Verdict(rule=rule, reason=f"{key} stays closed: it was closed as {resolution}")
    return _Closing(group, issue, condition, policy, project).verdict()


def fixes_named(
    condition: Condition, policy: Policy, releases: Iterable[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The releases with the fix that the issue names, and those of its names that are none: `fixed_in_pattern` does not match, or they
    are comparable with none of these `releases`."""
    pattern = None if policy.fixed_in_pattern is None else expression(policy.fixed_in_pattern)
    fixes, unusable, references = [], [], tuple(releases)
    for name in condition.fixed_in:
        match = None if pattern is None else pattern.search(encoded(name))
        text = b"" if pattern is None or match is None else match[1 if pattern.groups else 0] or b""
        fix = name if pattern is None else text.decode("utf-8", "replace").strip()
        comparable = (compare(release, fix, named=False) is not Order.INCOMPARABLE for release in references)
        if fix and (not references or any(comparable)):
            fixes.append(fix)
        else:
            unusable.append(name)
    return tuple(fixes), tuple(unusable)


class _Closing:
    """A closed issue, and what is known about the releases of its crash."""

    def __init__(
        self, group: Group, issue: Issue, condition: Condition, policy: Policy, project: Sequence[ProjectRelease]
    ) -> None:
        self.group, self.issue, self.condition, self.policy = group, issue, condition, policy
        self.key = issue.key or "the issue"
        rows = [row for row in group.releases if row.release != OTHER_RELEASES]
        elsewhere = [release for release in project if release.release != OTHER_RELEASES]
        self.noticed = {release.release: release.noticed_at for release in elsewhere}
        for row in rows:
            self.noticed[row.release] = min(row.noticed_at or 0.0, self.noticed.get(row.release, row.noticed_at or 0.0))
        confirmed = {release.release for release in elsewhere if release.confirmed}
        confirmed |= {row.release for row in rows if row.occurrences >= 2}
        self.leaps = leaps(self.noticed.keys() - confirmed, confirmed)
        self.fixes, self.unusable = fixes_named(condition, policy, self.noticed)
        self.predates = predates(issue, condition)
        first, closed_at = min(self.noticed.values(), default=0.0), condition.closed_at
        # Where neither the issue nor the project tells what was out at a closing before the adoption, the adoption stands for it.
        self.by_adoption = self.predates and not self.fixes and first > (closed_at or 0.0)
        self.since = issue.adopted_at if self.by_adoption else closed_at
        until = max(self.since or 0.0, first + FIRST_SECONDS) if self.by_adoption else closed_at
        if until is None:
            self.own = set(issue.baseline) - {TOTAL, OTHER_RELEASES}
            prior = self.own
        else:
            self.own = {row.release for row in rows if (row.noticed_at or 0.0) <= until}
            prior = {release for release, noticed_at in self.noticed.items() if noticed_at <= until}
        # A named fix says which releases should have it. Without one, whatever was out at the closing may lack it.
        self.prior = self.own if self.fixes else prior
        self.newest = self.fixes or newest(release for release in self.noticed if release in prior - self.leaps)

    def verdict(self) -> Verdict:
        """Decide by the releases that have new occurrences."""
        new = self._new()
        if not new:
            was = "was closed before syncd adopted it, and" if self.predates else "is closed and"
            reason = f"{self.key} {was} has no new occurrence since {'then' if self.predates else 'its closing'}"
            return Verdict(rule="adopted" if self.predates else "nothing-new", reason=reason)
        kinds: dict[Kind, dict[str, int]] = {}
        for release in [release for release in new if release != UNRELEASED]:
            kinds.setdefault(self._kind(release), {})[release] = new[release]
        if UNRELEASED in new:
            kind = Kind.ANSWERED if UNRELEASED in self.issue.answered else Kind.UNRELEASED
            kinds[kind] = {UNRELEASED: new[UNRELEASED]}
        counts = {kind: sum(kinds[kind].values()) for kind in Kind if kind in kinds}
        least = self.policy.min_regression_occurrences
        inputs: dict[str, str | int | float] = {
            "new": sum(new.values()),
            "releases": listed(newest(release for release in new if release != UNRELEASED)),
            "fixed_in": listed(self.newest),
        }
        if Kind.BACK in counts and counts[Kind.BACK] >= least:
            return self._came_back(kinds[Kind.BACK], inputs)
        unclear = kinds.get(Kind.INCOMPARABLE, {}) | kinds.get(Kind.UNRELEASED, {})
        is_regression = self.policy.unknown_release == "regression"
        if unclear and is_regression and sum(unclear.values()) >= least:
            return self._taken_for_regression(unclear)
        kind, count = next(iter(counts.items()))
        rule = "adopted" if self.by_adoption and kind is Kind.PRIOR else str(kind)
        if kind is Kind.OLDER:
            rule = "fixed-in" if self.fixes else "known-releases"
        if kind is Kind.BACK or (unclear and is_regression):
            rule, inputs = "min-regression-occurrences", inputs | {"least": least}
        text = "; ".join(self._part(part, kinds[part]) for part in counts)
        if rule == "min-regression-occurrences":
            text += f"; route {self.policy.name} requires {least:,} ({rule.replace('-', '_')})"
        reason = f"not reopened: {self._closed()}; {text}"
        remark: tuple[Occasion, str, Facts] | None = None
        commented = (Kind.INCOMPARABLE, Kind.REBUILT, Kind.EARLY, Kind.LINE)
        if kind in commented and (kind is not Kind.LINE or count >= COMMENTED_LINE):
            subject_ = f"{int(self.condition.closed_at or 0)} {kind}"
            remark = (Occasion.UNCLEAR, subject_, {"occurrences": count, "reason": f"{self._closed()}; {text}"})
        return Verdict(rule=rule, reason=reason, inputs=inputs, note=kind is not Kind.ANSWERED, remark=remark)

    def _new(self) -> dict[str, int]:
        """The new occurrences by release, and of crashes without one. A release counts if occurrences were added after the closing, and
        not for crashes that happened before it."""
        group, baseline, closed_at = self.group, self.issue.baseline, self.since
        # At its adoption nobody judged what a release with the fix had by then.
        unjudged = {name for name in baseline if self.predates and name and self._order(name) is Order.NEWER}
        new = {
            row.release: row.occurrences - (0 if row.release in unjudged else baseline.get(row.release, 0))
            for row in group.releases
            if row.release != OTHER_RELEASES
            and (
                closed_at is None
                or ((row.grown_at or 0.0) > closed_at and (row.last_seen is None or row.last_seen > closed_at))
            )
        }
        if TOTAL in baseline and (closed_at is None or group.last_seen is None or group.last_seen > closed_at):
            # Occurrences of releases that the ledger or a notification has no room for are among those without one.
            released = sum(row.occurrences for row in group.releases if row.release != OTHER_RELEASES)
            before = sum(count for name, count in baseline.items() if name not in (TOTAL, OTHER_RELEASES))
            unreleased = group.occurrences - released - max(0, baseline[TOTAL] - before)
            if closed_at is not None and group.trail:
                # An alias that was added since brings occurrences of its own from before.
                released_since = sum(max(0, count) for count in new.values())
                unreleased = min(unreleased, fold.growth(group, closed_at).occurrences - released_since)
            new[UNRELEASED] = unreleased
        return {release: count for release, count in new.items() if count > 0}

    def _kind(self, release: str) -> Kind:
        """The meaning of new occurrences in this release."""
        order = self._order(release)
        if release in self.prior:
            return (
                {Order.NEWER: Kind.REBUILT, Order.OLDER: Kind.OLDER}.get(order, Kind.PRIOR)
                if self.fixes
                else Kind.PRIOR
            )
        line = [earlier for earlier in self.prior if kinship(earlier, release) >= Kinship.LINE]
        if self.policy.hotfix_regressions and order is Order.OLDER and self._is_newer(release, line):
            order = Order.NEWER
        if order in (Order.NEWER, Order.INCOMPARABLE) and release in self.issue.answered:
            return Kind.ANSWERED
        if order is Order.NEWER:
            return Kind.UNCONFIRMED if release in self.leaps else Kind.BACK
        if order is not Order.OLDER:
            return Kind.INCOMPARABLE if order is Order.INCOMPARABLE else Kind.SAME
        closed_at = self.condition.closed_at
        final = [fix for fix in self.fixes if is_final(fix)]
        is_fix = any(kinship(release, fix, named=False) is Kinship.NUMBERS for fix in final)
        if is_fix and closed_at is not None and self.noticed[release] > closed_at:
            return Kind.EARLY
        major = [earlier for earlier in self.prior if kinship(earlier, release) is not Kinship.NONE]
        return Kind.LINE if not self.fixes and self._is_newer(release, major) else Kind.OLDER

    def _order(self, release: str) -> Order:
        """The order of a release and the releases with the fix: those of its own line if there are any, else of its major release, else
        all of them. NEWER means that it should have the fix.

        If the issue names no fix, the newest releases known at the closing stand for it. Those crash themselves, so only a newer
        release can have the fix.
        """
        fixed = bool(self.fixes)
        kin = {fix: kinship(release, fix, named=False) for fix in self.newest}
        closest = max(kin.values(), default=Kinship.NONE) if fixed else Kinship.NONE
        nearest = newest(fix for fix in self.newest if kin[fix] >= closest)
        orders = {compare(release, fix, named=not fixed) for fix in nearest} - {Order.INCOMPARABLE}
        if fixed and Order.SAME in orders:
            orders = orders - {Order.SAME} | {Order.NEWER}
        if len(orders) == 1:
            return orders.pop()
        if not fixed and orders:
            return Order.OLDER if Order.OLDER in orders else Order.SAME
        return Order.INCOMPARABLE

    @staticmethod
    def _is_newer(release: str, earlier: Sequence[str]) -> bool:
        """True if the release is newer than all earlier ones, of which there are some."""
        return bool(earlier) and all(compare(release, patch) is Order.NEWER for patch in earlier)

    def _came_back(self, back: Mapping[str, int], inputs: dict[str, str | int | float]) -> Verdict:
        """Enough new occurrences are a regression. `back` are these occurrences by release."""
        new, release, where = sum(back.values()), newest(back)[0], listed(newest(back))
        count, condition = counted(new, "new occurrence"), self.condition
        if self._order(release) is Order.OLDER:
            rule = "hotfix-line"
            reason = f"{self.key} was closed; {count} in {release}, a later patch of an older line than the fix"
        elif self.fixes:
            rule, reason = "fixed-in", f"{self._closed()}; {count} in {where}, not older than the fix"
        else:
            rule, reason = "known-releases", f"{self._closed()}; {count} in {where}, newer than that"
        regression = Regression(
            release=release, occurrences=new, fixed_in=listed(self.fixes), closed_at=condition.closed_at
        )
        facts = inputs | {"release": release, "new": new}
        return Verdict(rule=rule, reason=reason, inputs=facts, regression=regression)

    def _taken_for_regression(self, unclear: Mapping[str, int]) -> Verdict:
        """No order of releases says whether these occurrences have the fix; the route's `unknown_release` counts them."""
        names, new = [release for release in unclear if release != UNRELEASED], sum(unclear.values())
        release = newest(names)[0] if names else UNRELEASED
        regression = Regression(release=release, occurrences=new, fixed_in="", closed_at=self.condition.closed_at)
        where = f"in {listed(newest(names))}, which cannot be compared" if names else "without a release"
        count = counted(new, "new occurrence")
        reason = f"{self._closed()}; {count} {where}; unknown_release counts them as a regression"
        inputs: Facts = {"release": release, "new": new}
        return Verdict(rule="unknown-release", reason=reason, inputs=inputs, regression=regression)

    def _closed(self) -> str:
        """How the issue was closed, as a clause."""
        text = f"{self.key} was closed"
        if self.fixes:
            text = f"{self.key} was fixed in {listed(self.fixes)}"
        elif self.newest and self.by_adoption:
            text += f" before syncd adopted it, and {listed(self.newest)} is taken for the newest release known by then"
        elif self.newest:
            text += f" when {listed(self.newest)} was the newest known release"
        if self.unusable:
            text += f" (its fix version {listed(self.unusable)} names no release of the project)"
        return text

    def _part(self, kind: Kind, new: Mapping[str, int]) -> str:
        """The new occurrences of one kind, as a clause."""
        count = counted(sum(new.values()), "new occurrence")
        they = "it has the fix" if sum(new.values()) == 1 else "they have the fix"
        if kind is Kind.UNRELEASED:
            return f"{count} without a release that could be read: syncd cannot tell whether {they}"
        places = [f"{release} ({new[release]:,})" for release in ordered(new)]
        several = len(new) >= 2
        where = listed(places) if several else next(iter(new)) or "no release"
        against = listed(self.newest) or "any release"
        rebuilt = f"not older than the fix, but {'they' if several else 'it'} crashed before the closing too: syncd cannot tell builds apart"
        line = f"newer than its own line was, older than {against}: name the fix of this line if it has one"
        prior = "taken for known by then" if self.by_adoption else "known at the closing"
        if not set(new) <= self.own:
            prior += " from this or other crashes: if it has the fix, name it as the fix version"
        meaning = {
            Kind.BACK: "not older than the fix" if self.fixes else "newer than that",
            Kind.UNCONFIRMED: "far above all releases of the project: a second one counts as a regression",
            Kind.INCOMPARABLE: f"which cannot be compared with {against}: syncd cannot tell whether {they}",
            Kind.REBUILT: rebuilt,
            Kind.EARLY: "a pre-release or a build of the fix that came out after the closing",
            Kind.LINE: line,
            Kind.SAME: f"which cannot be told from {against}",
            Kind.ANSWERED: "which the issue already reports",
            Kind.PRIOR: prior,
            Kind.OLDER: "older than that",
        }[kind]
        return f"{count} in {where}, {meaning}"
