"""Where a linked issue is: at home, in another project, deleted, or out of our sight.

Its id stays when it is moved to another project; its key does not.
"""

from urllib.parse import quote

from syncd.config import JiraSettings
from syncd.errors import Gone, OutOfReach, Refused, TrackerError, Unavailable
from syncd.model import Issue, Observation
from syncd.trackers.answer import Answer, Sent
from syncd.trackers.jira.answers import Named, captcha, expect, failure, words
from syncd.trackers.jira.check import require
from syncd.trackers.jira.condition import Kept, seen, wanted
from syncd.trackers.jira.connection import Connection
from syncd.trackers.jira.probe import search


def path(issue: Issue) -> str:
    """The path of a linked issue."""
    if issue.remote_id is None:
        raise Unavailable("the group has no issue yet")
    return f"issue/{quote(issue.remote_id, safe='')}"


def look(connection: Connection, settings: JiraSettings, issue: Issue) -> Observation:
    """One GET, and up to three more where that finds nothing."""
    answer = connection.again("GET", path(issue), parameters={"fields": ",".join(wanted(settings))})
    if answer.status == 404:
        raise lost(connection, settings, issue)
    if answer.status == 403 and not captcha(answer):
        require(connection, settings, "BROWSE_PROJECTS")
        raise OutOfReach(f"{issue.key} may not be seen by the account that syncd uses{words(answer)}")
    return seen(settings, expect(answer, Kept))


def lost(connection: Connection, settings: JiraSettings, issue: Issue) -> Gone:
    """What it means that an issue answers 404. Raises where it may mean something else than that the issue is gone."""
    require(connection, settings, "BROWSE_PROJECTS")
    _, newest = search(connection, settings, f'project = "{settings.project}" ORDER BY key DESC', 2)
    # The index may still show the issue itself.
    for neighbour in [one for one in newest if one.id != issue.remote_id][:1]:
        answer = connection.again("GET", f"issue/{neighbour.id}", parameters={"fields": "created"})
        if answer.status == 404:
            raise Unavailable(f"neither {issue.key} nor {neighbour.key} can be read at this moment")
        expect(answer, Named)
    # Nothing in Jira tells these two from each other.
    return Gone(f"{issue.key} was deleted, or moved to a project that the account syncd uses may not see")


def refusal(
    connection: Connection, settings: JiraSettings, issue: Issue, answer: Answer, permission: str, sent: Sent
) -> TrackerError:
    """What a failed request on one issue means.

    Jira says 404 both for what is gone and for what may not be seen, and 400 or 403 for what may not be done, so the
    account's permissions tell one issue's fault from the whole project's.
    """
    if answer.status not in (400, 403, 404) or captcha(answer):
        return failure(answer, sent)
    try:
        require(connection, settings, "BROWSE_PROJECTS", permission)
        if answer.status == 404:
            return lost(connection, settings, issue)
    except TrackerError as error:
        # Nothing was done whatever the reason, so a lost control answer puts nothing in doubt.
        return error
    project = (issue.key or "").rpartition("-")[0]
    if answer.status == 403 and project != settings.project:
        return OutOfReach(f"{issue.key} was moved to where the account syncd uses may not do this{words(answer)}")
    return Refused(f"Jira does not take this for {issue.key} ({answer.status}){words(answer)}")
