"""Findings of `check` on what routes ask of a Jira project: what they recognise in closed issues, and what their rules set."""

from collections.abc import Sequence

from syncd.config import JiraSettings
from syncd.core.policy import Policy
from syncd.errors import TrackerError
from syncd.trackers import Finding, closings
from syncd.trackers.jira.answers import rows
from syncd.trackers.jira.connection import Connection
from syncd.trackers.jira.look import ENGLISH, Translates, standard


def check_routes(
    connection: Connection,
    settings: JiraSettings,
    routes: Sequence[Policy],
    releases: Sequence[str],
    translates: Translates,
) -> list[Finding]:
    """Which resolutions the routes recognise, and which versions of the project name a release. Creates nothing."""
    findings = []
    try:
        listed = rows(connection.send_idempotent("GET", "resolution", headers=ENGLISH))
        names = {str(row["name"]): standard(row, translates) for row in listed if row.get("name")}
        findings += closings.resolutions(names, routes)
        if settings.fixed_in_field == "fixVersions":
            versions = rows(connection.send_idempotent("GET", f"project/{settings.project}/versions"))
            titles = [str(row.get("name")) for row in versions if not row.get("archived")]
            findings += closings.fix_names("version", titles, routes, releases)
    except TrackerError as error:
        what = f"the resolutions and versions of {settings.project} cannot be read: {error.reason}"
        findings.append(Finding(ok=False, what=what, remedy="check again"))
    return findings
